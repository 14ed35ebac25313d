"""What comes of the false-alarm rates that one may ask for."""

import numpy as np
from sklearn.utils import check_consistent_length

from sklearn_ae._base.sklearn_compat import check_matplotlib_support
from sklearn_ae.inspection.displays._checks import check_confidence, check_p_values, read_p_values
from sklearn_ae.inspection.displays._drawing import (
    ANOMALY_COLOR,
    NORMAL_COLOR,
    merge_style,
    new_axes,
    take_place,
)
from sklearn_ae.inspection.displays._flagged_shares import (
    check_calibration_confidence,
    check_rates,
    find_levels,
    share_flagged,
)
from sklearn_ae.metrics._labels import find_pos_label, read_two_classes


class OperatingPointDisplay:
    """Anomalies found and false alarms raised, for each false-alarm rate that one may ask for.

    A sample is flagged at a rate if its p-value is at most the rate or, for a detector with
    `confidence`, at most k / (n + 1) for the rank k that the rate has then: as by `predict` of a
    detector that is asked for the rate, which takes no fit for each. The upper axes show the
    recall, the share of the labeled anomalies that are flagged; the lower ones the realized
    false-alarm rate, the share of the labeled normal samples, beside the rate asked for. Numbers
    and exact intervals say how much a few samples can tell: 37 of 40 anomalies found are reported
    as such. Create the display with :meth:`from_estimator` or :meth:`from_predictions`, which check
    their input. All parameters are stored as attributes.

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
        Realized false-alarm rates with their intervals.
    counts_ : list of matplotlib.text.Text
        How many anomalies, and then how many normal samples, are flagged, at those rates that are
        far enough from each other.
    asked_line_ : matplotlib.lines.Line2D
        Where the realized rate is the one asked for.
    axes_ : ndarray of shape (2,) of matplotlib.axes.Axes
        Axes of the recall, and those of the realized false-alarm rate below.
    figure_ : matplotlib.figure.Figure
        Figure with the axes.

    See Also
    --------
    PValueDisplay : All rates at once, and whether the p-values are as they should be.
    DetectionCurveDisplay : Recall against the realized false-alarm rate, over all thresholds.

    Notes
    -----
    The intervals are those of Clopper and Pearson [1]_, each on its own: intervals at several rates
    are found from the same samples, and go wrong together. They are about the threshold of this one
    calibration. A detector that keeps to its rate on average over calibrations may exceed it in a
    single one, and then its interval is rightly above the line.

    A realized rate of 0 has no place on the logarithmic axis: only the upper part of its interval
    is seen.

    References
    ----------
    .. [1] C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in
       the case of the binomial", Biometrika 26(4), 1934, :doi:`10.1093/biomet/26.4.404`.

    Examples
    --------
    >>> from sklearn_ae.inspection import OperatingPointDisplay
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
        detector : ConformalDetector or NormalsOnly
            Fitted detector, or one inside of a :class:`.NormalsOnly`, or another with a method
            `p_values`; of that, n is not known without a method `calibration_report`.
        X : array-like of shape (n_samples, ...)
            Samples, as `detector` takes them, that it was neither fitted to nor calibrated with.
        y : array-like of shape (n_samples,)
            Labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`.
        false_alarm_rates : array-like of shape (n_rates,), default=None
            Rates to ask for, in (0, 1). If None, the detector's own, and those of 0.005, 0.01,
            0.02, 0.05 and 0.1 for which it has calibration rows enough: n of them allow 1 / (n + 1)
            or, with its `confidence`, 1 − (1 − confidence) ** (1 / n).
        confidence : float, default=0.95
            Probability, in (0, 1), with which an interval holds the true share at least.
        pos_label : int, float, bool or str, default=None
            The label of an anomaly, where the convention does not tell. If None, the `pos_label` of
            the detector is used if it has one; else it must be the same.
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
        p_values, report = read_p_values(detector, X)
        calibration = {}
        if report is not None:
            calibration = {
                "n_calibration": report.n_calibration,
                "calibration_confidence": report.confidence,
            }
            asked_for = (report.false_alarm_rate,)
            if false_alarm_rates is None:
                false_alarm_rates = check_rates(None, *calibration.values(), asked_for=asked_for)
        return cls.from_predictions(
            y,
            p_values,
            false_alarm_rates=false_alarm_rates,
            **calibration,
            confidence=confidence,
            pos_label=find_pos_label(detector, asked=pos_label),
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
        calibration_confidence=None,
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
            than they allow, at which nothing is ever flagged. If None, all are drawn.
        calibration_confidence : float, default=None
            `confidence` of the :class:`.ConformalDetector`, with which it keeps to a rate. Needs
            `n_calibration`.
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
            If a p-value is not in (0, 1], a rate or a confidence not in (0, 1), a p-value or a rate
            less than `n_calibration` allows, the lengths differ, `pos_label` is needed, or `y` is
            of one class.
        """
        p_values = check_p_values(p_values, n_calibration)
        check_confidence(confidence)
        check_calibration_confidence(calibration_confidence, n_calibration)
        rates = check_rates(false_alarm_rates, n_calibration, calibration_confidence)
        check_consistent_length(y, p_values)
        anomalies = read_two_classes(y, pos_label=pos_label, metric="the picture")
        levels = find_levels(rates, n_calibration, calibration_confidence)
        recalls, recall_intervals = share_flagged(p_values[anomalies], levels, confidence)
        realised_rates, realised_intervals = share_flagged(p_values[~anomalies], levels, confidence)
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
            The same for the realized false-alarm rate.
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
        realised_ax.set(xlim=(0.7 * rates[0], 1.4 * rates[-1]), ylabel="Realized")
        # Room for the counts, below the recalls and above the realized rates; one tick at least.
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
        labeled = _choose_labeled(rates)
        realised_ax.set_xticks(rates[labeled])
        realised_ax.xaxis.minorticks_off()
        bottom, top = {"y": 0.04, "va": "bottom"}, {"y": 0.96, "va": "top"}
        self.counts_ = [
            *_write_counts(recall_ax, self.recalls, self.n_anomalies, rates, labeled, bottom),
            *_write_counts(realised_ax, self.realised_rates, self.n_normal, rates, labeled, top),
        ]


def _format_percentage(share, position):
    return f"{100 * share:.3g}%"


def _choose_labeled(rates):
    """Return the indices of rates that are far enough from each other for a label each."""
    positions = np.log(rates)
    # Five labels fit side by side; the margins are those of the axes.
    distance = 0.16 * (positions[-1] - positions[0] + np.log(2))
    labeled = [0]
    for i, position in enumerate(positions):
        if position - positions[labeled[-1]] >= distance:
            labeled.append(i)
    return labeled


def _write_counts(ax, shares, n_samples, rates, labeled, where):
    style = {"ha": "center", "fontsize": "small", "transform": ax.get_xaxis_transform(), **where}
    counts = np.round(shares * n_samples).astype(int)
    return [ax.text(rates[i], s=f"{counts[i]}/{n_samples}", **style) for i in labeled]
