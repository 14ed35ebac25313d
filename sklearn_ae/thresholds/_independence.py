"""Rows to calibrate with must be new to a fitted detector, and known to be normal."""

from sklearn_ae.thresholds._normals_only import NormalsOnly
from sklearn_ae.thresholds._unwrapping import find_innermost, walk_inwards


def check_rows_are_new(estimator, X, positions):
    """Refuse rows that a frozen detector, however deep inside, remembers.

    :class:`.AutoencoderAnomalyDetector` keeps hashes of the rows that `fit` got. It is
    found in wrappers of this package, in searches and at the end of pipelines, which transform the
    rows first. Of other detectors nothing is known.

    Parameters
    ----------
    estimator : estimator object
        Fitted outlier detector. Nothing is checked unless the one that scores is frozen: another
        was fitted a moment ago, to rows that were kept apart.
    X : array-like of shape (n, ...)
        The calibration rows.
    positions : ndarray of shape (n,), int
        Where they are among the rows that the user passed.

    Raises
    ------
    ValueError
        If it was fitted to some of the rows.
    """
    detector, transformers, is_frozen = find_innermost(estimator)
    if not (is_frozen and hasattr(detector, "_was_fitted_to")):
        return
    for transformer in transformers:
        X = transformer.transform(X)
    rows = positions[detector._was_fitted_to(X)]
    if len(rows):
        first = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
        raise ValueError(
            "X must be rows that the frozen detector was not fitted to, or the false-alarm rate of "
            "new rows is higher than that of these: hold rows out of its fit and calibrate with "
            f"them alone. Received: {len(rows)} of {len(positions)} rows that it was fitted to, "
            f"{first}."
        )


def check_no_labels_are_lost(estimator, y):
    """Refuse labels that a wrapped `NormalsOnly` would read, but not the calibration.

    Parameters
    ----------
    estimator : estimator object
        The detector to calibrate.
    y : object
        What `fit` got as its labels.

    Raises
    ------
    ValueError
        If there are labels, and a :class:`.NormalsOnly` inside.
    """
    if y is None:
        return
    if any(isinstance(inner, NormalsOnly) for inner in walk_inwards(estimator)):
        raise ValueError(
            "estimator must not be or contain a NormalsOnly where fit gets labels, for the "
            "anomalies would be among the calibration rows: write "
            "NormalsOnly(ConformalDetector(detector)), which drops them first. Received: y, and an "
            f"estimator of type {type(estimator).__name__}."
        )
