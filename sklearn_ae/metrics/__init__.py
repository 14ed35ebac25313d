"""Labels, scorers, metrics of maps, intervals."""

# Imports `maps`, `datasets` and `_base`. Thresholds, the autoencoder and the inspection use it.

from sklearn_ae.metrics._labels import is_anomaly
from sklearn_ae.metrics._pixel_curve import PixelCurve
from sklearn_ae.metrics._pixel_metrics import pixel_average_precision, pixel_f1_max, pixel_roc_auc
from sklearn_ae.metrics._recall_interval import recall_interval
from sklearn_ae.metrics._region_metrics import aupro, region_recall
from sklearn_ae.metrics._scorers import anomaly_scorer
from sklearn_ae.metrics._synthetic_scorer import synthetic_anomaly_scorer

__all__ = [
    "PixelCurve",
    "anomaly_scorer",
    "aupro",
    "is_anomaly",
    "pixel_average_precision",
    "pixel_f1_max",
    "pixel_roc_auc",
    "recall_interval",
    "region_recall",
    "synthetic_anomaly_scorer",
]


def __dir__():
    return sorted(__all__)
