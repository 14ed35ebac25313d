"""Anomaly detection with Keras autoencoders behind scikit-learn's outlier-detector interface."""

import sklearn_ae._early_interrupts  # before what takes time to import
import sklearn_ae._forks  # noqa: F401  it notices forks from now on
from sklearn_ae import baselines, calibration, datasets, distributed, exceptions, maps, metrics
from sklearn_ae.anomaly_scores import (
    AbsoluteError,
    CodeDifference,
    CombinedScore,
    HiddenDifference,
    LatentDistance,
    NeighborDistance,
    PooledDistance,
    PositionError,
    SmoothedError,
    SquaredError,
    WhitenedError,
)
from sklearn_ae.architectures import (
    ConvAutoencoder,
    ConvDenseAutoencoder,
    DenseAutoencoder,
    FeatureAutoencoder,
)
from sklearn_ae.calibration import ConformalDetector
from sklearn_ae.detector import AutoencoderAnomalyDetector
from sklearn_ae.displays import (
    AnomalyMapDisplay,
    ContributionDisplay,
    DetectionCurveDisplay,
    GridHeatmapDisplay,
    LossCurveDisplay,
    OperatingPointDisplay,
    PValueDisplay,
    ReconstructionDisplay,
    ScoreHistogramDisplay,
    ThresholdCurveDisplay,
)
from sklearn_ae.model_selection import (
    FixedThresholdDetector,
    NormalsOnly,
    TunedThresholdDetectorCV,
)

__version__ = "0.1.0.dev0"

__all__ = [
    "AbsoluteError",
    "AnomalyMapDisplay",
    "AutoencoderAnomalyDetector",
    "CodeDifference",
    "CombinedScore",
    "ConformalDetector",
    "ContributionDisplay",
    "ConvAutoencoder",
    "ConvDenseAutoencoder",
    "DenseAutoencoder",
    "DetectionCurveDisplay",
    "FeatureAutoencoder",
    "FixedThresholdDetector",
    "GridHeatmapDisplay",
    "HiddenDifference",
    "LatentDistance",
    "LossCurveDisplay",
    "NeighborDistance",
    "NormalsOnly",
    "OperatingPointDisplay",
    "PValueDisplay",
    "PooledDistance",
    "PositionError",
    "ReconstructionDisplay",
    "ScoreHistogramDisplay",
    "SmoothedError",
    "SquaredError",
    "ThresholdCurveDisplay",
    "TunedThresholdDetectorCV",
    "WhitenedError",
    "__version__",
    "baselines",
    "calibration",
    "datasets",
    "distributed",
    "exceptions",
    "maps",
    "metrics",
]
