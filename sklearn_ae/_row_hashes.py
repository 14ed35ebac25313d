"""Which rows a detector was fitted to, remembered by a hash of each."""

import math
from hashlib import blake2b

import numpy as np
from scipy.stats import fisher_exact
from sklearn.utils import gen_batches

# Values converted at a time from X, which may be a memory map of more than memory.
_VALUES_PER_CHUNK = 2**20

# Below this probability, equal rows are no coincidence. It is small as the counts scatter more than
# the test assumes: rows that repeat others come in groups.
SMALLEST_PROBABILITY = 1e-9


def hash_rows(X):
    """Compute a hash of each row, which depends on nothing but its values.

    Rows are the same if their values are equal as float64: whatever the type of X and the shape of
    a row, but not after a rounding, such as that to float32.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
        Numbers.

    Returns
    -------
    hashes : ndarray of shape (n,), uint64
    """
    n_values = math.prod(X.shape[1:])
    digests = []
    for chunk in gen_batches(len(X), max(1, _VALUES_PER_CHUNK // n_values)):
        # In one byte order, as pickles travel between machines.
        rows = X[chunk].reshape(-1, n_values).astype("<f8", order="C")
        rows += 0.0  # makes 0.0 of -0.0, which is equal to it
        digests += [blake2b(row, digest_size=8).digest() for row in rows]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64, copy=False)


def remember_rows(X, earlier=None):
    """Collect the hashes of rows that a detector is fitted to.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    earlier : ndarray of uint64 or None
        Those of earlier fits that this one goes on from.

    Returns
    -------
    memory : ndarray of uint64
        Ascending, one for each row, 8 bytes. A row that occurs twice in X is in it twice.
    """
    hashes = hash_rows(X)
    if earlier is not None:
        # Another fit to the same rows does not make repeated rows of them.
        hashes = np.concatenate([hashes, earlier[~np.isin(earlier, hashes)]])
    return np.sort(hashes)


def find_rows_fitted_to(X, memory):
    """Tell which rows are among those that a detector was fitted to.

    In a table of a few discrete features, say, most new rows equal some earlier one by nature. The
    remembered rows tell how many: the share of those that equal another of them, which is the
    estimate of I. J. Good and A. M. Turing [1]_ of the chance that a new row is one that was seen.
    If no two remembered rows are equal, each equal row was fitted to. Otherwise Fisher's exact test
    compares the shares, and unless there are more equal rows than chance has, none counts.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    memory : ndarray of uint64
        What `remember_rows` returned.

    Returns
    -------
    was_fitted_to : ndarray of shape (n,), bool
        All False where equal rows may well be a coincidence.

    References
    ----------
    .. [1] I. J. Good, "The population frequencies of species and the estimation of population
       parameters", Biometrika 40(3-4), 1953, :doi:`10.1093/biomet/40.3-4.237`.
    """
    is_equal = np.isin(hash_rows(X), memory)
    _, counts = np.unique(memory, return_counts=True)
    n_alone, n_equal = int(np.sum(counts == 1)), int(np.sum(is_equal))
    if n_alone < len(memory):
        table = [[n_equal, len(X) - n_equal], [len(memory) - n_alone, n_alone]]
        if fisher_exact(table, alternative="greater").pvalue >= SMALLEST_PROBABILITY:
            return np.zeros(len(X), dtype=bool)
    return is_equal
