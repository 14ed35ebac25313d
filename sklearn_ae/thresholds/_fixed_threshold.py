"""FixedThresholdDetector: another threshold without another fit."""

from numbers import Real

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklearn_ae._base.sklearn_compat import HasMethods, Interval, _fit_context
from sklearn_ae.thresholds._unwrapping import find_innermost
from sklearn_ae.thresholds._wrapper import POS_LABEL_CONSTRAINTS, ThresholdWrapper


class FixedThresholdDetector(ThresholdWrapper):
    """Outlier detector with a given threshold of the anomaly score.

    A sample is an anomaly if and only if its anomaly score, −`score_samples`, is greater than the
    threshold. To change the threshold of a detector that is fitted already, wrap it in a
    :class:`~sklearn.frozen.FrozenEstimator`: then nothing is fitted again, also in a search over
    `threshold`.

    Parameters
    ----------
    estimator : estimator object
        Outlier detector with `score_samples`, or a pipeline that ends in one. `fit` fits a clone of
        it; if it is fitted already, no `fit` is needed.
    threshold : float
        Anomaly score, in the units of −`score_samples`, above which a sample is an anomaly.
    pos_label : int, float, bool or str, default=None
        The label of an anomaly in `score`, where the convention does not tell: see
        :func:`sklearn_ae.metrics.is_anomaly`.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted clone of `estimator`, or the frozen estimator itself; set by `fit`.
    offset_ : float
        −`threshold`: `decision_function` is `score_samples` − `offset_`.
    n_features_in_ : int
        Number of features seen during `fit`, if the wrapped estimator has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if the wrapped estimator has them.

    See Also
    --------
    NormalsOnly : Outlier detector that is fitted without the labeled anomalies.
    sklearn.model_selection.FixedThresholdClassifier : The same for classifiers.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from sklearn_ae import FixedThresholdDetector
    >>> detector = LocalOutlierFactor(n_neighbors=2, novelty=True)
    >>> detector.fit([[0.0], [1.0], [2.0], [3.0], [4.0]])
    LocalOutlierFactor(n_neighbors=2, novelty=True)
    >>> X = [[2.5], [6.0], [9.0]]
    >>> (-detector.score_samples(X)).round(2)
    array([0.83, 1.67, 3.67])
    >>> detector.predict(X)
    array([ 1, -1, -1])
    >>> FixedThresholdDetector(FrozenEstimator(detector), threshold=3).predict(X)
    array([ 1,  1, -1])
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "score_samples"])],
        "threshold": [Interval(Real, None, None, closed="neither")],
        "pos_label": POS_LABEL_CONSTRAINTS,
    }

    def __init__(self, estimator, *, threshold, pos_label=None):
        self.estimator = estimator
        self.threshold = threshold
        self.pos_label = pos_label

    @property
    def offset_(self):
        """Minus the threshold."""
        check_is_fitted(self)
        # Without a fit, nothing has looked at the parameters yet.
        self._validate_params()
        # Errors and distances are never negative, which their detector alone knows.
        check = getattr(find_innermost(self).detector, "_warn_if_always_exceeded", None)
        if check is not None:
            check(self.threshold)
        return -float(self.threshold)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the wrapped estimator, unless it is frozen.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.
        y : array-like of shape (n,), default=None
            Labels, for a wrapped estimator that uses them, such as :class:`.NormalsOnly`.

        Returns
        -------
        self : FixedThresholdDetector
            The fitted estimator.
        """
        self.estimator_ = clone(self.estimator).fit(X, y)
        return self

    def __sklearn_is_fitted__(self):
        try:
            check_is_fitted(self._inner_estimator)
        except NotFittedError:
            return False
        return True
