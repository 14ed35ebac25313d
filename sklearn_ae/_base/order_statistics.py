"""From shares to numbers of samples, thresholds and p-values, by the laws of order statistics.

Of n + 1 exchangeable scores, each is as likely to be the smallest, the second and so on. So a new
score is below the k-th smallest of n calibration scores with probability k / (n + 1), or less with
ties. Given the calibration scores, the probability that new ones are below it is a random number
with the distribution Beta(k, n + 1 − k), or less.
"""

import math
import sys
from bisect import bisect_right

import numpy as np
from scipy.special import betainc


def floor_of_share(share, n):
    """Return ⌊share · n⌋, the number of samples that a share of n is at most.

    Parameters
    ----------
    share : float
        In [0, 1].
    n : int

    Returns
    -------
    n_in_share : int
    """
    # 0.29 * 100 is 28.999999999999996 in floating point: the product is rounded before its floor.
    return math.floor(round(share * n, 9))


def p_values_of_counts(n_at_most, n_calibration):
    """Compute conformal p-values, (1 + number of calibration scores at most as high) / (n + 1).

    Parameters
    ----------
    n_at_most : ndarray of int
        Number of calibration scores that are at most as high as each score.
    n_calibration : int

    Returns
    -------
    p_values : ndarray of the shape of `n_at_most`, float64
    """
    return (1 + n_at_most) / (1 + n_calibration)


def conformal_p_values(scores, calibration_scores):
    """Compute how rare scores as low as some are among normal samples.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Higher is more normal.
    calibration_scores : ndarray of shape (n_calibration,)
        Those of the calibration samples, ascending.

    Returns
    -------
    p_values : ndarray of shape (n_samples,), float64
    """
    n_at_most = np.searchsorted(calibration_scores, scores, side="right")
    return p_values_of_counts(n_at_most, len(calibration_scores))


def threshold_rank(n_scores, false_alarm_rate):
    """Return which of the smallest held-out scores is the threshold.

    A new normal sample is below the k-th smallest of n scores with a probability of k / (n + 1) on
    average, since its rank among all n + 1 is uniform.

    Parameters
    ----------
    n_scores : int
        Number of held-out samples, at least 1.
    false_alarm_rate : float
        Largest expected share, in (0, 1), of new normal samples below the threshold.

    Returns
    -------
    rank : int
        The largest k with ``k / (n_scores + 1) <= false_alarm_rate``. 0 if there is none: the
        samples are too few.
    """
    # The product of a rate just below 1 may round to more than the number of samples.
    return min(floor_of_share(false_alarm_rate, n_scores + 1), n_scores)


def choose_rank(n_calibration, false_alarm_rate, confidence):
    """Choose which of the calibration scores, counted from the smallest, is the threshold.

    Parameters
    ----------
    n_calibration : int
    false_alarm_rate : float
        In (0, 1).
    confidence : float or None
        In (0, 1).

    Returns
    -------
    rank : int
        Without confidence, ⌊false_alarm_rate · (n + 1)⌋. With it, the largest k such that
        P(Beta(k, n + 1 − k) ≤ false_alarm_rate) ≥ confidence. 0 if there are too few scores.
    """
    # NumPy's half and single precision round to other digits.
    false_alarm_rate = float(false_alarm_rate)
    if confidence is None:
        return threshold_rank(n_calibration, false_alarm_rate)
    # The probability falls as k rises. The margin is for its rounding, where both are equal.
    return bisect_right(
        range(1, n_calibration + 1),
        1e-12 - confidence,
        key=lambda k: -certified_level(n_calibration, k, false_alarm_rate),
    )


def certified_level(n_calibration, rank, false_alarm_rate):
    """Compute how likely a calibration is to keep to a false-alarm rate.

    Parameters
    ----------
    n_calibration : int
    rank : int
        Which calibration score is the threshold, from 1.
    false_alarm_rate : float

    Returns
    -------
    level : float
        P(Beta(rank, n + 1 − rank) ≤ false_alarm_rate).
    """
    return float(betainc(rank, n_calibration + 1 - rank, false_alarm_rate))


def count_rows_needed(false_alarm_rate, confidence):
    """Compute how many calibration rows are needed at least.

    Parameters
    ----------
    false_alarm_rate : float
    confidence : float or None

    Returns
    -------
    n_calibration : int
        The smallest number with a rank of at least 1. Without confidence, ⌈1/rate⌉ − 1; with it,
        the smallest n such that 1 − (1 − rate)ⁿ ≥ confidence, as S. S. Wilks has it
        (https://doi.org/10.1214/aoms/1177731788). At most `sys.maxsize`: no array has more rows.
    """
    if confidence is None:
        needed, n_extra = 1 / false_alarm_rate, 1
    else:
        needed, n_extra = math.log1p(-confidence) / math.log1p(-false_alarm_rate), 0
    # 1 / (1 - 0.9) is 10.000000000000002: rounded as in floor_of_share. 1 / 1e-320 is infinite.
    return math.ceil(min(round(needed, 9), sys.maxsize)) - n_extra
