"""Whether the parameters and attributes of an estimator from a file belong together."""

import math

import keras
import numpy as np
from sklearn.frozen import FrozenEstimator

from sklearn_ae.autoencoder.architectures import FeatureAutoencoder
from sklearn_ae.autoencoder.detector import AutoencoderAnomalyDetector
from sklearn_ae.autoencoder.network.fingerprints import is_keras
from sklearn_ae.autoencoder.network.network import Network
from sklearn_ae.autoencoder.scores import CombinedScore
from sklearn_ae.autoencoder.tiling import Tiling
from sklearn_ae.deployment.persistence._classes import (
    DETECTORS,
    registered_architectures,
    registered_scores,
)
from sklearn_ae.thresholds import ConformalDetector
from sklearn_ae.thresholds._report import CalibrationReport


def check_parameters(estimator):
    """Refuse parameters that no file of :func:`save` has.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of its range, or something that a fit would call or read.
    """
    if hasattr(estimator, "_parameter_constraints"):
        estimator._validate_params()
    for name, value in estimator.get_params(deep=False).items():
        check = _CHECKS.get((type(estimator), name)) or _CHECKS.get(name)
        if check is not None and not check(value):
            raise TypeError(f"{name}={value!r:.100} of {type(estimator).__name__}")


def check_fitted(estimator):
    """Refuse attributes that no fit leaves.

    Raises
    ------
    AttributeError, TypeError, ValueError
        If some are missing, or do not belong together.
    """
    if isinstance(estimator, AutoencoderAnomalyDetector) and hasattr(estimator, "offset_"):
        is_whole = _is_fitted_detector(estimator) and _is_number(estimator.offset_)
    elif isinstance(estimator, ConformalDetector) and hasattr(estimator, "offset_"):
        scores = estimator.calibration_scores_
        is_whole = type(estimator._report) is CalibrationReport and _is_number(estimator.offset_)
        is_whole = is_whole and _is_vector(scores, "f") and bool(np.all(np.diff(scores) >= 0))
        is_whole = is_whole and estimator.calibration_indices_.shape == scores.shape
    else:
        is_whole = True
    inner = getattr(estimator, "estimator_", None)
    if not is_whole or not (inner is None or _is_detector(inner)):
        raise ValueError(f"attributes of {type(estimator).__name__} that do not belong together")


def _is_fitted_detector(detector):
    network, shape = detector._network, detector.input_shape_
    return (
        type(network) is Network
        and network.input_shape == shape
        and type(detector._tiling) in (Tiling, type(None))
        and type(detector.anomaly_score_) in registered_scores()
        and isinstance(detector._fitted_dtype, np.dtype)
        and isinstance(detector._fitted_max, float)
        and _is_vector(detector._row_hashes, "u")
        and math.prod(detector._sample_shape) == math.prod(shape)
        and detector.n_features_in_ == math.prod(shape)
        and _is_vector(detector.training_scores_, "f")
        and _is_vector(detector.validation_scores_, "f")
        and detector.validation_indices_.shape == detector.validation_scores_.shape
        and isinstance(detector.history_, dict)
    )


def _is_number(value):
    return isinstance(value, float) and math.isfinite(value)


def _is_vector(array, kind):
    return isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype.kind == kind


def _is_detector(value):
    return type(value) in (*DETECTORS, FrozenEstimator)


def _is_none(value):
    return value is None


def _is_named_or(classes):
    return lambda value: isinstance(value, str) or type(value) in classes()


def _is_loss(value):
    is_function = is_keras(value) and not isinstance(value, type)
    return isinstance(value, str | keras.losses.Loss) or (
        is_function and hasattr(value, "__name__")
    )


def _are_scores(values):
    return all(
        isinstance(name, str) and type(score) in registered_scores() for name, score in values
    )


# A fit would call, import or unpickle what these say.
_CHECKS = {
    (AutoencoderAnomalyDetector, "architecture"): _is_named_or(registered_architectures),
    (AutoencoderAnomalyDetector, "anomaly_score"): _is_named_or(registered_scores),
    (AutoencoderAnomalyDetector, "callbacks"): _is_none,
    (AutoencoderAnomalyDetector, "loss"): _is_loss,
    (AutoencoderAnomalyDetector, "memory"): _is_none,
    (AutoencoderAnomalyDetector, "optimizer"): lambda value: isinstance(
        value, str | keras.optimizers.Optimizer
    ),
    (CombinedScore, "scores"): _are_scores,
    (FeatureAutoencoder, "backbone"): lambda value: value is None or isinstance(value, keras.Model),
    "estimator": _is_detector,
}
