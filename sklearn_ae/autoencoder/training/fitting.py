"""From the detector's parameters and data to a trained network."""

from sklearn_ae._base.keras_environment import check_modes, check_not_forked
from sklearn_ae._base.order_statistics import floor_of_share
from sklearn_ae.autoencoder.architectures.choosing import resolve_architecture
from sklearn_ae.autoencoder.scores.choosing import resolve_anomaly_score
from sklearn_ae.autoencoder.training.assembling import assemble
from sklearn_ae.autoencoder.training.memoizing import train
from sklearn_ae.autoencoder.training.score_fitting import fit_score, try_score
from sklearn_ae.autoencoder.training.settings import TrainingSettings
from sklearn_ae.autoencoder.training.trimming import trim_rows


def fit_network(detector, samples, split, previous, random_state):
    """Build a network, train it and fit the anomaly score to it.

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector
        Its parameters are read.
    samples : Samples
        With limits.
    split : Split
        Rows to fit to, and held-out rows that choose the best epoch.
    previous : Network or None
        Network to go on from, with its scaling and its weights.
    random_state : numpy.random.RandomState
        Source of every seed.

    Returns
    -------
    network : Network
    anomaly_score : object with `compute` or `compute_from`
        Tried before the training, so that one that cannot work is refused before it.
    log : TrainingLog
    kept : Split
        The rows that `trim` has not left out: only they serve.
    held_out : ndarray of shape (n,), float64
        Scores of the held-out rows that are kept, as if they were new to the score.
    """
    check_not_forked()
    check_modes()
    settings = TrainingSettings.of(detector, samples.input_shape)
    architecture = resolve_architecture(detector.architecture, samples.input_shape)
    network, settings = assemble(architecture, samples, split, settings, previous, random_state)
    n_kept = len(split.training) - floor_of_share(settings.trim, len(split.training))
    anomaly_score = resolve_anomaly_score(detector.anomaly_score, network, n_kept)
    try_score(network, anomaly_score, samples, split)
    data, core = network.prepare(samples), network.core
    if not core.front.is_fitted:
        core.front.fit(data, split.training, settings.scaling)
    is_trained = previous is not None
    kept = trim_rows(core, data.X, split, settings, random_state, is_trained=is_trained)
    if n_kept < len(split.training) and not is_trained:
        # Rows far from the others would have decided the units of all.
        core.front.fit(data, kept.training, settings.scaling)
    log = train(core, data.X, kept, settings, random_state)
    held_out = fit_score(core, anomaly_score, data.X, kept)
    return network, anomaly_score, log, kept, held_out
