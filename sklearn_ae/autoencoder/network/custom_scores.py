"""Errors of custom scores in the graph, in the words of what their authors can do."""

from contextlib import contextmanager

import tensorflow as tf

from sklearn_ae.autoencoder.network.score_state import is_own, parts_of


@contextmanager
def explained_score_errors(score):
    """Explain the errors of a custom score that come of its running in TensorFlow's graph.

    Parameters
    ----------
    score : object
        Its arrays are tensors.

    Raises
    ------
    TypeError
        If the score computes with NumPy or Python, or combines integers with other numbers.
    """
    try:
        yield
    except (NotImplementedError, tf.errors.OperatorNotAllowedInGraphError) as error:
        if is_own(score):
            raise
        raise TypeError(
            "anomaly_score must compute with keras.ops: its methods run once, in TensorFlow's "
            "graph, for all samples. Replace functions of NumPy and SciPy, and conditions by "
            f"keras.ops.where. Received: {_names_of_custom(score)}, {error}"
        ) from error
    except TypeError as error:
        names = _names_of_integers(score)
        if not names:
            raise
        raise TypeError(
            f"anomaly_score keeps integers or booleans in {', '.join(names)}, and TensorFlow's "
            "operators do not combine them with other numbers. Use keras.ops, such as "
            "keras.ops.multiply, which converts types, or keep float64 in fit. Received: "
            f"{_names_of_custom(score)}, {error}"
        ) from error


def check_score_features(features, score):
    """Refuse what a score cannot be fitted to.

    Parameters
    ----------
    features : object
        What `features` of the score returned.
    score : object

    Raises
    ------
    ValueError
        If it is anything but a tensor with an axis of samples in front.
    """
    shape = None if isinstance(features, list | tuple) else getattr(features, "shape", None)
    if shape is None or len(shape) == 0 or shape[0] is not None:
        raise ValueError(
            f"features of {type(score).__name__} must return one row of numbers a sample, a tensor "
            "of shape (n, ...): join several with keras.ops.concatenate. Received: "
            f"{type(features).__name__ if shape is None else f'a tensor of shape {tuple(shape)}'}."
        )


def _names_of_custom(score):
    """Name the score, or the custom ones among its parts, any of which may have failed."""
    names = [type(part).__name__ for _, part in parts_of(score) if not is_own(part)]
    return " or ".join(names or [type(score).__name__])


def _names_of_integers(score):
    names = [
        f"{type(score).__name__}.{name}"
        for name, value in sorted(getattr(score, "__dict__", {}).items())
        if name.endswith("_") and tf.is_tensor(value) and not value.dtype.is_floating
    ]
    for _, part in parts_of(score):
        names += _names_of_integers(part)
    return names
