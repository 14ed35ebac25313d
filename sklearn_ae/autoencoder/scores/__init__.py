"""Anomaly scores: parameter objects, one a file, and the choice of one for the detector.

Imports `_base` alone, and Keras inside of functions. The network computes with what these return.
"""

from sklearn_ae.autoencoder.scores.absolute_error import AbsoluteError
from sklearn_ae.autoencoder.scores.choosing import (
    ANOMALY_SCORES,
    check_anomaly_score,
    is_library_score,
    resolve_anomaly_score,
    warn_if_threshold_is_negative,
)
from sklearn_ae.autoencoder.scores.code_difference import CodeDifference
from sklearn_ae.autoencoder.scores.combined_score import CombinedScore
from sklearn_ae.autoencoder.scores.hidden_difference import HiddenDifference
from sklearn_ae.autoencoder.scores.latent_distance import LatentDistance
from sklearn_ae.autoencoder.scores.neighbor_distance import NeighborDistance
from sklearn_ae.autoencoder.scores.pooled_distance import PooledDistance
from sklearn_ae.autoencoder.scores.position_error import PositionError
from sklearn_ae.autoencoder.scores.smoothed_error import SmoothedError
from sklearn_ae.autoencoder.scores.squared_error import SquaredError
from sklearn_ae.autoencoder.scores.whitened_error import WhitenedError

__all__ = [
    "ANOMALY_SCORES",
    "AbsoluteError",
    "CodeDifference",
    "CombinedScore",
    "HiddenDifference",
    "LatentDistance",
    "NeighborDistance",
    "PooledDistance",
    "PositionError",
    "SmoothedError",
    "SquaredError",
    "WhitenedError",
    "check_anomaly_score",
    "is_library_score",
    "resolve_anomaly_score",
    "warn_if_threshold_is_negative",
]
