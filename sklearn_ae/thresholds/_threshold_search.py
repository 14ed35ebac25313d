"""Out-of-fold anomaly scores, candidate thresholds, and how good each of them is."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin

from sklearn_ae._base.outlier_scores import compute_anomaly_scores
from sklearn_ae._base.sklearn_compat import _num_samples, _safe_indexing
from sklearn_ae.metrics._scorers import AnomalyScorer


class FoldPredictions(OutlierMixin, BaseEstimator):
    """What a scorer is given for an estimator: the predictions of a fold at one threshold.

    It has no scores, so that a scorer that looks past the threshold fails instead of finding all
    thresholds equal.

    Parameters
    ----------
    flagged : ndarray of shape (n,), bool
        Which samples of the fold are above the threshold.
    pos_label : int, float, bool, str or None
        The label of an anomaly, where a scorer looks for it.
    """

    def __init__(self, flagged, pos_label=None):
        self.flagged = flagged
        self.pos_label = pos_label

    def fit(self, X, y=None):
        """Do nothing: scikit-learn's scorers want an estimator."""
        return self

    def predict(self, X):
        """Return −1 for the flagged samples of the fold, else +1."""
        # Our own scorers pass no X.
        if X is not None and _num_samples(X) != len(self.flagged):
            raise ValueError(
                "scoring must judge the predictions of all samples that it is given: there are "
                "none of a part of them, or of anomalies made from them. Received: "
                f"{_num_samples(X)} samples to predict, of a fold of {len(self.flagged)}."
            )
        return np.where(self.flagged, -1, 1)


def fit_and_score_fold(estimator, X, training_rows, test_rows, *, keep_estimator):
    """Fit to some rows and score others.

    Parameters
    ----------
    estimator : estimator object
        Outlier detector, which is fitted.
    X : array-like of shape (n, ...)
    training_rows, test_rows : ndarray of int
    keep_estimator : bool
        Whether to return the estimator, which another process would have to send.

    Returns
    -------
    anomaly_scores : ndarray of shape (n_test,), float64
    estimator : estimator object or None

    Raises
    ------
    ValueError
        If a score is no finite number.
    """
    # y by position, as FrozenEstimator has no default for it.
    estimator.fit(_safe_indexing(X, training_rows), None)
    scores = compute_anomaly_scores(estimator, _safe_indexing(X, test_rows))
    if not np.all(np.isfinite(scores)):
        raise ValueError(
            "estimator must give finite scores, or no threshold can be told from another. "
            f"Received: {np.sum(~np.isfinite(scores))} scores that are NaN or infinite, of "
            f"{len(scores)}."
        )
    return scores, estimator if keep_estimator else None


def compare_thresholds(thresholds, scorer, X, y, anomalies, test_rows, scores, *, pos_label):
    """Find out how good each threshold is for out-of-fold scores.

    Parameters
    ----------
    thresholds : int or ndarray of shape (n_thresholds,)
        How many to choose, or which to try.
    scorer : callable
        ``scorer(estimator, X, y)`` that judges `predict`.
    X, y : array-like of n samples
    anomalies : ndarray of shape (n,), bool
        What `y` says.
    test_rows : sequence of ndarray of int
        Held-out rows of each fold.
    scores : sequence of ndarray of float64
        Their anomaly scores.
    pos_label : int, float, bool, str or None

    Returns
    -------
    results : dict of ndarray of shape (n_thresholds,)
        `cv_results_` of :class:`.TunedThresholdDetectorCV`.
    """
    all_scores, all_anomalies = np.concatenate(scores), anomalies[np.concatenate(test_rows)]
    if isinstance(thresholds, Integral):
        thresholds = candidate_thresholds(all_scores, all_anomalies, thresholds)
    folds = [
        (*select_fold(X, y, rows, scorer), fold_scores)
        for rows, fold_scores in zip(test_rows, scores, strict=True)
    ]
    values = score_thresholds(scorer, thresholds, folds, pos_label=pos_label)
    return {
        "thresholds": thresholds,
        "scores": values.mean(axis=1),
        "std_scores": values.std(axis=1),
        "recalls": flagged_shares(all_scores[all_anomalies], thresholds),
        "false_alarm_rates": flagged_shares(all_scores[~all_anomalies], thresholds),
    }


def candidate_thresholds(scores, anomalies, n_thresholds):
    """Choose thresholds worth trying, between neighboring scores.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Anomaly scores.
    anomalies : ndarray of shape (n,), bool
    n_thresholds : int

    Returns
    -------
    thresholds : ndarray of shape (at most n_thresholds,)
        Ascending. First those with a normal sample directly below and an anomaly directly above:
        wherever fewer false alarms and fewer missed anomalies are better, one of them is best, or
        the largest score, above which nothing is. Then others, evenly over the ranks in both
        classes, so that neither a few rare anomalies nor a few huge scores leave gaps.

    Raises
    ------
    ValueError
        If all scores are equal.
    """
    values, position = np.unique(scores, return_inverse=True)
    if len(values) == 1:
        raise ValueError(
            "estimator must give different scores, or no threshold can be told from another. "
            f"Received: the score {-values[0]:.6g} for all rows outside of the training folds."
        )
    between = values[:-1] + np.diff(values) / 2
    thresholds = np.append(between, values[-1])
    if len(thresholds) <= n_thresholds:
        return thresholds
    n_normals_at, n_anomalies_at = (
        np.bincount(position[members], minlength=len(values)) for members in (~anomalies, anomalies)
    )
    is_corner = np.append((n_normals_at[:-1] > 0) & (n_anomalies_at[1:] > 0), True)
    corners = _spread(np.flatnonzero(is_corner), n_thresholds)
    share_below = np.cumsum(n_normals_at / np.sum(n_normals_at)) + np.cumsum(
        n_anomalies_at / np.sum(n_anomalies_at)
    )
    others = np.flatnonzero(~is_corner)
    ranks = np.linspace(0, 2, n_thresholds - len(corners))
    chosen = np.searchsorted(share_below[others], ranks)
    others = others[np.minimum(chosen, len(others) - 1)] if len(others) else others
    return thresholds[np.union1d(corners, others)]


def score_thresholds(scorer, thresholds, folds, *, pos_label):
    """Score the predictions of each fold at each threshold.

    Parameters
    ----------
    scorer : callable
        ``scorer(estimator, X, y)`` that judges `predict`.
    thresholds : ndarray of shape (n_thresholds,)
    folds : list of tuple (X, y, anomaly_scores)
    pos_label : int, float, bool, str or None

    Returns
    -------
    values : ndarray of shape (n_thresholds, n_folds)
    """
    columns = []
    for X, y, scores in folds:
        # A fold is a part of the samples: many thresholds lie between the same two of its scores.
        _, first, inverse = np.unique(
            flagged_shares(scores, thresholds), return_index=True, return_inverse=True
        )
        predictions = (FoldPredictions(scores > thresholds[i], pos_label) for i in first)
        column = [scorer(estimator, X, y) for estimator in predictions]
        _check_is_number(column[0], scorer)
        columns.append(np.array(column, dtype=np.float64)[inverse])
    return np.transpose(columns)


def _check_is_number(score, scorer):
    if np.ndim(score) > 0 or not isinstance(score, Real | np.number):
        raise TypeError(
            "scoring must be the name of a metric, or a scorer that returns one number. Received: "
            f"{type(score).__name__} from {scorer!r}."
        )


def flagged_shares(scores, thresholds):
    """Compute the share of the scores above each threshold.

    Parameters
    ----------
    scores : ndarray of shape (n,)
    thresholds : ndarray of shape (n_thresholds,)

    Returns
    -------
    shares : ndarray of shape (n_thresholds,)
    """
    n_at_most = np.searchsorted(np.sort(scores), thresholds, side="right")
    return (len(scores) - n_at_most) / len(scores)


def select_fold(X, y, rows, scorer):
    """Take the rows that a scorer is called with.

    Parameters
    ----------
    X, y : array-like of n samples
    rows : ndarray of int
    scorer : callable

    Returns
    -------
    X, y : array-like of len(rows) samples
        X is None for our own scorers, which need only predictions: no copy is made.
    """
    X = None if isinstance(scorer, AnomalyScorer) else _safe_indexing(X, rows)
    return X, _safe_indexing(y, rows)


def _spread(rows, n):
    """Take at most n of the rows, evenly, with the first and the last."""
    if len(rows) <= n:
        return rows
    return rows[np.unique(np.linspace(len(rows) - 1, 0, n).round().astype(int))]
