"""Whether the p-values of normal samples are as they should be."""

import numpy as np
from sklearn.utils import check_consistent_length

from sklearn_ae._base.sklearn_compat import check_matplotlib_support
from sklearn_ae.inspection.displays._checks import check_confidence, check_p_values, read_p_values
from sklearn_ae.inspection.displays._drawing import (
    ANOMALY_COLOR,
    NORMAL_COLOR,
    merge_style,
    new_axes,
)
from sklearn_ae.inspection.displays._uniform_band import compute_uniform_band
from sklearn_ae.metrics import is_anomaly
from sklearn_ae.metrics._labels import find_pos_label


class PValueDisplay:
    """Distribution of the p-values of normal samples, beside the uniform one.

    The curve shows which share of the samples has a p-value of at most t, for each t. That of
    normal samples should follow the diagonal, as the p-values of a calibrated detector are uniform,
    and stay inside the band. Above it, there are more false alarms than asked for: new samples
    differ from the calibration rows, or these were used to fit the detector. Below it, there are
    fewer: anomalies were among the calibration rows, or many scores are equal. The curve of
    anomalies should rise at once. Create the display with :meth:`from_estimator` or
    :meth:`from_predictions`, which check their input. All parameters are stored as attributes.

    Parameters
    ----------
    p_values : ndarray of shape (n_samples,)
        The p-values, in (0, 1].
    is_anomaly : ndarray of shape (n_samples,) of bool, default=None
        Which samples are anomalies. If None, one curve shows all samples.
    n_calibration : int, default=None
        Number of calibration scores that the p-values were computed from.
    confidence : float, default=0.95
        Probability, at least, that the whole curve of normal samples lies in the band.
    band : tuple of three ndarrays of shape (n_levels,), default=None
        Levels of p-values, ascending, and the smallest and largest share from each level up to the
        next. If None, no band is drawn.

    Attributes
    ----------
    normal_curve_ : matplotlib.lines.Line2D
        Empirical distribution function of the normal samples, or of all samples if `is_anomaly` is
        None.
    anomaly_curve_ : matplotlib.lines.Line2D or None
        That of the anomalies.
    uniform_line_ : matplotlib.lines.Line2D
        The diagonal.
    band_ : matplotlib.collections.PolyCollection or None
        Where the curve of normal samples should be.
    ax_ : matplotlib.axes.Axes
        Axes with the curves.
    figure_ : matplotlib.figure.Figure
        Figure with the axes.

    See Also
    --------
    OperatingPointDisplay : What comes of the false-alarm rates that one may ask for.

    Notes
    -----
    The p-values of one calibration are not independent: they share its n scores, which may lie
    higher or lower than others would. Bands for independent uniform numbers, such as that of
    Kolmogorov and Smirnov, are too narrow for them: with 200 calibration rows and 500 normal
    samples, 61% of the curves leave their 95% band, although nothing is wrong.

    If the n calibration scores and those of m normal samples are exchangeable and without ties, the
    number of p-values of at most k / (n + 1) has the distribution BetaBinomial(m, k, n + 1 − k),
    since the share of normal samples that score below the k-th smallest calibration score has the
    distribution Beta(k, n + 1 − k) [1]_. The band leaves out the same probability at both ends of
    each of them, and this is chosen such that the whole curve, not only a point of it, is inside
    with probability `confidence` at least [2]_. It is found from 10,000 simulated curves, always
    the same ones. Up to 50 values of k are all looked at, and some 90 of more; between them, the
    band is as wide as a curve may move.

    References
    ----------
    .. [1] S. Bates, E. Candès, L. Lei, Y. Romano and M. Sesia, "Testing for outliers with conformal
       p-values", Annals of Statistics 51(1), 2023, :doi:`10.1214/22-AOS2244`.
    .. [2] T. Säilynoja, P.-C. Bürkner and A. Vehtari, "Graphical test for discrete uniformity and
       its applications in goodness-of-fit evaluation and multiple sample comparison", Statistics
       and Computing 32, 2022, :doi:`10.1007/s11222-022-10090-6`.

    Examples
    --------
    >>> from sklearn_ae.inspection import PValueDisplay
    >>> p_values = [0.2, 0.8, 0.5, 0.1]
    >>> y = [1, 1, 1, -1]
    >>> display = PValueDisplay.from_predictions(p_values, y, n_calibration=9)
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()][:3]
    ['normal (n=3)', 'anomaly (n=1)', 'uniform']
    """

    def __init__(
        self, *, p_values, is_anomaly=None, n_calibration=None, confidence=0.95, band=None
    ):
        self.p_values = p_values
        self.is_anomaly = is_anomaly
        self.n_calibration = n_calibration
        self.confidence = confidence
        self.band = band

    @classmethod
    def from_estimator(
        cls, detector, X, y=None, *, confidence=0.95, pos_label=None, ax=None, **kwargs
    ):
        """Plot the p-values that a fitted detector gives to samples.

        Parameters
        ----------
        detector : ConformalDetector or NormalsOnly
            Fitted detector, or one inside of a :class:`.NormalsOnly`, or another with a method
            `p_values`. The band needs its `calibration_report`, and is not drawn without.
        X : array-like of shape (n_samples, ...)
            Samples, as `detector` takes them, that it was neither fitted to nor calibrated with.
        y : array-like of shape (n_samples,), default=None
            Labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`. If None, all
            samples count as normal.
        confidence : float, default=0.95
            Probability, in (0, 1), that the whole curve of normal samples lies in the band.
        pos_label : int, float, bool or str, default=None
            The label of an anomaly, where the convention does not tell. If None, the `pos_label` of
            the detector is used if it has one; else it must be the same.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        PValueDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If `detector` has no method `p_values`.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        p_values, report = read_p_values(detector, X)
        return cls.from_predictions(
            p_values,
            y,
            n_calibration=None if report is None else report.n_calibration,
            confidence=confidence,
            pos_label=find_pos_label(detector, asked=pos_label),
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        p_values,
        y=None,
        *,
        n_calibration=None,
        confidence=0.95,
        pos_label=None,
        ax=None,
        **kwargs,
    ):
        """Plot p-values.

        Parameters
        ----------
        p_values : array-like of shape (n_samples,)
            The p-values, in (0, 1].
        y : array-like of shape (n_samples,), default=None
            Labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`. If None, all
            samples count as normal.
        n_calibration : int, default=None
            Number of calibration scores that the p-values were computed from. If None, no band is
            drawn, as nobody can tell how wide it should be.
        confidence : float, default=0.95
            Probability, in (0, 1), that the whole curve of normal samples lies in the band.
        pos_label : int, float, bool or str, default=None
            The label of an anomaly, where the convention does not tell.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        PValueDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If a p-value is not in (0, 1], or less than `n_calibration` allows, no sample is normal,
            the lengths differ, `confidence` is not in (0, 1), or `pos_label` is needed.
        """
        p_values = check_p_values(p_values, n_calibration)
        check_confidence(confidence)
        anomalies, n_normal = None, len(p_values)
        if y is not None:
            check_consistent_length(y, p_values)
            anomalies = is_anomaly(y, pos_label=pos_label)
            n_normal = int(np.sum(~anomalies))
        if n_normal == 0:
            raise ValueError(
                "y must label normal samples, whose p-values the picture is about. Received: "
                f"{len(p_values)} anomalies and no normal sample."
            )
        band = None
        if n_calibration is not None:
            band = compute_uniform_band(n_calibration, n_normal, confidence)
        display = cls(
            p_values=p_values,
            is_anomaly=anomalies,
            n_calibration=n_calibration,
            confidence=confidence,
            band=band,
        )
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax=None,
        *,
        normal_kwargs=None,
        anomaly_kwargs=None,
        uniform_kwargs=None,
        band_kwargs=None,
    ):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on, whose scales are kept. If None, a new figure is made, with logarithmic
            axes, for small p-values are those that samples are flagged for.
        normal_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.ecdf` for the normal samples, or for
            all samples if there are no labels.
        anomaly_kwargs : dict, default=None
            The same for the anomalies.
        uniform_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.plot` for the diagonal.
        band_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.fill_between`.

        Returns
        -------
        PValueDisplay
            The display itself.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.lines import Line2D

        if ax is None:
            ax = new_axes()
            ax.set(xscale="log", yscale="log")
        self.ax_, self.figure_ = ax, ax.figure
        self._plot_curves(normal_kwargs, anomaly_kwargs)
        # Many points, as axes of two scales bend the diagonal.
        levels = np.concatenate([[0], np.geomspace(1e-6, 1, 301)])
        defaults = {"color": "black", "linestyle": ":", "linewidth": 1, "label": "uniform"}
        style = merge_style(defaults, uniform_kwargs, Line2D)
        (self.uniform_line_,) = ax.plot(levels, levels, **style)
        self._plot_band(band_kwargs)
        self._set_limits()
        ax.set(xlabel="p-value, t", ylabel="Share of p-values of at most t")
        # Small and narrow, as there is not much room below the diagonal.
        ax.legend(loc="lower right", fontsize="small", labelspacing=0.3, handlelength=1.5)
        return self

    def _plot_curves(self, normal_kwargs, anomaly_kwargs):
        from matplotlib.lines import Line2D

        def draw(p_values, name, defaults, given):
            if len(p_values) == 0:
                return None
            defaults = {**defaults, "label": f"{name} (n={len(p_values)})"}
            return self.ax_.ecdf(p_values, **merge_style(defaults, given, Line2D))

        normal_style = {"color": NORMAL_COLOR}
        anomaly_style = {"color": ANOMALY_COLOR, "linestyle": "--"}
        self.anomaly_curve_ = None
        if self.is_anomaly is None:
            self.normal_curve_ = draw(self.p_values, "all samples", normal_style, normal_kwargs)
            return
        normal, abnormal = self.p_values[~self.is_anomaly], self.p_values[self.is_anomaly]
        self.normal_curve_ = draw(normal, "normal", normal_style, normal_kwargs)
        self.anomaly_curve_ = draw(abnormal, "anomaly", anomaly_style, anomaly_kwargs)

    def _plot_band(self, given):
        from matplotlib.collections import PolyCollection

        self.band_ = None
        if self.band is None:
            return
        levels, low, high = self.band
        defaults = {"facecolor": NORMAL_COLOR, "alpha": 0.2, "linewidth": 0, "step": "post"}
        label = f"{100 * self.confidence:.4g}% band for\n{self.n_calibration} calibration rows"
        style = merge_style({**defaults, "label": label}, given, PolyCollection)
        self.band_ = self.ax_.fill_between(levels, low, high, **style)

    def _set_limits(self):
        smallest = np.min(self.p_values) if self.band is None else self.band[0][0]
        lowest = min(smallest, self.normal_curve_.get_ydata()[1])
        for axis, low in [("x", smallest), ("y", lowest)]:
            # Curves along the frame stay visible.
            limits = (-0.02, 1.02)
            if getattr(self.ax_, f"get_{axis}scale")() == "log":
                limits = (0.7 * low, 1.2)
            self.ax_.set(**{f"{axis}lim": limits})
