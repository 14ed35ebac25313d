"""Held-out normal rows, and from their scores to a threshold."""

import math

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_ae._warnings import warn

# Of fewer rows a held-out share would be a row or two, whose quantile says nothing.
MIN_ROWS_TO_HOLD_OUT = 20


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
    training_rows, validation_rows : ndarray of int
        Row numbers, ascending. The latter are empty if nothing is held out.

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
        return rows, rows[:0]
    if math.ceil(validation_fraction * n_rows) >= n_rows:
        raise ValueError(
            "validation_fraction must leave rows to fit to: lower it. Received: "
            f"validation_fraction={validation_fraction} of {n_rows} rows."
        )
    split = train_test_split(rows, test_size=validation_fraction, random_state=random_state)
    return tuple(map(np.sort, split))


def offset_at_false_alarm_rate(scores, false_alarm_rate):
    """Return the offset below which at most a given share of the scores lies.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        `score_samples` of normal rows; higher is more normal.
    false_alarm_rate : float
        Share of the rows, in (0, 1), that may lie strictly below the offset.

    Returns
    -------
    offset : float
        The (⌊false_alarm_rate · n⌋ + 1)-th smallest score.
    """
    # 0.29 * 100 is 28.999999999999996 in floating point: the product is rounded before its floor.
    n_false_alarms = math.floor(round(false_alarm_rate * len(scores), 9))
    # The product of a rate just below 1 may round to the number of rows.
    n_false_alarms = min(n_false_alarms, len(scores) - 1)
    return float(np.partition(scores, n_false_alarms)[n_false_alarms])
