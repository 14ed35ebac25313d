"""What a file holds of searches, tuned thresholds and pipelines: what scores, and no more."""

import copy

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_ae.thresholds import FixedThresholdDetector, TunedThresholdDetectorCV
from sklearn_ae.thresholds._wrapper import DetectorWrapper


def plain_form(estimator):
    """Replace searches, tuned thresholds and pipelines of one step by what they score with.

    Parameters
    ----------
    estimator : estimator object
        Fitted detector, or wrappers, searches and pipelines around one, in any order.

    Returns
    -------
    estimator : estimator object
        The estimator itself, if there is nothing to replace. Its scores and decisions are those of
        the original. Nothing is fitted.
    notes : list of str
        What was replaced by what.

    Raises
    ------
    NotFittedError
        If a search or a tuned threshold is not fitted.
    """
    if isinstance(estimator, TunedThresholdDetectorCV):
        return _plain_threshold(estimator)
    # First, as it has the attributes of what is in it.
    if isinstance(estimator, FrozenEstimator):
        inner, notes = plain_form(estimator.estimator)
        return (FrozenEstimator(inner) if notes else estimator), notes
    if isinstance(estimator, Pipeline):
        *transformers, (_, last) = estimator.steps or [("", None)]
        if last is not None and all(step in (None, "passthrough") for _, step in transformers):
            return _replaced(estimator, last)
    elif hasattr(estimator, "refit") and hasattr(estimator, "cv"):
        check_is_fitted(estimator)
        if hasattr(estimator, "best_estimator_"):
            return _replaced(estimator, estimator.best_estimator_)
    elif isinstance(estimator, DetectorWrapper) and hasattr(estimator, "estimator_"):
        inner, notes = plain_form(estimator.estimator_)
        if notes:
            estimator = copy.copy(estimator)
            estimator.estimator_ = inner
            # What another fit would fit: without the search, and nothing if it is frozen.
            estimator.estimator = clone(inner)
        return estimator, notes
    return estimator, []


def _replaced(estimator, inner):
    inner, notes = plain_form(inner)
    return inner, [f"{type(estimator).__name__} as the {type(inner).__name__} in it", *notes]


def _plain_threshold(tuned):
    check_is_fitted(tuned)
    inner, notes = plain_form(tuned.estimator_)
    fixed = FixedThresholdDetector(
        inner if isinstance(inner, FrozenEstimator) else FrozenEstimator(inner),
        threshold=-float(tuned.offset_),
        pos_label=tuned.pos_label,
    )
    return fixed, [
        "TunedThresholdDetectorCV as a FixedThresholdDetector around the frozen detector",
        *notes,
    ]
