"""The compiled graph from raw inputs to scores, run in chunks of bounded memory.

A compiled function takes weights, scaling and what scores are fitted to as arguments. So all
networks of one configuration share it, a hundred fits of a grid search compile it once, and many
threads may call it.
"""

import copy
import math

import keras
import numpy as np
import tensorflow as tf

from sklearn_ae._base.checks import warn
from sklearn_ae._base.keras_environment import check_eager, check_not_forked
from sklearn_ae._base.progress import progress_bar
from sklearn_ae.autoencoder.network.caching import BoundedCache
from sklearn_ae.autoencoder.network.custom_scores import (
    check_score_features,
    explained_score_errors,
)
from sklearn_ae.autoencoder.network.response import LARGEST, as_finite
from sklearn_ae.autoencoder.network.score_state import arrays_of, is_own, key_of, with_tensors
from sklearn_ae.autoencoder.scores.computing import compute_score

# A chunk is as many rows as keep the network's largest layer within this: several layers are in
# memory at a time, and larger chunks are no faster.
_BYTES_PER_LAYER = 2**25

# Other types are converted to float64 chunk by chunk, so that few functions are compiled.
_NATIVE_DTYPES = (np.uint8, np.float32, np.float64)

# Rows of a matrix product that are computed alike, at the most that was seen.
_ROWS_PER_BLOCK = 16

# Scores beyond float32 count as its largest number: a row so far from the training data is an
# anomaly, and must not become NaN, which compares as normal.
LARGEST_SCORE = LARGEST

_GRAPHS = BoundedCache(max_size=64)


def anomaly_scores(network, anomaly_score, X, rows=None, *, is_progress_shown=False):
    """Compute the anomaly score of each row, or of some.

    Parameters
    ----------
    network : Network
    anomaly_score : object with `compute` or `compute_from`
    X : ndarray of shape (n, *network.input_shape)
        Raw values.
    rows : ndarray of int or None, default=None
        Rows of X, which may be a memory map, to score. If None, all.
    is_progress_shown : bool, default=False
        Whether to show a progress bar, if there is more than one chunk.

    Returns
    -------
    scores : ndarray of shape (n,), float64
        Higher is more abnormal.

    Raises
    ------
    ValueError
        If the score gives anything but one number a sample.
    """
    scores = _run_score(
        network,
        "score",
        compute_checked_score,
        anomaly_score,
        X,
        rows,
        is_progress_shown=is_progress_shown,
    )
    if not np.isfinite(scores).all():
        _warn_if_missing(scores, anomaly_score)
        scores = np.nan_to_num(scores, nan=LARGEST_SCORE, posinf=np.inf)
    return np.minimum(scores, LARGEST_SCORE)


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


def score_features(network, anomaly_score, X, rows):
    """Compute what a score is to be fitted to, for some rows of X, as float64."""

    def compute(score, response):
        with explained_score_errors(score):
            features = score.features(response)
        check_score_features(features, score)
        return tf.cast(features, tf.float64)

    return _run_score(network, "features", compute, anomaly_score, X, rows)


def forget_own_graphs(network):
    """Drop the compiled functions that no other network can share."""
    network.graphs = BoundedCache(max_size=network.graphs.max_size)


def error_maps(network, X):
    """Compute the error map of each row of X, in scaled units, as float32."""

    def compute(call, x, scaling):
        response = network.respond(call, network.read(call, x, scaling))
        return network.error_maps(response)

    return _run(network, "error map", compute, network.models, X)


def sum_channels(maps):
    """Sum error maps of shape (n, height, width, n_channels) over the channels."""
    with np.errstate(over="ignore"):
        return np.minimum(maps.sum(axis=-1), np.float32(LARGEST))


def feature_maps(network, X, out):
    """Compute the features of each image of X, not scaled, into an array of float32."""
    compute = network.front.compute_features
    return _run(network, "feature map", compute, network.models, X, out=out)


def reconstructions(network, X):
    """Compute the reconstruction of each row of X, in raw units, as float32."""

    def compute(call, x, scaling):
        response = network.respond(call, network.read(call, x, scaling))
        return _unscale(response.reconstructions, *scaling)

    return _run(network, "reconstruction", compute, network.models, X)


def codes(network, X):
    """Compute the code of each row of X, as float32."""

    def compute(call, x, scaling):
        return as_finite(network.respond(call, network.read(call, x, scaling)).codes)

    return _run(network, "code", compute, network.models, X)


def decodings(network, Z):
    """Compute the reconstruction of each code, in raw units, as float32."""

    def compute(call, z, scaling):
        return _unscale(call(tf.cast(z, tf.float32), network.decoder)[0], *scaling)

    return _run(network, "decoding", compute, [network.decoder], Z)


def _run_score(network, name, compute_with, anomaly_score, X, rows=None, **options):
    """Call a function of a score and of what the network makes of rows of X."""
    constants = arrays_of(anomaly_score)
    is_shareable = is_own(anomaly_score)
    # The graph keeps an object of the user's alive, so no other can have its identity. Of the
    # library's own it keeps a copy without what it is fitted to, which may be megabytes.
    key = (name, key_of(anomaly_score) if is_shareable else id(anomaly_score))
    empty = (np.empty((0,) * constant.ndim, constant.dtype) for constant in constants)
    template = with_tensors(anomaly_score, empty) if is_shareable else anomaly_score

    def compute(call, x, scaling, *constants):
        # A copy, or a tensor that a custom score keeps would stay: none of a graph can be pickled.
        score = with_tensors(copy.copy(template), iter(constants))
        return compute_with(score, network.respond(call, network.read(call, x, scaling)))

    return _run(network, key, compute, network.models, X, rows, constants, is_shareable, **options)


def _warn_if_missing(scores, anomaly_score):
    n_missing = np.count_nonzero(np.isnan(scores))
    # Those of the library give none but for samples that are beyond all numbers.
    if n_missing and not is_own(anomaly_score):
        warn(
            "anomaly_score should give numbers: a sample with NaN counts as the most abnormal. "
            f"Received: NaN for {n_missing} of {len(scores)} samples from "
            f"{type(anomaly_score).__name__}."
        )


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


def _run(
    network,
    name,
    compute,
    models,
    X,
    rows=None,
    constants=(),
    is_shareable=True,
    out=None,
    is_progress_shown=False,
):
    """Call the compiled function on chunks of X, or of some rows of it, and join what it gives."""
    check_not_forked()
    check_eager()
    dtype = X.dtype.newbyteorder("=")
    dtype = dtype if dtype in _NATIVE_DTYPES else np.dtype(np.float64)
    graph, n_bytes = _compiled(
        network, name, compute, models, X.shape[1:], dtype, constants, is_shareable
    )
    n_rows = _rows_per_chunk(n_bytes, constants)
    arguments = _arguments(network, models, constants, is_shareable)
    n = len(X) if rows is None else len(rows)
    outputs = out
    with progress_bar(n, unit="samples", is_shown=is_progress_shown and n > n_rows) as advance:
        for start in range(0, n, n_rows):
            stop = start + n_rows
            chunk = X[start:stop] if rows is None else X[rows[start:stop]]
            n_chunk = len(chunk)
            chunk = _pad(np.ascontiguousarray(chunk, dtype=dtype))
            output = _call(graph, [tf.constant(chunk), *arguments]).numpy()[:n_chunk]
            if outputs is None:
                outputs = np.empty((n, *output.shape[1:]), dtype=output.dtype)
            outputs[start:stop] = output
            advance(min(stop, n))
    return outputs


def _arguments(network, models, constants, are_constant):
    """Return scaling, what the score is fitted to and weights, as a compiled function takes them.

    They are kept: to make them takes as long as a fifth of the score of a small image, and more
    where a score compares with thousands of rows.
    """
    arrays = (*network.scaling_arrays, *constants)
    key = (len(arrays), *map(id, models))
    kept, arguments = network.arguments.get(key, ((), ()))
    # With the arrays, so that no other can have the identity of one.
    if not kept or any(a is not b for a, b in zip(kept, arrays, strict=True)):
        arguments = [tf.constant(array) for array in arrays]
        arguments += [weight.value.handle for weight in weights_of(models)]
        # A score of the user's may change its arrays in place.
        if are_constant:
            network.arguments[key] = arrays, arguments
    return arguments


def _compiled(network, name, compute, models, row_shape, dtype, constants, is_shareable):
    """Return the compiled function and the bytes of a row, from the shared store if possible."""
    is_shareable = is_shareable and network.configuration is not None
    store = _GRAPHS if is_shareable else network.graphs
    kinds = tuple((constant.ndim, constant.dtype.name) for constant in constants)
    key = (network.configuration, name, dtype.name, kinds)
    compiled = store.get(key) or network.graphs.get(key)
    if compiled is None:
        with network.settings.applied():
            graph = _compile(compute, models, row_shape, dtype, network.scaling_arrays, kinds)
        largest = max(_largest_layer(model) for model in models)
        compiled = graph, max(4 * largest, 8 * math.prod(row_shape))
        # Tensors that a layer keeps beside its weights are those of this network alone.
        if graph.captured_inputs:
            store = network.graphs
        store.put(key, compiled)
    return compiled


def _compile(compute, models, row_shape, dtype, scaling, kinds_of_constants):
    # A free batch axis: one compilation serves one row and ten thousand.
    signature = [tf.TensorSpec((None, *row_shape), dtype)]
    signature += [tf.TensorSpec(constant.shape, tf.float64) for constant in scaling]
    # Scores of one configuration may be fitted to more rows or fewer.
    signature += [tf.TensorSpec([None] * n_axes, kind) for n_axes, kind in kinds_of_constants]
    n_others = len(signature)
    kinds = [(weight.dtype, weight.shape) for weight in weights_of(models)]
    signature += [tf.TensorSpec((), tf.resource)] * len(kinds)
    compute_graph = make_graph(compute, models, len(scaling), len(kinds_of_constants))

    def graph(*arguments):
        handles = arguments[n_others:]
        weights = [_read(handle, *kind) for handle, kind in zip(handles, kinds, strict=True)]
        return compute_graph(*arguments[:n_others], *weights)

    return tf.function(graph, autograph=False).get_concrete_function(*signature)


def make_graph(compute, models, n_scaling, n_constants):
    """Return a function of raw values, scaling, constants of a score and weights.

    Parameters
    ----------
    compute : callable
        Called with a function that calls a part of the network, raw values, the scaling and the
        constants.
    models : list of keras.Model
        Those whose weights are arguments, as :func:`weights_of` has them.
    n_scaling, n_constants : int
        Numbers of arrays.

    Returns
    -------
    graph : callable
    """
    n = n_scaling + n_constants

    def graph(x, *others):
        arrays, constants, weights = others[:n_scaling], others[n_scaling:n], others[n:]
        values = dict(zip(map(id, weights_of(models)), weights, strict=True))

        def call(inputs, part):
            trainable, others = (
                [values[id(variable)] for variable in variables]
                for variables in (part.trainable_variables, part.non_trainable_variables)
            )
            outputs, _ = part.stateless_call(trainable, others, inputs, training=False)
            # Keras gives a list of one output as the output itself.
            return keras.tree.flatten(outputs)

        return compute(call, x, arrays, *constants)

    return graph


def _call(graph, arguments):
    # Called as a Python function, it would bind and check each weight: half the time of one row.
    dtype = graph.structured_outputs.dtype
    arguments = [*arguments, *graph.captured_inputs]
    return tf.raw_ops.StatefulPartitionedCall(args=arguments, Tout=[dtype], f=graph)[0]


def _read(handle, dtype, shape):
    # In the graph: one by one, from Python, weights take as long to read as a small image to score.
    weight = tf.raw_ops.ReadVariableOp(resource=handle, dtype=dtype)
    weight.set_shape(shape)
    return weight


def weights_of(models):
    """Return the variables that are arguments of a compiled function, in its order."""
    # Those that are trainable and the others, each of which Keras takes from all of them.
    return [variable for model in models for variable in model.variables]


def _pad(chunk):
    """Add rows of zeros, so that no row of a table is among the last of a matrix product.

    TensorFlow computes up to 15 of the last rows otherwise than the others, with other rounding
    errors, and a sample at the threshold would be normal in one batch and abnormal in another.
    Images are left as they are: one of them alone would take sixteen times as long.
    """
    n_missing = -len(chunk) % _ROWS_PER_BLOCK
    if chunk.ndim != 2 or n_missing == 0:
        return chunk
    return np.pad(chunk, ((0, n_missing), (0, 0)))


def _rows_per_chunk(n_bytes, constants):
    # A product with what a score is fitted to has as many values as that has rows.
    return max(1, _BYTES_PER_LAYER // max([n_bytes, *(8 * len(a) for a in constants if a.ndim)]))


def _largest_layer(model):
    """Return the number of values, for one sample, of the largest output of any layer."""
    largest = 1
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            largest = max(largest, _largest_layer(layer))
        elif getattr(layer, "_inbound_nodes", None):
            for output in keras.tree.flatten(layer.output):
                largest = max(largest, math.prod(size or 1 for size in output.shape[1:]))
    return largest
