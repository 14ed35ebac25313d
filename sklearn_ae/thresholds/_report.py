"""What a calibration says, as numbers and as a table."""

from dataclasses import dataclass

from scipy.stats import beta

from sklearn_ae._base.order_statistics import certified_level

# The customary level of an interval, where no confidence is asked for.
DEFAULT_LEVEL = 0.95


@dataclass(frozen=True, repr=False)
class CalibrationReport:
    """Returned by :meth:`~.ConformalDetector.calibration_report`; printed, a table.

    For scores without ties, the true false-alarm rate of one calibration follows the distribution
    Beta(k, n + 1 − k): `expected_rate` is its mean and `interval` holds its central share. Where
    scores have ties, the mean and the upper end are bounds, and the rate may lie below the lower
    end.

    Parameters
    ----------
    false_alarm_rate : float
        The rate asked for.
    confidence : float or None
        The confidence asked for.
    n_calibration : int
        Number n of calibration rows.
    rank : int
        Which calibration score, counted from the smallest, is the threshold: k.
    offset : float
        The threshold on `score_samples`.

    Examples
    --------
    >>> from sklearn_ae.thresholds import CalibrationReport
    >>> report = CalibrationReport(
    ...     false_alarm_rate=0.05, confidence=0.95, n_calibration=59, rank=1, offset=-2.5
    ... )
    >>> report
    false-alarm rate asked for                         0.05
    confidence asked for                               0.95
    calibration rows, n                                59
    rank of the threshold among their scores, k        1
    mean false-alarm rate, k / (n + 1), at most        0.01667
    P(false-alarm rate <= 0.05), at least              0.9515
    central 0.95 interval of the true rate             0.000429 to 0.06061
    threshold: anomalies have a higher -score_samples  2.5
    offset_: anomalies have a lower score_samples      -2.5
    >>> report.threshold
    2.5
    """

    false_alarm_rate: float
    confidence: float | None
    n_calibration: int
    rank: int
    offset: float

    @property
    def threshold(self):
        """The anomaly score, −`score_samples`, above which a sample is flagged."""
        return -self.offset

    @property
    def expected_rate(self):
        """The false-alarm rate on average over calibrations, at most: k / (n + 1)."""
        return self.rank / (self.n_calibration + 1)

    @property
    def certified_level(self):
        """The share of calibrations with at most `false_alarm_rate` false alarms, at least."""
        return certified_level(self.n_calibration, self.rank, self.false_alarm_rate)

    @property
    def interval_level(self):
        """The level of `interval`: the confidence asked for, or 0.95."""
        return DEFAULT_LEVEL if self.confidence is None else self.confidence

    @property
    def interval(self):
        """The interval (low, high) for the true false-alarm rate of this calibration."""
        law = beta(self.rank, self.n_calibration + 1 - self.rank)
        return tuple(map(float, law.interval(self.interval_level)))

    def __repr__(self):
        low, high = self.interval
        rate = f"{self.false_alarm_rate:g}"
        rows = {
            "false-alarm rate asked for": rate,
            "confidence asked for": "none" if self.confidence is None else f"{self.confidence:g}",
            "calibration rows, n": f"{self.n_calibration}",
            "rank of the threshold among their scores, k": f"{self.rank}",
            "mean false-alarm rate, k / (n + 1), at most": f"{self.expected_rate:.4g}",
            f"P(false-alarm rate <= {rate}), at least": f"{self.certified_level:.4g}",
            f"central {self.interval_level:.4g} interval of the true rate": (
                f"{low:.4g} to {high:.4g}"
            ),
            "threshold: anomalies have a higher -score_samples": f"{self.threshold:.6g}",
            "offset_: anomalies have a lower score_samples": f"{self.offset:.6g}",
        }
        width = max(map(len, rows))
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows.items())
