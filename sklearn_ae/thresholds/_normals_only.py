"""NormalsOnly: a detector that never learns labeled anomalies."""

import numpy as np
from sklearn.base import clone
from sklearn.utils import indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_ae._base.sklearn_compat import HasMethods, _fit_context, _safe_indexing
from sklearn_ae.metrics import is_anomaly
from sklearn_ae.metrics._labels import find_pos_label
from sklearn_ae.thresholds._wrapper import POS_LABEL_CONSTRAINTS, DetectorWrapper, estimator_has


class NormalsOnly(DetectorWrapper):
    """Outlier detector that is fitted without the labeled anomalies.

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
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if the wrapped estimator has them.

    See Also
    --------
    FixedThresholdDetector : Outlier detector with a threshold that is given.
    ConformalDetector : Gives a guaranteed false-alarm rate; inside of this detector, it is
        calibrated with normal samples only, and its p-values are those of this detector.

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
        "pos_label": POS_LABEL_CONSTRAINTS,
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
            X = _take_normals(X, y, find_pos_label(self))
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

    @available_if(estimator_has("p_values"))
    def p_values(self, X):
        """Compute p-values with the wrapped estimator.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.

        Returns
        -------
        p_values : ndarray of shape (n,), float64
            Those of :meth:`.ConformalDetector.p_values`: small for anomalies.
        """
        check_is_fitted(self)
        return self.estimator_.p_values(X)

    @available_if(estimator_has("discoveries"))
    def discoveries(self, X, fdr=0.1):
        """Flag samples of a batch with the wrapped estimator.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.
        fdr : float, default=0.1
            Expected share of false alarms among the samples flagged, in (0, 1).

        Returns
        -------
        discovered : ndarray of shape (n,), bool
            Those of :meth:`.ConformalDetector.discoveries`: True for the samples that are flagged.
        """
        check_is_fitted(self)
        return self.estimator_.discoveries(X, fdr=fdr)

    @available_if(estimator_has("calibration_report"))
    def calibration_report(self):
        """Say what the calibration of the wrapped estimator guarantees.

        Returns
        -------
        report : CalibrationReport
            That of :meth:`.ConformalDetector.calibration_report`.
        """
        check_is_fitted(self)
        return self.estimator_.calibration_report()

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
