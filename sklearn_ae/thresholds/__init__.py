"""From scores to decisions, for any detector."""

# Imports `metrics` and `_base`, and knows nothing of Keras. The detector decides by the same mixin;
# the inspection and the deployment look inside the wrappers.

from sklearn_ae.thresholds._conformal import ConformalDetector
from sklearn_ae.thresholds._fixed_threshold import FixedThresholdDetector
from sklearn_ae.thresholds._normals_only import NormalsOnly
from sklearn_ae.thresholds._report import CalibrationReport
from sklearn_ae.thresholds._tuned_threshold import TunedThresholdDetectorCV

__all__ = [
    "CalibrationReport",
    "ConformalDetector",
    "FixedThresholdDetector",
    "NormalsOnly",
    "TunedThresholdDetectorCV",
]


def __dir__():
    return sorted(__all__)
