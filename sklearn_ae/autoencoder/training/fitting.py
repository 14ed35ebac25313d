"""From the detector's parameters and data to a trained network."""

from sklearn_ae._base.keras_environment import check_modes, check_not_forked
from sklearn_ae.autoencoder.architectures.choosing import (
    has_features,
    resolve_architecture,
    resolve_latent_dim,
)
from sklearn_ae.autoencoder.network import building
from sklearn_ae.autoencoder.scaling import fit_scaling, scaled_limits
from sklearn_ae.autoencoder.scores.choosing import resolve_anomaly_score
from sklearn_ae.autoencoder.training import (
    compiling,
    feature_fitting,
    memoizing,
    score_fitting,
    trimming,
)
from sklearn_ae.autoencoder.training.settings import TrainingSettings


def fit_network(
    detector,
    X,
    split,
    *,
    limits,
    region,
    input_shape,
    previous,
    random_state,
):
    """Build a network, train it and fit the anomaly score to it.

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector
        Its parameters are read, once.
    X : ndarray of shape (n, *input_shape)
        Raw values.
    split : Split
        Rows to fit to, and held-out rows that choose the best epoch.
    limits : Limits
        Smallest and largest values of X.
    region : ndarray of shape (height, width), bool, or None
        Pixels that the network sees. If None, all.
    input_shape : tuple of int
        Shape of a sample as the network sees it.
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
    settings = TrainingSettings.of(detector, input_shape)
    architecture = resolve_architecture(detector.architecture, input_shape)
    prepare = feature_fitting.prepare if has_features(architecture) else _prepare
    ready = prepare(
        architecture,
        X,
        split.training,
        limits=limits[:2],
        region=region,
        input_shape=input_shape,
        settings=settings,
        previous=previous,
        random_state=random_state,
    )
    network, settings = ready.network, ready.settings
    n_trimmed = trimming.count_trimmed(len(split.training), settings.trim)
    anomaly_score = resolve_anomaly_score(
        detector.anomaly_score, network, len(split.training) - n_trimmed
    )
    score_fitting.try_score(network, anomaly_score, *ready.trial)
    X = ready.load()
    kept = trimming.trim_rows(
        network, X, split, settings, random_state, is_trained=previous is not None
    )
    if previous is None and n_trimmed:
        # Rows far from the others would have decided the units of all.
        ready.rescale(kept.training)
    log = memoizing.train(network, X, kept, settings, random_state)
    held_out = score_fitting.fit_score(network, anomaly_score, X, kept)
    return ready.whole, anomaly_score, log, kept, held_out


def _prepare(
    architecture,
    X,
    training_rows,
    *,
    limits,
    region,
    input_shape,
    settings,
    previous,
    random_state,
):
    """Build the network as it is before the training."""
    raw_limits = limits
    if previous is None:
        scaling = fit_scaling(settings.scaling, X, training_rows, limits, region)
    else:
        building.check_input_shape(previous, input_shape)
        building.check_kind(previous)
        building.check_same_region(previous, region)
        scaling = previous.scaling
    limits = scaled_limits(scaling, limits)
    settings = settings.with_loss(limits)
    network = building.build_network(
        architecture,
        input_shape,
        resolve_latent_dim(settings.latent_dim, input_shape),
        scaling=scaling,
        use_sigmoid=compiling.is_binary_crossentropy(settings.loss),
        random_state=random_state,
    )
    if building.ends_in_sigmoid(network):
        compiling.check_sigmoid(limits)
    if previous is not None:
        building.copy_weights(previous, network)

    def rescale(rows):
        network.scaling = fit_scaling(settings.scaling, X, rows, raw_limits, region)

    trial = X, training_rows
    return feature_fitting.Prepared(network, trial, lambda: X, settings, rescale, network)
