"""What any fitted outlier detector says about samples, in one convention."""

import numpy as np
from sklearn.base import is_classifier

from sklearn_ae._base.sklearn_compat import _num_samples


def has_anomaly_scores(estimator):
    """Tell whether an estimator gives anomaly scores.

    Parameters
    ----------
    estimator : object

    Returns
    -------
    has_anomaly_scores : bool
    """
    # The decision function of a classifier is high for its positive class, not for normal samples.
    if hasattr(estimator, "__sklearn_tags__") and is_classifier(estimator):
        return False
    return hasattr(estimator, "score_samples") or hasattr(estimator, "decision_function")


def check_has_anomaly_scores(estimator):
    """Raise a TypeError if an estimator gives no anomaly scores.

    Parameters
    ----------
    estimator : object

    Raises
    ------
    TypeError
        If the estimator has no such method, is a classifier, or no estimator of scikit-learn, in
        which case its scores may be high for anomalies.
    """
    if hasattr(estimator, "fit") and not hasattr(estimator, "__sklearn_tags__"):
        raise TypeError(
            "The estimator must derive from sklearn.base.BaseEstimator, as outlier detectors of "
            "scikit-learn do. Scores of PyOD's are high for anomalies: wrap such a detector in a "
            "BaseEstimator whose score_samples is minus its decision_function. Received: an "
            f"estimator of type {type(estimator).__name__}."
        )
    if not has_anomaly_scores(estimator):
        raise TypeError(
            "The estimator must be an outlier detector with score_samples or decision_function, "
            "both of which are high for normal samples. Received: an estimator of type "
            f"{type(estimator).__name__}."
        )


def compute_anomaly_scores(estimator, X):
    """Compute minus `score_samples`, or minus `decision_function` where there is no other.

    Parameters
    ----------
    estimator : estimator object
        Fitted outlier detector.
    X : array-like of shape (n, ...)

    Returns
    -------
    anomaly_scores : ndarray of shape (n,), float64
        The higher, the more abnormal.

    Raises
    ------
    TypeError
        If the estimator has neither, or is a classifier.
    ValueError
        If it does not return one number for each sample.
    """
    check_has_anomaly_scores(estimator)
    # The decision function subtracts a number, and may round two scores to one.
    method = "score_samples" if hasattr(estimator, "score_samples") else "decision_function"
    scores = np.asarray(getattr(estimator, method)(X), dtype=np.float64)
    if scores.shape != (_num_samples(X),):
        raise ValueError(
            f"{method} of the estimator must return one score for each sample, an array of shape "
            f"({_num_samples(X)},). Received: an array of shape {scores.shape} from an estimator "
            f"of type {type(estimator).__name__}."
        )
    return -scores


def predict_anomalies(estimator, X):
    """Compute which samples an outlier detector calls anomalies.

    Parameters
    ----------
    estimator : estimator object
        Fitted outlier detector.
    X : array-like of shape (n, ...)

    Returns
    -------
    flagged : ndarray of shape (n,), bool
        True where `predict` is −1.

    Raises
    ------
    TypeError
        If `predict` returns anything but −1 and +1.
    """
    predictions = np.asarray(estimator.predict(X))
    if not np.all(np.isin(predictions, (-1, 1))):
        received = ", ".join(map(repr, np.unique(predictions)[:5].tolist()))
        raise TypeError(
            "The estimator must be an outlier detector, whose predict returns -1 for anomalies and "
            f"+1 for normal samples. Received: predictions {received} of an estimator of type "
            f"{type(estimator).__name__}."
        )
    return predictions == -1


def find_threshold(estimator, X, scores):
    """Find the anomaly score above which an outlier detector flags a sample.

    Every outlier detector has ``decision_function = score_samples - offset``, also where its
    `offset_` lies deep in a pipeline or a search.

    Parameters
    ----------
    estimator : estimator object
        Fitted outlier detector.
    X : array-like of shape (n, ...)
        Any samples.
    scores : ndarray of shape (n,)
        Their `score_samples`.

    Returns
    -------
    threshold : float or None
        None if the estimator has no `decision_function`.
    """
    if not hasattr(estimator, "decision_function"):
        return None
    # The smallest score loses the fewest digits of the offset. The one nearest to the offset then
    # loses none: floats within a factor of two are subtracted without rounding.
    offset = _compute_offset(estimator, X, row=np.argmin(np.abs(scores)))
    return -_compute_offset(estimator, X, row=np.argmin(np.abs(scores - offset)))


def _compute_offset(estimator, X, *, row):
    # Scoring one row twice, alone, keeps out what a network's rounding owes to the batch.
    sample = X[int(row) : int(row) + 1]
    offset = estimator.score_samples(sample) - estimator.decision_function(sample)
    return float(offset[0])
