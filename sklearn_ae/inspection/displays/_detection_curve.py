"""ROC and precision–recall curves of outlier detectors."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)
from sklearn.utils import check_consistent_length

from sklearn_ae._base.outlier_scores import compute_anomaly_scores, find_threshold
from sklearn_ae._base.sklearn_compat import check_matplotlib_support
from sklearn_ae.inspection.displays._checks import check_threshold, check_vector
from sklearn_ae.inspection.displays._drawing import merge_style, new_axes
from sklearn_ae.metrics._labels import find_pos_label, read_two_classes

CHANCE_LABEL = "chance"


class _Kind(NamedTuple):
    xlabel: str
    ylabel: str
    area_name: str


KINDS = {
    "roc": _Kind("False-alarm rate", "Recall", "AUC"),
    "precision_recall": _Kind("Recall", "Precision", "AP"),
}


class DetectionCurveDisplay:
    """How many anomalies a detector finds, and at what price, over all thresholds.

    The ROC curve shows the recall against the false-alarm rate, the precision–recall curve the
    precision against the recall, which tells more where anomalies are rare. The anomalies are the
    positive class: scikit-learn's own displays refuse outlier detectors. Create the display with
    :meth:`from_estimator` or :meth:`from_predictions`, which check their input. All parameters are
    stored as attributes.

    Parameters
    ----------
    kind : {"roc", "precision_recall"}
        Which curve.
    x : ndarray of shape (n_points,)
        False-alarm rates, or recalls.
    y : ndarray of shape (n_points,)
        Recalls, or precisions.
    area : float, default=None
        Area under the ROC curve, or average precision. If None, it is not shown.
    anomaly_share : float, default=None
        Share of anomalies among the samples, which is the precision of chance. If None, chance is
        drawn for the ROC curve only.
    threshold : float, default=None
        Score above which a detector calls a sample an anomaly.
    operating_point : tuple of (float, float), default=None
        The point of `threshold`. If None, none is marked.
    name : str, default=None
        What the legend calls the curve.

    Attributes
    ----------
    curve_ : matplotlib.lines.Line2D
        The curve.
    chance_line_ : matplotlib.lines.Line2D or None
        What a detector achieves that guesses. None if another display has drawn it on these axes.
    operating_point_ : matplotlib.lines.Line2D or None
        Mark on the curve.
    ax_ : matplotlib.axes.Axes
        Axes with the curve.
    figure_ : matplotlib.figure.Figure
        Figure with the axes.

    See Also
    --------
    sklearn_ae.metrics.anomaly_scorer : The areas as scorers.
    ScoreHistogramDisplay : The scores themselves.

    Examples
    --------
    >>> from sklearn_ae.inspection import DetectionCurveDisplay
    >>> y = [1, 1, 1, -1]
    >>> anomaly_scores = [0.2, 0.1, 0.9, 0.8]
    >>> display = DetectionCurveDisplay.from_predictions(y, anomaly_scores, threshold=0.5)
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['AUC = 0.667', 'threshold = 0.5', 'chance']
    """

    def __init__(
        self,
        *,
        kind,
        x,
        y,
        area=None,
        anomaly_share=None,
        threshold=None,
        operating_point=None,
        name=None,
    ):
        self.kind = kind
        self.x = x
        self.y = y
        self.area = area
        self.anomaly_share = anomaly_share
        self.threshold = threshold
        self.operating_point = operating_point
        self.name = name

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, kind="roc", pos_label=None, name=None, ax=None, **kwargs
    ):
        """Plot the curve of a fitted outlier detector.

        Parameters
        ----------
        estimator : estimator
            Fitted outlier detector with `score_samples` or `decision_function`, ours or
            scikit-learn's, or a pipeline or search that ends in one. Its threshold is marked.
        X : array-like of shape (n_samples, ...)
            Samples, as `estimator` takes them.
        y : array-like of shape (n_samples,)
            Labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`.
        kind : {"roc", "precision_recall"}, default="roc"
            Which curve.
        pos_label : int, float, bool or str, default=None
            The label of an anomaly, where the convention does not tell. If None, the `pos_label` of
            the estimator is used if it has one; else it must be the same.
        name : str, default=None
            What the legend calls the curve. If None, it is the estimator's class.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on, such as those of another curve. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        DetectionCurveDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If `estimator` is no outlier detector with scores.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        scores = compute_anomaly_scores(estimator, X)
        # Without score_samples, the scores are decisions, and the threshold is 0.
        threshold = 0.0
        if hasattr(estimator, "score_samples"):
            threshold = find_threshold(estimator, X, -scores)
        return cls.from_predictions(
            y,
            scores,
            kind=kind,
            threshold=threshold,
            pos_label=find_pos_label(estimator, asked=pos_label),
            name=type(estimator).__name__ if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y,
        anomaly_scores,
        *,
        kind="roc",
        threshold=None,
        pos_label=None,
        name=None,
        ax=None,
        **kwargs,
    ):
        """Plot the curve of anomaly scores.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`.
        anomaly_scores : array-like of shape (n_samples,)
            Scores; higher is more abnormal: minus what `score_samples` returns.
        kind : {"roc", "precision_recall"}, default="roc"
            Which curve.
        threshold : float, default=None
            Score above which a sample is called an anomaly. If None, none is marked.
        pos_label : int, float, bool or str, default=None
            The label of an anomaly, where the convention does not tell.
        name : str, default=None
            What the legend calls the curve.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on, such as those of another curve. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        DetectionCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `kind` is another, the lengths differ, a score or the threshold is no finite number,
            `pos_label` is needed, or `y` is of one class.
        """
        if kind not in KINDS:
            raise ValueError(f"kind must be 'roc' or 'precision_recall'. Received: kind={kind!r}.")
        scores = check_vector(anomaly_scores, "anomaly_scores")
        check_threshold(threshold)
        check_consistent_length(y, scores)
        anomalies = read_two_classes(y, pos_label=pos_label, metric="the curve")
        x_values, y_values, area = _compute_curve(kind, anomalies, scores)
        point = None
        if threshold is not None:
            point = _compute_point(kind, anomalies, scores > threshold)
        display = cls(
            kind=kind,
            x=x_values,
            y=y_values,
            area=area,
            anomaly_share=float(np.mean(anomalies)),
            threshold=threshold,
            operating_point=point,
            name=name,
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, *, curve_kwargs=None, chance_kwargs=None, threshold_kwargs=None):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made. A logarithmic x axis shows what happens
            at few false alarms.
        curve_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.plot` for the curve.
        chance_kwargs : dict, default=None
            The same for the line of chance.
        threshold_kwargs : dict, default=None
            The same for the mark of the threshold.

        Returns
        -------
        DetectionCurveDisplay
            The display itself.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.lines import Line2D

        ax = new_axes() if ax is None else ax
        self.ax_, self.figure_ = ax, ax.figure
        kind = KINDS[self.kind]
        area = None if self.area is None else f"{kind.area_name} = {self.area:.3g}"
        texts = [text for text in (self.name, area) if text]
        label = f"{texts[0]} ({texts[1]})" if len(texts) == 2 else "".join(texts) or "curve"
        # Precision is not linear between two thresholds.
        step = "default" if self.kind == "roc" else "steps-post"
        style = merge_style({"label": label, "drawstyle": step}, curve_kwargs, Line2D)
        (self.curve_,) = ax.plot(self.x, self.y, **style)
        self.operating_point_ = None
        if self.operating_point is not None:
            defaults = {"color": self.curve_.get_color(), "marker": "o", "linestyle": "none"}
            if self.threshold is not None:
                defaults["label"] = f"threshold = {self.threshold:.4g}"
            style = merge_style(defaults, threshold_kwargs, Line2D)
            x, y = self.operating_point
            (self.operating_point_,) = ax.plot([x], [y], **style)
        self._plot_chance(chance_kwargs)
        if ax.get_xscale() == "linear":
            # Curves along the frame stay visible.
            ax.set_xlim(-0.02, 1.02)
        ax.set(ylim=(-0.02, 1.02), xlabel=kind.xlabel, ylabel=kind.ylabel)
        ax.legend()
        return self

    def _plot_chance(self, given):
        from matplotlib.lines import Line2D

        self.chance_line_ = None
        if any(line.get_label() == CHANCE_LABEL for line in self.ax_.lines):
            return
        # Many points, as a logarithmic axis bends the diagonal.
        x = np.linspace(0, 1, 101)
        if self.kind == "roc":
            y = x
        elif self.anomaly_share is not None:
            y = np.full_like(x, self.anomaly_share)
        else:
            return
        defaults = {"color": "gray", "linestyle": ":", "label": CHANCE_LABEL, "zorder": 1}
        (self.chance_line_,) = self.ax_.plot(x, y, **merge_style(defaults, given, Line2D))


def _compute_curve(kind, anomalies, scores):
    if kind == "roc":
        alarms, recalls, _ = roc_curve(anomalies, scores)
        return alarms, recalls, float(roc_auc_score(anomalies, scores))
    precisions, recalls, _ = precision_recall_curve(anomalies, scores)
    return recalls, precisions, float(average_precision_score(anomalies, scores))


def _compute_point(kind, anomalies, flagged):
    recall = float(recall_score(anomalies, flagged))
    if kind == "roc":
        return float(np.mean(flagged[~anomalies])), recall
    # Nothing flagged is where the precision–recall curve ends by definition, at 1.
    return recall, float(precision_score(anomalies, flagged, zero_division=1))
