"""From scores and a threshold to decisions, labels and their quality."""

import numpy as np

from sklearn_ae.metrics._labels import balanced_accuracy


class DecidingMixin:
    """Methods of a fitted detector that compare `score_samples` with `offset_`."""

    def decision_function(self, X):
        """Compute by how much `score_samples` exceeds the threshold: below 0 is an anomaly.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, channels)
            Samples of the shape and in the units of the training data.

        Returns
        -------
        decisions : ndarray of shape (n,), float64
            ``score_samples(X) - offset_``.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """Tell normal samples from anomalies.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, channels)
            Samples of the shape and in the units of the training data.

        Returns
        -------
        labels : ndarray of shape (n,), int
            +1 for normal samples, -1 for anomalies.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def score(self, X, y=None):
        """Compute the balanced accuracy of `predict`.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, channels)
            Samples of the shape and in the units of the training data.
        y : array-like of shape (n,), default=None
            Labels: -1 for anomalies and +1 for normal samples, or 1 and 0, or True and False. For
            other labels see :class:`.NormalsOnly` and its `pos_label`. None is an error.

        Returns
        -------
        score : float
            Mean of the shares of normal samples and of anomalies that are recognized, in [0, 1].

        Raises
        ------
        ValueError
            If `y` is None, holds one class only or other labels.
        """
        return balanced_accuracy(y, self.predict(X))
