"""Scores that are fitted: from what a trained network makes of normal rows."""

import copy

import numpy as np

from sklearn_ae._base.holdout import MIN_ROWS_TO_HOLD_OUT, Split
from sklearn_ae.autoencoder.network import scoring
from sklearn_ae.autoencoder.network.outputs import LARGEST_SCORE, ScoreFeatures
from sklearn_ae.autoencoder.network.score_state import is_own

# A mean and a covariance gain nothing from more rows, and neighbors are sought among all of them.
_MAX_ROWS = 10_000

_N_FOLDS = 5


def try_score(network, anomaly_score, samples, split):
    """Fit a score to what the network makes of a few rows, and score one, to see that it can work.

    Parameters
    ----------
    network : Network
        As it is before the training.
    anomaly_score : object with `compute` or `compute_from`
    samples : Samples
        Raw values.
    split : Split

    Raises
    ------
    ValueError
        If the score does not suit the network or the data.
    """
    few = network.prepare(samples.take(split.training[: network.front.n_rows_to_try]))
    rows = np.arange(len(few.X))
    # Nothing is fitted without them: that would take longer and tell no more.
    fit_score(network.core, anomaly_score, few.X, Split(rows, rows[:1]))
    scoring.anomaly_scores(network.core, anomaly_score, few.X[:1])


def fit_score(network, anomaly_score, X, split):
    """Fit a score, and its parts before it, where they need it.

    A score that is fitted to held-out samples is smaller on them than on new ones. What sets the
    threshold, and the weights of a combination, must not be: each such sample gets the score that
    it has when the score is fitted without it. The network is not trained again.

    Parameters
    ----------
    network : Network
    anomaly_score : object with `compute` or `compute_from`
    X : ndarray of shape (n, *input_shape)
        Raw values.
    split : Split
        Rows that the network was fitted to, and held-out rows. If there are none, those that it
        was fitted to stand for them.

    Returns
    -------
    held_out : ndarray of shape (n_validation,), float64
        Scores of the held-out rows, as if they were new.
    """
    if not len(split.validation):
        split = Split(split.training, split.training)
    if hasattr(anomaly_score, "scores_"):
        return _fit_combined(network, anomaly_score, X, split)
    if not hasattr(anomaly_score, "fit"):
        return scoring.anomaly_scores(network, anomaly_score, X, split.validation)
    rows = _rows_to_fit(anomaly_score, split)
    features = scoring.run(network, ScoreFeatures(anomaly_score), X, rows)
    _fit(network, anomaly_score, features)
    held_out = scoring.anomaly_scores(network, anomaly_score, X, split.validation)
    _, is_fitted, at = np.intersect1d(rows, split.validation, return_indices=True)
    if len(at) == 0 or len(rows) < 2:
        return held_out
    if hasattr(anomaly_score, "leave_one_out"):
        held_out[at] = anomaly_score.leave_one_out(features)[is_fitted]
    else:
        for fold, other in _fits_without_a_fold(network, anomaly_score, features, is_fitted):
            left_out = rows[is_fitted[fold]]
            held_out[at[fold]] = scoring.anomaly_scores(network, other, X, left_out)
        if not is_own(anomaly_score):
            scoring.forget_own_graphs(network)
    return held_out


def _rows_to_fit(anomaly_score, split):
    takes_training = getattr(anomaly_score, "fits_training_rows", False)
    rows = split.training if takes_training else split.validation
    if len(rows) < MIN_ROWS_TO_HOLD_OUT:
        rows = np.union1d(*split)
    max_rows = getattr(anomaly_score, "max_rows", None) or _MAX_ROWS
    if len(rows) > max_rows:
        rows = rows[np.linspace(0, len(rows) - 1, max_rows).astype(int)]
    return rows


def _fit(network, anomaly_score, features):
    anomaly_score.fit(features)
    if not is_own(anomaly_score):
        # What a score of the user's keeps beside arrays is part of its graphs.
        scoring.forget_own_graphs(network)


def _fit_combined(network, combined, X, split):
    """Fit the parts, and standardize them by what they say of samples that are new to them."""
    parts = [fit_score(network, part, X, split) for _, part in combined.scores_]
    rows = _rows_to_fit(combined, split)
    features = scoring.run(network, ScoreFeatures(combined), X, rows)
    held_out = scoring.run(network, ScoreFeatures(combined), X, split.validation)
    held_out[:, :-1] = np.minimum(np.column_stack(parts), LARGEST_SCORE)
    _, at, of_held_out = np.intersect1d(rows, split.validation, return_indices=True)
    features[at] = held_out[of_held_out]
    _fit(network, combined, features)
    return np.asarray(combined.combine(held_out))


def _fits_without_a_fold(network, anomaly_score, features, is_fitted):
    """Give each fold of the rows that a score is fitted to, and the score without it."""
    for begin in range(_N_FOLDS):
        fold = slice(begin, None, _N_FOLDS)
        if len(is_fitted[fold]):
            other = copy.deepcopy(anomaly_score)
            _fit(network, other, np.delete(features, is_fitted[fold], axis=0))
            yield fold, other
