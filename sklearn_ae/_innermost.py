"""The detector that scores, inside of wrappers, searches and pipelines."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sklearn_ae.model_selection._wrapper import DetectorWrapper


def find_innermost(estimator):
    """Find the detector that scores, and what transforms the rows before.

    Parameters
    ----------
    estimator : estimator object
        Fitted outlier detector, or a frozen one, a wrapper of this package, a search or a pipeline
        around one, in any order.

    Returns
    -------
    detector : estimator object
    transformers : list of estimators
        In the order in which they are applied.
    """
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
