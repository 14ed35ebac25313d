"""Rows that are left out as they may be unnoticed anomalies: those a short training fits worst."""

import copy

import numpy as np

from sklearn_ae._base.holdout import Split
from sklearn_ae._base.order_statistics import floor_of_share
from sklearn_ae.autoencoder.network import scoring
from sklearn_ae.autoencoder.scores.choosing import resolve_anomaly_score
from sklearn_ae.autoencoder.training import memoizing, score_fitting


def trim_rows(network, X, split, settings, random_state, *, is_trained):
    """Leave out the rows with the highest anomaly scores after a warm-up.

    The share is the same among training and held-out rows, whose scores are not compared with each
    other: the warm-up has seen the former only. What it leaves in the network and in `random_state`
    is undone, so the training after it begins as it would have without it.

    Parameters
    ----------
    network : Network
        As it is before the training, and after this function.
    X : ndarray of shape (n, *network.input_shape)
        Raw values.
    split : Split
        Held-out rows have no part in the warm-up.
    settings : TrainingSettings
        With a memory, the warm-up is kept, which is the same for every share.
    random_state : numpy.random.RandomState
    is_trained : bool
        Whether the network goes on from an earlier fit, which then serves as the warm-up.

    Returns
    -------
    split : Split
        The rows that are kept.

    Raises
    ------
    TrainingDivergedError
        If the loss of the warm-up becomes NaN or infinite.
    """
    # With `trim` below 0.5, never the last two.
    n_trimmed = [floor_of_share(settings.trim, len(rows)) for rows in split]
    if not any(n_trimmed):
        return split
    initial = [(variable, variable.numpy()) for variable in _variables(network)]
    if not is_trained:
        training = Split(split.training, split.validation[:0])
        memoizing.train(network, X, training, settings.warm_up(), copy.deepcopy(random_state))
    # Not the detector's score, on which the weights would depend: another one is to need no other
    # training. What "auto" is for rows and for features is fitted to them, so that copies of an
    # anomaly hide it.
    is_of_pixels = len(network.input_shape) == 3 and not network.is_positionwise
    name = "auto" if is_of_pixels else "squared_error"
    score = resolve_anomaly_score(name, network, len(split.training))
    score_fitting.fit_score(network, score, X, split)
    scores = scoring.anomaly_scores(network, score, X)
    for variable, value in initial:
        variable.assign(value)
    return Split(*(_keep(rows, scores, n) for rows, n in zip(split, n_trimmed, strict=True)))


def _keep(rows, scores, n_trimmed):
    order = np.argsort(scores[rows], kind="stable")
    return np.sort(rows[order[: len(rows) - n_trimmed]])


def _variables(network):
    """Return weights and the states of the layers' random generators."""
    return [variable for layer in network.autoencoder.layers for variable in layer.variables]
