"""The detector that scores, inside of wrappers, searches and pipelines."""

from typing import Any, NamedTuple

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline

from sklearn_ae.thresholds._wrapper import DetectorWrapper


class Innermost(NamedTuple):
    """What `find_innermost` returns.

    Parameters
    ----------
    detector : estimator object
        The one that scores.
    transformers : list of estimators
        What transforms the rows before, in the order in which they are applied.
    is_frozen : bool
        Whether the detector is in a :class:`~sklearn.frozen.FrozenEstimator`, at any depth, so that
        no `fit` fits it.
    """

    detector: Any
    transformers: list
    is_frozen: bool

    def transform(self, X):
        """Return samples as they reach the detector."""
        for transformer in self.transformers:
            X = transformer.transform(X)
        return X


def walk_inwards(estimator):
    """Go from an estimator to the detector that scores, through all that is around it.

    Parameters
    ----------
    estimator : estimator object
        Outlier detector, or a frozen one, a wrapper of this package, a search or a pipeline
        around one, in any order.

    Yields
    ------
    estimator : estimator object
        From the outermost to the innermost.
    """
    while True:
        yield estimator
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif isinstance(estimator, DetectorWrapper):
            estimator = estimator._inner_estimator
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, GridSearchCV | RandomizedSearchCV):
            estimator = estimator.estimator
        elif isinstance(estimator, Pipeline) and estimator.steps:
            estimator = estimator.steps[-1][1]
        else:
            return


def find_innermost(estimator):
    """Find the detector that scores, and what transforms the rows before.

    Parameters
    ----------
    estimator : estimator object
        Fitted outlier detector, or a frozen one, a wrapper of this package, a search or a pipeline
        around one, in any order.

    Returns
    -------
    innermost : Innermost
    """
    transformers, is_frozen = [], False
    for detector in walk_inwards(estimator):
        is_frozen = is_frozen or isinstance(detector, FrozenEstimator)
        if isinstance(detector, Pipeline):
            steps = [step for _, step in detector.steps[:-1]]
            transformers += [step for step in steps if step not in (None, "passthrough")]
    return Innermost(detector, transformers, is_frozen)


def find_calibration_scores(estimator):
    """Find what the p-values of an estimator count.

    Parameters
    ----------
    estimator : estimator object
        Fitted, of those that :func:`walk_inwards` goes through.

    Returns
    -------
    calibration_scores : ndarray of shape (n,) or None
        Sorted, those of the outermost estimator that gives p-values; None if there is none.
    """
    chain = list(walk_inwards(estimator))
    has_p_values = any(hasattr(estimator, "p_values") for estimator in chain)
    scores = (e.calibration_scores_ for e in chain if hasattr(e, "calibration_scores_"))
    return next(scores) if has_p_values else None


def find_offset(estimator):
    """Return the `score_samples` below which a sample is an anomaly.

    Parameters
    ----------
    estimator : estimator object
        As :func:`walk_inwards` takes it, fitted.

    Returns
    -------
    offset : float
        That of the outermost estimator that has one.
    """
    return float(next(e.offset_ for e in walk_inwards(estimator) if hasattr(e, "offset_")))
