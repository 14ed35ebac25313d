"""A detector that leaves a line in a file for each network it trains, in whatever process."""

import os
from pathlib import Path
from unittest import mock

import joblib
from sklearn.base import BaseEstimator, OutlierMixin, clone


class LogsTrainings(OutlierMixin, BaseEstimator):
    """Fits a detector, and logs each training inside. Its worker processes import this module."""

    def __init__(self, detector, path):
        self.detector = detector
        self.path = path

    def fit(self, X, y=None):
        from sklearn_ae.autoencoder.training import keras_fit

        train = keras_fit.train

        def logging(network, X, split, settings, random_state):
            with Path(self.path).open("a") as file:
                file.write(f"{os.getpid()} {settings.latent_dim} {joblib.hash(X)}\n")
            return train(network, X, split, settings, random_state)

        with mock.patch.object(keras_fit, "train", logging):
            self.detector_ = clone(self.detector).fit(X, y)
        return self

    def predict(self, X):
        return self.detector_.predict(X)

    def score(self, X, y):
        return self.detector_.score(X, y)


def logged_trainings(path):
    """Return the networks that were trained, code and rows of each, and the processes."""
    lines = [line.split() for line in Path(path).read_text().splitlines()]
    return [tuple(network) for _, *network in lines], {int(process) for process, *_ in lines}
