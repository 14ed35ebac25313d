"""What a network makes of a batch of samples, as scores see it."""

import math
from functools import cached_property

import numpy as np
import tensorflow as tf

# Of float32, in which networks compute. It stands for all that is beyond.
LARGEST = float(np.finfo(np.float32).max)


def as_finite(values):
    """Make float32 of float64, in the graph: the largest number of what is beyond or NaN.

    A network gives NaN for samples that it cannot see.
    """
    largest = tf.constant(LARGEST, tf.float64)
    bounded = tf.maximum(tf.minimum(values, largest), -largest)
    return tf.cast(tf.where(tf.math.is_nan(values), largest, bounded), tf.float32)


class Response:
    """What a network makes of samples; each thing is computed when it is first asked for.

    All tensors are float64, although the network computes in float32.

    Parameters
    ----------
    network : Network
    call : callable
        Calls a model that is a part of the network with float32 inputs and the weights of the
        graph, and gives the list of its outputs.
    inputs : tensor of shape (n, *network.input_shape), float64
        Scaled values.

    Attributes
    ----------
    inputs : tensor of shape (n, *network.input_shape), float64
    """

    # Whether inputs are features at positions, not values of the samples.
    is_positionwise = False

    def __init__(self, network, call, inputs):
        self.inputs = inputs
        self._network = network
        self._call = call

    @cached_property
    def reconstructions(self):
        """What the network makes of the inputs, in their shape and in scaled units."""
        return tf.cast(self._outputs[-1], tf.float64)

    @cached_property
    def codes(self):
        """What the encoder makes of the inputs, of shape (n, latent_dim)."""
        self._check_has_code()
        return tf.cast(self._outputs[0], tf.float64)

    @cached_property
    def reconstruction_codes(self):
        """What the encoder makes of the reconstructions, of shape (n, latent_dim)."""
        self._check_has_code()
        [codes] = self._call(self._outputs[-1], self._network.encoder)
        return tf.cast(codes, tf.float64)

    @cached_property
    def hidden(self):
        """What each encoder layer with weights makes of the inputs, a list of tensors."""
        return self._activations(tf.cast(self.inputs, tf.float32))

    @cached_property
    def reconstruction_hidden(self):
        """What each encoder layer with weights makes of the reconstructions."""
        return self._activations(self._outputs[-1])

    @cached_property
    def is_beyond_float32(self):
        """Which samples the network cannot see, of shape (n,): it gives NaN for them, or zeros."""
        axes = list(range(1, len(self.inputs.shape)))
        return tf.reduce_any(tf.math.is_inf(tf.cast(self.inputs, tf.float32)), axis=axes)

    @cached_property
    def _outputs(self):
        return self._call(tf.cast(self.inputs, tf.float32), self._network.joint)

    def _activations(self, inputs):
        self._check_has_code()
        # TensorFlow computes once what this and the calls above have in common.
        activations = self._call(inputs, self._network.activations)
        return [tf.cast(activation, tf.float64) for activation in activations]

    def _check_has_code(self):
        if not self._network.has_code:
            raise ValueError(
                "anomaly_score uses the code or the encoder: let architecture build an encoder and "
                "a decoder, or pass a score of the reconstruction alone, such as "
                "anomaly_score='squared_error'. Received: an architecture that built one model, "
                "from input to reconstruction."
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
