"""Rows to calibrate with must not be those that a detector was fitted to."""

import numpy as np

from sklearn_ae._innermost import find_innermost


def check_rows_are_new(estimator, X):
    """Refuse rows that a fitted detector, or one inside of it, remembers.

    :class:`~sklearn_ae.AutoencoderAnomalyDetector` keeps hashes of the rows that `fit` got. It is
    found in wrappers of this package, in searches and at the end of pipelines, which transform the
    rows first. Of other detectors nothing is known.

    Parameters
    ----------
    estimator : estimator object
        Fitted outlier detector.
    X : array-like of shape (n, ...)

    Raises
    ------
    ValueError
        If it was fitted to some of the rows.
    """
    estimator, transformers = find_innermost(estimator)
    if not hasattr(estimator, "_was_fitted_to"):
        return
    for transformer in transformers:
        X = transformer.transform(X)
    rows = np.flatnonzero(estimator._was_fitted_to(X))
    if len(rows):
        first = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
        raise ValueError(
            "X must be rows that the frozen detector was not fitted to, or the false-alarm rate of "
            "new rows is higher than that of these: hold rows out of its fit and calibrate with "
            f"them alone. Received: {len(rows)} of {len(X)} rows that it was fitted to, {first}."
        )
