"""Where the p-values of normal samples may lie."""

from typing import NamedTuple

import numpy as np
from scipy.stats import betabinom

# The coverage of a band found from so many curves is off by 0.002 (standard error, at 0.95).
N_SIMULATED_CURVES = 10_000


class UniformBand(NamedTuple):
    """Shares of samples with a p-value of at most a level, as a function with steps.

    Parameters
    ----------
    levels : ndarray of shape (n_levels,), float64
        Where the steps are, ascending. Each value holds up to the next level.
    low, high : ndarray of shape (n_levels,), float64
        Smallest and largest share within the band.
    """

    levels: np.ndarray
    low: np.ndarray
    high: np.ndarray


def compute_uniform_band(n_calibration, n_samples, confidence):
    """Compute a band that holds the whole curve of conformal p-values of normal samples.

    Parameters
    ----------
    n_calibration : int
        Number of calibration scores, n.
    n_samples : int
        Number of samples with p-values, m.
    confidence : float
        Probability, over calibrations and samples, that the whole curve lies in the band.

    Returns
    -------
    band : UniformBand

    Notes
    -----
    If all n + m scores are exchangeable and without ties, the number of p-values of at most
    k / (n + 1) has the distribution BetaBinomial(m, k, n + 1 − k). The band leaves out the same
    probability at both ends of all these distributions. That probability is such that a share
    `confidence` of simulated curves stays inside everywhere, as Säilynoja, Bürkner and Vehtari
    have it (https://doi.org/10.1007/s11222-022-10090-6).
    """
    ranks = _choose_ranks(n_calibration)
    tails = [_compute_tails(n_calibration, n_samples, rank) for rank in ranks]
    smallest = np.ones(N_SIMULATED_CURVES)
    for counts, (at_most, at_least) in zip(
        _simulate_counts(n_calibration, n_samples, ranks), tails, strict=True
    ):
        smallest = np.minimum(smallest, np.minimum(at_most[counts], at_least[counts]))
    # Tails that are equal by symmetry may differ in their last digits.
    tail = np.quantile(smallest, 1 - confidence, method="lower") * (1 - 1e-9)
    low = np.array([np.argmax(at_most >= tail) for at_most, _ in tails])
    high = np.array([np.sum(at_least >= tail) - 1 for _, at_least in tails])
    # Where ranks were left out, the curve may rise up to the next one.
    high[:-1] = np.where(np.diff(ranks) > 1, high[1:], high[:-1])
    levels = np.append(ranks / (n_calibration + 1), 1.0)
    return UniformBand(levels, np.append(low / n_samples, 1.0), np.append(high / n_samples, 1.0))


def _choose_ranks(n_calibration):
    """Return the ranks of up to 50 scores; of more, a selection that is dense at the low end."""
    ranks = [np.geomspace(1, n_calibration, 50), np.linspace(1, n_calibration, 50)]
    if n_calibration <= 50:
        ranks = [np.arange(1, n_calibration + 1)]
    return np.unique(np.round(np.concatenate(ranks)).astype(int))


def _compute_tails(n_calibration, n_samples, rank):
    """Return P(N ≤ count) and P(N ≥ count) for each count from 0 to n_samples."""
    counts = np.arange(n_samples + 1)
    probabilities = betabinom.pmf(counts, n_samples, rank, n_calibration + 1 - rank)
    return np.cumsum(probabilities), np.cumsum(probabilities[::-1])[::-1]


def _simulate_counts(n_calibration, n_samples, ranks):
    """Return how many p-values lie at or below each rank, an array of (n_ranks, n_curves)."""
    # Its own generator, for the same picture each time.
    generator = np.random.default_rng(0)
    # Shares of samples between calibration scores, and the samples that fall there.
    gaps = np.diff(np.concatenate([[0], ranks, [n_calibration + 1]]))
    shares = generator.dirichlet(gaps, size=N_SIMULATED_CURVES)
    return np.cumsum(generator.multinomial(n_samples, shares)[:, :-1], axis=1).T
