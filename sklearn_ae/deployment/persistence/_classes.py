"""What a file may hold: the classes that are written and read, by name."""

from sklearn.frozen import FrozenEstimator

from sklearn_ae.autoencoder.architectures import ARCHITECTURES
from sklearn_ae.autoencoder.detector import AutoencoderAnomalyDetector
from sklearn_ae.autoencoder.scores import ANOMALY_SCORES, CombinedScore
from sklearn_ae.thresholds import ConformalDetector, FixedThresholdDetector, NormalsOnly
from sklearn_ae.thresholds._report import CalibrationReport

DETECTORS = (AutoencoderAnomalyDetector, ConformalDetector, FixedThresholdDetector, NormalsOnly)

# Written field by field.
RECORDS = {cls.__name__: cls for cls in (CalibrationReport,)}

_STATES = {
    AutoencoderAnomalyDetector: {
        *("_fitted_dtype", "_fitted_max", "_network", "_row_hashes", "_sample_shape"),
        *("_sklearn_output_config", "_tiling", "anomaly_score_", "best_epoch_"),
        *("feature_names_in_", "history_", "input_shape_", "n_epochs_", "n_features_in_"),
        *("offset_", "training_scores_", "trimmed_indices_", "validation_indices_"),
        "validation_scores_",
    },
    ConformalDetector: {
        *("_report", "calibration_indices_", "calibration_scores_", "estimator_", "offset_"),
    },
    FixedThresholdDetector: {"estimator_"},
    NormalsOnly: {"_sklearn_output_config", "estimator_"},
}

# What a fit leaves for its user to look at: code, which no file holds.
NEVER_WRITTEN = {"callbacks_"}


def registered_architectures():
    """Return the registered architectures, as a tuple of classes."""
    return tuple(ARCHITECTURES.values())


def registered_scores():
    """Return the registered scores, as a tuple of classes."""
    return (CombinedScore, *ANOMALY_SCORES.values())


def estimators():
    """Return by name the classes that are written as their parameters and what a fit has left."""
    classes = (*DETECTORS, FrozenEstimator, *registered_architectures(), *registered_scores())
    return {cls.__name__: cls for cls in classes}


def state_of(cls):
    """Return the names of the attributes that a fit, or `set_output`, sets.

    No other attribute is written, and none is read.

    Parameters
    ----------
    cls : type
        One of `estimators`.

    Returns
    -------
    names : set of str
    """
    return _STATES.get(cls) or set(getattr(cls, "_fitted_attributes", ()))
