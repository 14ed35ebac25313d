"""Metrics of several detectors on the same samples, and how far they are to be trusted."""

import numpy as np
import sklearn
from sklearn.utils import check_random_state, resample

from sklearn_ae.metrics import anomaly_scorer

METRICS = {
    "roc_auc": anomaly_scorer("roc_auc"),
    "average_precision": anomaly_scorer("average_precision"),
    "recall_at_1_percent": anomaly_scorer("recall_at_false_alarm_rate", false_alarm_rate=0.01),
    "recall_at_5_percent": anomaly_scorer("recall_at_false_alarm_rate", false_alarm_rate=0.05),
}
_PERCENTILES = (2.5, 97.5)


def measure(anomalies, scores):
    """Compute all metrics of several detectors.

    Parameters
    ----------
    anomalies : ndarray of shape (n,), bool
    scores : sequence of ndarray of shape (n,)
        Anomaly scores, an array for each detector.

    Returns
    -------
    values : ndarray of shape (n_detectors, n_metrics)
    """
    return np.array(
        [[metric.measure(anomalies, one) for metric in METRICS.values()] for one in scores]
    )


def bootstrap(anomalies, scores, *, n_resamples, random_state):
    """Compute all metrics on resamples of the samples, the same for all detectors.

    Parameters
    ----------
    anomalies : ndarray of shape (n,), bool
        Their number is that of each resample too, so that none is without any.
    scores : ndarray of shape (n_detectors, n)
        Anomaly scores.
    n_resamples : int
    random_state : int

    Returns
    -------
    values : ndarray of shape (n_resamples, n_detectors, n_metrics)
    """
    random_state = check_random_state(random_state)
    rows = np.arange(len(anomalies))
    values = []
    # Checks of what was checked before would take most of the time.
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        for _ in range(n_resamples):
            drawn = resample(rows, stratify=anomalies, random_state=random_state)
            values.append(measure(anomalies[drawn], scores[:, drawn]))
    return np.array(values)


def interval(values):
    """Return the ends of the interval that holds 95 % of resampled values.

    Parameters
    ----------
    values : ndarray of shape (n_resamples, ...)

    Returns
    -------
    low, high : ndarray of shape (...)
    """
    return np.percentile(values, _PERCENTILES, axis=0)
