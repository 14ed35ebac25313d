"""Displays, and a comparison with baselines.

What a person looks at.
"""

# Imports all rooms but the deployment. matplotlib is imported when something is drawn.

from sklearn_ae.inspection.baselines import BaselineComparison, compare_with_baselines
from sklearn_ae.inspection.displays import (
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

__all__ = [
    "AnomalyMapDisplay",
    "BaselineComparison",
    "ContributionDisplay",
    "DetectionCurveDisplay",
    "GridHeatmapDisplay",
    "LossCurveDisplay",
    "OperatingPointDisplay",
    "PValueDisplay",
    "ReconstructionDisplay",
    "ScoreHistogramDisplay",
    "ThresholdCurveDisplay",
    "compare_with_baselines",
]


def __dir__():
    return sorted(__all__)
