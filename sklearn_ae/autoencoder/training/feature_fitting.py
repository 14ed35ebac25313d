"""From images to the features that an autoencoder is fitted to, computed once a fit."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sklearn_ae.autoencoder.architectures.choosing import resolve_latent_dim
from sklearn_ae.autoencoder.network import building, scoring
from sklearn_ae.autoencoder.network.fingerprints import fingerprint
from sklearn_ae.autoencoder.network.masked_pixels import select_positions
from sklearn_ae.autoencoder.network.positionwise import (
    FeatureNetwork,
    PositionwiseNetwork,
    check_features,
)
from sklearn_ae.autoencoder.scaling import Scaling, choose_scaling, fit_scaling
from sklearn_ae.autoencoder.tiling import allocate
from sklearn_ae.autoencoder.training import compiling

# Enough to find out that a score cannot work, before the features of all are computed.
_N_ROWS_TO_TRY = 4


class Prepared(NamedTuple):
    """A network before its training, and what it is trained with.

    Parameters
    ----------
    network : Network or PositionwiseNetwork
        What is trained and what scores are fitted to.
    trial : tuple of ndarray and ndarray of int
        Data of shape (m, *network.input_shape), and rows of them, to see whether scores can work.
    load : callable
        Returns all data, of shape (n, *network.input_shape).
    settings : TrainingSettings
    rescale : callable
        Fits the scaling anew, to the rows that it is called with.
    whole : Network or FeatureNetwork
        What scores raw values.
    """

    network: object
    trial: tuple
    load: Callable
    settings: object
    rescale: Callable
    whole: object


def prepare(
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
    """Compute the features of images and build the autoencoder of them.

    Parameters
    ----------
    architecture : object with `build_features` and `build`
    X, training_rows, limits, region, input_shape, settings, previous, random_state
        See :func:`~sklearn_ae.autoencoder.training.fitting.fit_network`.

    Returns
    -------
    prepared : Prepared

    Raises
    ------
    TypeError, ValueError
        If the architecture gives no feature maps of such images.
    """
    model = architecture.build_features(input_shape)
    check_features(model, input_shape)
    if region is not None:
        model = select_positions(model, region)
    shape = model.output_shape[1:]
    if previous is None:
        if settings.scaling == "auto":
            _check_range(X, limits)
        scaling = fit_scaling(settings.scaling, X, training_rows, limits, region)
    else:
        building.check_same_region(previous, region)
        _check_previous(previous, input_shape, model)
        scaling = previous.scaling
    # Before the features are computed, which takes long: what it refuses is refused early.
    settings = settings.with_loss((-math.inf, math.inf))
    if compiling.is_binary_crossentropy(settings.loss):
        compiling.check_sigmoid((-math.inf, math.inf))
    rows = building.build_network(
        architecture,
        shape[-1:],
        resolve_latent_dim(settings.latent_dim, shape[-1:]),
        scaling=Scaling(np.ones(shape[-1]), np.zeros(shape[-1])),
        use_sigmoid=False,
        random_state=random_state,
    )
    if previous is not None:
        building.copy_weights(previous.positionwise.rows, rows)
    positionwise = PositionwiseNetwork(rows, shape)
    whole = FeatureNetwork(model, positionwise, input_shape, scaling)
    data = {}

    def rescale(images):
        rows.scaling = fit_scaling("standard", data["features"], images, None)

    def load():
        data["features"] = _compute_features(whole, X)
        if previous is None:
            rescale(training_rows)
        return data["features"]

    if previous is not None:
        rows.scaling = previous.positionwise.rows.scaling
    few = X[training_rows[:_N_ROWS_TO_TRY]]
    trial = _compute_features(whole, few), np.arange(len(few))
    return Prepared(positionwise, trial, load, settings, rescale, whole)


def _check_range(X, limits):
    if choose_scaling(X, limits) == "standard":
        raise ValueError(
            "A network of features expects what it was trained with, and standardized images are "
            "something else. Pass uint8 or uint16 images, floats in [0, 1], or say what it expects "
            "with scaling=None or another. Received: scaling='auto' and X of "
            f"{X.dtype} from {np.min(limits[0]):g} to {np.max(limits[1]):g}."
        )


def _check_previous(previous, input_shape, model):
    building.check_input_shape(previous, input_shape)
    earlier = getattr(previous, "features", None)
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


def _compute_features(network, X):
    """Compute the features of all images, as float32."""
    F = allocate((len(X), *network.positionwise.input_shape), np.float32)
    return scoring.feature_maps(network, X, out=F)
