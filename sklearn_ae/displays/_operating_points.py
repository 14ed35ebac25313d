"""What comes of the false-alarm rates that one may ask for."""

import numpy as np
from scipy.stats import binomtest
from sklearn.utils import check_consistent_length

from sklearn_ae._compat import check_matplotlib_support
from sklearn_ae.displays._checks import (
    check_confidence,
    check_p_values,
    check_vector,
    read_p_values,
)
from sklearn_ae.displays._drawing import (
    ANOMALY_COLOR,
    NORMAL_COLOR,
    merge_style,
    new_axes,
    take_place,
)
from sklearn_ae.metrics._labels import read_two_classes

DEFAULT_RATES = (0.005, 0.01, 0.02, 0.05, 0.1)
# Fractions that are equal may differ in their last digit.
TOLERANCE = 1e-9


class OperatingPointDisplay:
    """Anomalies found and false alarms raised, for each false-alarm rate that one may ask for.

    A sample is flagged at a rate if its p-value is at most the rate, which takes no fit for each.
    The upper axes show the recall, the share of the labelled anomalies that are flagged; the lower
    ones the realised false-alarm rate, the share of the labelled normal samples, beside the rate
    asked for. Numbers and exact intervals say how much a few samples can tell: 37 of 40 anomalies
    found are reported as such. Create the display with :meth:`from_estimator` or
    :meth:`from_predictions`, which check their input. All parameters are stored as attributes.

    Parameters
    ----------
    false_alarm_rates : ndarray of shape (n_rates,)
        Rates asked for, ascending.
    recalls : ndarray of shape (n_rates,)
        Share of the anomalies that are flagged at each rate.
    recall_intervals : ndarray of shape (n_rates, 2)
        Lower and upper ends of their intervals.
    realised_rates : ndarray of shape (n_rates,)
        Share of the normal samples that are flagged at each rate.
    realised_intervals : ndarray of shape (n_rates, 2)
        Lower and upper ends of their intervals.
    n_anomalies : int
        Number of anomalies.
    n_normal : int
        Number of normal samples.
    confidence : float, default=0.95
        Probability, at least, with which an interval holds the true share.

    Attributes
    ----------
    recall_bars_ : matplotlib.container.ErrorbarContainer
        Recalls with their intervals.
    realised_bars_ : matplotlib.container.ErrorbarContainer
        Realised false-alarm rates with their intervals.
    counts_ : list of matplotlib.text.Text
        How many anomalies, and then how many normal samples, are flagged, at those rates that are
        far enough from each other.
    asked_line_ : matplotlib.lines.Line2D
        Where the realised rate is the one asked for.
    axes_ : ndarray of shape (2,) of matplotlib.axes.Axes
        Axes of the recall, and those of the realised false-alarm rate below.
    figure_ : matplotlib.figure.Figure
        Figure with the axes.

    See Also
    --------
    PValueDisplay : All rates at once, and whether the p-values are as they should be.
    DetectionCurveDisplay : Recall against the realised false-alarm rate, over all thresholds.

    Notes
    -----
    The intervals are those of Clopper and Pearson [1]_, each on its own: intervals at several rates
    are found from the same samples, and go wrong together. They are about the threshold of this one
    calibration. A detector that keeps to its rate on average over calibrations may exceed it in a
    single one, and then its interval is rightly above the line. A `ConformalDetector` with
    `confidence` flags fewer samples than are drawn at its `false_alarm_rate`: those drawn at
    k / (n + 1), for the rank k and the n calibration rows of its report.

    A realised rate of 0 has no place on the logarithmic axis: only the upper part of its interval
    is seen.

    References
    ----------
    .. [1] C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in
       the case of the binomial", Biometrika 26(4), 1934, :doi:`10.1093/biomet/26.4.404`.

    Examples
    --------
    >>> from sklearn_ae import OperatingPointDisplay
    >>> y = [1, 1, 1, 1, -1, -1]
    >>> p_values = [0.3, 0.9, 0.1, 0.7, 0.1, 0.2]
    >>> display = OperatingPointDisplay.from_predictions(
    ...     y, p_values, false_alarm_rates=[0.1, 0.2]
    ... )
    >>> display.realised_rates
    array([0.25, 0.25])
    >>> display.recalls
    array([0.5, 1. ])
    """

    def __init__(
        self,
        *,
        false_alarm_rates,
        recalls,
        recall_intervals,
        realised_rates,
        realised_intervals,
        n_anomalies,
        n_normal,
        confidence=0.95,
    ):
        self.false_alarm_rates = false_alarm_rates
        self.recalls = recalls
        self.recall_intervals = recall_intervals
        self.realised_rates = realised_rates
        self.realised_intervals = realised_intervals
        self.n_anomalies = n_anomalies
        self.n_normal = n_normal
        self.confidence = confidence

    @classmethod
    def from_estimator(
        cls,
        detector,
        X,
        y,
        *,
        false_alarm_rates=None,
        confidence=0.95,
        pos_label=None,
        ax=None,
        **kwargs,
    ):
        """Plot what a fitted detector would flag at several rates.

        Parameters
        ----------
        detector : ConformalDetector
            Fitted detector, or another with a method `p_values`.
        X : array-like of shape (n_samples, ...)
            Samples, as `detector` takes them, that it was neither fitted to nor calibrated with.
        y : array-like of shape (n_samples,)
            Labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`.
        false_alarm_rates : array-like of shape (n_rates,), default=None
            Rates to ask for, in (0, 1). If None, those of 0.005, 0.01, 0.02, 0.05 and 0.1 for
            which the detector has `calibration_scores_` enough: n of them allow 1 / (n + 1).
        confidence : float, default=0.95
            Probability, in (0, 1), with which an interval holds the true share at least.
        pos_label : int, float, bool or str, default=None
            The label of an anomaly, where the convention does not tell.
        ax : matplotlib.axes.Axes, default=None
            A subplot whose place the two axes take. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        OperatingPointDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If `detector` has no method `p_values`.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        p_values, n_calibration = read_p_values(detector, X)
        return cls.from_predictions(
            y,
            p_values,
            false_alarm_rates=false_alarm_rates,
            n_calibration=n_calibration,
            confidence=confidence,
            pos_label=pos_label,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y,
        p_values,
        *,
        false_alarm_rates=None,
        n_calibration=None,
        confidence=0.95,
        pos_label=None,
        ax=None,
        **kwargs,
    ):
        """Plot what would be flagged at several rates.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`.
        p_values : array-like of shape (n_samples,)
            The p-values, in (0, 1].
        false_alarm_rates : array-like of shape (n_rates,), default=None
            Rates to ask for, in (0, 1). If None, those of 0.005, 0.01, 0.02, 0.05 and 0.1 that
            `n_calibration` allows.
        n_calibration : int, default=None
            Number of calibration scores that the p-values were computed from: no rate may be less
            than 1 / (n_calibration + 1), at which nothing is ever flagged. If None, all are drawn.
        confidence : float, default=0.95
            Probability, in (0, 1), with which an interval holds the true share at least.
        pos_label : int, float, bool or str, default=None
            The label of an anomaly, where the convention does not tell.
        ax : matplotlib.axes.Axes, default=None
            A subplot whose place the two axes take. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        OperatingPointDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If a p-value is not in (0, 1], a rate or `confidence` not in (0, 1), one of them less
            than `n_calibration` allows, the lengths differ, `pos_label` is needed, or `y` is of one
            class.
        """
        p_values = check_p_values(p_values, n_calibration)
        check_confidence(confidence)
        rates = _check_rates(false_alarm_rates, n_calibration)
        check_consistent_length(y, p_values)
        anomalies = read_two_classes(y, pos_label=pos_label, metric="the picture")
        recalls, recall_intervals = _share_flagged(p_values[anomalies], rates, confidence)
        realised_rates, realised_intervals = _share_flagged(p_values[~anomalies], rates, confidence)
        display = cls(
            false_alarm_rates=rates,
            recalls=recalls,
            recall_intervals=recall_intervals,
            realised_rates=realised_rates,
            realised_intervals=realised_intervals,
            n_anomalies=int(np.sum(anomalies)),
            n_normal=int(np.sum(~anomalies)),
            confidence=confidence,
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, *, recall_kwargs=None, realised_kwargs=None, asked_kwargs=None):
        """Draw the points and their intervals.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            A subplot whose place the two axes take. If None, a new figure is made.
        recall_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.errorbar` for the recall.
        realised_kwargs : dict, default=None
            The same for the realised false-alarm rate.
        asked_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.plot` for the rate asked for.

        Returns
        -------
        OperatingPointDisplay
            The display itself.

        Raises
        ------
        ValueError
            If `ax` is not a subplot.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.lines import Line2D

        place = take_place(new_axes() if ax is None else ax)
        self.axes_ = place.subgridspec(2, 1).subplots(sharex=True)
        self.figure_ = self.axes_[0].figure
        rates = self.false_alarm_rates
        # Many points, for users may change the scales.
        line = np.geomspace(rates[0] / 10, 1, 301)
        defaults = {"color": "black", "linestyle": ":", "linewidth": 1, "label": "asked for"}
        style = merge_style(defaults, asked_kwargs, Line2D)
        (self.asked_line_,) = self.axes_[1].plot(line, line, **style)
        self.recall_bars_ = self._plot_bars(
            self.axes_[0], self.recalls, self.recall_intervals, ANOMALY_COLOR, recall_kwargs
        )
        self.realised_bars_ = self._plot_bars(
            self.axes_[1],
            self.realised_rates,
            self.realised_intervals,
            NORMAL_COLOR,
            realised_kwargs,
        )
        self._arrange()
        return self

    def _plot_bars(self, ax, shares, intervals, color, given):
        from matplotlib.lines import Line2D

        defaults = {"marker": "o", "markersize": 4, "linestyle": "none", "capsize": 3}
        defaults |= {"color": color, "label": f"{100 * self.confidence:.4g}% interval"}
        style = merge_style(defaults, given, Line2D)
        lengths = np.abs(intervals.T - shares)
        return ax.errorbar(self.false_alarm_rates, shares, yerr=lengths, **style)

    def _arrange(self):
        """Scale and label the axes, and write the counts."""
        recall_ax, realised_ax = self.axes_
        rates = self.false_alarm_rates
        realised_ax.set(xscale="log", yscale="log", xlabel="False-alarm rate asked for")
        realised_ax.set(xlim=(0.7 * rates[0], 1.4 * rates[-1]), ylabel="Realised")
        # Room for the counts, below the recalls and above the realised rates; one tick at least.
        ends = self.realised_intervals[self.realised_intervals > 0]
        low = min(0.7 * np.min(ends), 0.1 * rates[0])
        high = max(np.max(ends), rates[-1])
        realised_ax.set_ylim(low, high * (high / low) ** 0.3)
        recall_ax.set(ylim=(-0.15, 1.05), ylabel="Recall", yticks=[0, 0.5, 1])
        for axis in (recall_ax.yaxis, realised_ax.yaxis, realised_ax.xaxis):
            axis.set_major_formatter(_format_percentage)
        realised_ax.yaxis.set_minor_formatter("")
        # Above its axes, to cover no interval.
        realised_ax.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=2,
            fontsize="small",
            frameon=False,
            borderaxespad=0,
        )
        labelled = _choose_labelled(rates)
        realised_ax.set_xticks(rates[labelled])
        realised_ax.xaxis.minorticks_off()
        bottom, top = {"y": 0.04, "va": "bottom"}, {"y": 0.96, "va": "top"}
        self.counts_ = [
            *_write_counts(recall_ax, self.recalls, self.n_anomalies, rates, labelled, bottom),
            *_write_counts(realised_ax, self.realised_rates, self.n_normal, rates, labelled, top),
        ]


def _format_percentage(share, position):
    return f"{100 * share:.3g}%"


def _check_rates(rates, n_calibration):
    smallest = 0.0 if n_calibration is None else 1 / (n_calibration + 1)
    if rates is None:
        rates = [rate for rate in DEFAULT_RATES if rate * (1 + TOLERANCE) >= smallest]
        if not rates:
            raise ValueError(
                "false_alarm_rates must be given where there are fewer than 9 calibration rows, "
                f"which allow no rate of 0.1 or less. Received: {n_calibration} calibration rows."
            )
    rates = np.unique(check_vector(rates, "false_alarm_rates"))
    if not (rates[0] > 0 and rates[-1] < 1):
        raise ValueError(
            f"false_alarm_rates must be in (0, 1). Received: rates from {rates[0]:.4g} to "
            f"{rates[-1]:.4g}."
        )
    if rates[0] * (1 + TOLERANCE) < smallest:
        raise ValueError(
            f"false_alarm_rates must be at least {smallest:.4g}, which is 1 / (n + 1) for n "
            "calibration rows: at less, nothing is ever flagged. Received: a rate of "
            f"{rates[0]:.4g} with {n_calibration} calibration rows."
        )
    return rates


def _share_flagged(p_values, rates, confidence):
    """Return the share of p-values at or below each rate, and an interval for it."""
    n_samples = len(p_values)
    counts = np.searchsorted(np.sort(p_values), rates * (1 + TOLERANCE), side="right")
    tests = [binomtest(int(count), n_samples) for count in counts]
    intervals = [test.proportion_ci(confidence, method="exact") for test in tests]
    return counts / n_samples, np.array(intervals)


def _choose_labelled(rates):
    """Return the indices of rates that are far enough from each other for a label each."""
    positions = np.log(rates)
    # Five labels fit side by side; the margins are those of the axes.
    distance = 0.16 * (positions[-1] - positions[0] + np.log(2))
    labelled = [0]
    for i, position in enumerate(positions):
        if position - positions[labelled[-1]] >= distance:
            labelled.append(i)
    return labelled


def _write_counts(ax, shares, n_samples, rates, labelled, where):
    style = {"ha": "center", "fontsize": "small", "transform": ax.get_xaxis_transform(), **where}
    counts = np.round(shares * n_samples).astype(int)
    return [ax.text(rates[i], s=f"{counts[i]}/{n_samples}", **style) for i in labelled]
