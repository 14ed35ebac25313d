"""How raw values become the values that the network is trained on."""

from typing import NamedTuple

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches

SCALING_OPTIONS = ("auto", "range", "standard")

# Values read at a time while statistics are collected: 32 MiB of float64.
_VALUES_PER_CHUNK = 2**22


class Scaling(NamedTuple):
    """An affine map of features or channels, ``scaled = X * scale + offset``.

    Computed in float64 and then rounded to float32, in NumPy here and in the scoring graph alike,
    so that training and scoring see the same numbers, and so that columns far from zero (time
    stamps, say) keep their differences.

    Parameters
    ----------
    scale, offset : ndarray of shape (n_channels,), (n_features,) or (height, width, n_channels), \
            float64
        Factor and summand of each channel of an image or each feature of a row; with a region of
        interest, of each pixel: both are 0 outside of it, so that nothing is seen there.
    """

    scale: np.ndarray
    offset: np.ndarray

    @property
    def region(self):
        """Pixels that are seen, of shape (height, width), or None if all are."""
        return self.scale[..., 0] != 0 if self.scale.ndim == 3 else None

    def transform(self, X):
        """Scale rows.

        Parameters
        ----------
        X : ndarray of shape (n, ..., n_channels or n_features)

        Returns
        -------
        scaled : ndarray of the shape of X, float32
        """
        with np.errstate(over="ignore"):
            return (X * self.scale + self.offset).astype(np.float32)


def fit_scaling(scaling, X, rows, limits, region=None):
    """Choose the scaling of a training set.

    Parameters
    ----------
    scaling : {"auto", "range", "standard"} or None
        The detector's parameter.
    X : ndarray of shape (n, n_features) or (n, height, width, n_channels)
    rows : ndarray of int
        The rows that the network is fitted to: statistics are theirs alone.
    limits : tuple of two ndarrays
        Smallest and largest value of X for each of its features or channels.
    region : ndarray of shape (height, width), bool, or None, default=None
        Pixels that count. If None, all do.

    Returns
    -------
    scaling : Scaling

    Raises
    ------
    ValueError
        If `scaling` does not fit the data type of X, or the variance overflows.
    """
    if scaling == "auto":
        scaling = choose_scaling(X, limits)
    scale, offset = _fit_channels(scaling, X, rows, region)
    if region is not None:
        scale, offset = region[..., np.newaxis] * scale, region[..., np.newaxis] * offset
    return Scaling(scale, offset)


def scaled_limits(scaling, limits):
    """Return the smallest and the largest value of the training set after scaling."""
    low, high = (np.asarray(limit, dtype=np.float64) for limit in limits)
    return (
        float(np.min(low * scaling.scale + scaling.offset)),
        float(np.max(high * scaling.scale + scaling.offset)),
    )


def choose_scaling(X, limits):
    """Return what `scaling="auto"` stands for, for some data and the limits of its channels."""
    is_image = X.ndim > 2
    # Not `X.dtype == np.uint16`, which is False for the other byte order.
    if is_image and X.dtype.kind == "u" and X.dtype.itemsize <= 2:
        return "range"
    low, high = limits
    if X.dtype.kind in "fb" and np.min(low) >= 0 and np.max(high) <= 1:
        return None
    return "standard"


def take_region(X, region):
    """Return the pixels of images that count, of shape (n, n_pixels, n_channels).

    Parameters
    ----------
    X : ndarray of shape (n, ..., n_features or n_channels)
    region : ndarray of shape (height, width), bool, or None
        If None, X as it is.
    """
    return X if region is None else X[:, region]


def _fit_channels(scaling, X, rows, region):
    n_channels = X.shape[-1]
    if scaling is None:
        return np.ones(n_channels), np.zeros(n_channels)
    if scaling == "range":
        if X.dtype.kind != "u":
            raise ValueError(
                "scaling='range' divides by the largest value of an unsigned integer type, so X "
                "must be of one (uint8, uint16). Pass such images, or scaling='standard', or "
                f"scale X to [0, 1] yourself and pass scaling=None. Received: X of {X.dtype}."
            )
        return np.full(n_channels, 1 / np.iinfo(X.dtype).max), np.zeros(n_channels)
    return _standardize(X, rows, region)


def _standardize(X, rows, region):
    scaler = StandardScaler()
    n_channels = X.shape[-1]
    rows_per_chunk = max(1, _VALUES_PER_CHUNK // int(np.prod(X.shape[1:])))
    with np.errstate(over="ignore", invalid="ignore"):
        for chunk in gen_batches(len(rows), rows_per_chunk):
            # In one order in memory, which decides how sums are rounded.
            values = take_region(X[rows[chunk]], region).reshape(-1, n_channels)
            scaler.partial_fit(values.astype(np.float64, order="C"))
        scale = 1 / scaler.scale_
        offset = -scaler.mean_ * scale
    if not (np.isfinite(scale).all() and np.isfinite(offset).all()):
        raise ValueError(
            "X cannot be standardized: the variance of some of its features is not a finite "
            "number. Divide X by a constant first. Received: values up to "
            f"{np.max(np.abs(scaler.mean_)):.3g} on average."
        )
    return scale, offset
