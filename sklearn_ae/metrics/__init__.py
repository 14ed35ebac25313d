"""Label conventions, and scores under them."""

from sklearn_ae.metrics._labels import is_anomaly
from sklearn_ae.metrics._recall_interval import recall_interval
from sklearn_ae.metrics._scorers import anomaly_scorer
from sklearn_ae.metrics._synthetic_scorer import synthetic_anomaly_scorer

__all__ = ["anomaly_scorer", "is_anomaly", "recall_interval", "synthetic_anomaly_scorer"]
