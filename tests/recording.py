"""A detector that tells tests what it was fitted to, and rows for it."""

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin


class Recorder(OutlierMixin, BaseEstimator):
    """Detector of large values, whose fits a test can count."""

    fits = []

    def __init__(self, scale=1, fails=False):
        self.scale = scale
        self.fails = fails

    def fit(self, X, y=None):
        assert y is None
        self.fits.append(np.asarray(X))
        if self.fails:
            raise RuntimeError("no fit")
        self.offset_ = -7.0
        return self

    def score_samples(self, X):
        return -self.scale * np.asarray(X, dtype=float).reshape(len(X), -1)[:, 0]

    def decision_function(self, X):
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        return np.where(self.decision_function(X) < 0, -1, 1)


def rising_rows():
    """Rows that rise by 1; those above 50 are anomalies, but for 53, and 40 is one too."""
    X = np.random.default_rng(0).permutation(np.arange(60.0))[:, np.newaxis]
    y = (X[:, 0] > 50).astype(int)
    y[X[:, 0] == 53] = 0
    y[X[:, 0] == 40] = 1
    return X, y
