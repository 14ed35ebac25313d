"""Which rows a detector was fitted to, remembered by an exact hash of each."""

import math
from hashlib import blake2b

import numpy as np
from sklearn.utils import gen_batches

from sklearn_ae.autoencoder.scaling import take_region

# Values converted at a time from X, which may be a memory map of more than memory.
_VALUES_PER_CHUNK = 2**20


def remember_rows(X, earlier=None, region=None):
    """Collect the hashes of rows that a detector is fitted to.

    Parameters
    ----------
    X : ndarray of shape (n, ...), or list of n images
    earlier : ndarray of shape (n_earlier,), uint64, or None, default=None
        Hashes of the fits that this one goes on from.
    region : ndarray of shape (height, width), bool, or None, default=None
        Pixels of images that count: rows that differ elsewhere are equal. If None, all do.

    Returns
    -------
    hashes : ndarray of shape (n + n_kept,), uint64
        Ascending, 8 bytes a row. A row that occurs twice in X is in it twice. The `n_kept` are
        those of earlier fits that are not in X.
    """
    hashes = _hash_rows(X, region)
    if earlier is not None:
        # Another fit to the same rows does not make repeated rows of them.
        hashes = np.concatenate([hashes, earlier[~np.isin(earlier, hashes)]])
    return np.sort(hashes)


def compare_rows(X, remembered, region=None):
    """Find the rows that a detector was fitted to, and count rows that repeat.

    Parameters
    ----------
    X : ndarray of shape (n, ...), or list of n images
    remembered : ndarray of shape (n_remembered,), uint64
        Hashes of the rows of the fit.
    region : ndarray of shape (height, width), bool, or None, default=None
        Pixels of images that count: rows that differ elsewhere are equal. If None, all do.

    Returns
    -------
    are_equal : ndarray of shape (n,), bool
        Which rows of X have the values of a row of the fit.
    n_repeated : int
        Number of rows of the fit that equal another one of the fit, and of rows of X that equal
        another one of X. New rows may equal those of the fit too if rows repeat by nature, as in a
        table of a few discrete features.
    """
    hashes = _hash_rows(X, region)
    return np.isin(hashes, remembered), _count_repeated(hashes) + _count_repeated(remembered)


def _hash_rows(X, region):
    """Hash the values of rows, whatever their shape, order in memory, and type."""
    hashes = [np.empty(0, dtype=np.uint64)]
    for rows in _iterate_chunks(X):
        # The sum with zero turns -0.0 into 0.0, which is equal but has other bytes.
        values = (take_region(rows, region) + 0.0).reshape(len(rows), -1)
        # Holds the values of shorter types exactly.
        values = values.astype("<f8", order="C", copy=False)
        digests = b"".join(blake2b(row, digest_size=8).digest() for row in values)
        hashes.append(np.frombuffer(digests, dtype="<u8").astype(np.uint64))
    return np.concatenate(hashes)


def _iterate_chunks(X):
    if isinstance(X, list):
        return (image[np.newaxis] for image in X)
    n_rows = max(1, _VALUES_PER_CHUNK // math.prod(X.shape[1:]))
    return (X[chunk] for chunk in gen_batches(len(X), n_rows))


def _count_repeated(hashes):
    counts = np.unique(hashes, return_counts=True)[1]
    return int(np.sum(counts[counts > 1]))
