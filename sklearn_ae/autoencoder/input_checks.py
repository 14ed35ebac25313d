"""Likely mistakes in X that shapes and types give away."""

import datetime
import math
from contextlib import contextmanager

import numpy as np

from sklearn_ae._base.checks import warn

# Values looked at to tell sensors from columns of pixels.
_VALUES_LOOKED_AT = 2**18

# Sides of images are longer. Colors have up to four channels.
_MOST_CHANNELS = 4
_SHORT_SIDE = 8

# What to average over for a number for each column, and for each row.
_AXES = ((0, 1), (0, 2))
_DIFFERENT_SCALES = 1000
_EQUAL_SCALES = 10

_CHANNELS_LAST = "put the channels last: X.transpose(0, 2, 3, 1)."


@contextmanager
def explained_errors(X):
    """Name the column of words, or the different sizes, if the conversion of X fails for these."""
    try:
        yield
    except (ValueError, TypeError) as error:
        if "feature names" in str(error):
            # A column too many, say, whatever is in it.
            raise
        shapes = _different_shapes(X)
        if shapes:
            raise ValueError(
                "X must hold samples of one shape. Resize images to one size, or pass them with "
                "tile_size, which cuts images of any size into tiles. Cut series into windows of "
                f"one length. Received: samples of the shapes {', '.join(map(str, shapes))}."
            ) from error
        _check_numbers(_columns_without_numbers(X), error)
        raise


def check_no_dates(X):
    """Refuse dates that a polars frame would turn into numbers of some unit without a word.

    Parameters
    ----------
    X : object
    """
    if not hasattr(X, "columns") or not hasattr(X, "dtypes"):
        return
    dtypes = zip(X.columns, X.dtypes, strict=True)
    is_temporal = {name: getattr(dtype, "is_temporal", bool)() for name, dtype in dtypes}
    _check_numbers([f"column {name!r} with dates" for name in X.columns if is_temporal[name]])


def _check_numbers(columns, error=None):
    if columns:
        raise ValueError(
            "X must hold real numbers. Encode words in a pipeline, with OneHotEncoder or "
            "OrdinalEncoder in a ColumnTransformer. Convert dates and durations to numbers, "
            f"such as days since the first. Received: {', '.join(columns)}."
        ) from error


def check_not_single(shape, accepted):
    """Refuse one sample without its batch axis, and images with channels first.

    Parameters
    ----------
    shape : tuple of int
        That of X.
    accepted : tuple of tuple of int
        Shapes of one sample.

    Raises
    ------
    ValueError
        If X has the shape of one sample, or X is images with channels first.
    """
    # One line of pixels is a row of them as well.
    is_batch = shape[1:] in (*accepted, (math.prod(accepted[0]),))
    if len(shape) > 1 and shape in accepted and not is_batch:
        raise ValueError(
            "X must have an axis of samples in front: a single sample: pass X[np.newaxis]. "
            f"Received: X of shape {shape}, which is that of one sample."
        )
    if len(accepted[-1]) == 3 and not is_batch:
        height, width, n_channels = accepted[-1]
        if (n_channels, height, width) in (shape, shape[1:]):
            one = "pass X.transpose(1, 2, 0)[np.newaxis]."
            raise ValueError(
                "X must have the shape of the training images. If the channels come first, "
                f"{_CHANNELS_LAST if len(shape) == 4 else one} Received: X of shape {shape}."
            )


def warn_if_shape_is_unlikely(X, input_shape=None):
    """Warn if what is taken for images is probably something else.

    Parameters
    ----------
    X : ndarray of shape (n, height, width) or (n, height, width, n_channels), or any other
        As it came.
    input_shape : tuple of int or None, default=None
        What the user wants rows to be folded into.
    """
    mistake = describe_unlikely_shape(X.shape if input_shape is None else (len(X), *input_shape))
    if mistake is None and X.ndim == 3 and X.dtype.kind in "if" and _has_sensors(X):
        mistake = (
            "is taken for gray images, and the values of its columns or rows differ by orders of "
            "magnitude. For windows (n, time, sensors), pass X[:, :, np.newaxis], which scales "
            "each sensor by itself. For images, pass X[..., np.newaxis]."
        )
    if mistake is not None:
        folded = "" if input_shape is None else f", folded by input_shape={input_shape},"
        warn(f"X of shape {X.shape}{folded} {mistake}")


def describe_unlikely_shape(shape):
    """Return what is odd about the shape of images, and what to do, or None.

    Parameters
    ----------
    shape : tuple of int
        (n, height, width) or (n, height, width, n_channels), or any other.

    Returns
    -------
    mistake : str or None
    """
    if len(shape) == 4:
        _, height, width, n_channels = shape
        if height <= _MOST_CHANNELS < min(width, n_channels):
            return (
                f"is taken for images {height} pixels high and {width} wide, with {n_channels} "
                f"channels. If the channels come first, {_CHANNELS_LAST}"
            )
    if len(shape) != 3:
        return None
    n, height, width = shape
    short, long = sorted((height, width))
    if short > _MOST_CHANNELS and (short >= _SHORT_SIDE or long < 2 * short):
        return None
    if long <= _MOST_CHANNELS:
        return None
    advice = "For windows (n, time, sensors), pass X[:, :, np.newaxis]. "
    if width <= _MOST_CHANNELS:
        advice = f"If it is a single image ({n}, {height}, {width}), pass X[np.newaxis]. {advice}"
    return (
        f"is taken for {n} gray images of {height}x{width} pixels. {advice}For images of this "
        "size, pass X[..., np.newaxis]."
    )


def _different_shapes(X):
    """Return up to three different shapes of the parts of a list, or none."""
    if not isinstance(X, list | tuple):
        return []
    shapes = {}
    for part in X:
        try:
            shapes[np.shape(part)] = None
        except ValueError:
            # Itself a list of parts of different lengths.
            return _different_shapes(part)
    return list(shapes)[:3] if len(shapes) > 1 else []


def _columns_without_numbers(X):
    """Describe the columns of a table that hold words or dates."""
    if hasattr(X, "columns") and hasattr(X, "shape"):
        columns = {repr(name): np.asarray(X[name]) for name in X.columns}
    else:
        try:
            X = np.asarray(X, dtype=None if hasattr(X, "dtype") else object)
        except (ValueError, TypeError):
            return []
        if X.ndim != 2:
            return []
        columns = {str(i): X[:, i] for i in range(X.shape[1])}
    found = []
    for name, column in columns.items():
        odd = _first_without_number(column)
        if odd is not None:
            found.append(f"column {name} with {odd}")
    return found if len(found) <= 5 else [*found[:5], f"and {len(found) - 5} more columns"]


def _first_without_number(column):
    if column.dtype.kind in "mM":
        return column.dtype.name
    if column.dtype.kind not in "OUST":
        return None
    odd = (str, bytes, np.datetime64, np.timedelta64)
    odd += (datetime.date, datetime.time, datetime.timedelta)
    values = (v for v in column.tolist() if isinstance(v, odd) and not _is_number(v))
    return next(map(repr, values), None)


def _is_number(value):
    try:
        float(value)
    except (ValueError, TypeError):
        return False
    return True


def _has_sensors(X):
    """Tell whether one axis of (n, time, sensors) has scales of its own, and the other has not."""
    X = X[: max(2, _VALUES_LOOKED_AT // math.prod(X.shape[1:]))].astype(np.float64)
    if min(X.shape[1:]) < 2:
        return False
    # Columns and rows. The values in the middle, since a few bright pixels are no scale.
    low, high = zip(*(np.quantile(X, (0.05, 0.95), axis=axes) for axes in _AXES), strict=True)
    inner = [_ratio(b - a) for a, b in zip(low, high, strict=True)]
    whole = [_ratio(X.std(axis=axes)) for axes in _AXES]
    return any(
        a >= _DIFFERENT_SCALES and b <= _EQUAL_SCALES
        for a, b in zip(inner, reversed(whole), strict=True)
    )


def _ratio(widths):
    """Return how many times wider the widest is than the narrowest."""
    # Without what never changes: the borders of images.
    widths = widths[widths > 0]
    return widths.max() / widths.min() if len(widths) > 1 else 1.0
