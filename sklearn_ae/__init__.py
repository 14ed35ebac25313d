"""Anomaly detection with Keras autoencoders behind scikit-learn's outlier-detector interface."""

import sklearn_ae._base.early_interrupts  # before what takes time to import
import sklearn_ae._base.keras_environment  # noqa: F401  it notices forks from now on
from sklearn_ae import (
    architectures,
    autoencoder,
    datasets,
    deployment,
    exceptions,
    inspection,
    maps,
    metrics,
    scores,
    thresholds,
)
from sklearn_ae._base.version import __version__
from sklearn_ae.autoencoder import AutoencoderAnomalyDetector
from sklearn_ae.autoencoder.architectures import (
    ConvAutoencoder,
    ConvDenseAutoencoder,
    DenseAutoencoder,
    FeatureAutoencoder,
)
from sklearn_ae.deployment import load, save
from sklearn_ae.thresholds import (
    ConformalDetector,
    FixedThresholdDetector,
    NormalsOnly,
    TunedThresholdDetectorCV,
)

__all__ = [
    "AutoencoderAnomalyDetector",
    "ConformalDetector",
    "ConvAutoencoder",
    "ConvDenseAutoencoder",
    "DenseAutoencoder",
    "FeatureAutoencoder",
    "FixedThresholdDetector",
    "NormalsOnly",
    "TunedThresholdDetectorCV",
    "__version__",
    "architectures",
    "autoencoder",
    "datasets",
    "deployment",
    "exceptions",
    "inspection",
    "load",
    "maps",
    "metrics",
    "save",
    "scores",
    "thresholds",
]


def __dir__():
    return sorted(__all__)
