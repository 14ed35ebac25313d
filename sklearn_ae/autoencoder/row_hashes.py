"""Which rows a detector was fitted to, remembered by a hash of each."""

import math
from typing import NamedTuple

import numpy as np
from scipy.stats import binom, hypergeom
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches

from sklearn_ae.autoencoder.scaling import take_region

# Values converted at a time from X, which may be a memory map of more than memory.
_VALUES_PER_CHUNK = 2**20

# A hash is the cells that four projections fall into, 16 bits for each, so that they repeat after
# four standard deviations.
_N_PROJECTIONS = 4
_CELLS_PER_DEVIATION = 2**14
_BITS_PER_PROJECTION = 16
# All but the last six bits of each projection: cells 64 times as wide.
_WIDE_CELLS = np.uint64(0xFFC0_FFC0_FFC0_FFC0)

# Below this probability, equal rows are no coincidence.
SMALLEST_PROBABILITY = 1e-4


class RowMemory(NamedTuple):
    """What is kept of the rows that a detector was fitted to.

    Parameters
    ----------
    means : ndarray of shape (n_values,), float64
    scales : ndarray of shape (n_values,), float64
        What the values of a row are divided by before they are hashed.
    hashes : ndarray of shape (n,), uint64
        Ascending, one for each row, 8 bytes. A row that occurs twice is in it twice.
    """

    means: np.ndarray
    scales: np.ndarray
    hashes: np.ndarray


def hash_rows(X, means, scales, region=None):
    """Compute a hash of each row that forgives the rounding of its values.

    What a pipeline makes of a row depends on the rows around it, in the last digits: those of
    :meth:`~sklearn.decomposition.PCA.fit_transform` are others than those of `transform`. To round
    the values forgives too little, for one of many is always near an edge. Here four projections of
    the standardized row onto random directions are rounded. With normal directions g and errors e
    of the d standardized values, the error of a projection, ∑ g·e / √d, is normal with the standard
    deviation of one error, however many there are: 10⁻⁶ takes one row of a hundred from its cell of
    2⁻¹⁴ in each projection, and 10⁻⁹ one of 10⁵. Different rows of at least four dimensions share
    all four cells with a probability of about 2⁻⁶⁴.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
        Numbers.
    means, scales : ndarray of shape (n_values,)
    region : ndarray of shape (height, width), bool, or None, default=None
        Pixels of images that count: rows that differ elsewhere are equal. If None, all do.

    Returns
    -------
    hashes : ndarray of shape (n,), uint64
    """
    n_values = len(means)
    # The numbers of RandomState stay the same in all versions of NumPy.
    directions = np.random.RandomState(0).standard_normal((n_values, _N_PROJECTIONS))
    directions *= _CELLS_PER_DEVIATION / (scales[:, np.newaxis] * math.sqrt(n_values))
    shifts = np.arange(_N_PROJECTIONS, dtype=np.uint64) * np.uint64(_BITS_PER_PROJECTION)
    hashes = np.zeros(len(X), dtype=np.uint64)
    for chunk, rows in _iterate_chunks(X, region):
        cells = np.mod(np.floor((rows - means) @ directions), 2**_BITS_PER_PROJECTION)
        hashes[chunk] = np.bitwise_or.reduce(cells.astype(np.uint64) << shifts, axis=1)
    return hashes


def remember_rows(X, earlier=None, region=None):
    """Collect the hashes of rows that a detector is fitted to.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    earlier : RowMemory or None
        That of earlier fits that this one goes on from.
    region : ndarray of shape (height, width), bool, or None, default=None
        Pixels of images that count: rows that differ elsewhere are equal. If None, all do.

    Returns
    -------
    memory : RowMemory
    """
    means, scales = _find_scales(X, region) if earlier is None else earlier[:2]
    hashes = hash_rows(X, means, scales, region)
    if earlier is not None:
        # Another fit to the same rows does not make repeated rows of them.
        hashes = np.concatenate([hashes, earlier.hashes[~np.isin(earlier.hashes, hashes)]])
    return RowMemory(means, scales, np.sort(hashes))


def find_rows_fitted_to(X, memory, region=None):
    """Tell which rows are among those that a detector was fitted to.

    If no two of the remembered rows are equal or close to each other, nor two of the others, each
    equal row was fitted to. In a table of a few discrete features, say, new rows equal some earlier
    one by nature. These were drawn like the earlier ones: it is chance which rows of a group of
    equal ones were remembered and which are new. Of two equal rows among N + n, one is remembered
    and one is new with probability 2·N·n / ((N + n)·(N + n − 1)), which makes the number of groups
    with both kinds a sum of independent events, nearly. W. Hoeffding [1]_ bounds it by a binomial
    variable of the same mean. Unless there are more such groups than chance has, none counts.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    memory : RowMemory
    region : ndarray of shape (height, width), bool, or None, default=None
        Pixels of images that count: rows that differ elsewhere are equal. If None, all do.

    Returns
    -------
    was_fitted_to : ndarray of shape (n,), bool
        All False where equal rows may well be a coincidence.

    References
    ----------
    .. [1] W. Hoeffding, "On the distribution of the number of successes in independent trials",
       Annals of Mathematical Statistics 27(3), 1956, :doi:`10.1214/aoms/1177728178`.
    """
    hashes = hash_rows(X, memory.means, memory.scales, region)
    is_equal = np.isin(hashes, memory.hashes)
    repeat_by_nature = _has_repeats(memory.hashes) or _has_repeats(hashes[~is_equal])
    if repeat_by_nature and _is_chance(hashes, memory.hashes):
        return np.zeros(len(X), dtype=bool)
    return is_equal


def _iterate_chunks(X, region):
    for chunk in gen_batches(len(X), max(1, _VALUES_PER_CHUNK // math.prod(X.shape[1:]))):
        values = take_region(X[chunk], region)
        yield chunk, values.reshape(len(values), -1).astype(np.float64)


def _find_scales(X, region):
    scaler = StandardScaler()
    for _, rows in _iterate_chunks(X, region):
        scaler.partial_fit(rows)
    scales = np.sqrt(scaler.var_)
    # The last components of PCA may be rounding errors and nothing else.
    scales = np.maximum(scales, 1e-9 * scales.max())
    return scaler.mean_, np.where(scales == 0, 1.0, scales)


def _has_repeats(hashes):
    """Tell whether rows are equal, or so close that others are equal by chance.

    Cells of one feature, or of rows along a curve, are few: rows share them although they differ.
    """
    return len(np.unique(hashes & _WIDE_CELLS)) < len(hashes)


def _is_chance(hashes, remembered):
    """Tell whether so many groups of equal rows may be of both kinds by chance."""
    both = np.concatenate([remembered, hashes])
    _, groups, sizes = np.unique(both, return_inverse=True, return_counts=True)
    n_remembered = np.bincount(groups[: len(remembered)], minlength=len(sizes))
    are_repeated = sizes > 1
    sizes, n_remembered = sizes[are_repeated], n_remembered[are_repeated]
    n_mixed = int(np.sum((n_remembered > 0) & (n_remembered < sizes)))
    if n_mixed == 0:
        return True
    law = hypergeom(len(both), sizes, len(remembered))
    chances = 1 - law.pmf(0) - law.pmf(sizes)
    return binom.sf(n_mixed - 1, len(sizes), np.mean(chances)) >= SMALLEST_PROBABILITY
