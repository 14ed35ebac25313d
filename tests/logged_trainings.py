"""A detector that leaves a line in a file for each network it trains, in whatever process."""

import os
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import joblib
from sklearn.base import BaseEstimator, OutlierMixin, clone


class Training(NamedTuple):
    """A network that was trained: the process, the length of the code, and a hash of the rows."""

    process: int
    latent_dim: int
    rows: str


class LogsTrainings(OutlierMixin, BaseEstimator):
    """Fits a detector, and logs each training inside. Its worker processes import this module."""

    def __init__(self, detector, path):
        self.detector = detector
        self.path = path

    def fit(self, X, y=None):
        from sklearn_ae._network import training

        train = training.train

        def logging(network, X, *args, settings, **kwargs):
            line = Training(os.getpid(), settings["latent_dim"], joblib.hash(X))
            with Path(self.path).open("a") as file:
                file.write(" ".join(map(str, line)) + "\n")
            return train(network, X, *args, settings=settings, **kwargs)

        with mock.patch.object(training, "train", logging):
            self.detector_ = clone(self.detector).fit(X, y)
        return self

    def predict(self, X):
        return self.detector_.predict(X)

    def score(self, X, y):
        return self.detector_.score(X, y)


def logged_trainings(path):
    """Return the trainings that were logged in a file."""
    lines = map(str.split, Path(path).read_text().splitlines())
    return [Training(int(process), int(code), rows) for process, code, rows in lines]


def assert_one_training_each(path, n_codes, n_folds):
    """Check that the workers trained one network for each code and fold, and none twice."""
    trainings = logged_trainings(path)
    networks = [training[1:] for training in trainings]
    assert len(networks) == len(set(networks)) == n_codes * n_folds
    assert os.getpid() not in {training.process for training in trainings}
