"""The share of anomalies found, and how sure it is with few of them."""

from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest
from sklearn.utils import check_consistent_length

from sklearn_ae.metrics._labels import is_anomaly


class RecallInterval(NamedTuple):
    """What :func:`recall_interval` returns."""

    recall: float
    low: float
    high: float
    n_found: int
    n_anomalies: int

    def __repr__(self):
        return (
            f"{self.n_found} of {self.n_anomalies} found: "
            f"{self.recall:.3f} [{self.low:.3f}, {self.high:.3f}]"
        )


def recall_interval(y, predictions, *, confidence=0.95, pos_label=None):
    """Compute the recall and its exact confidence interval.

    Few anomalies are labeled, as a rule, and a recall of 37 of 40 says less than one of 925 of
    1,000. The interval of Clopper and Pearson [1]_ holds the recall among all anomalies of the same
    kind in at least the share `confidence` of the cases, however few were tried.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels, under any convention of :func:`is_anomaly`.
    predictions : array-like of shape (n,)
        What `predict` of an outlier detector returned, −1 for an anomaly and +1 for a normal
        sample; or booleans, True for an anomaly, as
        :meth:`~.ConformalDetector.discoveries` returns them.
    confidence : float, default=0.95
        Probability, in (0, 1), that the interval holds the recall.
    pos_label : int, float, bool or str, default=None
        The label of an anomaly, where the convention does not tell: see :func:`is_anomaly`.

    Returns
    -------
    result : RecallInterval
        Named tuple of `recall`, `low` and `high`, the ends of the interval, and of the counts
        `n_found` and `n_anomalies`.

    Raises
    ------
    ValueError
        If no label is that of an anomaly, the labels are not understood, there is not one for each
        prediction, or an argument has no such value.

    See Also
    --------
    anomaly_scorer : Scorers for searches and cross-validations.
    scipy.stats.binomtest : The interval.

    Notes
    -----
    The anomalies count as drawn independently. Several images of one defect are not.

    References
    ----------
    .. [1] C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in
       the case of the binomial", Biometrika 26(4), 1934, :doi:`10.1093/biomet/26.4.404`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ae.metrics import recall_interval
    >>> y = np.repeat([1, -1], [60, 40])
    >>> predictions = np.repeat([1, -1], [63, 37])
    >>> recall_interval(y, predictions)
    37 of 40 found: 0.925 [0.796, 0.984]
    """
    if not (isinstance(confidence, Real) and 0 < confidence < 1):
        raise ValueError(
            f"confidence must be a number in (0, 1). Received: confidence={confidence!r}."
        )
    anomalies = is_anomaly(y, pos_label=pos_label)
    flagged = _read_predictions(predictions)
    check_consistent_length(anomalies, flagged)
    n_anomalies = int(np.sum(anomalies))
    if n_anomalies == 0:
        raise ValueError(
            "y must label anomalies, or the recall is not defined. Received: 0 anomalies among "
            f"{len(anomalies)} labels."
        )
    n_found = int(np.sum(flagged[anomalies]))
    interval = binomtest(n_found, n_anomalies).proportion_ci(confidence, method="exact")
    return RecallInterval(
        n_found / n_anomalies, float(interval.low), float(interval.high), n_found, n_anomalies
    )


def _read_predictions(predictions):
    predictions = np.asarray(predictions)
    if predictions.dtype == object:
        # Booleans that pandas keeps beside missing values, say: as numbers, True would be normal.
        predictions = np.array(predictions.tolist())
    if predictions.ndim == 0 or predictions.size != len(predictions):
        raise ValueError(
            "predictions must have one dimension, a prediction for each label. Received: an array "
            f"of shape {predictions.shape}."
        )
    predictions = predictions.reshape(-1)
    if predictions.dtype == bool:
        return predictions
    if predictions.dtype.kind not in "iuf" or not np.all(np.isin(predictions, (-1, 1))):
        received = ", ".join(list(dict.fromkeys(map(repr, predictions.tolist())))[:5])
        raise ValueError(
            "predictions must be -1 for anomalies and +1 for normal samples, as predict returns "
            f"them, or booleans, True for an anomaly. Received: predictions {received}."
        )
    return predictions == -1
