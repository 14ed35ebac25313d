"""Networks that score features of images: an autoencoder of what each position gives."""

import dataclasses
import math
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf

from sklearn_ae._base.holdout import Split
from sklearn_ae.autoencoder.network.caching import BoundedCache
from sklearn_ae.autoencoder.network.fingerprints import fingerprint
from sklearn_ae.autoencoder.network.network import from_json, scale, to_json
from sklearn_ae.autoencoder.network.response import Response, as_finite
from sklearn_ae.autoencoder.scaling import Scaling

# Neighboring positions have much in common: so many in all say what is normal, and so many of each
# image are a sample of it in a step.
_MAX_POSITIONS = 2**15
_POSITIONS_PER_IMAGE = 16


class PositionwiseNetwork:
    """A network of rows, run at each position of feature maps.

    Parameters
    ----------
    rows : Network
        Autoencoder of the features of one position, with the scaling of each feature.
    input_shape : tuple of int
        ``(height, width, n_features)`` of the maps.

    Attributes
    ----------
    graphs : BoundedCache
        Compiled functions that no other network can share.
    arguments : dict
        Tensors that compiled functions are called with, beside raw values.
    """

    is_positionwise = True
    has_activations = False

    def __init__(self, rows, input_shape):
        self.rows = rows
        self.input_shape = input_shape
        self.graphs = BoundedCache(max_size=16)
        self.arguments = {}

    @property
    def settings(self):
        """Keras's settings that the network was built with."""
        return self.rows.settings

    @property
    def configuration(self):
        """What equal ones have in common, or None: see :class:`Network`."""
        known = self.rows.configuration
        return None if known is None else f"{self.input_shape} {known}"

    @property
    def has_code(self):
        """Whether the network has an encoder and a decoder."""
        return self.rows.has_code

    @property
    def n_codes(self):
        """Length of a code."""
        return self.rows.n_codes

    @property
    def parts(self):
        """Encoder and decoder of one position, or one model."""
        return self.rows.parts

    @property
    def models(self):
        """Those whose weights are arguments of a compiled function."""
        return self.rows.models

    @property
    def scaling_arrays(self):
        """Arrays of the scaling, arguments of a compiled function."""
        return self.rows.scaling_arrays

    @property
    def autoencoder(self):
        """Keras model from the scaled features of one position to their reconstruction."""
        return self.rows.autoencoder

    def training_data(self, X, split, settings):
        """Return what is trained, on which positions of which maps, and how."""
        n_images = sum(map(len, split))
        split = Split(*(self._positions(images, n_images) for images in split))
        batch_size = _POSITIONS_PER_IMAGE * settings.batch_size
        settings = dataclasses.replace(settings, batch_size=batch_size)
        return self.rows, X.reshape(-1, X.shape[-1]), split, settings

    def _positions(self, images, n_images):
        """Return which positions, counted through all images, are trained with."""
        n = math.prod(self.input_shape[:2])
        n_taken = min(n, max(_POSITIONS_PER_IMAGE, _MAX_POSITIONS // max(n_images, 1)))
        order = np.argsort(np.random.default_rng(0).random((len(images), n)), axis=1)
        return (n * images[:, np.newaxis] + np.sort(order[:, :n_taken], axis=1)).ravel()

    def read(self, call, x, scaling):
        """Compute, in the graph, what the autoencoder and the scores see: scaled features."""
        return scale(x, *scaling)

    def respond(self, call, inputs):
        """Return what the network makes of the features that `read` gave."""
        return PositionwiseResponse(self.rows, call, inputs)

    def error_maps(self, response):
        """Compute the sum of the absolute errors at each position, as float32."""
        errors = tf.abs(response.inputs - response.reconstructions)
        return as_finite(tf.reduce_sum(errors, axis=-1))


class FeatureNetwork:
    """A frozen network of features, and a positionwise one behind it.

    Parameters
    ----------
    features : keras.Model
        Scaled images to feature maps.
    positionwise : PositionwiseNetwork
    input_shape : tuple of int
        Shape of an image.
    scaling : Scaling
        From raw to scaled images.
    """

    is_positionwise = True
    has_activations = False

    def __init__(self, features, positionwise, input_shape, scaling):
        self.features = features
        self.positionwise = positionwise
        self.input_shape = input_shape
        self.scaling = scaling
        self.graphs = BoundedCache(max_size=16)
        self.arguments = {}
        self._fingerprint = fingerprint(features)

    @property
    def settings(self):
        """Keras's settings that both networks were built with."""
        return self.positionwise.settings

    @property
    def configuration(self):
        """What equal ones have in common, or None: see :class:`Network`."""
        known = (self._fingerprint, self.positionwise.configuration)
        return None if None in known else " ".join(known)

    @property
    def has_code(self):
        """Whether the network has an encoder and a decoder."""
        return self.positionwise.has_code

    @property
    def n_codes(self):
        """Length of a code."""
        return self.positionwise.n_codes

    @property
    def parts(self):
        """Encoder and decoder of one position, or one model."""
        return self.positionwise.parts

    @property
    def models(self):
        """Those whose weights are arguments of a compiled function."""
        return [self.features, *self.positionwise.models]

    @property
    def scaling_arrays(self):
        """Arrays of both scalings, arguments of a compiled function."""
        return (*self.scaling, *self.positionwise.scaling_arrays)

    def compute_features(self, call, x, scaling):
        """Compute, in the graph, the features of raw images, not scaled."""
        images = tf.cast(scale(x, *scaling[: len(self.scaling)]), tf.float32)
        [features] = call(images, self.features)
        # A rectifier makes a number of NaN, and something normal of an image that is far from it.
        is_beyond = tf.reduce_any(tf.math.is_inf(images), axis=[1, 2, 3], keepdims=True)
        return tf.where(is_beyond, tf.constant(np.inf, features.dtype), features)

    def read(self, call, x, scaling):
        """Compute, in the graph, what the autoencoder and the scores see: scaled features."""
        features = self.compute_features(call, x, scaling)
        return self.positionwise.read(call, features, scaling[len(self.scaling) :])

    def respond(self, call, inputs):
        """Return what the network makes of the features that `read` gave."""
        return self.positionwise.respond(call, inputs)

    def error_maps(self, response):
        """Compute the sum of the absolute errors at each position, at the size of the images."""
        # Of infinities, which would be neighbors, resizing would make NaN.
        maps = self.positionwise.error_maps(response)[..., tf.newaxis]
        region = self.scaling.region
        if region is not None:
            maps = self.features.get_layer("region_of_interest").spread(maps)
        maps = tf.image.resize(maps, self.input_shape[:2], method="bilinear")[..., 0]
        return maps if region is None else tf.where(region, maps, 0)

    def __getstate__(self):
        return {
            "features": to_json(self.features, self.settings),
            "weights": self.features.get_weights(),
            "positionwise": (self.positionwise.rows, self.positionwise.input_shape),
            "input_shape": self.input_shape,
            "scaling": tuple(self.scaling),
        }

    def __setstate__(self, state):
        positionwise = PositionwiseNetwork(*state["positionwise"])
        with positionwise.settings.applied():
            features = from_json(state["features"], state["weights"])
        self.__init__(
            features,
            positionwise,
            state["input_shape"],
            Scaling(*state["scaling"]),
        )


class PositionwiseResponse(Response):
    """What a network of rows makes of each position of feature maps.

    Inputs and reconstructions are of shape (n, height, width, n_features); codes are those of the
    positions, averaged over each image.
    """

    is_positionwise = True

    @cached_property
    def reconstructions(self):
        """What the network makes of the features, in their shape and in scaled units."""
        return tf.cast(tf.reshape(self._outputs[-1], (-1, *self.inputs.shape[1:])), tf.float64)

    @cached_property
    def codes(self):
        """What the encoder makes of the features, averaged over positions."""
        self._check_has_code()
        return self._average(self._outputs[0])

    @cached_property
    def reconstruction_codes(self):
        """What the encoder makes of the reconstructions, averaged over positions."""
        self._check_has_code()
        [codes] = self._call(self._outputs[-1], self._network.encoder)
        return self._average(codes)

    @cached_property
    def is_beyond_float32(self):
        """Which samples the networks cannot see, of shape (n,)."""
        is_finite = tf.math.is_finite(tf.cast(self.inputs, tf.float32))
        return tf.logical_not(tf.reduce_all(is_finite, axis=[1, 2, 3]))

    @property
    def hidden(self):
        """There is none: scores of hidden layers are refused."""
        raise ValueError(
            "anomaly_score uses the layers of the encoder, of which a network of features has one "
            "set at each position: pass anomaly_score='auto', 'position_error' or "
            "'pooled_distance'."
        )

    reconstruction_hidden = hidden

    @cached_property
    def _outputs(self):
        positions = tf.reshape(self.inputs, (-1, self.inputs.shape[-1]))
        return self._call(tf.cast(positions, tf.float32), self._network.joint)

    def _average(self, codes):
        n_positions = math.prod(self.inputs.shape[1:3])
        codes = tf.reshape(tf.cast(codes, tf.float64), (-1, n_positions, codes.shape[-1]))
        return tf.reduce_mean(codes, axis=1)


def check_features(features, input_shape):
    """Refuse what no positionwise network can be put behind.

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
