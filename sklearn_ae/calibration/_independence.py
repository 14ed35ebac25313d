"""Rows to calibrate with must not be those that a detector was fitted to."""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sklearn_ae.model_selection._wrapper import DetectorWrapper


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
    estimator, transformers = _find_innermost(estimator)
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


def _find_innermost(estimator):
    """Return the detector that scores, and what transforms the rows before."""
    transformers = []
    while True:
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif isinstance(estimator, DetectorWrapper):
            estimator = estimator._inner_estimator
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            steps = [step for _, step in estimator.steps]
            transformers += [step for step in steps[:-1] if step not in (None, "passthrough")]
            estimator = steps[-1]
        else:
            return estimator, transformers
