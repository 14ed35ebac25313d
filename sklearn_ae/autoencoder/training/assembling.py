"""A network as it is before its training: a front, and an autoencoder behind it."""

import numpy as np

from sklearn_ae.autoencoder.architectures.choosing import has_features, resolve_latent_dim
from sklearn_ae.autoencoder.network import building
from sklearn_ae.autoencoder.network.fingerprints import fingerprint
from sklearn_ae.autoencoder.network.fronts import Backbone, Maps, Values, check_features
from sklearn_ae.autoencoder.network.keras_settings import KerasSettings
from sklearn_ae.autoencoder.network.masked_pixels import select_positions
from sklearn_ae.autoencoder.scaling import choose_scaling, fit_scaling
from sklearn_ae.autoencoder.training import compiling


def assemble(architecture, samples, split, settings, previous, random_state):
    """Build a network, its front fitted to the training rows or taken from an earlier fit.

    Parameters
    ----------
    architecture : object with `build`, or callable
        With `build_features`, of an autoencoder of features.
    samples : Samples
    split : Split
    settings : TrainingSettings
    previous : Network or None
        Network to go on from, with its front and its weights.
    random_state : numpy.random.RandomState

    Returns
    -------
    network : Network
    settings : TrainingSettings
        With the loss.

    Raises
    ------
    TypeError, ValueError
        If architecture, loss and samples do not suit each other, or `previous` does not suit them.
    """
    if has_features(architecture):
        front = _build_backbone(architecture, samples, split, settings, previous)
    else:
        front = _build_values(samples, split, settings, previous)
    limits = front.limits(samples)
    settings = settings.with_loss(limits)
    use_sigmoid = compiling.is_binary_crossentropy(settings.loss)
    if use_sigmoid and front.is_positionwise:
        # Before the features are computed, which takes long: what is refused is refused early.
        compiling.check_sigmoid(limits)
    network = building.build_network(
        architecture,
        front,
        resolve_latent_dim(settings.latent_dim, front.learned_shape),
        use_sigmoid=use_sigmoid,
        random_state=random_state,
    )
    if building.ends_in_sigmoid(network) and not front.is_positionwise:
        compiling.check_sigmoid(limits)
    if previous is not None:
        building.copy_weights(previous, network)
    return network, settings


def _build_values(samples, split, settings, previous):
    if previous is None:
        return Values(samples.input_shape, _fit_scaling(samples, split, settings))
    building.check_input_shape(previous, samples.input_shape)
    building.check_kind(previous)
    building.check_same_region(previous, samples.region)
    return Values(samples.input_shape, previous.scaling)


def _build_backbone(architecture, samples, split, settings, previous):
    model = architecture.build_features(samples.input_shape)
    check_features(model, samples.input_shape)
    if samples.region is not None:
        model = select_positions(model, samples.region)
    shape = model.output_shape[1:]
    if previous is None:
        if settings.scaling == "auto":
            _check_range(samples)
        maps, scaling = Maps(shape), _fit_scaling(samples, split, settings)
    else:
        building.check_same_region(previous, samples.region)
        _check_previous(previous, samples.input_shape, model)
        maps, scaling = Maps(shape, previous.core.scaling), previous.scaling
    return Backbone(model, maps, samples.input_shape, scaling, KerasSettings.of_process())


def _fit_scaling(samples, split, settings):
    limits = samples.limits[:2]
    return fit_scaling(settings.scaling, samples.X, split.training, limits, samples.region)


def _check_range(samples):
    low, high, _ = samples.limits
    if choose_scaling(samples.X, (low, high)) == "standard":
        raise ValueError(
            "A network of features expects what it was trained with, and standardized images are "
            "something else. Pass uint8 or uint16 images, floats in [0, 1], or say what it expects "
            "with scaling=None or another. Received: scaling='auto' and X of "
            f"{samples.X.dtype} from {np.min(low):g} to {np.max(high):g}."
        )


def _check_previous(previous, input_shape, model):
    building.check_input_shape(previous, input_shape)
    earlier = getattr(previous.front, "features", None)
    weights = model.get_weights()
    is_same = (
        earlier is not None
        and fingerprint(earlier) == fingerprint(model)
        and len(earlier.get_weights()) == len(weights)
        and all(map(np.array_equal, earlier.get_weights(), weights))
    )
    if not is_same:
        raise ValueError(
            "With warm_start=True, architecture must be that of the previous fit. Set "
            "warm_start=False to begin anew. Received: another network of features."
        )
