"""What a file may hold: the classes that are written and read, by name."""

from sklearn.frozen import FrozenEstimator

from sklearn_ae import anomaly_scores, architectures
from sklearn_ae._row_hashes import RowMemory
from sklearn_ae.calibration import ConformalDetector
from sklearn_ae.calibration._report import CalibrationReport
from sklearn_ae.detector import AutoencoderAnomalyDetector
from sklearn_ae.model_selection import FixedThresholdDetector, NormalsOnly

DETECTORS = (AutoencoderAnomalyDetector, ConformalDetector, FixedThresholdDetector, NormalsOnly)

ARCHITECTURES = (
    architectures.ConvAutoencoder,
    architectures.ConvDenseAutoencoder,
    architectures.DenseAutoencoder,
    architectures.FeatureAutoencoder,
)

SCORES = (
    anomaly_scores.AbsoluteError,
    anomaly_scores.CodeDifference,
    anomaly_scores.CombinedScore,
    anomaly_scores.HiddenDifference,
    anomaly_scores.LatentDistance,
    anomaly_scores.NeighborDistance,
    anomaly_scores.PooledDistance,
    anomaly_scores.PositionError,
    anomaly_scores.SmoothedError,
    anomaly_scores.SquaredError,
    anomaly_scores.WhitenedError,
)

# Written as their parameters and what a fit has left.
ESTIMATORS = {cls.__name__: cls for cls in (*DETECTORS, FrozenEstimator, *ARCHITECTURES, *SCORES)}

# Written field by field.
RECORDS = {cls.__name__: cls for cls in (RowMemory, CalibrationReport)}

_OF_SCORES = {
    *("mean_", "whitening_", "references_", "n_neighbors_"),
    *("scores_", "floors_", "means_", "deviations_"),
}

# What a fit, or `set_output`, sets. No other attribute is written, and none is read.
STATES = {
    **{cls: set() for cls in (FrozenEstimator, *ARCHITECTURES)},
    **{cls: _OF_SCORES for cls in SCORES},
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
