"""Held-out normal rows, and from their scores to a threshold."""

from typing import NamedTuple

import numpy as np

from sklearn_ae._base.checks import warn
from sklearn_ae._base.order_statistics import count_rows_needed, floor_of_share, threshold_rank

# Of fewer rows a held-out share would be a row or two, whose quantile says nothing.
MIN_ROWS_TO_HOLD_OUT = 20


class Split(NamedTuple):
    """Which rows of X serve for what.

    Parameters
    ----------
    training, validation : ndarray of int
        Row numbers, ascending: to fit to, and held out. The latter may be none.
    """

    training: np.ndarray
    validation: np.ndarray


def hold_out(n_rows, validation_fraction, random_state):
    """Choose the rows to fit to and those to hold out.

    Parameters
    ----------
    n_rows : int
    validation_fraction : float
        Share of the rows to hold out, in [0, 1).
    random_state : numpy.random.RandomState

    Returns
    -------
    split : Split

    Raises
    ------
    ValueError
        If no row would be left to fit to.
    """
    rows = np.arange(n_rows)
    if validation_fraction == 0 or n_rows < MIN_ROWS_TO_HOLD_OUT:
        reason = "validation_fraction=0"
        if validation_fraction != 0:
            reason = f"X has fewer than {MIN_ROWS_TO_HOLD_OUT} rows, {n_rows}"
        warn(
            f"No row is held out, for {reason}: the network is fitted to the rows that choose its "
            "best epoch and set its threshold, so more than false_alarm_rate of new normal rows "
            "may be flagged.",
        )
        return Split(rows, rows[:0])
    # At least one is held out, however small the share is.
    n_training = min(floor_of_share(1 - validation_fraction, n_rows), n_rows - 1)
    if n_training < 1:
        raise ValueError(
            "validation_fraction must leave rows to fit to: lower it. Received: "
            f"validation_fraction={validation_fraction} of {n_rows} rows."
        )
    return Split(*map(np.sort, np.split(random_state.permutation(rows), [n_training])))


def offset_at_false_alarm_rate(scores, false_alarm_rate):
    """Return the offset below which a new normal sample is expected at a given rate at most.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        `score_samples` of held-out normal samples; higher is more normal.
    false_alarm_rate : float
        Largest expected share, in (0, 1), of new normal samples strictly below the offset.

    Returns
    -------
    offset : float
        The `threshold_rank`-th smallest score, or the smallest if the samples are too few.
    """
    rank = max(1, threshold_rank(len(scores), false_alarm_rate))
    return float(np.partition(scores, rank - 1)[rank - 1])


def offset_of_held_out(scores, false_alarm_rate):
    """Return the same, with a warning if so few held-out samples cannot show the rate."""
    n = len(scores)
    if not threshold_rank(n, false_alarm_rate):
        n_needed = count_rows_needed(false_alarm_rate, None)
        warn(
            f"{n} held-out samples cannot show false_alarm_rate={false_alarm_rate:g}: the "
            "threshold is the smallest of their scores. Of new normal samples, "
            f"{1 / (n + 1):.1%} are expected below it, and more than {1 - 0.05 ** (1 / n):.1%} in "
            f"one fit of twenty. Hold out at least {n_needed}, by more samples or a larger "
            "validation_fraction, calibrate with other normal samples, or set threshold."
        )
    return offset_at_false_alarm_rate(scores, false_alarm_rate)
