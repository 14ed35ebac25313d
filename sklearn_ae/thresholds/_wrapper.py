"""What outlier detectors around another one have in common."""

from copy import deepcopy
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, OutlierMixin
from sklearn.utils import ClassifierTags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_ae.metrics._labels import balanced_accuracy, find_pos_label

POS_LABEL_CONSTRAINTS = [Real, str, "boolean", None]


def estimator_has(method):
    """Make a check for :func:`~sklearn.utils.metaestimators.available_if`.

    Parameters
    ----------
    method : str
        What the wrapped estimator must have.

    Returns
    -------
    check : callable
    """

    def check(self):
        # The error says which estimator lacks it.
        getattr(self._inner_estimator, method)
        return True

    return check


class DetectorWrapper(OutlierMixin, MetaEstimatorMixin, BaseEstimator):
    """Base of outlier detectors around another outlier detector.

    Subclasses have the parameter `estimator`, and set `estimator_` in `fit`. Those that read labels
    have the parameter `pos_label` as well.
    """

    # For those without: their `score` reads labels by the conventions. It is no parameter.
    pos_label = None

    @property
    def _inner_estimator(self):
        return getattr(self, "estimator_", self.estimator)

    @property
    def n_features_in_(self):
        """Number of features seen during `fit`."""
        check_is_fitted(self)
        return self._inner_estimator.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of features seen during `fit`."""
        check_is_fitted(self)
        return self._inner_estimator.feature_names_in_

    def fit_predict(self, X, y=None):
        """Fit, then tell normal samples and anomalies in the same data apart.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.
        y : array-like of shape (n,), default=None
            Labels, as `fit` takes them.

        Returns
        -------
        predictions : ndarray of shape (n,), int
            +1 for normal samples, −1 for anomalies.
        """
        return self.fit(X, y).predict(X)

    @available_if(estimator_has("score_samples"))
    def score_samples(self, X):
        """Compute minus the anomaly scores.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.

        Returns
        -------
        scores : ndarray of shape (n,)
            Scores of the wrapped estimator: the higher, the more normal.
        """
        check_is_fitted(self)
        return self._inner_estimator.score_samples(X)

    def score(self, X, y=None):
        """Compute the balanced accuracy of `predict`.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.
        y : array-like of shape (n,), default=None
            Labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`; `pos_label` is
            that of the estimator, or of one that it wraps. The default serves an error that says
            what to use without labels.

        Returns
        -------
        score : float
            Mean of the share of anomalies that were found and the share of normal samples that
            were left alone.

        Raises
        ------
        ValueError
            If there are no labels, or they are not understood, or are of one class only.
        """
        return balanced_accuracy(y, self.predict(X), pos_label=find_pos_label(self))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner_tags = get_tags(self.estimator)
        tags.input_tags = deepcopy(inner_tags.input_tags)
        tags.non_deterministic = inner_tags.non_deterministic
        if self.pos_label is None:
            # The tag for labels of two kinds; with pos_label they may be of any number.
            tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


class ThresholdWrapper(DetectorWrapper):
    """Base of outlier detectors that compare the wrapped scores with a threshold of their own.

    Subclasses have `offset_` once they are fitted, below which a score is that of an anomaly.
    """

    def decision_function(self, X):
        """Compute the scores minus the threshold.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.

        Returns
        -------
        decisions : ndarray of shape (n,), float64
            `score_samples` − `offset_`: negative for anomalies.
        """
        check_is_fitted(self)
        # First, as a threshold that is no number is refused before anything is scored.
        offset = self.offset_
        # In float32 the threshold would be rounded.
        return np.asarray(self.score_samples(X), dtype=np.float64) - offset

    def predict(self, X):
        """Tell normal samples and anomalies apart.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.

        Returns
        -------
        predictions : ndarray of shape (n,), int
            −1 where `score_samples` is less than `offset_`, else +1.
        """
        # The difference is rounded, but its sign is exact: that of floats is 0 only if they are
        # equal.
        return np.where(self.decision_function(X) < 0, -1, 1)
