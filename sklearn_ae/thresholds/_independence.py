"""Rows to calibrate with must be new to a fitted detector, and known to be normal."""

from sklearn_ae._base.checks import warn
from sklearn_ae.thresholds._normals_only import NormalsOnly
from sklearn_ae.thresholds._unwrapping import find_innermost, walk_inwards


def check_rows_are_new(estimator, X, positions):
    """Refuse rows that a frozen detector, however deep inside, remembers.

    :class:`.AutoencoderAnomalyDetector` keeps hashes of the rows that `fit` got. It is
    found in wrappers of this package, in searches and at the end of pipelines, which transform the
    rows first. Of other detectors nothing is known. If rows repeat by nature, new rows may equal
    those of the fit, so equal rows are an error only if they are more than the rows that repeat.

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
        If it was fitted to some of the rows, and fewer rows than these repeat.
    """
    innermost = find_innermost(estimator)
    if not (innermost.is_frozen and hasattr(innermost.detector, "_compare_with_fit")):
        return
    are_equal, n_repeated = innermost.detector._compare_with_fit(innermost.transform(X))
    rows = positions[are_equal]
    if len(rows) > n_repeated:
        first = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
        raise ValueError(
            "X must be rows that the frozen detector was not fitted to, or the false-alarm rate of "
            "new rows is higher than that of these: hold rows out of its fit and calibrate with "
            f"them alone. Received: {len(rows)} of {len(positions)} rows that it was fitted to, "
            f"{first}."
        )
    if len(rows):
        warn(
            f"{len(rows)} of {len(positions)} calibration rows equal rows that the frozen detector "
            f"was fitted to. {n_repeated} rows repeat within X or within the fit, so new rows may "
            "equal earlier ones. If these are rows of the fit, hold rows out of it instead: the "
            "false-alarm rate of new rows is higher than that of rows of the fit."
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
