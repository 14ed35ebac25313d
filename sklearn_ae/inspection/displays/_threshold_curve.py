"""What each threshold of a search was worth."""

from collections.abc import Mapping

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from sklearn_ae._base.sklearn_compat import check_matplotlib_support
from sklearn_ae.inspection.displays._checks import check_has, check_threshold, check_vector
from sklearn_ae.inspection.displays._drawing import merge_style, new_axes


class ThresholdCurveDisplay:
    """Score of each threshold that was tried, and the one that was chosen.

    Create it with :meth:`from_estimator` or :meth:`from_cv_results`, which check their input. All
    parameters are stored as attributes.

    Parameters
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Thresholds, ascending.
    scores : ndarray of shape (n_thresholds,)
        Mean score of each over the folds.
    std_scores : ndarray of shape (n_thresholds,), default=None
        Standard deviation of the scores over the folds.
    best_threshold : float, default=None
        The threshold that was chosen.
    smallest_allowed : float, default=None
        Smallest threshold with few enough false alarms; those below are shaded.
    score_name : str, default="score"
        What the scores are.

    Attributes
    ----------
    curve_ : matplotlib.lines.Line2D
        The scores.
    band_ : matplotlib.collections.PolyCollection or None
        One standard deviation on either side.
    threshold_line_ : matplotlib.lines.Line2D or None
        Vertical line at the threshold that was chosen.
    excluded_ : matplotlib.patches.Patch or None
        Shade over the thresholds with too many false alarms.
    ax_ : matplotlib.axes.Axes
        Axes with the curve.
    figure_ : matplotlib.figure.Figure
        Figure with the axes.

    See Also
    --------
    sklearn_ae.TunedThresholdDetectorCV : The search.

    Examples
    --------
    >>> from sklearn_ae.inspection import ThresholdCurveDisplay
    >>> results = {"thresholds": [1.0, 2.0, 3.0], "scores": [0.6, 0.9, 0.7]}
    >>> display = ThresholdCurveDisplay.from_cv_results(results, best_threshold=2.0)
    >>> display.threshold_line_.get_label()
    'threshold = 2'
    """

    def __init__(
        self,
        *,
        thresholds,
        scores,
        std_scores=None,
        best_threshold=None,
        smallest_allowed=None,
        score_name="score",
    ):
        self.thresholds = thresholds
        self.scores = scores
        self.std_scores = std_scores
        self.best_threshold = best_threshold
        self.smallest_allowed = smallest_allowed
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, detector, *, ax=None, **kwargs):
        """Plot what a fitted search over thresholds found.

        Parameters
        ----------
        detector : TunedThresholdDetectorCV
            Fitted with labels, and with ``store_cv_results=True``, the default.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        ThresholdCurveDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If `detector` is fitted, but kept no results.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(detector)
        for attribute in ("best_threshold_", "cv_results_"):
            check_has(
                detector,
                attribute,
                "fit TunedThresholdDetectorCV with labels and without store_cv_results=False, and "
                "pass it itself, such as pipeline[-1] or search.best_estimator_.",
            )
        scoring = detector.scoring
        return cls.from_cv_results(
            detector.cv_results_,
            best_threshold=detector.best_threshold_,
            max_false_alarm_rate=detector.max_false_alarm_rate,
            score_name=scoring if isinstance(scoring, str) else getattr(scoring, "name", "score"),
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_cv_results(
        cls,
        cv_results,
        *,
        best_threshold=None,
        max_false_alarm_rate=None,
        score_name="score",
        ax=None,
        **kwargs,
    ):
        """Plot the results of a search over thresholds.

        Parameters
        ----------
        cv_results : dict of array-like of shape (n_thresholds,)
            `cv_results_` of a :class:`.TunedThresholdDetectorCV`: "thresholds", "scores" and, if
            they are to be drawn, "std_scores" and "false_alarm_rates".
        best_threshold : float, default=None
            The threshold to mark. If None, none is marked.
        max_false_alarm_rate : float, default=None
            Thresholds with more "false_alarm_rates" than this are shaded. If None, none are.
        score_name : str, default="score"
            What the scores are, for the axis.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        ThresholdCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `cv_results` lacks what is to be drawn, lengths differ, or a number is not finite.
        """
        needed = {"thresholds", "scores"}
        if max_false_alarm_rate is not None:
            needed.add("false_alarm_rates")
        if not isinstance(cv_results, Mapping) or not needed <= set(cv_results):
            raise ValueError(
                "cv_results must be a dict such as cv_results_ of TunedThresholdDetectorCV, with "
                f"{', '.join(sorted(needed))}. Received: {cv_results!r}."
            )
        columns = {
            name: check_vector(cv_results[name], f"cv_results[{name!r}]")
            for name in [*sorted(needed), "std_scores"]
            if name in cv_results
        }
        check_consistent_length(*columns.values())
        check_threshold(best_threshold)
        smallest_allowed = None
        if max_false_alarm_rate is not None:
            allowed = columns["false_alarm_rates"] <= max_false_alarm_rate + 1e-9
            smallest_allowed = float(np.min(columns["thresholds"][allowed], initial=np.inf))
        display = cls(
            thresholds=columns["thresholds"],
            scores=columns["scores"],
            std_scores=columns.get("std_scores"),
            best_threshold=best_threshold,
            smallest_allowed=smallest_allowed,
            score_name=score_name,
        )
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax=None,
        *,
        curve_kwargs=None,
        band_kwargs=None,
        threshold_kwargs=None,
        excluded_kwargs=None,
    ):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made. A logarithmic x axis suits scores that
            differ by orders of magnitude.
        curve_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.plot` for the scores.
        band_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.fill_between` for the standard
            deviation.
        threshold_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.axvline` for the threshold chosen.
        excluded_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.axvspan` for thresholds with too many
            false alarms.

        Returns
        -------
        ThresholdCurveDisplay
            The display itself.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.collections import PolyCollection
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        ax = new_axes() if ax is None else ax
        self.ax_, self.figure_ = ax, ax.figure
        self.band_ = self.threshold_line_ = self.excluded_ = None
        # A line through a single threshold would be invisible.
        defaults = {"marker": "o" if len(self.scores) == 1 else "", "label": "mean of the folds"}
        style = merge_style(defaults, curve_kwargs, Line2D)
        (self.curve_,) = ax.plot(self.thresholds, self.scores, **style)
        if self.std_scores is not None:
            low, high = self.scores - self.std_scores, self.scores + self.std_scores
            defaults = {"facecolor": self.curve_.get_color(), "alpha": 0.2, "linewidth": 0}
            defaults["label"] = "± standard deviation"
            style = merge_style(defaults, band_kwargs, PolyCollection)
            self.band_ = ax.fill_between(self.thresholds, low, high, **style)
        if self.smallest_allowed is not None and self.smallest_allowed > self.thresholds[0]:
            end = min(self.smallest_allowed, self.thresholds[-1])
            defaults = {"facecolor": "gray", "alpha": 0.2, "linewidth": 0}
            defaults["label"] = "too many false alarms"
            style = merge_style(defaults, excluded_kwargs, Patch)
            self.excluded_ = ax.axvspan(self.thresholds[0], end, **style)
        if self.best_threshold is not None:
            defaults = {"color": "black", "linestyle": "--"}
            defaults["label"] = f"threshold = {self.best_threshold:.4g}"
            style = merge_style(defaults, threshold_kwargs, Line2D)
            self.threshold_line_ = ax.axvline(self.best_threshold, **style)
        name = self.score_name.replace("_", " ")
        ax.set(xlabel="Threshold of the anomaly score", ylabel=name[:1].upper() + name[1:])
        ax.legend()
        return self
