"""Labels and thresholds around any outlier detector."""

from sklearn_ae.model_selection._fixed_threshold import FixedThresholdDetector
from sklearn_ae.model_selection._normals_only import NormalsOnly
from sklearn_ae.model_selection._tuned_threshold import TunedThresholdDetectorCV

__all__ = ["FixedThresholdDetector", "NormalsOnly", "TunedThresholdDetectorCV"]
