"""The compiled graph from raw inputs to outputs, run in chunks of bounded memory.

A compiled function takes weights, scaling and what scores are fitted to as arguments. So all
networks of one configuration share it, a hundred fits of a grid search compile it once, and many
threads may call it.
"""

import math

import keras
import numpy as np
import tensorflow as tf

from sklearn_ae._base.checks import warn
from sklearn_ae._base.keras_environment import check_eager, check_not_forked
from sklearn_ae._base.progress import progress_bar
from sklearn_ae.autoencoder.network.caching import BoundedCache
from sklearn_ae.autoencoder.network.outputs import LARGEST_SCORE, ScoreOutput
from sklearn_ae.autoencoder.network.score_state import is_own

# A chunk is as many rows as keep the network's largest layer within this: several layers are in
# memory at a time, and larger chunks are no faster.
_BYTES_PER_LAYER = 2**25

# Other types are converted to float64 chunk by chunk, so that few functions are compiled.
_NATIVE_DTYPES = (np.uint8, np.float32, np.float64)

# Rows of a matrix product that are computed alike, at the most that was seen.
_ROWS_PER_BLOCK = 16

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
    output = ScoreOutput(anomaly_score)
    scores = run(network, output, X, rows, is_progress_shown=is_progress_shown)
    if not np.isfinite(scores).all():
        _warn_if_missing(scores, anomaly_score)
        scores = np.nan_to_num(scores, nan=LARGEST_SCORE, posinf=np.inf)
    return np.minimum(scores, LARGEST_SCORE)


def forget_own_graphs(network):
    """Drop the compiled functions that no other network can share."""
    network.graphs = BoundedCache(max_size=network.graphs.max_size)


def sum_channels(maps):
    """Sum error maps of shape (n, height, width, n_channels) over the channels."""
    with np.errstate(over="ignore"):
        return np.minimum(maps.sum(axis=-1), np.float32(LARGEST_SCORE))


def run(network, output, X, rows=None, out=None, *, is_progress_shown=False):
    """Compute an output of samples, chunk by chunk.

    Parameters
    ----------
    network : Network
    output : Output
    X : ndarray of shape (n, ...)
        Raw values, which may be a memory map.
    rows : ndarray of int or None, default=None
        Rows of X. If None, all.
    out : ndarray of shape (n, ...) or None, default=None
        Where to put the output. If None, a new array.
    is_progress_shown : bool, default=False
        Whether to show a progress bar, if there is more than one chunk.

    Returns
    -------
    out : ndarray of shape (n, ...)
    """
    check_not_forked()
    check_eager()
    dtype = X.dtype.newbyteorder("=")
    dtype = dtype if dtype in _NATIVE_DTYPES else np.dtype(np.float64)
    graph, n_bytes = _compiled(network, output, X.shape[1:], dtype)
    n_rows = _rows_per_chunk(n_bytes, output.arrays)
    arguments = _arguments(network, output)
    n = len(X) if rows is None else len(rows)
    with progress_bar(n, unit="samples", is_shown=is_progress_shown and n > n_rows) as advance:
        for start in range(0, n, n_rows):
            stop = start + n_rows
            chunk = X[start:stop] if rows is None else X[rows[start:stop]]
            n_chunk = len(chunk)
            chunk = _pad(np.ascontiguousarray(chunk, dtype=dtype))
            values = _call(graph, [tf.constant(chunk), *arguments]).numpy()[:n_chunk]
            if out is None:
                out = np.empty((n, *values.shape[1:]), dtype=values.dtype)
            out[start:stop] = values
            advance(min(stop, n))
    return out


def _arguments(network, output):
    """Return, flat, scaling, what the score is fitted to and weights, for a compiled function.

    They are kept: to make them takes as long as a fifth of the score of a small image, and more
    where a score compares with thousands of rows.
    """
    models = output.models(network)
    arrays = (*network.scaling_arrays, *output.arrays)
    key = (len(arrays), *map(id, models))
    kept, arguments = network.arguments.get(key, ((), ()))
    # With the arrays, so that no other can have the identity of one.
    if not kept or any(a is not b for a, b in zip(kept, arrays, strict=True)):
        arguments = tf.nest.flatten(
            {
                "scaling": [tf.constant(array) for array in network.scaling_arrays],
                "score": [tf.constant(array) for array in output.arrays],
                "weights": [weight.value.handle for weight in weights_of(models)],
            }
        )
        # A score of the user's may change its arrays in place.
        if output.is_shareable:
            network.arguments[key] = arrays, arguments
    return arguments


def _compiled(network, output, row_shape, dtype):
    """Return the compiled function and the bytes of a row, from the shared store if possible."""
    is_shareable = output.is_shareable and network.configuration is not None
    store = _GRAPHS if is_shareable else network.graphs
    kinds = tuple((array.ndim, array.dtype.name) for array in output.arrays)
    key = (network.configuration, output.key, dtype.name, kinds)
    compiled = store.get(key) or network.graphs.get(key)
    if compiled is None:
        with network.settings.applied():
            graph = _compile(network, output, row_shape, dtype)
        largest = max(largest_layer(model) for model in output.models(network))
        compiled = graph, max(4 * largest, 8 * math.prod(row_shape))
        # Tensors that a layer keeps beside its weights are those of this network alone.
        if graph.captured_inputs:
            store = network.graphs
        store.put(key, compiled)
    return compiled


def _compile(network, output, row_shape, dtype):
    models, traced = output.models(network), output.traced()
    kinds = [(weight.dtype, weight.shape) for weight in weights_of(models)]
    arguments = {
        "scaling": [tf.TensorSpec(array.shape, tf.float64) for array in network.scaling_arrays],
        # Scores of one configuration may be fitted to more rows or fewer.
        "score": [tf.TensorSpec([None] * array.ndim, array.dtype) for array in output.arrays],
        "weights": [tf.TensorSpec((), tf.resource)] * len(kinds),
    }

    def compute(call, x, arguments):
        return traced.compute(network, call, x, arguments)

    compute_graph = make_graph(compute, models)

    def graph(x, arguments):
        handles = arguments["weights"]
        weights = [_read(handle, *kind) for handle, kind in zip(handles, kinds, strict=True)]
        return compute_graph(x, {**arguments, "weights": weights})

    # A free batch axis: one compilation serves one row and ten thousand.
    samples = tf.TensorSpec((None, *row_shape), dtype)
    return tf.function(graph, autograph=False).get_concrete_function(samples, arguments)


def make_graph(compute, models):
    """Return a function of raw values and of arguments.

    Parameters
    ----------
    compute : callable
        Called with a function that calls a part of the network, raw values and the arguments.
    models : list of keras.Model
        Those whose weights are arguments, "weights", as :func:`weights_of` has them.

    Returns
    -------
    graph : callable
    """

    def graph(x, arguments):
        values = dict(zip(map(id, weights_of(models)), arguments["weights"], strict=True))

        def call(inputs, part):
            trainable, others = (
                [values[id(variable)] for variable in variables]
                for variables in (part.trainable_variables, part.non_trainable_variables)
            )
            outputs, _ = part.stateless_call(trainable, others, inputs, training=False)
            # Keras gives a list of one output as the output itself.
            return keras.tree.flatten(outputs)

        return compute(call, x, arguments)

    return graph


def _warn_if_missing(scores, anomaly_score):
    n_missing = np.count_nonzero(np.isnan(scores))
    # Those of the library give none but for samples that are beyond all numbers.
    if n_missing and not is_own(anomaly_score):
        warn(
            "anomaly_score should give numbers: a sample with NaN counts as the most abnormal. "
            f"Received: NaN for {n_missing} of {len(scores)} samples from "
            f"{type(anomaly_score).__name__}."
        )


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


def largest_layer(model):
    """Return the number of values, for one sample, of the largest output of any layer."""
    largest = 1
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            largest = max(largest, largest_layer(layer))
        elif getattr(layer, "_inbound_nodes", None):
            for output in keras.tree.flatten(layer.output):
                largest = max(largest, math.prod(size or 1 for size in output.shape[1:]))
    return largest
