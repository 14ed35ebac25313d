"""What is computed of samples with a network: each in the graph, from raw values on."""

import copy

import numpy as np
import tensorflow as tf

from sklearn_ae.autoencoder.network.custom_scores import (
    check_score_features,
    explained_score_errors,
)
from sklearn_ae.autoencoder.network.response import LARGEST, as_finite
from sklearn_ae.autoencoder.network.score_state import arrays_of, is_own, key_of, with_tensors
from sklearn_ae.autoencoder.scores.computing import compute_score

# Scores beyond float32 count as its largest number: a row so far from the training data is an
# anomaly, and must not become NaN, which compares as normal.
LARGEST_SCORE = LARGEST


class Output:
    """Something that is computed in the graph.

    Attributes
    ----------
    key : str or tuple
        What outputs have in common that are computed alike.
    arrays : list of ndarray
        Arguments of the compiled function, beside the scaling and the weights.
    is_shareable : bool
        Whether networks of one configuration can share the compiled function.
    """

    key = None
    arrays = ()
    is_shareable = True

    def models(self, network):
        """Return those whose weights are arguments of the compiled function."""
        return network.models

    def traced(self):
        """Return what a graph may keep: this output, without what may be megabytes."""
        return self

    def compute(self, network, call, x, arguments):
        """Compute the output, in the graph.

        Parameters
        ----------
        network : Network
        call : callable
            Calls a part of the network with the weights that are arguments, and gives the list of
            its outputs.
        x : tensor of shape (n, ...)
            Raw values.
        arguments : dict of str to list of tensor
            "scaling" and "score", which has the arrays.

        Returns
        -------
        output : tensor of shape (n, ...)
        """
        response = network.respond(call, network.read(call, x, arguments["scaling"]))
        return self.compute_from(network, response, arguments)


class ScoreOutput(Output):
    """The anomaly score of each sample, as float64.

    Parameters
    ----------
    anomaly_score : object with `compute` or `compute_from`
    """

    name = "score"

    def __init__(self, anomaly_score):
        self.arrays = arrays_of(anomaly_score)
        self.is_shareable = is_own(anomaly_score)
        # The graph keeps an object of the user's alive, so no other can have its identity. Of the
        # library's own it keeps a copy without what it is fitted to, which may be megabytes.
        self._template, known = anomaly_score, id(anomaly_score)
        if self.is_shareable:
            empty = (np.empty((0,) * array.ndim, array.dtype) for array in self.arrays)
            self._template, known = with_tensors(anomaly_score, empty), key_of(anomaly_score)
        self.key = (self.name, known)

    def traced(self):
        """Return a copy without the arrays."""
        traced = copy.copy(self)
        traced.arrays = ()
        return traced

    def compute_from(self, network, response, arguments):
        """Compute the output from a response, in the graph."""
        # A copy, or a tensor that a custom score keeps would stay: none of a graph can be pickled.
        score = with_tensors(copy.copy(self._template), iter(arguments["score"]))
        return self.compute_with(score, response)

    def compute_with(self, score, response):
        """Compute the anomaly score, whose arrays are tensors."""
        return compute_checked_score(score, response)


class ScoreFeatures(ScoreOutput):
    """What a score is to be fitted to, as float64."""

    name = "features"

    def compute_with(self, score, response):
        """Compute what the score is fitted to."""
        with explained_score_errors(score):
            features = score.features(response)
        check_score_features(features, score)
        return tf.cast(features, tf.float64)


class ErrorMap(Output):
    """The error map of each sample, in scaled units, as float32."""

    key = "error map"

    def compute_from(self, network, response, arguments):
        """Compute the output from a response, in the graph."""
        return network.error_maps(response)


class Code(Output):
    """The code of each sample, as float32."""

    key = "code"

    def compute_from(self, network, response, arguments):
        """Compute the output from a response, in the graph."""
        return as_finite(response.codes)


class Reconstruction(Output):
    """The reconstruction of each sample, in raw units, as float32."""

    key = "reconstruction"

    def compute_from(self, network, response, arguments):
        """Compute the output from a response, in the graph."""
        return _unscale(response.reconstructions, *arguments["scaling"])


class Decoding(Output):
    """The reconstruction of each code, in raw units, as float32."""

    key = "decoding"

    def models(self, network):
        """Return the decoder, which is all that is needed."""
        return [network.decoder]

    def compute(self, network, call, x, arguments):
        """Compute the output of codes, in the graph."""
        return _unscale(call(tf.cast(x, tf.float32), network.decoder)[0], *arguments["scaling"])


class Features(Output):
    """What the backbone gives for each image, not scaled, as float32."""

    key = "feature map"

    def compute(self, network, call, x, arguments):
        """Compute the output of raw images, in the graph."""
        return network.front.compute_features(call, x, arguments["scaling"])


def compute_checked_score(score, response):
    """Compute in the graph the anomaly score of each sample, as float64."""
    with explained_score_errors(score):
        scores = compute_score(score, response)
    _check_scores(scores, score)
    scores = tf.cast(scores, tf.float64)
    if hasattr(score, "compute_from"):
        largest = tf.constant(LARGEST_SCORE, tf.float64)
        scores = tf.where(response.is_beyond_float32, largest, scores)
    return scores


def _check_scores(scores, anomaly_score):
    shape = getattr(scores, "shape", None)
    if shape is None or len(shape) != 1 or shape[0] is not None:
        method = "compute_from" if hasattr(anomaly_score, "compute_from") else "compute"
        raise ValueError(
            f"{method} of {type(anomaly_score).__name__} must return one number a sample, a tensor "
            "of shape (n,): sum or average over all axes but the first. Received: "
            f"{type(scores).__name__ if shape is None else f'a tensor of shape {tuple(shape)}'}."
        )
    dtype = tf.as_dtype(scores.dtype)
    if not (dtype.is_floating or dtype.is_integer or dtype.is_bool):
        raise ValueError(
            f"The scores of {type(anomaly_score).__name__} must be real numbers: convert them, of "
            f"complex numbers with keras.ops.absolute. Received: a tensor of {dtype.name}."
        )


def _unscale(scaled, scale, offset):
    # 0 where nothing is seen, outside of a region of interest: there, both are 0.
    return as_finite(tf.math.divide_no_nan(tf.cast(scaled, tf.float64) - offset, scale))
