"""Heat maps of a search over two parameters."""

from numbers import Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_ae._base.sklearn_compat import check_matplotlib_support
from sklearn_ae.inspection.displays._checks import check_has
from sklearn_ae.inspection.displays._drawing import merge_style, new_axes

# Longer values of parameters, such as whole architectures, are cut.
MAX_LABEL_LENGTH = 24


class GridHeatmapDisplay:
    """Mean test score of a search as a heat map over two of its parameters.

    Where the search has more parameters, a cell shows the best score that its two values reach.
    Create the display with :meth:`from_estimator` or :meth:`from_cv_results`, which check their
    input. All parameters are stored as attributes.

    Parameters
    ----------
    scores : ndarray of shape (n_y_values, n_x_values)
        Scores. NaN where a combination was not tried or failed.
    x_values, y_values : list of str
        Labels of the columns and rows.
    x_name, y_name : str
        Names of the two parameters.
    best_cell : tuple of (int, int), default=None
        Row and column of the candidate that was chosen.
    score_name : str, default="Mean test score"
        What the scores are.

    Attributes
    ----------
    image_ : matplotlib.image.AxesImage
        The heat map.
    texts_ : list of matplotlib.text.Text
        Scores in the cells.
    best_marker_ : matplotlib.patches.Rectangle or None
        Frame of the best cell.
    colorbar_ : matplotlib.colorbar.Colorbar
        Scale of the colors.
    ax_ : matplotlib.axes.Axes
        Axes with the heat map.
    figure_ : matplotlib.figure.Figure
        Figure with the axes.

    Examples
    --------
    >>> from sklearn_ae.inspection import GridHeatmapDisplay
    >>> results = {
    ...     "param_latent_dim": [2, 2, 8, 8],
    ...     "param_threshold": [1.5, 3.0, 1.5, 3.0],
    ...     "mean_test_score": [0.6, 0.7, 0.8, 0.9],
    ... }
    >>> display = GridHeatmapDisplay.from_cv_results(results, x="threshold", y="latent_dim")
    >>> [text.get_text() for text in display.texts_]
    ['0.600', '0.700', '0.800', '0.900']
    """

    def __init__(
        self,
        *,
        scores,
        x_values,
        y_values,
        x_name,
        y_name,
        best_cell=None,
        score_name="Mean test score",
    ):
        self.scores = scores
        self.x_values = x_values
        self.y_values = y_values
        self.x_name = x_name
        self.y_name = y_name
        self.best_cell = best_cell
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, search, *, x, y, metric="score", ax=None, **kwargs):
        """Plot the results of a fitted search.

        Parameters
        ----------
        search : GridSearchCV, RandomizedSearchCV or another search with `cv_results_`
            Fitted search.
        x, y : str
            The parameters of columns and rows, as the search names them, such as
            "estimator__threshold".
        metric : str, default="score"
            Which metric, in a search over several.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        GridHeatmapDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If `search` is fitted, but has no `cv_results_`.
        ValueError
            If a parameter or the metric is none of the search.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(search)
        check_has(search, "cv_results_", "pass the search itself, such as GridSearchCV.")
        return cls.from_cv_results(
            search.cv_results_,
            x=x,
            y=y,
            metric=metric,
            best_index=getattr(search, "best_index_", None),
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_cv_results(
        cls, cv_results, *, x, y, metric="score", best_index=None, ax=None, **kwargs
    ):
        """Plot the results of a search.

        Parameters
        ----------
        cv_results : dict of array-like of shape (n_candidates,), or DataFrame
            `cv_results_` of a search.
        x, y : str
            The parameters of columns and rows.
        metric : str, default="score"
            Which metric, in a search over several.
        best_index : int, default=None
            Which candidate to mark. If None, the one with the highest score.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        GridHeatmapDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If a parameter or the metric is none of the search, `x` and `y` are the same, or no
            candidate has both and a score.
        """
        if x == y:
            raise ValueError(f"x and y must be two parameters. Received: x={x!r}, y={y!r}.")
        column = _get_column(cv_results, "mean_test_", metric, "metric")
        candidate_scores = np.asarray(column, dtype=np.float64)
        columns = list(_get_column(cv_results, "param_", x, "x"))
        rows = list(_get_column(cv_results, "param_", y, "y"))
        # In a list of grids, parameters that a grid does not name are masked.
        drawn = [
            i
            for i, score in enumerate(candidate_scores)
            if np.isfinite(score) and columns[i] is not np.ma.masked and rows[i] is not np.ma.masked
        ]
        if not drawn:
            raise ValueError(
                "cv_results must have candidates with x, y and a score. Received: none among "
                f"{len(candidate_scores)}."
            )
        if best_index is None:
            best_index = int(np.nanargmax(candidate_scores))
        x_keys, x_values = _sort_values([columns[i] for i in drawn])
        y_keys, y_values = _sort_values([rows[i] for i in drawn])
        cells = {
            i: (y_keys.index(_make_key(rows[i])), x_keys.index(_make_key(columns[i])))
            for i in drawn
        }
        scores = np.full((len(y_values), len(x_values)), np.nan)
        for i, cell in cells.items():
            scores[cell] = np.fmax(scores[cell], candidate_scores[i])
        x_name, y_name = (name.rpartition("__")[2] for name in (x, y))
        display = cls(
            scores=scores,
            x_values=x_values,
            y_values=y_values,
            # The path to a parameter is left out unless it tells two of one name apart.
            x_name=x if x_name == y_name else x_name,
            y_name=y if x_name == y_name else y_name,
            best_cell=cells.get(best_index),
            score_name=f"Mean test {metric.replace('_', ' ')}",
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, *, image_kwargs=None, text_kwargs=None, best_kwargs=None):
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        image_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.imshow`.
        text_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.text` for the scores in the cells.
        best_kwargs : dict, default=None
            Keyword arguments of :class:`matplotlib.patches.Rectangle` for the frame of the best
            cell.

        Returns
        -------
        GridHeatmapDisplay
            The display itself.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.image import AxesImage
        from matplotlib.patches import Rectangle

        n_rows, n_columns = self.scores.shape
        if ax is None:
            # Every cell has room for its number, and the smallest figure is matplotlib's own.
            ax = new_axes(figsize=(max(6.4, 0.6 * n_columns + 2), max(4.8, 0.4 * n_rows + 2)))
        self.ax_, self.figure_ = ax, ax.figure
        style = merge_style({"aspect": "auto"}, image_kwargs, AxesImage)
        self.image_ = ax.imshow(self.scores, **style)
        self._write_scores(text_kwargs)
        self.best_marker_ = None
        if self.best_cell is not None:
            row, column = self.best_cell
            defaults = {"fill": False, "edgecolor": "black", "linewidth": 3, "label": "best"}
            style = merge_style(defaults, best_kwargs, Rectangle)
            self.best_marker_ = ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **style))
        ax.set_xticks(range(n_columns), self.x_values)
        ax.set_yticks(range(n_rows), self.y_values)
        # Labels side by side must not run into each other.
        if sum(map(len, self.x_values)) > 40:
            ax.tick_params(axis="x", rotation=90)
        ax.set(xlabel=self.x_name, ylabel=self.y_name)
        self.colorbar_ = self.figure_.colorbar(self.image_, ax=ax, label=self.score_name)
        return self

    def _write_scores(self, given):
        from matplotlib.text import Text

        self.texts_ = []
        for (row, column), score in np.ndenumerate(self.scores):
            if np.isnan(score):
                continue
            red, green, blue, _ = self.image_.cmap(self.image_.norm(score))
            # Relative luminance of ITU-R BT.709.
            is_dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5
            defaults = {"color": "white" if is_dark else "black", "ha": "center", "va": "center"}
            style = merge_style(defaults, given, Text)
            self.texts_.append(self.ax_.text(column, row, f"{score:#.3g}", **style))


def _get_column(cv_results, prefix, name, parameter):
    if f"{prefix}{name}" not in cv_results:
        known = [key.removeprefix(prefix) for key in cv_results if key.startswith(prefix)]
        raise ValueError(
            f"{parameter} must be one of those in the search: {', '.join(known)}. Received: "
            f"{parameter}={name!r}."
        )
    column = cv_results[f"{prefix}{name}"]
    # Iterating over a masked array, unlike converting it, keeps what is masked.
    return column if isinstance(column, np.ma.MaskedArray) else np.asarray(column, dtype=object)


def _sort_values(values):
    """Return keys and labels of distinct values: numbers ascending, others as they come."""
    distinct = {_make_key(value): value for value in values}
    if all(isinstance(value, Real) for value in distinct.values()):
        distinct = dict(sorted(distinct.items()))
    labels = list(map(_describe, distinct.values()))
    if len(set(labels)) < len(labels):
        labels = list(map(str, distinct.values()))
    return list(distinct), labels


def _make_key(value):
    # Lists, dicts and architectures cannot be compared or hashed, but print what they are.
    return value if isinstance(value, Real | str) else repr(value)


def _describe(value):
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    text = " ".join(str(value).split())
    return text if len(text) <= MAX_LABEL_LENGTH else f"{text[: MAX_LABEL_LENGTH - 1]}…"
