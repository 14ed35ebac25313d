"""Checks of what users pass, such as masks, containers and functions, and warnings."""

import inspect
import sys
import warnings
from collections.abc import Iterator

import numpy as np

# A wrapper, a pipeline or a search may stand between the user and the code that warns. Python 3.11
# has no `skip_file_prefixes`.
_SKIPPED = ("sklearn_ae", "sklearn", "joblib")


def warn(message, category=UserWarning):
    """Warn at the first line outside this package, scikit-learn and joblib.

    Parameters
    ----------
    message : str or Warning
    category : type of Warning, default=UserWarning
    """
    frame, stacklevel = sys._getframe(1), 2
    while frame.f_back is not None and _is_skipped(frame):
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)


def check_not_masked(X, name="X"):
    """Refuse masked values, which would be taken for what lies under the mask.

    Parameters
    ----------
    X : object
        Data, or a list of arrays.
    name : str, default="X"
        Their name in errors.

    Raises
    ------
    ValueError
        If X, or an array in it, is a masked array with masked values.
    """
    parts = X if isinstance(X, list | tuple) else [X]
    n_masked = sum(np.ma.count_masked(part) for part in parts if np.ma.isMaskedArray(part))
    if n_masked:
        raise ValueError(
            f"{name} must have a value everywhere: masked values are missing ones. Replace them, "
            f"with {name}.filled(value), or leave out their rows. For images with the same mask, "
            f"see region_of_interest. Received: a masked array with {n_masked} masked values."
        )


def unpack_objects(X):
    """Return an array or a series of objects, each of them a sample, as a list.

    Parameters
    ----------
    X : object

    Returns
    -------
    X : object
        As it is, if it is anything else.

    Raises
    ------
    TypeError
        If X is an iterator, which can be read only once.
    """
    check_is_no_iterator(X)
    if getattr(X, "ndim", None) != 1 or _kind(X) != "O" or not len(X):
        return X
    samples = list(X)
    # Words and numbers have no axes.
    are_arrays = all(getattr(x, "shape", ()) or isinstance(x, list | tuple) for x in samples)
    return samples if are_arrays else X


def check_is_no_iterator(X):
    """Refuse what gives its samples once, one after the other."""
    if isinstance(X, Iterator):
        raise TypeError(
            "X must be an array or a list of samples, which can be read more than once. Pass "
            f"list(X). Received: X of type {type(X).__name__}."
        )


def check_takes(function, arguments, name, received):
    """Refuse a function that does not take as many arguments as it gets.

    Parameters
    ----------
    function : callable
    arguments : tuple of str
        Names of the arguments, which are passed by position.
    name : str
        Its name in errors, such as "fit of anomaly_score".
    received : object
        What the user passed.

    Raises
    ------
    TypeError
        If the call would fail.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Some that are written in C do not say.
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        plural = "s" if len(arguments) > 1 else ""
        raise TypeError(
            f"{name} must take {len(arguments)} argument{plural}, {', '.join(arguments)}, by "
            f"position. Received: {received!r}, which takes {signature}."
        ) from error


def _kind(X):
    return getattr(getattr(X, "dtype", None), "kind", None)


def _is_skipped(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] in _SKIPPED
