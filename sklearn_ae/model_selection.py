"""Labels and thresholds around any outlier detector."""

from numbers import Real

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_ae._compat import HasMethods, Interval, _fit_context, _safe_indexing
from sklearn_ae._detector_wrapper import DetectorWrapper, estimator_has
from sklearn_ae.metrics import is_anomaly

_POS_LABEL_CONSTRAINTS = [Real, str, "boolean", None]


class NormalsOnly(DetectorWrapper):
    """Outlier detector that is fitted without the labelled anomalies.

    `fit` drops the samples that `y` labels as anomalies, and fits the wrapped estimator to the
    rest. So anomalies serve a search to choose parameters, but no detector ever learns them: in
    :class:`~sklearn.model_selection.GridSearchCV`, give it
    `cv=StratifiedKFold(shuffle=True)` and `error_score="raise"`.

    Parameters
    ----------
    estimator : estimator object
        Outlier detector, or a pipeline that ends in one. A clone of it is fitted.
    pos_label : int, float, bool or str, default=None
        The label of an anomaly, where the convention does not tell: see
        :func:`sklearn_ae.metrics.is_anomaly`.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted clone of `estimator`.
    offset_ : float
        `decision_function` is `score_samples` − `offset_`, if the wrapped estimator has it.
    n_features_in_ : int
        Number of features seen during `fit`, if the wrapped estimator has it.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during `fit`, if the wrapped estimator has them.

    See Also
    --------
    FixedThresholdDetector : Outlier detector with a threshold that is given.

    Notes
    -----
    The wrapped estimator gets no `y`, for one class would be left of it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.model_selection import GridSearchCV, StratifiedKFold
    >>> from sklearn_ae import NormalsOnly
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> X[:20] += 6
    >>> y = np.repeat(["defect", "good"], [20, 80])
    >>> search = GridSearchCV(
    ...     NormalsOnly(IsolationForest(n_estimators=20, random_state=0), pos_label="defect"),
    ...     {"estimator__contamination": [0.01, 0.4]},
    ...     cv=StratifiedKFold(n_splits=2, shuffle=True, random_state=0),
    ...     error_score="raise",
    ... )
    >>> search.fit(X, y).best_params_
    {'estimator__contamination': 0.01}
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"])],
        "pos_label": _POS_LABEL_CONSTRAINTS,
    }

    def __init__(self, estimator, *, pos_label=None):
        self.estimator = estimator
        self.pos_label = pos_label

    @property
    def offset_(self):
        """Threshold on `score_samples`."""
        check_is_fitted(self)
        return self.estimator_.offset_

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the wrapped estimator to the normal samples.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them. They are handed on as they are if no sample
            is dropped.
        y : array-like of shape (n,), default=None
            Labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`. If None, all
            samples are taken for normal.

        Returns
        -------
        self : NormalsOnly
            The fitted estimator.

        Raises
        ------
        ValueError
            If the lengths differ, the labels are not understood, or fewer than two samples are
            normal.
        """
        if y is not None:
            X = _take_normals(X, y, self.pos_label)
        # y by position, as FrozenEstimator has no default for it.
        self.estimator_ = clone(self.estimator).fit(X, None)
        return self

    def predict(self, X):
        """Tell normal samples and anomalies apart.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.

        Returns
        -------
        predictions : ndarray of shape (n,), int
            +1 for normal samples, −1 for anomalies.
        """
        check_is_fitted(self)
        return self.estimator_.predict(X)

    @available_if(estimator_has("decision_function"))
    def decision_function(self, X):
        """Compute the scores minus the threshold.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.

        Returns
        -------
        decisions : ndarray of shape (n,)
            Decisions of the wrapped estimator: negative for anomalies.
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    @available_if(estimator_has("transform"))
    def transform(self, X):
        """Transform data with the wrapped estimator.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.

        Returns
        -------
        X_transformed : array-like of shape (n, n_features_out)
            Transformed data, such as the codes of an autoencoder.
        """
        check_is_fitted(self)
        return self.estimator_.transform(X)

    @available_if(estimator_has("inverse_transform"))
    def inverse_transform(self, X):
        """Transform data back with the wrapped estimator.

        Parameters
        ----------
        X : array-like of shape (n, n_features_out)
            Transformed data.

        Returns
        -------
        X_original : array-like of shape (n, ...)
            Data in the space of the input.
        """
        check_is_fitted(self)
        return self.estimator_.inverse_transform(X)

    @available_if(estimator_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features=None):
        """Get the names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input, as the wrapped estimator takes them.

        Returns
        -------
        feature_names_out : ndarray of str
            Names of the output.
        """
        check_is_fitted(self)
        return self.estimator_.get_feature_names_out(input_features)

    @available_if(estimator_has("set_output"))
    def set_output(self, *, transform=None):
        """Set the container that `transform` returns.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            The container. If None, it stays as it is.

        Returns
        -------
        self : NormalsOnly
            The estimator itself.
        """
        self.estimator.set_output(transform=transform)
        self._inner_estimator.set_output(transform=transform)
        return self


class FixedThresholdDetector(DetectorWrapper):
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
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during `fit`, if the wrapped estimator has them.

    See Also
    --------
    NormalsOnly : Outlier detector that is fitted without the labelled anomalies.
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
        "pos_label": _POS_LABEL_CONSTRAINTS,
    }

    def __init__(self, estimator, *, threshold, pos_label=None):
        self.estimator = estimator
        self.threshold = threshold
        self.pos_label = pos_label

    @property
    def offset_(self):
        """Minus the threshold."""
        check_is_fitted(self)
        return -float(self.threshold)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the wrapped estimator, unless it is frozen.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.
        y : array-like of shape (n,), default=None
            Labels, for a wrapped estimator that uses them, such as :class:`NormalsOnly`.

        Returns
        -------
        self : FixedThresholdDetector
            The fitted estimator.
        """
        self.estimator_ = clone(self.estimator).fit(X, y)
        return self

    def decision_function(self, X):
        """Compute the scores plus the threshold.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.

        Returns
        -------
        decisions : ndarray of shape (n,), float64
            `score_samples` + `threshold`: negative for anomalies.

        Raises
        ------
        ValueError
            If `threshold` is no finite number.
        """
        # Without a fit, nothing has looked at the parameters yet.
        self._validate_params()
        # In float32 the threshold would be rounded.
        return np.asarray(self.score_samples(X), dtype=np.float64) + float(self.threshold)

    def predict(self, X):
        """Tell normal samples and anomalies apart.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.

        Returns
        -------
        predictions : ndarray of shape (n,), int
            −1 where −`score_samples` is greater than `threshold`, else +1.

        Raises
        ------
        ValueError
            If `threshold` is no finite number.
        """
        # The sum is rounded, but its sign is exact: a sum of floats is 0 only if they cancel.
        return np.where(self.decision_function(X) < 0, -1, 1)

    def __sklearn_is_fitted__(self):
        try:
            check_is_fitted(self._inner_estimator)
        except NotFittedError:
            return False
        return True


def _take_normals(X, y, pos_label):
    X, y = indexable(X, y)
    anomalies = is_anomaly(y, pos_label=pos_label)
    n_anomalies = int(np.sum(anomalies))
    n_normals = len(anomalies) - n_anomalies
    if n_normals < 2:
        raise ValueError(
            "y must label at least two samples as normal, for a detector learns from these; if it "
            "is the other label that marks an anomaly, say so with pos_label. Received: "
            f"{n_normals} normal among {len(anomalies)} samples."
        )
    # Indexing copies, also memory maps.
    return _safe_indexing(X, np.flatnonzero(~anomalies)) if n_anomalies else X
