"""What samples come in: arrays, lists, and arrays of objects that hold one sample each."""

from collections.abc import Iterator


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


def _kind(X):
    return getattr(getattr(X, "dtype", None), "kind", None)
