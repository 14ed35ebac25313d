"""Pictures of a fit, of reconstructions and of anomaly scores, after scikit-learn's Displays."""

from sklearn_ae.displays._loss_curve import LossCurveDisplay
from sklearn_ae.displays._reconstruction import ReconstructionDisplay
from sklearn_ae.displays._score_histogram import ScoreHistogramDisplay

__all__ = ["LossCurveDisplay", "ReconstructionDisplay", "ScoreHistogramDisplay"]
