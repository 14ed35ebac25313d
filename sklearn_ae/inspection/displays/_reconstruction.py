"""Inputs beside their reconstructions."""

import itertools
import math

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from sklearn_ae._base.sklearn_compat import _num_samples, _safe_indexing, check_matplotlib_support
from sklearn_ae.inspection.displays._checks import check_has, check_n_samples, stack_objects
from sklearn_ae.inspection.displays._drawing import merge_style, new_axes, take_place, value_range
from sklearn_ae.thresholds._unwrapping import find_innermost

# 18 images beside their reconstructions, three pairs to a row, fill a grid of 6 × 6.
SAMPLES_PER_ROW = 3


class ReconstructionDisplay:
    """Inputs beside their reconstructions.

    Images stand in pairs, three to a row, all on the scale of the inputs, so that a faint
    reconstruction is seen to be faint; rows of features are drawn as lines, each over its
    reconstruction. Create the display with :meth:`from_estimator` or :meth:`from_predictions`,
    which check their input. All parameters are stored as attributes.

    Parameters
    ----------
    X : ndarray of shape (n, height, width), (n, height, width, 1 or 3) or (n, n_features)
        Inputs, all of which are drawn.
    X_reconstructed : ndarray of the shape of X
        Their reconstructions, in the units of `X`.

    Attributes
    ----------
    axes_ : ndarray of shape (n_rows, n_columns) of matplotlib.axes.Axes
        Axes of the grid. Images: columns alternate between inputs and reconstructions. Rows of
        features: one axes a sample. Axes that are left over are invisible.
    figure_ : matplotlib.figure.Figure
        Figure with the axes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ae.inspection import ReconstructionDisplay
    >>> X = np.random.default_rng(0).uniform(size=(18, 8, 8))
    >>> display = ReconstructionDisplay.from_predictions(X, X / 2)
    >>> display.axes_.shape
    (6, 6)
    """

    def __init__(self, *, X, X_reconstructed):
        self.X = X
        self.X_reconstructed = X_reconstructed

    @classmethod
    def from_estimator(cls, estimator, X, *, n_samples=18, ax=None, **kwargs):
        """Plot inputs and their reconstructions by a fitted detector.

        Parameters
        ----------
        estimator : estimator object
            Fitted :class:`.AutoencoderAnomalyDetector`, or a frozen one, a wrapper of
            this package, a search or a pipeline around one, in any order.
            If the `input_shape_` of the detector is that of images, flat rows are drawn as images.
        X : array-like of shape (n, height, width), (n, height, width, 1 or 3) or (n, n_features)
            Inputs, as `estimator` takes them; only those drawn are reconstructed. Behind the
            transformers of a pipeline, the transformed inputs are drawn.
        n_samples : int, default=18
            How many samples to draw, from the first on; all of them if there are fewer.
        ax : matplotlib.axes.Axes, default=None
            A subplot whose place the grid takes. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        ReconstructionDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If there is no detector with a method `reconstruct` in `estimator`.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        innermost = find_innermost(estimator)
        detector = innermost.detector
        check_has(detector, "reconstruct", "for others, see from_predictions.")
        check_n_samples(n_samples)
        if innermost.transformers:
            X = innermost.transform(_safe_indexing(X, np.arange(min(n_samples, _num_samples(X)))))
        X = _take_first(X, n_samples)
        X_reconstructed = np.asarray(detector.reconstruct(X))
        X = np.asarray(X)
        if X.ndim == 2:
            X = X.reshape(-1, *detector.input_shape_)
            X_reconstructed = X_reconstructed.reshape(X.shape)
        return cls.from_predictions(X, X_reconstructed, n_samples=n_samples, ax=ax, **kwargs)

    @classmethod
    def from_predictions(cls, X, X_reconstructed, *, n_samples=18, ax=None, **kwargs):
        """Plot inputs and their reconstructions.

        Parameters
        ----------
        X : array-like of shape (n, height, width), (n, height, width, 1 or 3) or (n, n_features)
            Inputs.
        X_reconstructed : array-like of the shape of X
            Their reconstructions, in the units of `X`.
        n_samples : int, default=18
            How many samples to draw, from the first on; all of them if there are fewer.
        ax : matplotlib.axes.Axes, default=None
            A subplot whose place the grid takes. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        ReconstructionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the two shapes differ or are of another kind, or a value is no finite number.
        """
        check_consistent_length(X, X_reconstructed)
        X = _check_samples(_take_first(X, n_samples), "X")
        X_reconstructed = _take_first(X_reconstructed, n_samples, "X_reconstructed")
        X_reconstructed = _check_samples(X_reconstructed, "X_reconstructed")
        if X.shape != X_reconstructed.shape:
            raise ValueError(
                "X_reconstructed must have the shape of X. Received: samples of shape "
                f"{X_reconstructed.shape[1:]} against {X.shape[1:]} in X."
            )
        return cls(X=X, X_reconstructed=X_reconstructed).plot(ax, **kwargs)

    def plot(self, ax=None, *, image_kwargs=None, input_kwargs=None, reconstruction_kwargs=None):
        """Draw the grid.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            A subplot whose place the grid takes. If None, a new figure is made.
        image_kwargs : dict, default=None
            Images: keyword arguments of :meth:`matplotlib.axes.Axes.imshow`. `vmin` and `vmax` are
            the smallest and the largest value of `X` by default, for color images too.
        input_kwargs : dict, default=None
            Rows of features: keyword arguments of :meth:`matplotlib.axes.Axes.plot` for the inputs.
        reconstruction_kwargs : dict, default=None
            The same for the reconstructions.

        Returns
        -------
        ReconstructionDisplay
            The display itself.

        Raises
        ------
        ValueError
            If `ax` is not a subplot.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        if np.ndim(self.X) == 2:
            self._plot_lines(ax, input_kwargs, reconstruction_kwargs)
        else:
            self._plot_images(ax, image_kwargs)
        return self

    def _plot_images(self, ax, image_kwargs):
        from matplotlib.colors import Normalize
        from matplotlib.image import AxesImage

        style = merge_style({"cmap": "gray", **value_range(self.X)}, image_kwargs, AxesImage)
        # imshow reads colors on a fixed scale and ignores vmin and vmax.
        to_unit_range = Normalize(style["vmin"], style["vmax"], clip=True)
        height, width = self.X.shape[1:3]
        self._make_grid(ax, axes_per_sample=2, axes_size=(1.3, 1.3 * height / width))
        images = itertools.chain.from_iterable(zip(self.X, self.X_reconstructed, strict=True))
        for image_ax, image in zip(self.axes_.flat, images, strict=False):
            if image.ndim == 3 and image.shape[2] == 3:
                image = to_unit_range(image.astype(np.float64))
            else:
                image = image.reshape(height, width)
            image_ax.imshow(image, **style)
            image_ax.set_axis_on()
            image_ax.set(xticks=[], yticks=[])
        for image_ax, title in zip(self.axes_[0], itertools.cycle(["input", "reconstruction"])):
            image_ax.set_title(title, fontsize="small")

    def _plot_lines(self, ax, input_kwargs, reconstruction_kwargs):
        from matplotlib.lines import Line2D

        # A line through a single feature would be invisible.
        marker = {"marker": "o" if self.X.shape[1] == 1 else ""}
        input_style = merge_style({"label": "input", **marker}, input_kwargs, Line2D)
        defaults = {"label": "reconstruction", "linestyle": "--", **marker}
        reconstruction_style = merge_style(defaults, reconstruction_kwargs, Line2D)
        self._make_grid(ax, axes_per_sample=1, axes_size=(2.6, 1.3))
        features = np.arange(self.X.shape[1])
        for line_ax, x, x_reconstructed in zip(
            self.axes_.flat, self.X, self.X_reconstructed, strict=False
        ):
            line_ax.set_axis_on()
            line_ax.plot(features, x, **input_style)
            line_ax.plot(features, x_reconstructed, **reconstruction_style)
        used = self.axes_.flat[: len(self.X)]
        for lowest_of_column in used[-SAMPLES_PER_ROW:]:
            lowest_of_column.set_xlabel("Feature")
            # Shared axes label the last row alone, where axes may be left over.
            lowest_of_column.tick_params(labelbottom=True)
        # Above its axes and no wider, to cover no line and to leave the columns equally wide.
        used[0].legend(
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=2,
            fontsize="small",
            frameon=False,
            borderaxespad=0,
            columnspacing=1,
            handlelength=1.5,
        )

    def _make_grid(self, ax, *, axes_per_sample, axes_size):
        """Set `figure_` and `axes_`, a grid of invisible axes in the place of `ax`."""
        n_samples = len(self.X)
        n_rows = math.ceil(n_samples / SAMPLES_PER_ROW)
        n_columns = min(n_samples, SAMPLES_PER_ROW) * axes_per_sample
        if ax is None:
            width, height = axes_size
            # 0.4 inches for the titles or the legend.
            ax = new_axes(figsize=(width * n_columns, height * n_rows + 0.4))
        grid = take_place(ax).subgridspec(n_rows, n_columns)
        self.figure_ = ax.figure
        self.axes_ = grid.subplots(squeeze=False, sharex=True, sharey=True)
        for grid_ax in self.axes_.flat:
            grid_ax.set_axis_off()


def _take_first(X, n_samples, name="X"):
    check_n_samples(n_samples)
    return stack_objects(X[:n_samples], name)


def _check_samples(X, name):
    X = check_array(X, allow_nd=True, ensure_2d=False, ensure_min_samples=0, input_name=name)
    is_image = X.ndim == 3 or (X.ndim == 4 and X.shape[3] in (1, 3))
    if X.size == 0 or not (X.ndim == 2 or is_image):
        raise ValueError(
            f"{name} must be rows (n, n_features), or images (n, height, width) or (n, height, "
            "width, channels) of 1 or 3 channels, at least one. Of more channels, pass those to "
            f"show: X[..., :3] or X[..., 0]. Received: an array of shape {X.shape}."
        )
    return X
