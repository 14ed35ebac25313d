"""Which shares of samples are flagged at the false-alarm rates that one may ask for."""

import numpy as np
from scipy.stats import binomtest

from sklearn_ae._base.order_statistics import choose_rank
from sklearn_ae.inspection.displays._checks import check_confidence, check_vector

DEFAULT_RATES = (0.005, 0.01, 0.02, 0.05, 0.1)
# Fractions that are equal may differ in their last digit.
TOLERANCE = 1e-9


def check_rates(rates, n_calibration, calibration_confidence, *, asked_for=()):
    """Return the rates to draw, or the default ones.

    Parameters
    ----------
    rates : array-like of shape (n_rates,) or None
    n_calibration : int or None
    calibration_confidence : float or None
        `confidence` of the :class:`.ConformalDetector`.
    asked_for : tuple of float
        The rate that a detector was fitted with, drawn beside the default ones.

    Returns
    -------
    rates : ndarray of shape (n_rates,), float64
        Ascending.

    Raises
    ------
    ValueError
        If a rate is not in (0, 1), or less than the calibration allows.
    """
    smallest = _find_smallest_rate(n_calibration, calibration_confidence)
    if rates is None:
        rates = [rate for rate in DEFAULT_RATES if rate * (1 + TOLERANCE) >= smallest]
        rates = [*rates, *asked_for]
        if not rates:
            raise ValueError(
                "false_alarm_rates must be given where there are too few calibration rows for a "
                f"rate of 0.1 or less. Received: {n_calibration} calibration rows, which allow "
                f"{smallest:.4g}."
            )
    rates = np.unique(check_vector(rates, "false_alarm_rates"))
    if not (rates[0] > 0 and rates[-1] < 1):
        raise ValueError(
            f"false_alarm_rates must be in (0, 1). Received: rates from {rates[0]:.4g} to "
            f"{rates[-1]:.4g}."
        )
    if rates[0] * (1 + TOLERANCE) < smallest:
        raise ValueError(
            f"false_alarm_rates must be at least {smallest:.4g}, the smallest that so many "
            "calibration rows have a threshold for: at less, nothing is ever flagged. Received: a "
            f"rate of {rates[0]:.4g} with {n_calibration} calibration rows and "
            f"calibration_confidence={calibration_confidence}."
        )
    return rates


def check_calibration_confidence(calibration_confidence, n_calibration):
    """Refuse what is no `confidence` of a calibration, or one without calibration rows.

    Parameters
    ----------
    calibration_confidence : object
    n_calibration : int or None

    Raises
    ------
    ValueError
        If it is not in (0, 1), or `n_calibration` is None.
    """
    if calibration_confidence is None:
        return
    check_confidence(calibration_confidence, "calibration_confidence")
    if n_calibration is None:
        raise ValueError(
            "n_calibration must be given where calibration_confidence is, for the threshold "
            f"depends on both. Received: calibration_confidence={calibration_confidence}."
        )


def find_levels(rates, n_calibration, calibration_confidence):
    """Find the p-values up to which samples are flagged at each rate.

    Parameters
    ----------
    rates : ndarray of shape (n_rates,)
    n_calibration : int or None
    calibration_confidence : float or None

    Returns
    -------
    levels : ndarray of shape (n_rates,), float64
        k / (n + 1), for the rank k that :class:`.ConformalDetector` chooses; the rates themselves
        without `n_calibration`.
    """
    if n_calibration is None:
        return rates
    ranks = [choose_rank(n_calibration, rate, calibration_confidence) for rate in rates]
    return np.array(ranks) / (n_calibration + 1)


def share_flagged(p_values, levels, confidence):
    """Compute the share of p-values at or below each level, and an interval for it.

    Parameters
    ----------
    p_values : ndarray of shape (n_samples,)
    levels : ndarray of shape (n_rates,)
    confidence : float

    Returns
    -------
    shares : ndarray of shape (n_rates,), float64
    intervals : ndarray of shape (n_rates, 2), float64
        Those of Clopper and Pearson.
    """
    n_samples = len(p_values)
    counts = np.searchsorted(np.sort(p_values), levels * (1 + TOLERANCE), side="right")
    tests = [binomtest(int(count), n_samples) for count in counts]
    intervals = [test.proportion_ci(confidence, method="exact") for test in tests]
    return counts / n_samples, np.array(intervals)


def _find_smallest_rate(n_calibration, calibration_confidence):
    if n_calibration is None:
        return 0.0
    if calibration_confidence is None:
        return 1 / (n_calibration + 1)
    # The rank is 1 at least if 1 - (1 - rate)^n is at least the confidence.
    return -np.expm1(np.log1p(-calibration_confidence) / n_calibration)
