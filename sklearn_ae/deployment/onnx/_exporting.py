"""The graph from raw values to decisions as an ONNX model.

Weights are inputs while the graph is converted, and put into the model afterwards. As constants
they would be copied and folded many times: the article's network of 55 million weights then takes
a minute and 12 GB, instead of seconds and little more than its own size.
"""

import copy
import logging
import os
from contextlib import contextmanager
from typing import NamedTuple

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from sklearn_ae._base.order_statistics import p_values_of_counts
from sklearn_ae.autoencoder.network import scoring
from sklearn_ae.autoencoder.network.outputs import LARGEST_SCORE, compute_checked_score
from sklearn_ae.autoencoder.network.score_state import arrays_of, with_tensors
from sklearn_ae.exceptions import PersistenceError

# ONNX Runtime has read it since version 1.12, and tf2onnx 1.17 writes up to 18.
OPSET = 17

INPUT, BATCH_AXIS = "input", "n"

OUTPUTS = {
    "score": "the higher, the more normal",
    "decision": "score minus the threshold on it: below 0 is an anomaly",
    "label": "1 for normal samples, -1 for anomalies",
    "anomaly_map": "absolute error of each pixel or feature, in scaled units",
    "p_value": "share of normal samples that score as low, small for anomalies",
}

# Protocol buffers, of which an ONNX file is one, hold 2 GiB; the operations need little of it.
LARGEST_MODEL = 2**31 - 2**24


# What is neither computed nor a setting.
_KINDS_OF_ARRAYS = ("offset", "calibration", "scaling", "score", "weights")


class Decision(NamedTuple):
    """How scores become labels and p-values.

    Parameters
    ----------
    offset : float
        `score_samples` below which a sample is an anomaly.
    calibration_scores : ndarray of shape (n_calibration,) or None
        `score_samples` of normal samples, ascending, for p-values.
    """

    offset: float
    calibration_scores: np.ndarray | None


def build_onnx_model(network, anomaly_score, decision, sample_shape, dtype):
    """Build an ONNX model that gives raw samples scores, decisions and maps.

    Parameters
    ----------
    network : Network
    anomaly_score : object with `compute` or `compute_from`
        Fitted.
    decision : Decision
    sample_shape : tuple of int
        Shape of a sample as it comes.
    dtype : numpy.dtype
        Its type.

    Returns
    -------
    model : onnx.ModelProto

    Raises
    ------
    PersistenceError
        If it would be larger than a file may be, or needs what ONNX does not have.
    """
    _check_precision(network.models)
    arrays = _collect_arrays(network, anomaly_score, decision)
    _check_size(arrays)
    signature = [tf.TensorSpec((None, *sample_shape), dtype, name=INPUT)]
    for name, array in arrays.items():
        signature.append(tf.TensorSpec(array.shape, array.dtype, name=name))
    graph = _make_graph(network, anomaly_score, decision, sample_shape, list(arrays))
    function = tf.function(graph, autograph=False, input_signature=signature)
    try:
        with _logging_nothing(), network.settings.applied():
            model, _ = tf2onnx.convert.from_function(
                function, input_signature=signature, opset=OPSET, custom_rewriter=[_rewrite]
            )
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise
    except Exception as error:  # It may fail at any layer, in ways of its own.
        raise _not_convertible(f"{type(error).__name__}: {error}") from error
    with network.settings.applied():
        arrays |= _captured_arrays(function.get_concrete_function(*signature))
    _check_operations(model)
    _put_in(model, arrays)
    _name_axes(model)
    return model


def with_decision(model, decision):
    """Copy a model, with another threshold and calibration in it.

    Parameters
    ----------
    model : onnx.ModelProto
    decision : Decision
        With as many calibration scores as that of the model has.

    Returns
    -------
    model : onnx.ModelProto
    """
    others = {"offset_0": decision.offset, "calibration_0": decision.calibration_scores}
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    for initializer in copy.graph.initializer:
        if initializer.name in others:
            array = np.asarray(others[initializer.name], dtype=np.float64)
            initializer.CopyFrom(onnx.numpy_helper.from_array(array, initializer.name))
    return copy


def _check_precision(models):
    dtypes = {layer.compute_dtype for model in models for layer in _walk_layers(model)}
    if dtypes & {"bfloat16", "float16"}:
        raise PersistenceError(
            "A network that computes in half precision has other scores in ONNX Runtime. Fit one "
            "with layers of float32: their `dtype`, or keras.config.dtype_policy(), says what they "
            f"are. Received: layers that compute in {', '.join(sorted(dtypes))}."
        )


def _walk_layers(model):
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _walk_layers(layer)


def _check_size(arrays):
    size = sum(array.nbytes for array in arrays.values())
    if size > LARGEST_MODEL:
        raise PersistenceError(
            f"An ONNX file holds {LARGEST_MODEL / 1e9:.1f} GB at most. Fit a smaller network, or a "
            "score that keeps fewer samples, or serve the detector itself. Received: weights and "
            f"what scores are fitted to, of {size / 1e9:.1f} GB."
        )


def _check_operations(model):
    unknown = {
        node.op_type
        for node in _walk_nodes(model.graph)
        if not onnx.defs.has(node.op_type, OPSET, node.domain)
    }
    if unknown:
        raise _not_convertible(f"the operations {', '.join(sorted(unknown))}")
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise _not_convertible(error) from error


def _not_convertible(reason):
    return PersistenceError(
        "The network or the score does something that tf2onnx cannot write as ONNX. Use layers of "
        "Keras's and scores of the library, or write one's own with keras.ops, not with NumPy or "
        f"Python functions that TensorFlow calls. Received: {reason}."
    )


def _collect_arrays(network, anomaly_score, decision):
    """Return by name what is neither computed nor a setting, in the order of the graph."""
    calibration = decision.calibration_scores
    groups = {
        "offset": [decision.offset],
        # The p-values as a table: tf2onnx would multiply by 1 / (n + 1), and round twice.
        "calibration": []
        if calibration is None
        else [calibration, p_values_of_counts(np.arange(len(calibration) + 1), len(calibration))],
        "scaling": network.scaling_arrays,
        "score": arrays_of(anomaly_score),
        "weights": [weight.numpy() for weight in scoring.weights_of(network.models)],
    }
    return {
        f"{kind}_{i}": np.asarray(array)
        for kind, arrays in groups.items()
        for i, array in enumerate(arrays)
    }


def _captured_arrays(function):
    """Return by name the tensors that layers keep beside their weights, as Normalization does."""
    pairs = zip(function.captured_inputs, function.graph.internal_captures, strict=True)
    return {inside.name: tensor.numpy() for tensor, inside in pairs if tensor.dtype != tf.resource}


@contextmanager
def _logging_nothing():
    """Silence what tf2onnx logs of its attempts: if all of them fail, there is an error.

    Some of it goes to the root logger, which gets a handler from Python if it has none.
    """
    root, logger = logging.getLogger(), logging.getLogger("tf2onnx")
    level, handler = logger.level, logging.NullHandler()

    def is_of_others(record):
        return os.sep + "tf2onnx" + os.sep not in record.pathname

    logger.setLevel(logging.CRITICAL)
    root.addHandler(handler)
    root.addFilter(is_of_others)
    try:
        yield
    finally:
        root.removeFilter(is_of_others)
        root.removeHandler(handler)
        logger.setLevel(level)


def _make_graph(network, anomaly_score, decision, sample_shape, names):
    is_rebuilt = not network.is_positionwise
    # Of images with channels, one map for all of them: see `anomaly_map` of the detector.
    sums_channels = is_rebuilt and len(sample_shape) == 3

    def compute(call, x, arguments):
        samples = tf.reshape(x, (-1, *network.input_shape))
        response = network.respond(call, network.read(call, samples, arguments["scaling"]))
        score = with_tensors(copy.copy(anomaly_score), iter(arguments["score"]))
        scores = -_bounded(compute_checked_score(score, response), samples)
        maps = network.error_maps(response)
        if sums_channels:
            maps = tf.minimum(tf.reduce_sum(maps, axis=-1), LARGEST_SCORE)
        elif is_rebuilt:
            maps = tf.reshape(maps, (-1, *sample_shape))
        return {"score": scores, "anomaly_map": maps}

    score_and_map = scoring.make_graph(compute, network.models)

    def graph(x, *tensors):
        # tf2onnx takes names of a flat list alone.
        arguments = {kind: [] for kind in _KINDS_OF_ARRAYS}
        for name, tensor in zip(names, tensors, strict=True):
            arguments[name.partition("_")[0]].append(tensor)
        outputs = _decide(score_and_map(x, arguments), *arguments["offset"])
        if decision.calibration_scores is None:
            return outputs
        calibration, p_values = arguments["calibration"]
        n_at_most = _count_at_most(calibration, outputs["score"])
        return outputs | {"p_value": tf.gather(p_values, n_at_most)}

    return graph


def _decide(outputs, offset):
    decisions = outputs["score"] - offset
    labels = tf.where(decisions < 0, tf.constant(-1, tf.int64), tf.constant(1, tf.int64))
    return outputs | {"decision": decisions, "label": labels}


def _bounded(scores, samples):
    """Give what is no number the score of an anomaly, as :func:`scoring.anomaly_scores` does."""
    largest = tf.constant(LARGEST_SCORE, tf.float64)
    is_missing = tf.math.is_nan(scores)
    if samples.dtype.is_floating:
        # The detector refuses such samples, and rectifiers make numbers of them.
        axes = list(range(1, len(samples.shape)))
        is_no_number = tf.math.is_nan(samples) | tf.math.is_inf(samples)
        is_missing |= tf.reduce_any(is_no_number, axis=axes)
    return tf.where(is_missing, largest, tf.minimum(scores, largest))


def _count_at_most(ascending, values):
    """Count the numbers that are at most as large, by bisection: `searchsorted` of ONNX."""
    n = ascending.shape[0]
    count = tf.zeros_like(values, dtype=tf.int64)
    for exponent in reversed(range(n.bit_length())):
        larger = count + 2**exponent
        reached = tf.gather(ascending, tf.minimum(larger, n) - 1) <= values
        count = tf.where((larger <= n) & reached, larger, count)
    return count


def _rewrite(graph, nodes):
    """Prepare what tf2onnx would convert wrongly, or not at all."""
    for node in nodes:
        if node.type in ("Select", "SelectV2"):
            # Or the choice is a sum of products with 0 and 1, which is NaN where one of both is
            # not finite.
            node.set_attr("handles_nan", 1)
        elif node.type == "Erfc":
            _write_erfc(graph, node)
    return graph.get_nodes()


def _write_erfc(graph, node):
    """Write the complement of the error function, of Keras's GELU, by the function itself."""
    [output], [x] = node.output, node.input
    of_output = {"shapes": [graph.get_shape(output)], "dtypes": [graph.get_dtype(output)]}
    dtype = tf2onnx.utils.map_onnx_to_numpy_type(graph.get_dtype(output))
    one = graph.make_const(tf2onnx.utils.make_name("one"), np.ones((), dtype))
    graph.remove_node(node.name)
    erf = graph.make_node("Erf", [x], **of_output)
    graph.make_node("Sub", [one.output[0], erf.output[0]], outputs=[output], **of_output)


def _walk_nodes(graph):
    """Give the nodes of a graph and of the loops in it, which see its constants."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _walk_nodes(attribute.g)


def _put_in(model, arrays):
    """Make inputs of a model constants of it."""
    graph = model.graph
    used = {name for node in _walk_nodes(graph) for name in node.input}
    used |= {output.name for output in graph.output}
    for value in list(graph.input):
        if value.name == INPUT:
            continue
        graph.input.remove(value)
        if value.name in used:
            array = np.ascontiguousarray(arrays[value.name])
            graph.initializer.append(onnx.numpy_helper.from_array(array, value.name))


def _name_axes(model):
    """Name the batch axis, which tf2onnx gives random names, and put the outputs in order."""
    graph = model.graph
    outputs = {output.name: output for output in graph.output}
    # Copies, for those in the list are freed with it.
    ordered = [
        onnx.ValueInfoProto.FromString(outputs[name].SerializeToString())
        for name in OUTPUTS
        if name in outputs
    ]
    del graph.output[:]
    graph.output.extend(ordered)
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = BATCH_AXIS
    # They have those names too, and are computed again by whoever loads the model.
    del graph.value_info[:]
