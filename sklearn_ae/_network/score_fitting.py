"""Scores that are fitted: from what a trained network makes of normal rows."""

import numpy as np

from sklearn_ae._network import scoring
from sklearn_ae._network.score_state import is_own
from sklearn_ae._thresholds import MIN_ROWS_TO_HOLD_OUT

# A mean and a covariance gain nothing from more rows, and neighbours are sought among all of them.
_MAX_ROWS = 10_000

# Enough to find out that a score cannot work.
_N_ROWS_TO_TRY = 32


def try_score(network, anomaly_score, X, training_rows):
    """Fit a score to what the network makes of a few rows, and score one, to see that it can work.

    Parameters
    ----------
    network : Network
        As it is before the training.
    anomaly_score : object with `compute` or `compute_from`
    X : ndarray of shape (n, *input_shape)
    training_rows : ndarray of int

    Raises
    ------
    ValueError
        If the score does not suit the network or the data.
    """
    rows = training_rows[:_N_ROWS_TO_TRY]
    fit_score(network, anomaly_score, X, rows, rows)
    scoring.anomaly_scores(network, anomaly_score, X[:1])


def fit_score(network, anomaly_score, X, training_rows, validation_rows):
    """Fit a score, and its parts before it, where they need it.

    Parameters
    ----------
    network : Network
    anomaly_score : object with `compute` or `compute_from`
    X : ndarray of shape (n, *input_shape)
        Raw values.
    training_rows, validation_rows : ndarray of int
        Rows that the network was fitted to, and held-out rows.
    """
    for _, part in getattr(anomaly_score, "scores_", ()):
        fit_score(network, part, X, training_rows, validation_rows)
    if not hasattr(anomaly_score, "fit"):
        return
    takes_training = getattr(anomaly_score, "fits_training_rows", False)
    rows = training_rows if takes_training else validation_rows
    if len(rows) < MIN_ROWS_TO_HOLD_OUT:
        rows = np.union1d(training_rows, validation_rows)
    max_rows = getattr(anomaly_score, "max_rows", _MAX_ROWS)
    if len(rows) > max_rows:
        rows = rows[np.linspace(0, len(rows) - 1, max_rows).astype(int)]
    anomaly_score.fit(scoring.features(network, anomaly_score, X, rows))
    if not is_own(anomaly_score):
        # What a score of the user's keeps beside arrays is part of its graphs.
        scoring.forget_own_graphs(network)
