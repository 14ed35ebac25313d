"""The compiled graph from raw inputs to scores, run in chunks of bounded memory.

A compiled function takes weights and scaling as arguments. So all networks of one configuration
share it, a hundred fits of a grid search compile it once, and many threads may call it.
"""

import math

import joblib
import keras
import numpy as np
import tensorflow as tf

from sklearn_ae._network.caching import BoundedCache
from sklearn_ae._network.processes import check_not_forked

# A chunk is as many rows as keep the network's largest layer within this: several layers are in
# memory at a time, and larger chunks are no faster.
_BYTES_PER_LAYER = 2**25

# Other types are converted to float64 chunk by chunk, so that few functions are compiled.
_NATIVE_DTYPES = (np.uint8, np.float32, np.float64)

# Scores beyond float32, in which the network computes, count as its largest number: a row so far
# from the training data is an anomaly, and must not become NaN, which compares as normal.
LARGEST_SCORE = float(np.finfo(np.float32).max)

_GRAPHS = BoundedCache(max_size=64)


def anomaly_scores(network, anomaly_score, X):
    """Compute the anomaly score of each row.

    Parameters
    ----------
    network : Network
    anomaly_score : object with `compute`
    X : ndarray of shape (n, *network.input_shape)
        Raw values.

    Returns
    -------
    scores : ndarray of shape (n,), float64
        Higher is more abnormal.

    Raises
    ------
    ValueError
        If `compute` gives anything but one number a sample.
    """

    def compute(call, x, scale, offset):
        scaled = _scale(x, scale, offset)
        reconstruction = call(tf.cast(scaled, tf.float32))[-1]
        scores = anomaly_score.compute(scaled, tf.cast(reconstruction, tf.float64))
        _check_scores(scores, anomaly_score)
        return tf.cast(scores, tf.float64)

    is_shareable = type(anomaly_score).__module__ == "sklearn_ae.anomaly_scores"
    # The graph keeps an object of the user's alive, so no other can have its identity.
    settings = joblib.hash(vars(anomaly_score)) if is_shareable else id(anomaly_score)
    name = f"score {type(anomaly_score).__name__} {settings}"
    scores = _run(network, name, compute, network.joint, X, is_shareable)
    return np.minimum(np.nan_to_num(scores, nan=LARGEST_SCORE, posinf=np.inf), LARGEST_SCORE)


def error_maps(network, X):
    """Compute the absolute error of each value of X, in scaled units, as float32."""

    def compute(call, x, scale, offset):
        scaled = _scale(x, scale, offset)
        reconstruction = call(tf.cast(scaled, tf.float32))[-1]
        return tf.cast(tf.abs(scaled - tf.cast(reconstruction, tf.float64)), tf.float32)

    return _run(network, "error map", compute, network.joint, X)


def reconstructions(network, X):
    """Compute the reconstruction of each row of X, in raw units, as float32."""

    def compute(call, x, scale, offset):
        scaled = tf.cast(_scale(x, scale, offset), tf.float32)
        return _unscale(call(scaled)[-1], scale, offset)

    return _run(network, "reconstruction", compute, network.joint, X)


def codes(network, X):
    """Compute the code of each row of X, as float32."""

    def compute(call, x, scale, offset):
        return tf.cast(call(tf.cast(_scale(x, scale, offset), tf.float32))[0], tf.float32)

    return _run(network, "code", compute, network.joint, X)


def decodings(network, Z):
    """Compute the reconstruction of each code, in raw units, as float32."""

    def compute(call, z, scale, offset):
        return _unscale(call(tf.cast(z, tf.float32))[0], scale, offset)

    return _run(network, "decoding", compute, network.decoder, Z)


def _check_scores(scores, anomaly_score):
    shape = getattr(scores, "shape", None)
    if shape is None or len(shape) != 1 or shape[0] is not None:
        raise ValueError(
            f"compute of {type(anomaly_score).__name__} must return one number a sample, a tensor "
            "of shape (n,): sum or average over all axes but the first. Received: "
            f"{type(scores).__name__ if shape is None else f'a tensor of shape {tuple(shape)}'}."
        )


def _scale(x, scale, offset):
    return tf.cast(x, tf.float64) * scale + offset


def _unscale(scaled, scale, offset):
    return tf.cast((tf.cast(scaled, tf.float64) - offset) / scale, tf.float32)


def _run(network, name, compute, model, X, is_shareable=True):
    """Call the compiled function on chunks of X and join what it gives."""
    check_not_forked()
    dtype = X.dtype if X.dtype in _NATIVE_DTYPES else np.dtype(np.float64)
    graph, n_rows = _compiled(network, name, compute, model, X.shape[1:], dtype, is_shareable)
    arguments = [tf.constant(constant) for constant in network.scaling]
    arguments += [_read(weight.value) for weight in _weights(model)]
    outputs = None
    for start in range(0, len(X), n_rows):
        chunk = np.ascontiguousarray(X[start : start + n_rows], dtype=dtype)
        output = _call(graph, [tf.constant(chunk), *arguments]).numpy()
        if outputs is None:
            outputs = np.empty((len(X), *output.shape[1:]), dtype=output.dtype)
        outputs[start : start + n_rows] = output
    return outputs


def _compiled(network, name, compute, model, row_shape, dtype, is_shareable):
    """Return the compiled function and its chunk, from the shared store if that is possible."""
    is_shareable = is_shareable and network.configuration is not None
    store = _GRAPHS if is_shareable else network.graphs
    key = (network.configuration, name, dtype.name)
    compiled = store.get(key)
    if compiled is None:
        graph = _compile(compute, model, row_shape, dtype, network.scaling)
        compiled = graph, _rows_per_chunk(model, row_shape)
        store.put(key, compiled)
    return compiled


def _compile(compute, model, row_shape, dtype, scaling):
    n_trainable = len(model.trainable_variables)

    def graph(x, scale, offset, *weights):
        def call(inputs):
            trainable, others = weights[:n_trainable], weights[n_trainable:]
            outputs, _ = model.stateless_call(trainable, others, inputs, training=False)
            # Keras gives a list of one output as the output itself.
            return keras.tree.flatten(outputs)

        return compute(call, x, scale, offset)

    # A free batch axis: one compilation serves one row and ten thousand.
    signature = [tf.TensorSpec((None, *row_shape), dtype)]
    signature += [tf.TensorSpec(constant.shape, tf.float64) for constant in scaling]
    signature += [tf.TensorSpec(weight.shape, weight.dtype) for weight in _weights(model)]
    return tf.function(graph, autograph=False).get_concrete_function(*signature)


def _call(graph, arguments):
    # Called as a Python function, it would bind and check each weight: half the time of one row.
    dtype = graph.structured_outputs.dtype
    return tf.raw_ops.StatefulPartitionedCall(args=arguments, Tout=[dtype], f=graph)[0]


def _read(variable):
    return tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype)


def _weights(model):
    return [*model.trainable_variables, *model.non_trainable_variables]


def _rows_per_chunk(model, row_shape):
    n_bytes = max(4 * _largest_layer(model), 8 * math.prod(row_shape))
    return max(1, _BYTES_PER_LAYER // n_bytes)


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
