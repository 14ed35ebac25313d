"""Calibrations of scores that a test chooses."""

import numpy as np
from recording import Recorder
from sklearn.frozen import FrozenEstimator

from sklearn_ae import ConformalDetector


def column(values):
    return np.asarray(values, dtype=float)[:, np.newaxis]


def frozen():
    """A fitted detector whose scores are the values of the first column."""
    return FrozenEstimator(Recorder(scale=-1).fit(column([0])))


def calibrated(values, **parameters):
    return ConformalDetector(frozen(), **parameters).fit(column(values))
