"""Histograms of anomaly scores, with the threshold."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_consistent_length

from sklearn_ae._base.outlier_scores import find_threshold
from sklearn_ae._base.sklearn_compat import check_matplotlib_support
from sklearn_ae.inspection.displays._checks import check_has, check_threshold, check_vector
from sklearn_ae.inspection.displays._drawing import (
    ANOMALY_COLOR,
    NORMAL_COLOR,
    merge_style,
    new_axes,
)
from sklearn_ae.metrics import is_anomaly
from sklearn_ae.metrics._labels import find_pos_label


class ScoreHistogramDisplay:
    """Anomaly scores of normal and abnormal samples, and the threshold between them.

    An anomaly score is minus `score_samples`: the higher, the more abnormal. Create the display
    with :meth:`from_estimator` or :meth:`from_predictions`, which check their input. All parameters
    are stored as attributes.

    Parameters
    ----------
    anomaly_scores : ndarray of shape (n_samples,)
        Scores; higher is more abnormal.
    is_anomaly : ndarray of shape (n_samples,) of bool, default=None
        Which samples are anomalies. If None, one histogram shows all samples.
    threshold : float, default=None
        Score above which a detector calls a sample an anomaly.

    Attributes
    ----------
    normal_histogram_ : matplotlib.patches.StepPatch or None
        Histogram of the normal samples, or of all samples if `is_anomaly` is None.
    anomaly_histogram_ : matplotlib.patches.StepPatch or None
        Histogram of the anomalies, with the same bins.
    threshold_line_ : matplotlib.lines.Line2D or None
        Vertical line at the threshold.
    ax_ : matplotlib.axes.Axes
        Axes with the histograms.
    figure_ : matplotlib.figure.Figure
        Figure with the axes.

    Examples
    --------
    >>> from sklearn_ae.inspection import ScoreHistogramDisplay
    >>> y = [1, 1, 1, -1]
    >>> anomaly_scores = [0.2, 0.1, 0.3, 0.9]
    >>> display = ScoreHistogramDisplay.from_predictions(y, anomaly_scores, threshold=0.5)
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['normal (n=3)', 'anomaly (n=1)', 'threshold = 0.5']
    """

    def __init__(self, *, anomaly_scores, is_anomaly=None, threshold=None):
        self.anomaly_scores = anomaly_scores
        self.is_anomaly = is_anomaly
        self.threshold = threshold

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, pos_label=None, ax=None, **kwargs):
        """Plot the scores that a fitted outlier detector gives to samples.

        Parameters
        ----------
        estimator : estimator
            Fitted outlier detector with `score_samples`, ours or scikit-learn's, or a pipeline or
            search that ends in one. If it has a `decision_function`, its threshold is drawn.
        X : array-like of shape (n_samples, ...)
            Samples, as `estimator` takes them.
        y : array-like of shape (n_samples,), default=None
            Labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`. If None, one
            histogram shows all samples.
        pos_label : int, float, bool or str, default=None
            The label of an anomaly, where the convention does not tell. If None, the `pos_label` of
            the estimator is used if it has one; else it must be the same.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        ScoreHistogramDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If `estimator` has no method `score_samples`.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_has(
            estimator,
            "score_samples",
            "for others, pass their scores to ScoreHistogramDisplay.from_predictions.",
        )
        scores = estimator.score_samples(X)
        return cls.from_predictions(
            y,
            -scores,
            threshold=find_threshold(estimator, X, scores),
            pos_label=find_pos_label(estimator, asked=pos_label),
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls, y, anomaly_scores, *, threshold=None, pos_label=None, ax=None, **kwargs
    ):
        """Plot scores.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or None
            Labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`. If None, one
            histogram shows all samples.
        anomaly_scores : array-like of shape (n_samples,)
            Scores; higher is more abnormal: minus what `score_samples` returns.
        threshold : float, default=None
            Score above which a sample is called an anomaly: minus `offset_`. If None, none is
            drawn.
        pos_label : int, float, bool or str, default=None
            The label of an anomaly, where the convention does not tell.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        ScoreHistogramDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the lengths differ, a score or the threshold is no finite number, or `pos_label` is
            needed.
        """
        anomaly_scores = check_vector(anomaly_scores, "anomaly_scores")
        check_threshold(threshold)
        anomalies = None
        if y is not None:
            check_consistent_length(y, anomaly_scores)
            anomalies = is_anomaly(y, pos_label=pos_label)
        display = cls(anomaly_scores=anomaly_scores, is_anomaly=anomalies, threshold=threshold)
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax=None,
        *,
        bins=50,
        density=False,
        normal_kwargs=None,
        anomaly_kwargs=None,
        threshold_kwargs=None,
    ):
        """Draw the histograms.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made. On a logarithmic x axis, which suits
            scores that differ by orders of magnitude, the bins are logarithmic too.
        bins : int, default=50
            Number of bins, which both histograms share, from the lowest score to the highest.
        density : bool, default=False
            If True, each histogram has an area of 1, so that a few anomalies are seen beside many
            normal samples. If False, heights are numbers of samples.
        normal_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.stairs` for the normal samples, or for
            all samples if there are no labels.
        anomaly_kwargs : dict, default=None
            The same for the anomalies.
        threshold_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.axvline`.

        Returns
        -------
        ScoreHistogramDisplay
            The display itself.

        Raises
        ------
        ValueError
            If `bins` is no positive integer, or a score is not positive on a logarithmic axis.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.lines import Line2D

        self.ax_ = new_axes() if ax is None else ax
        self.figure_ = self.ax_.figure
        edges = _bin_edges(self.ax_, self.anomaly_scores, bins)
        self._plot_histograms(edges, density, normal_kwargs, anomaly_kwargs)
        self.threshold_line_ = None
        if self.threshold is not None:
            defaults = {"color": "black", "linestyle": "--"}
            defaults["label"] = f"threshold = {self.threshold:.4g}"
            style = merge_style(defaults, threshold_kwargs, Line2D)
            self.threshold_line_ = self.ax_.axvline(self.threshold, **style)
        ylabel = "Density" if density else "Number of samples"
        self.ax_.set(xlabel="Anomaly score", ylabel=ylabel)
        self.ax_.legend()
        return self

    def _plot_histograms(self, edges, density, normal_kwargs, anomaly_kwargs):
        from matplotlib.patches import StepPatch

        def draw(scores, name, color, given):
            if len(scores) == 0:
                return None
            heights, _ = np.histogram(scores, edges, density=density)
            label = f"{name} (n={len(scores)})"
            defaults = {"color": color, "alpha": 0.6, "fill": True, "label": label}
            return self.ax_.stairs(heights, edges, **merge_style(defaults, given, StepPatch))

        self.anomaly_histogram_ = None
        scores = self.anomaly_scores
        if self.is_anomaly is None:
            self.normal_histogram_ = draw(scores, "all samples", NORMAL_COLOR, normal_kwargs)
            return
        normal_scores, abnormal_scores = scores[~self.is_anomaly], scores[self.is_anomaly]
        self.normal_histogram_ = draw(normal_scores, "normal", NORMAL_COLOR, normal_kwargs)
        self.anomaly_histogram_ = draw(abnormal_scores, "anomaly", ANOMALY_COLOR, anomaly_kwargs)


def _bin_edges(ax, scores, bins):
    if not (isinstance(bins, Integral) and bins >= 1):
        raise ValueError(f"bins must be a positive integer. Received: bins={bins!r}.")
    if ax.get_xscale() == "log" and np.min(scores) <= 0:
        raise ValueError(
            "anomaly_scores must be positive on a logarithmic x axis; use "
            "ax.set_xscale('symlog') instead. Received: a lowest score of "
            f"{np.min(scores):.4g}."
        )
    # Equally wide on the axis that they are drawn on.
    transform = ax.xaxis.get_transform()
    edges = transform.inverted().transform(
        np.histogram_bin_edges(transform.transform(scores), bins)
    )
    # Rounding, there and back, must not leave the extreme scores out.
    edges[0], edges[-1] = min(edges[0], np.min(scores)), max(edges[-1], np.max(scores))
    return edges
