"""Pictures of fits, scores, rows, maps, p-values and searches, after scikit-learn's Displays."""

from sklearn_ae.inspection.displays._anomaly_maps import AnomalyMapDisplay
from sklearn_ae.inspection.displays._contributions import ContributionDisplay
from sklearn_ae.inspection.displays._detection_curve import DetectionCurveDisplay
from sklearn_ae.inspection.displays._grid_heatmap import GridHeatmapDisplay
from sklearn_ae.inspection.displays._loss_curve import LossCurveDisplay
from sklearn_ae.inspection.displays._operating_points import OperatingPointDisplay
from sklearn_ae.inspection.displays._p_values import PValueDisplay
from sklearn_ae.inspection.displays._reconstruction import ReconstructionDisplay
from sklearn_ae.inspection.displays._score_histogram import ScoreHistogramDisplay
from sklearn_ae.inspection.displays._threshold_curve import ThresholdCurveDisplay

__all__ = [
    "AnomalyMapDisplay",
    "ContributionDisplay",
    "DetectionCurveDisplay",
    "GridHeatmapDisplay",
    "LossCurveDisplay",
    "OperatingPointDisplay",
    "PValueDisplay",
    "ReconstructionDisplay",
    "ScoreHistogramDisplay",
    "ThresholdCurveDisplay",
]
