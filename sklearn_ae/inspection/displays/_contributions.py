"""Why a row was flagged: what each feature adds to its error."""

import math
from numbers import Integral

import numpy as np
from sklearn.utils import check_array

from sklearn_ae._base.sklearn_compat import _num_samples, _safe_indexing, check_matplotlib_support
from sklearn_ae.inspection.displays._checks import check_has, check_vector
from sklearn_ae.inspection.displays._drawing import (
    ANOMALY_COLOR,
    NORMAL_COLOR,
    merge_style,
    new_axes,
)
from sklearn_ae.thresholds._unwrapping import find_innermost

# Of longer names the middle is left out, or they would leave no room for the bars.
MAX_NAME_LENGTH = 30


class ContributionDisplay:
    """The features of one row with the largest reconstruction errors.

    Each bar is the absolute error of a feature, in scaled units, so that the bars can be compared
    whatever the features' own units. Beside its name stand the feature's value and what the
    autoencoder expected instead, given the rest of the row, in the units of the data. A last bar is
    the sum of all other features: if it is long, no feature alone explains the error. Create the
    display with :meth:`from_estimator` or :meth:`from_predictions`, which check their input. All
    parameters are stored as attributes.

    Parameters
    ----------
    contributions : ndarray of shape (n_features,)
        Absolute errors of the row's features.
    feature_names : ndarray of shape (n_features,) of str
        Names of the features.
    values : ndarray of shape (n_features,), default=None
        The row itself.
    reconstructions : ndarray of shape (n_features,), default=None
        What the autoencoder made of the row, in the units of `values`. If one of the two is None,
        neither is written.
    normal_contributions : ndarray of shape (n_rows, n_features), default=None
        Absolute errors of normal rows. If None, nothing shows which errors are usual.

    Attributes
    ----------
    bars_ : matplotlib.container.BarContainer
        One bar a feature, the largest first, and a last one for the others, if there are any.
    normal_markers_ : matplotlib.lines.Line2D or None
        Medians of the normal rows, one a bar.
    ax_ : matplotlib.axes.Axes
        Axes with the bars.
    figure_ : matplotlib.figure.Figure
        Figure with the axes.

    See Also
    --------
    sklearn_ae.AutoencoderAnomalyDetector.anomaly_map : The same for many rows, and for images.
    ReconstructionDisplay : Images, and whole rows, beside their reconstructions.

    Notes
    -----
    For input x and reconstruction x̂ in scaled units, the contribution of feature j is
    ``abs(x_j − x̂_j)``. They add up to the anomaly score if that is :class:`.AbsoluteError`; of
    other scores, they say where the reconstruction fails, not how the score came about.

    A large error is a hint, not a cause. An autoencoder may rebuild one wrong value and get others
    wrong instead, and what no other feature tells is rebuilt badly in every row: the medians of
    normal rows show that.

    Examples
    --------
    >>> from sklearn_ae.inspection import ContributionDisplay
    >>> display = ContributionDisplay.from_predictions(
    ...     [0.1, 4.5, 0.2, 0.2],
    ...     values=[20.5, 93, 1480, 1],
    ...     reconstructions=[21.1, 61.3, 1510, 0.8],
    ...     feature_names=["air", "torque", "speed", "steel"],
    ...     max_features=1,
    ... )
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['torque: 93 (rebuilt as 61)', '3 others']
    """

    def __init__(
        self,
        *,
        contributions,
        feature_names,
        values=None,
        reconstructions=None,
        normal_contributions=None,
    ):
        self.contributions = contributions
        self.feature_names = feature_names
        self.values = values
        self.reconstructions = reconstructions
        self.normal_contributions = normal_contributions

    @classmethod
    def from_estimator(
        cls, estimator, X, *, row=0, X_normal=None, feature_names=None, ax=None, **kwargs
    ):
        """Plot why a fitted detector takes a row for abnormal.

        Parameters
        ----------
        estimator : AutoencoderAnomalyDetector
            Fitted detector of rows, a pipeline or search that ends in one, or a wrapper of this
            package around either. The features, and their units, are those that the detector itself
            gets: what the steps before make of X. Leave standardization to the detector, and
            numbers are written in your units.
        X : array-like of shape (n_samples, n_features)
            Rows, as `estimator` takes them.
        row : int, default=0
            Position in X of the row to explain.
        X_normal : array-like of shape (n_rows, n_features), default=None
            Normal rows, best new ones. The median error of each feature is marked, to show which
            errors are usual.
        feature_names : array-like of shape (n_features,) of str, default=None
            Names of the detector's features. If None, those it was fitted with, else those that the
            steps before give, else x0, x1 and so on.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        ContributionDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If there is no `anomaly_map` in the estimator.
        ValueError
            If X has no such row, or the detector is one of images.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        innermost = find_innermost(estimator)
        detector, transformers, _ = innermost
        check_has(
            detector,
            "anomaly_map",
            "for others, pass their errors to ContributionDisplay.from_predictions.",
        )
        _check_row(row, _num_samples(X))
        X = innermost.transform(_safe_indexing(X, [row]))
        contributions = _compute_errors(detector, X)[0]
        if feature_names is None:
            feature_names = _find_names(detector, transformers)
        if X_normal is not None:
            X_normal = _compute_errors(detector, innermost.transform(X_normal))
        return cls.from_predictions(
            contributions,
            values=np.asarray(X)[0],
            reconstructions=np.asarray(detector.reconstruct(X))[0],
            normal_contributions=X_normal,
            feature_names=feature_names,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        contributions,
        *,
        values=None,
        reconstructions=None,
        normal_contributions=None,
        feature_names=None,
        ax=None,
        **kwargs,
    ):
        """Plot the errors of a row.

        Parameters
        ----------
        contributions : array-like of shape (n_features,)
            Absolute errors of the row's features: its `anomaly_map`.
        values : array-like of shape (n_features,), default=None
            The row itself, in any units.
        reconstructions : array-like of shape (n_features,), default=None
            Its reconstruction, in the units of `values`. If one of the two is None, neither is
            written.
        normal_contributions : array-like of shape (n_rows, n_features), default=None
            Absolute errors of normal rows, whose medians are marked.
        feature_names : array-like of shape (n_features,) of str, default=None
            Names of the features. If None, x0, x1 and so on.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        ContributionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If a contribution is negative, a number not finite, or the numbers of features differ.
        """
        contributions = check_vector(contributions, "contributions")
        if np.min(contributions) < 0:
            raise ValueError(
                "contributions must be absolute errors, none of them negative: those of "
                f"anomaly_map. Received: a smallest one of {np.min(contributions):.4g}."
            )
        n_features = len(contributions)
        if feature_names is None:
            feature_names = [f"x{i}" for i in range(n_features)]
        if values is not None:
            values = check_vector(values, "values")
        if reconstructions is not None:
            reconstructions = check_vector(reconstructions, "reconstructions")
        if normal_contributions is not None:
            normal_contributions = check_array(
                normal_contributions, dtype=np.float64, input_name="normal_contributions"
            )
        display = cls(
            contributions=contributions,
            feature_names=np.asarray(feature_names, dtype=object),
            values=values,
            reconstructions=reconstructions,
            normal_contributions=normal_contributions,
        )
        for name in ("feature_names", "values", "reconstructions", "normal_contributions"):
            _check_n_features(getattr(display, name), name, n_features)
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, *, max_features=10, bar_kwargs=None, normal_kwargs=None):
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        max_features : int, default=10
            How many features get a bar of their own. All others share one, their sum.
        bar_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.barh`.
        normal_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.plot` for the medians of normal rows.

        Returns
        -------
        ContributionDisplay
            The display itself.

        Raises
        ------
        ValueError
            If `max_features` is no positive integer.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.patches import Rectangle

        if not (isinstance(max_features, Integral) and max_features >= 1):
            raise ValueError(
                f"max_features must be a positive integer. Received: max_features={max_features!r}."
            )
        # Stable, so that equal features stay in their order.
        order = np.argsort(-self.contributions, kind="stable")
        shown, others = order[:max_features], order[max_features:]
        lengths = _gather(self.contributions, shown, others)
        if ax is None:
            ax = new_axes(figsize=(8, 1.2 + 0.3 * len(lengths)))
        self.ax_, self.figure_ = ax, ax.figure
        positions = np.arange(len(lengths))
        style = merge_style({"color": ANOMALY_COLOR, "label": "this row"}, bar_kwargs, Rectangle)
        self.bars_ = ax.barh(positions, lengths, **style)
        if len(others):
            # Paler, as it is a sum.
            self.bars_[-1].set_alpha(0.5)
        ax.set_yticks(positions, self._make_labels(shown, others))
        ax.set(ylim=(len(lengths) - 0.5, -0.5), xlabel="Absolute error (scaled)")
        self._plot_normal(positions, shown, others, normal_kwargs)
        return self

    def _plot_normal(self, positions, shown, others, given):
        from matplotlib.lines import Line2D

        self.normal_markers_ = None
        if self.normal_contributions is None:
            return
        medians = np.median(_gather(self.normal_contributions, shown, others), axis=0)
        defaults = {"color": NORMAL_COLOR, "marker": "D", "markersize": 5, "linestyle": "none"}
        defaults |= {"markeredgecolor": "white", "label": "median of normal rows"}
        style = merge_style(defaults, given, Line2D)
        (self.normal_markers_,) = self.ax_.plot(medians, positions, **style)
        # No legend: in axes that long labels make narrow, it would cover bars.
        self.ax_.set_xlabel("Absolute error (scaled)\nMarked: median of normal rows")

    def _make_labels(self, shown, others):
        labels = [self._describe(feature) for feature in shown]
        if len(others):
            labels.append(f"{len(others)} other{'s' if len(others) > 1 else ''}")
        return labels

    def _describe(self, feature):
        name = " ".join(str(self.feature_names[feature]).split())
        if len(name) > MAX_NAME_LENGTH:
            half = MAX_NAME_LENGTH // 2
            name = f"{name[: half - 1]}…{name[-half:]}"
        # A dollar sign would begin a formula.
        name = name.replace("$", r"\$")
        if self.values is None or self.reconstructions is None:
            return name
        value, rebuilt = _format_pair(self.values[feature], self.reconstructions[feature])
        return f"{name}: {value} (rebuilt as {rebuilt})"


def _check_row(row, n_rows):
    if not (isinstance(row, Integral) and 0 <= row < n_rows):
        raise ValueError(
            f"row must be the position of a row of X, an integer from 0 to {n_rows - 1}. "
            f"Received: row={row!r}."
        )


def _check_n_features(array, name, n_features):
    if array is not None and array.shape[-1:] != (n_features,):
        raise ValueError(
            f"{name} must be of as many features as contributions, {n_features}. Received: an "
            f"array of shape {array.shape}."
        )


def _compute_errors(detector, X):
    errors = np.asarray(detector.anomaly_map(X))
    if errors.ndim != 2:
        raise ValueError(
            "X must be rows of features. Of images, draw anomaly_map with imshow, or use "
            f"ReconstructionDisplay. Received: samples with errors of shape {errors.shape[1:]}."
        )
    return errors


def _find_names(detector, transformers):
    """Return the names of a detector's features, or None if nothing knows them."""
    names = getattr(detector, "feature_names_in_", None)
    if names is not None:
        return names
    for transformer in transformers:
        if not hasattr(transformer, "get_feature_names_out"):
            return None
        names = transformer.get_feature_names_out(names)
    return names


def _gather(errors, shown, others):
    """Return the columns that are shown, and the sum of the others if there are any."""
    columns = errors[..., shown]
    if len(others) == 0:
        return columns
    return np.concatenate([columns, errors[..., others].sum(axis=-1, keepdims=True)], axis=-1)


def _format_pair(value, reconstruction):
    """Write two numbers with as many digits as tell them apart: two of their difference."""
    difference = abs(value - reconstruction)
    decimals = 1 - math.floor(math.log10(difference)) if difference > 0 else 3
    if decimals > 6 or max(abs(value), abs(reconstruction)) >= 1e10:
        return f"{value:.4g}", f"{reconstruction:.4g}"
    return tuple(
        np.format_float_positional(round(float(number), max(decimals, 0)) + 0.0, trim="-")
        for number in (value, reconstruction)
    )
