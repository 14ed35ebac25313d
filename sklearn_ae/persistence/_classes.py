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
