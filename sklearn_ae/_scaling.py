"""How raw values become the values that the network is trained on."""

from typing import NamedTuple

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches

SCALING_OPTIONS = ("auto", "range", "standard")

# Values read at a time while statistics are collected: 32 MiB of float64.
_VALUES_PER_CHUNK = 2**22


class Scaling(NamedTuple):
    """An affine map of the last axis, ``scaled = X * scale + offset``.

    Computed in float64 and then rounded to float32, in NumPy here and in the scoring graph alike,
    so that training and scoring see the same numbers, and so that columns far from zero (time
    stamps, say) keep their differences.

    Parameters
    ----------
    scale, offset : ndarray of shape (n_channels,) or (n_features,), float64
        Factor and summand of each channel of an image or each feature of a row.
    """

    scale: np.ndarray
    offset: np.ndarray

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


def fit_scaling(scaling, X, rows, limits):
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
    n_channels = X.shape[-1]
    if scaling is None:
        return Scaling(np.ones(n_channels), np.zeros(n_channels))
    if scaling == "range":
        if X.dtype.kind != "u":
            raise ValueError(
                "scaling='range' divides by the largest value of an unsigned integer type, so X "
                "must be of one (uint8, uint16). Pass such images, or scaling='standard', or "
                f"scale X to [0, 1] yourself and pass scaling=None. Received: X of {X.dtype}."
            )
        return Scaling(np.full(n_channels, 1 / np.iinfo(X.dtype).max), np.zeros(n_channels))
    return _standardise(X, rows)


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
    if is_image and X.dtype in (np.uint8, np.uint16):
        return "range"
    low, high = limits
    if X.dtype.kind in "fb" and np.min(low) >= 0 and np.max(high) <= 1:
        return None
    return "standard"


def _standardise(X, rows):
    scaler = StandardScaler()
    n_channels = X.shape[-1]
    rows_per_chunk = max(1, _VALUES_PER_CHUNK // int(np.prod(X.shape[1:])))
    with np.errstate(over="ignore", invalid="ignore"):
        for chunk in gen_batches(len(rows), rows_per_chunk):
            # In one order in memory, which decides how sums are rounded.
            values = X[rows[chunk]].reshape(-1, n_channels).astype(np.float64, order="C")
            scaler.partial_fit(values)
        scale = 1 / scaler.scale_
        offset = -scaler.mean_ * scale
    if not (np.isfinite(scale).all() and np.isfinite(offset).all()):
        raise ValueError(
            "X cannot be standardised: the variance of some of its features is not a finite "
            "number. Divide X by a constant first. Received: values up to "
            f"{np.max(np.abs(scaler.mean_)):.3g} on average."
        )
    return Scaling(scale, offset)
