"""What stands in front of an autoencoder: how raw values become what it learns.

A front reads in the graph, prepares all samples once before the training, and is fitted: its
scaling, to the rows that serve.
"""

import dataclasses
import math

import keras
import numpy as np
import tensorflow as tf

from sklearn_ae._base.holdout import Split
from sklearn_ae.autoencoder.network import scoring
from sklearn_ae.autoencoder.network.fingerprints import fingerprint
from sklearn_ae.autoencoder.network.keras_models import from_json, to_json
from sklearn_ae.autoencoder.network.outputs import Features
from sklearn_ae.autoencoder.network.response import PositionwiseResponse, Response, as_finite
from sklearn_ae.autoencoder.scaling import Scaling, fit_scaling, scaled_limits
from sklearn_ae.autoencoder.tiling import allocate

# Neighboring positions have much in common: so many in all say what is normal, and so many of each
# image are a sample of it in a step.
_MAX_POSITIONS = 2**15
_POSITIONS_PER_IMAGE = 16


class Values:
    """Values of rows or the pixels of images, scaled.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one sample as the network sees it.
    scaling : Scaling
        From raw to scaled units.

    Attributes
    ----------
    inner : front
        What stands in front of the autoencoder once samples are prepared.
    learned_shape : tuple of int
        Shape of what the autoencoder takes.
    models : list of keras.Model
        Those that read.
    key : str or None
        What two fronts have in common that read alike. None where this cannot be told.
    """

    # Whether scores see features at positions, and reconstructions are no samples.
    is_positionwise = False
    is_fitted = True
    # Enough to find out that a score cannot work.
    n_rows_to_try = 32
    respond = Response
    models = ()
    key = ""

    def __init__(self, input_shape, scaling):
        self.input_shape = self.learned_shape = input_shape
        self.scaling = scaling

    @property
    def inner(self):
        """Itself: nothing is prepared."""
        return self

    @property
    def arrays(self):
        """Arrays of the scaling, arguments of a compiled function."""
        return tuple(self.scaling)

    def limits(self, samples):
        """Return the smallest and the largest value that the autoencoder learns."""
        return scaled_limits(self.scaling, samples.limits[:2])

    def prepare(self, network, samples):
        """Return the samples that the autoencoder is trained with: they are scaled in batches."""
        return samples

    def fit(self, samples, rows, how):
        """Fit the scaling, named like the detector's parameter, to some rows."""
        limits = samples.limits[:2]
        self.scaling = fit_scaling(how, samples.X, rows, limits, samples.region)

    def training_data(self, X, split, settings):
        """Return the data, the rows and the settings of the training itself."""
        return X, split, settings

    def read(self, call, x, arrays):
        """Compute, in the graph, what the autoencoder and the scores see of raw values."""
        return scale(x, *arrays)

    def error_maps(self, response):
        """Compute the absolute error of each value, as float32."""
        return as_finite(tf.abs(response.inputs - response.reconstructions))


class Maps:
    """Feature maps, whose scaled features at each position are what is learned.

    Parameters
    ----------
    input_shape : tuple of int
        ``(height, width, n_features)``.
    scaling : Scaling or None, default=None
        Of the features. If None, it has yet to be fitted.
    """

    is_positionwise = True
    respond = PositionwiseResponse
    models = ()

    def __init__(self, input_shape, scaling=None):
        self.input_shape = input_shape
        self.learned_shape = n_features = input_shape[-1:]
        self.is_fitted = scaling is not None
        self.scaling = scaling or Scaling(np.ones(n_features), np.zeros(n_features))

    @property
    def inner(self):
        """Itself: nothing is prepared."""
        return self

    @property
    def key(self):
        """What those of one shape have in common."""
        return str(self.input_shape)

    @property
    def arrays(self):
        """Arrays of the scaling, arguments of a compiled function."""
        return tuple(self.scaling)

    def fit(self, samples, rows, how):
        """Fit the scaling to the maps of some images. It is "standard", whatever images have."""
        self.scaling = fit_scaling("standard", samples.X, rows, None)
        self.is_fitted = True

    def training_data(self, X, split, settings):
        """Return positions instead of maps, which of them serve, and as many a step."""
        n_images = sum(map(len, split))
        split = Split(*(self._positions(images, n_images) for images in split))
        batch_size = _POSITIONS_PER_IMAGE * settings.batch_size
        settings = dataclasses.replace(settings, batch_size=batch_size)
        return X.reshape(-1, X.shape[-1]), split, settings

    def _positions(self, images, n_images):
        """Return which positions, counted through all images, are trained with."""
        n = math.prod(self.input_shape[:2])
        n_taken = min(n, max(_POSITIONS_PER_IMAGE, _MAX_POSITIONS // max(n_images, 1)))
        order = np.argsort(np.random.default_rng(0).random((len(images), n)), axis=1)
        return (n * images[:, np.newaxis] + np.sort(order[:, :n_taken], axis=1)).ravel()

    def read(self, call, x, arrays):
        """Compute, in the graph, what the autoencoder and the scores see: scaled features."""
        return scale(x, *arrays)

    def error_maps(self, response):
        """Compute the sum of the absolute errors at each position, as float32."""
        errors = tf.abs(response.inputs - response.reconstructions)
        return as_finite(tf.reduce_sum(errors, axis=-1))


class Backbone:
    """A frozen network of features in front of feature maps.

    Parameters
    ----------
    features : keras.Model
        Scaled images to feature maps.
    inner : Maps
    input_shape : tuple of int
        Shape of an image.
    scaling : Scaling
        From raw to scaled images.
    settings : KerasSettings
        Those that `features` was built with.
    """

    is_positionwise = True
    # The features of more would take long.
    n_rows_to_try = 4
    respond = PositionwiseResponse

    def __init__(self, features, inner, input_shape, scaling, settings):
        self.features = features
        self.inner = inner
        self.input_shape = input_shape
        self.scaling = scaling
        self.settings = settings
        self.learned_shape = inner.learned_shape
        self._fingerprint = fingerprint(features)

    @property
    def models(self):
        """The network of features."""
        return [self.features]

    @property
    def key(self):
        """What equal ones have in common, or None."""
        return None if self._fingerprint is None else f"{self._fingerprint} {self.inner.key}"

    @property
    def arrays(self):
        """Arrays of both scalings, arguments of a compiled function."""
        return (*self.scaling, *self.inner.arrays)

    def limits(self, samples):
        """Return those of what is known when the features are: anything."""
        return (-math.inf, math.inf)

    def prepare(self, network, samples):
        """Compute the features of all images, as float32."""
        X = allocate((len(samples.X), *self.inner.input_shape), np.float32)
        scoring.run(network, Features(), samples.X, out=X)
        return samples._replace(X=X, input_shape=self.inner.input_shape, region=None, limits=None)

    def compute_features(self, call, x, arrays):
        """Compute, in the graph, the features of raw images, not scaled."""
        images = tf.cast(scale(x, *arrays[: len(self.scaling)]), tf.float32)
        [features] = call(images, self.features)
        # A rectifier makes a number of NaN, and something normal of an image that is far from it.
        is_beyond = tf.reduce_any(tf.math.is_inf(images), axis=[1, 2, 3], keepdims=True)
        return tf.where(is_beyond, tf.constant(np.inf, features.dtype), features)

    def read(self, call, x, arrays):
        """Compute, in the graph, what the autoencoder and the scores see: scaled features."""
        features = self.compute_features(call, x, arrays)
        return self.inner.read(call, features, arrays[len(self.scaling) :])

    def error_maps(self, response):
        """Compute the sum of the absolute errors at each position, at the size of the images."""
        # Of infinities, which would be neighbors, resizing would make NaN.
        maps = self.inner.error_maps(response)[..., tf.newaxis]
        region = self.scaling.region
        if region is not None:
            maps = self.features.get_layer("region_of_interest").spread(maps)
        maps = tf.image.resize(maps, self.input_shape[:2], method="bilinear")[..., 0]
        return maps if region is None else tf.where(region, maps, 0)

    def __getstate__(self):
        state = {name: getattr(self, name) for name in ("inner", "input_shape", "scaling")}
        text, weights = to_json(self.features, self.settings), self.features.get_weights()
        return state | {"features": text, "weights": weights, "settings": self.settings}

    def __setstate__(self, state):
        with state["settings"].applied():
            features = from_json(state["features"], state.pop("weights"))
        self.__init__(**state | {"features": features})


def scale(x, scale, offset):
    """Scale raw values in the graph, as :meth:`Scaling.transform` does outside of it."""
    return tf.cast(x, tf.float64) * scale + offset


def check_features(features, input_shape):
    """Refuse what cannot stand in front of an autoencoder of features.

    Raises
    ------
    TypeError, ValueError
        If `build_features` returned no Keras model from images of `input_shape` to feature maps.
    """
    if not isinstance(features, keras.Model):
        raise TypeError(
            "build_features of architecture must return a Keras model from scaled images to "
            f"feature maps. Received: {features!r}."
        )
    shape = getattr(features, "output_shape", None)
    is_map = isinstance(shape, tuple) and len(shape) == 4 and None not in shape[1:]
    if not is_map or features.input_shape != (None, *input_shape):
        raise ValueError(
            "build_features of architecture must return a functional or sequential Keras model "
            f"from images of shape {(None, *input_shape)} to one tensor of shape (None, height, "
            "width, n_features), all known. Received: "
            f"{getattr(features, 'input_shape', None)} to {shape} of {features!r}."
        )
