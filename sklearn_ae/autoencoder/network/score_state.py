"""What a score knows: settings, which are part of its graph, and arrays, which are arguments."""

import copy

import numpy as np

from sklearn_ae.autoencoder.scores import is_library_score

# Booleans and numbers. Arrays of words, say, are no tensors: they stay what they are.
_KINDS = "biufc"


def is_own(score):
    """Return whether a score and its parts are the library's, so that settings tell all of it."""
    return is_library_score(score) and all(is_own(part) for _, part in parts_of(score))


def key_of(score):
    """Return what two of the library's scores have in common that have one graph.

    Parameters
    ----------
    score : object

    Returns
    -------
    key : tuple
    """
    arrays = _arrays(score)
    settings = {
        name: repr(value)
        for name, value in vars(score).items()
        if name not in arrays and name not in ("scores", "scores_")
    }
    return (
        type(score).__name__,
        tuple(sorted(settings.items())),
        tuple(sorted(arrays)),
        tuple((name, key_of(part)) for name, part in parts_of(score)),
    )


def arrays_of(score):
    """Collect the arrays that a score and its parts were fitted to.

    Parameters
    ----------
    score : object

    Returns
    -------
    arrays : list of ndarray
        In an order that :func:`with_tensors` knows. Floating-point numbers are float64, as all that
        scores compute with. Integers, which may be indices, and booleans, which may be masks, keep
        their type.
    """
    arrays = [np.asarray(array, dtype=_dtype(array)) for array in _arrays(score).values()]
    for _, part in parts_of(score):
        arrays += arrays_of(part)
    return arrays


def with_tensors(score, tensors):
    """Return a score whose arrays are tensors of the graph.

    Parameters
    ----------
    score : object
    tensors : iterator of tensor
        One for each of `arrays_of`.

    Returns
    -------
    score : object
        A copy, if there is anything to replace.
    """
    arrays, parts = _arrays(score), parts_of(score)
    if not arrays and not parts:
        return score
    traced = copy.copy(score)
    vars(traced).update({name: next(tensors) for name in arrays})
    if parts:
        traced.scores_ = [(name, with_tensors(copy.copy(part), tensors)) for name, part in parts]
    return traced


def parts_of(score):
    """Return the parts of a combined score, as names and scores, and none of another one."""
    parts = getattr(score, "scores_", ())
    # A custom score may keep something else under this name.
    is_combined = isinstance(parts, list) and all(isinstance(part, tuple) for part in parts)
    return parts if is_combined else ()


def _dtype(array):
    return np.float64 if array.dtype.kind == "f" else array.dtype.newbyteorder("=")


def _arrays(score):
    return {
        name: value
        for name, value in sorted(getattr(score, "__dict__", {}).items())
        if name.endswith("_") and isinstance(value, np.ndarray) and value.dtype.kind in _KINDS
    }
