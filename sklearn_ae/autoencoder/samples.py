"""n-dimensional arrays to rows and back: shapes, types and finiteness."""

import math
from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array, gen_batches
from sklearn.utils.validation import validate_data

from sklearn_ae._base.checks import check_not_masked, unpack_objects, warn
from sklearn_ae.autoencoder.input_checks import (
    check_no_dates,
    check_not_single,
    explained_errors,
    warn_if_shape_is_unlikely,
)
from sklearn_ae.autoencoder.scaling import take_region
from sklearn_ae.autoencoder.tiling import Tiling, check_images
from sklearn_ae.maps._checks import check_region

# Values read at a time from X, which may be a memory map of more than memory.
_VALUES_PER_CHUNK = 2**22


class Limits(NamedTuple):
    """Smallest and largest value of each feature or channel.

    Parameters
    ----------
    low, high : ndarray of shape (n_features,) or (n_channels,)
    is_constant : bool
        Whether all rows are equal.
    """

    low: np.ndarray
    high: np.ndarray
    is_constant: bool


class Samples(NamedTuple):
    """What a detector is fitted to.

    Parameters
    ----------
    X : ndarray of shape (n, *input_shape), or list of ndarray
        Numbers, copied only where they had to be converted. A list of images where they are to be
        cut into tiles.
    sample_shape : tuple of int
        The shape in which a sample came.
    input_shape : tuple of int
        ``(n_features,)`` or ``(height, width, n_channels)``.
    region : ndarray of shape (height, width), bool, or None
        Pixels that the network sees. If None, all.
    limits : Limits or None, default=None
        Smallest and largest values. None before they are collected.
    """

    X: np.ndarray
    sample_shape: tuple
    input_shape: tuple
    region: np.ndarray | None
    limits: Limits | None = None

    def with_limits(self):
        """Return the samples with their limits."""
        return self._replace(limits=limits_of(self.X, self.region))

    def take(self, rows):
        """Return some of the samples."""
        return self._replace(X=self.X[rows])


def validate_training_data(detector, X):
    """Check the X of `fit` and set `n_features_in_` and `feature_names_in_` of the detector.

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector
    X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, n_channels)

    Returns
    -------
    samples : Samples
        Without limits.

    Raises
    ------
    TypeError, ValueError
        If X is nothing that a network can be fitted to, or the region of interest does not suit
        it.
    """
    detector._tiling = _read_tiling(detector)
    if detector._tiling is not None:
        images = check_images(detector, X, detector._tiling, minimum=2)
        input_shape = (*detector._tiling.shape, images[0].shape[2])
        detector.n_features_in_ = math.prod(input_shape)
        # Of an earlier fit, to a data frame.
        vars(detector).pop("feature_names_in_", None)
        return Samples(images, input_shape, input_shape, region=None)
    rows, sample_shape = _validate(detector, unpack_objects(X), None, reset=True)
    input_shape = sample_shape
    if detector.input_shape is not None:
        input_shape = _check_input_shape(detector.input_shape, sample_shape)
    is_folded = detector.input_shape is not None and len(sample_shape) == 1
    warn_if_shape_is_unlikely(rows.reshape(-1, *sample_shape), input_shape if is_folded else None)
    if len(input_shape) == 2:
        input_shape = (*input_shape, 1)
    region = _read_region(detector, input_shape)
    return Samples(rows.reshape(-1, *input_shape), sample_shape, input_shape, region)


def validate_data_to_score(detector, X):
    """Check the X of a fitted detector's methods.

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector
    X : array-like

    Returns
    -------
    X : ndarray of shape (n, *input_shape), or list of ndarray
        A list of images where they are cut into tiles.
    shape : tuple of int
        The shape in which X came. Of images that are cut into tiles, ``(n,)``.

    Raises
    ------
    TypeError, ValueError
        If X is not numbers in one of the shapes that the detector takes.
    """
    if detector._tiling is not None:
        n_channels = detector.input_shape_[2]
        images = check_images(detector, X, detector._tiling, n_channels=n_channels)
        return images, (len(images),)
    rows, sample_shape = _validate(detector, unpack_objects(X), detector.input_shape_, reset=False)
    return rows.reshape(-1, *detector.input_shape_), (len(rows), *sample_shape)


def limits_of(X, region=None):
    """Collect smallest and largest values of X, chunk by chunk, and warn if all rows are equal.

    Parameters
    ----------
    X : ndarray of shape (n, ..., n_features or n_channels)
    region : ndarray of shape (height, width), bool, or None, default=None
        Pixels that count. If None, all do.

    Returns
    -------
    limits : Limits
    """
    lows, highs, is_constant = [], [], True
    first = take_region(X[:1], region)
    axes = tuple(range(first.ndim - 1))
    for chunk in gen_batches(len(X), max(1, _VALUES_PER_CHUNK // math.prod(X.shape[1:]))):
        values = take_region(X[chunk], region)
        lows.append(values.min(axis=axes))
        highs.append(values.max(axis=axes))
        is_constant = is_constant and bool((values == first).all())
    if is_constant:
        warn("All rows of X are equal: nothing can be learned from them.")
    return Limits(np.min(lows, axis=0), np.max(highs, axis=0), is_constant)


def _read_region(detector, input_shape):
    if detector.region_of_interest is None:
        return None
    if len(input_shape) != 3:
        raise ValueError(
            "region_of_interest is of images: fold rows into them with input_shape, or leave it "
            f"None. Received: samples of shape {input_shape}."
        )
    return check_region(detector.region_of_interest, input_shape[:2])


def _validate(detector, X, input_shape, reset):
    """Return X as rows, and the shape of one sample as it came."""
    minimum = {"ensure_min_samples": 2} if reset else {}
    check_not_masked(X)
    if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1:
        # Images that np.array(..., dtype=object) did not stack.
        X = list(X) if all(hasattr(x, "shape") for x in X) else X
    shape = _shape(X)
    if not reset:
        check_not_single(shape, _accepted(input_shape))
    if len(shape) <= 2:
        check_no_dates(X)
        with explained_errors(X):
            rows = validate_data(detector, X, reset=reset, dtype="numeric", **minimum)
            return _as_real(rows), rows.shape[1:]
    with explained_errors(X):
        X = check_array(
            X, allow_nd=True, dtype="numeric", input_name="X", estimator=detector, **minimum
        )
    if X.ndim > 4 or 0 in X.shape:
        raise ValueError(
            "X must be rows (n, n_features) or images (n, height, width) or (n, height, width, "
            f"channels), none of them 0. Received: X of shape {X.shape}."
        )
    sample_shape = X.shape[1:]
    if not reset and sample_shape not in _accepted(input_shape):
        raise ValueError(
            f"X must hold samples of the shape that the detector was fitted to: "
            f"{' or '.join(map(str, _accepted(input_shape)))}. Received: X of shape {X.shape}."
        )
    rows = X.reshape(len(X), -1)
    validate_data(detector, rows, reset=reset, skip_check_array=True)
    return _as_real(rows), sample_shape


def _read_tiling(detector):
    if detector.tile_size is None:
        return None
    if detector.input_shape is not None:
        raise ValueError(
            "input_shape folds rows into images of one size, which need no tiles: leave one of the "
            f"two None. Received: input_shape={detector.input_shape!r} and tile_size="
            f"{detector.tile_size!r}."
        )
    if detector.trim:
        raise ValueError(
            "trim leaves out whole samples and does not go with tile_size. Set trim=0 or "
            f"tile_size=None. Received: trim={detector.trim!r} and tile_size="
            f"{detector.tile_size!r}."
        )
    if detector.region_of_interest is not None:
        raise ValueError(
            "region_of_interest is of whole images and does not go with tile_size, whose tiles lie "
            "anywhere. Set one of the two to None; a rectangle can be cut out of the images. "
            f"Received: a mask of shape {np.shape(detector.region_of_interest)} and tile_size="
            f"{detector.tile_size!r}."
        )
    return Tiling(detector.tile_size, detector.tile_overlap)


def _shape(X):
    """Return the shape of X, that of the first sample for all, without copying an array."""
    if hasattr(X, "shape"):
        return tuple(X.shape)
    if hasattr(X, "__array__") or not hasattr(X, "__len__"):
        return np.asarray(X).shape
    return (len(X), *(_shape(X[0]) if isinstance(X, list | tuple) and len(X) else ()))


def _as_real(rows):
    """Give types that Keras does not take one that it does, without losing a digit."""
    if rows.dtype.kind in "buif" and rows.dtype.itemsize <= 8:
        return rows
    if rows.dtype.kind in "mM":
        raise ValueError(
            "X must hold real numbers: convert dates and durations, to days since the first, say. "
            f"Received: X of dtype {rows.dtype}."
        )
    # Checked again: objects from a polars frame and long doubles may become NaN or infinite.
    return check_array(rows, dtype=np.float64, input_name="X")


def _accepted(input_shape):
    """Return the shapes of a sample that mean the same to the network."""
    if len(input_shape) == 3 and input_shape[-1] == 1:
        return (input_shape[:2], input_shape)
    return (input_shape,)


def _check_input_shape(input_shape, sample_shape):
    is_tuple = isinstance(input_shape, tuple | list) and len(input_shape) in (1, 2, 3)
    if not is_tuple or not all(isinstance(n, Integral) and n >= 1 for n in input_shape):
        raise ValueError(
            "input_shape must be (n_features,), (height, width) or (height, width, channels), or "
            f"None to take it from X. Received: input_shape={input_shape!r}."
        )
    input_shape = tuple(int(n) for n in input_shape)
    if len(sample_shape) == 1 and math.prod(input_shape) != sample_shape[0]:
        raise ValueError(
            f"input_shape={input_shape} has {math.prod(input_shape)} values, and each row of X "
            f"has {sample_shape[0]}. Give the height, width and channels that the rows of X were "
            "images of."
        )
    if len(sample_shape) > 1 and sample_shape not in _accepted((*input_shape, 1)[:3]):
        raise ValueError(
            f"input_shape={input_shape} differs from the shape of the samples of X, "
            f"{sample_shape}. Leave input_shape=None: it is for rows, which it folds."
        )
    return input_shape
