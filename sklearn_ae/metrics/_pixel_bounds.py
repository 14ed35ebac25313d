"""What counts in bins tell of a metric: a value, and limits that the exact one cannot pass."""

from typing import NamedTuple

import numpy as np


class BoundedMetric(NamedTuple):
    """What the methods of :class:`PixelCurve` return."""

    value: float
    low: float
    high: float
    threshold: float | None = None

    @property
    def error(self):
        """Largest possible distance of `value` from the exact figure."""
        return max(self.high - self.value, self.value - self.low)

    def __repr__(self):
        at = "" if self.threshold is None else f" at threshold {self.threshold:.6g}"
        return f"{self.value:.6f} [{self.low:.6f}, {self.high:.6f}]{at}"


def bound_area(normal, found, is_exact, limit):
    """Bound the area below a curve that rises over the false-positive rate.

    The curve passes through the ends of each bin. Inside, it is the line between them if all values
    are equal; else it rises, somehow.

    Parameters
    ----------
    normal : ndarray of shape (n_bins,), int
        Number of normal pixels in each bin, from the highest bin down.
    found : ndarray of shape (n_bins,)
        What the curve rises by in each bin.
    is_exact : ndarray of shape (n_bins,), bool
        Whether all values in the bin are equal.
    limit : float
        False-positive rate, in (0, 1], up to which the area goes.

    Returns
    -------
    result : BoundedMetric
        Divided by `limit`.
    """
    rate, height = _cumulative_share(normal), _cumulative_share(found)
    width = np.diff(np.minimum(rate, limit))
    start, end = height[:-1], height[1:]
    whole_width = np.diff(rate)
    part = width / np.where(whole_width > 0, whole_width, 1)
    middle = start + (end - start) * part / 2
    low = np.where(is_exact, middle, start)
    high = np.where(is_exact, middle, end)
    return BoundedMetric(*(float(width @ heights / limit) for heights in (middle, low, high)))


def bound_average_precision(normal, defect, is_exact):
    """Bound the average precision.

    Of d defect pixels and n normal pixels in a bin, T and F of which lie above, the average
    precision has the sum over the d of the precision at their values. It is largest if all d are
    equal and before all n, d (T + d) / (T + d + F), and smallest if they are one by one behind
    them: Σᵢ (T + i) / (T + i + c) = d − c Σᵢ 1 / (T + i + c), c = F + n. As 1 / x is convex, its
    integral around each i is no less, so that Σᵢ 1 / (T + i + c) ≤ log(1 + d / (T + c + ½)).

    Parameters
    ----------
    normal, defect : ndarray of shape (n_bins,), int
        Numbers of pixels in each bin, from the highest bin down.
    is_exact : ndarray of shape (n_bins,), bool
        Whether all values in the bin are equal.

    Returns
    -------
    result : BoundedMetric
    """
    n_found, n_flagged_normal = np.cumsum(defect), np.cumsum(normal)
    # One, where nothing is flagged yet and no defect is in the bin, in place of 0 / 0.
    tied = defect * n_found / np.maximum(n_found + n_flagged_normal, 1)
    first = defect * n_found / np.maximum(n_found + n_flagged_normal - normal, 1)
    above = n_found - defect + n_flagged_normal
    last = defect - n_flagged_normal * np.log1p(defect / (above + 0.5))
    low, high = np.where(is_exact, tied, last), np.where(is_exact, tied, first)
    n_defect = n_found[-1]
    return BoundedMetric(*(float(np.sum(terms) / n_defect) for terms in (tied, low, high)))


def bound_f1_max(normal, defect, is_exact):
    """Bound the largest F1, and find the bin down to which it is reached.

    A threshold between two bins is one of the exact metric's too, so the value is never too large.
    Inside of a bin, F1 = 2 T / (T + F + D) with D defect pixels in all has a T of no more than all
    down to this bin, and an F of no less than all above.

    Parameters
    ----------
    normal, defect : ndarray of shape (n_bins,), int
        Numbers of pixels in each bin, from the highest bin down.
    is_exact : ndarray of shape (n_bins,), bool
        Whether all values in the bin are equal.

    Returns
    -------
    result : BoundedMetric
        Without a threshold.
    best : int
        Number of the last bin that is flagged.
    """
    n_found, n_flagged_normal = np.cumsum(defect), np.cumsum(normal)
    n_defect = n_found[-1]
    f1 = 2 * n_found / (n_found + n_flagged_normal + n_defect)
    fewest_normal = np.where(is_exact, n_flagged_normal, n_flagged_normal - normal)
    highest = 2 * n_found / (n_found + fewest_normal + n_defect)
    best = int(np.argmax(f1))
    value = float(f1[best])
    return BoundedMetric(value, value, float(np.max(highest))), best


def _cumulative_share(counts):
    total = np.concatenate([[0], np.cumsum(counts)])
    return total / total[-1]
