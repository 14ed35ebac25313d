"""Images under their anomaly maps."""

import numpy as np
from sklearn.utils import check_consistent_length

from sklearn_ae._base.sklearn_compat import _num_samples, _safe_indexing, check_matplotlib_support
from sklearn_ae.inspection.displays._checks import check_has, check_n_samples, check_vector
from sklearn_ae.inspection.displays._drawing import merge_style, new_axes, take_place, value_range
from sklearn_ae.inspection.displays._map_inputs import (
    check_boxes,
    collect_images,
    find_worst,
    fold_rows,
    take_masks,
)
from sklearn_ae.inspection.displays._map_layers import (
    BOX_COLOR,
    MASK_COLOR,
    draw_image,
    draw_outline,
    make_color_map,
    make_outline_key,
    make_rectangle,
)
from sklearn_ae.maps import regions, smooth
from sklearn_ae.maps._checks import check_maps
from sklearn_ae.thresholds._unwrapping import find_innermost

IMAGES_PER_ROW = 4


class AnomalyMapDisplay:
    """Images under their anomaly maps, the worst first.

    Each map lies over its image, the more opaque the higher its values are. Defects that are known
    are encircled, and what is above a threshold is boxed. Create the display with
    :meth:`from_estimator` or :meth:`from_maps`, which check their input. All parameters are stored
    as attributes.

    Parameters
    ----------
    X : list of ndarray of shape (height, width) or (height, width, 1 or 3)
        Images, all of which are drawn, in this order.
    maps : list of ndarray of shape (height, width)
        Their anomaly maps.
    indices : ndarray of shape (n,), int
        Numbers of the images in the titles.
    anomaly_scores : ndarray of shape (n,), default=None
        Scores in the titles; higher is more abnormal. If None, the largest value of each map.
    masks : list of ndarray of shape (height, width), bool, default=None
        Which pixels are defects. If None, none are encircled.
    threshold : float, default=None
        Value of maps above which regions are boxed. If None, none are.
    min_area : int, default=1
        Number of pixels that a boxed region has at least.

    Attributes
    ----------
    axes_ : ndarray of shape (n_rows, n_columns) of matplotlib.axes.Axes
        Axes of the grid. Those that are left over are invisible.
    colorbar_ : matplotlib.colorbar.Colorbar
        What the colors of all maps mean, with a line at the threshold.
    regions_ : list of list of Region or None
        What is boxed in each image: :func:`sklearn_ae.maps.regions`.
    figure_ : matplotlib.figure.Figure
        Figure with the axes.

    See Also
    --------
    sklearn_ae.maps.calibrate : A threshold with a stated rate of false alarms.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ae.inspection import AnomalyMapDisplay
    >>> images = np.random.default_rng(0).uniform(size=(3, 8, 8))
    >>> maps = np.zeros((3, 8, 8))
    >>> maps[1, 2:4, 2:5] = 0.7
    >>> display = AnomalyMapDisplay.from_maps(images, maps, threshold=0.5)
    >>> display.indices
    array([1, 0, 2])
    >>> [region.box for region in display.regions_[0]]
    [(2, 2, 4, 5)]
    """

    def __init__(
        self, *, X, maps, indices, anomaly_scores=None, masks=None, threshold=None, min_area=1
    ):
        self.X = X
        self.maps = maps
        self.indices = indices
        self.anomaly_scores = anomaly_scores
        self.masks = masks
        self.threshold = threshold
        self.min_area = min_area

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        sigma=None,
        masks=None,
        threshold=None,
        min_area=1,
        n_samples=12,
        ax=None,
        **kwargs,
    ):
        """Plot the images that a fitted detector finds most abnormal, and where.

        Parameters
        ----------
        estimator : estimator object
            Fitted :class:`.AutoencoderAnomalyDetector`, or a frozen one, a wrapper of
            this package, a search or a pipeline around one, in any order.
            A detector of images.
        X : array-like of shape (n, height, width), (n, height, width, 1 or 3) or (n, n_features), \
                or list of arrays of shape (height, width) or (height, width, 1 or 3)
            Images, as `estimator` takes them. All of them are scored; maps are computed of those
            that are drawn. Flat rows are drawn as images of the detector's `input_shape_`, and
            behind the transformers of a pipeline, the transformed images are drawn.
        sigma : float, default=None
            If given, maps are smoothed with it by :func:`sklearn_ae.maps.smooth`, as those that
            `threshold` was found with.
        masks : array-like of shape (n, height, width), or list of arrays of shape (height, \
                width), default=None
            Which pixels are defects, True or 1: they are encircled.
        threshold : float, default=None
            Value of maps above which regions are boxed, such as :func:`sklearn_ae.maps.calibrate`
            gives.
        min_area : int, default=1
            Number of pixels that a boxed region has at least.
        n_samples : int, default=12
            How many images to draw; all of them if there are fewer.
        ax : matplotlib.axes.Axes, default=None
            A subplot whose place the grid takes. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        AnomalyMapDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If there is no detector with `anomaly_map` and `score_samples` in `estimator`.
        ValueError
            If X are no images.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        innermost = find_innermost(estimator)
        detector = innermost.detector
        for method in ("anomaly_map", "score_samples"):
            check_has(detector, method, "for others, see AnomalyMapDisplay.from_maps.")
        check_n_samples(n_samples)
        boxes = check_boxes(threshold, min_area)
        X = innermost.transform(X)
        anomaly_scores = -detector.score_samples(X)
        worst = find_worst(anomaly_scores, n_samples)
        masks = take_masks(masks, worst, _num_samples(X))
        X = _safe_indexing(X, worst)
        maps = detector.anomaly_map(X)
        # Of flat rows, these are flat too.
        if getattr(maps, "ndim", 3) == 2:
            X, maps = fold_rows(np.asarray(X), maps, detector.input_shape_)
        display = cls(
            **collect_images(X, maps if sigma is None else smooth(maps, sigma=sigma), masks, worst),
            **boxes,
            anomaly_scores=anomaly_scores[worst],
        )
        return display.plot(ax, **kwargs)

    @classmethod
    def from_maps(
        cls,
        X,
        maps,
        *,
        anomaly_scores=None,
        masks=None,
        threshold=None,
        min_area=1,
        n_samples=12,
        ax=None,
        **kwargs,
    ):
        """Plot the most abnormal images under their maps.

        Parameters
        ----------
        X : array-like of shape (n, height, width) or (n, height, width, 1 or 3), or list of \
                arrays of shape (height, width) or (height, width, 1 or 3)
            Images.
        maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
            Their anomaly maps; higher is more abnormal.
        anomaly_scores : array-like of shape (n,), default=None
            Scores; higher is more abnormal: minus what `score_samples` returns. If None, the
            largest value of each map.
        masks : array-like of shape (n, height, width), or list of arrays of shape (height, \
                width), default=None
            Which pixels are defects, True or 1: they are encircled.
        threshold : float, default=None
            Value of maps above which regions are boxed, such as :func:`sklearn_ae.maps.calibrate`
            gives.
        min_area : int, default=1
            Number of pixels that a boxed region has at least.
        n_samples : int, default=12
            How many images to draw; all of them if there are fewer.
        ax : matplotlib.axes.Axes, default=None
            A subplot whose place the grid takes. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        AnomalyMapDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there is no image, or a map, mask or score does not belong to one, or a value is no
            finite number.
        """
        check_n_samples(n_samples)
        maps, _ = check_maps(maps)
        check_consistent_length(X, maps, anomaly_scores)
        if anomaly_scores is None:
            worst = find_worst([one_map.max() for one_map in maps], n_samples)
        else:
            anomaly_scores = check_vector(anomaly_scores, "anomaly_scores")
            worst = find_worst(anomaly_scores, n_samples)
            anomaly_scores = anomaly_scores[worst]
        masks = take_masks(masks, worst, len(maps))
        display = cls(
            **collect_images([X[i] for i in worst], [maps[i] for i in worst], masks, worst),
            **check_boxes(threshold, min_area),
            anomaly_scores=anomaly_scores,
        )
        return display.plot(ax, **kwargs)

    def plot(
        self, ax=None, *, image_kwargs=None, map_kwargs=None, mask_kwargs=None, box_kwargs=None
    ):
        """Draw the grid.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            A subplot whose place the grid takes. If None, a new figure is made.
        image_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.imshow` for the images. `vmin` and
            `vmax` are the smallest and the largest value of `X` by default, for color images too.
        map_kwargs : dict, default=None
            The same for the maps. `vmin` and `vmax` are the smallest and the largest value of
            `maps` by default, and `cmap` goes from a transparent to an opaque color. With another
            one, such as ``cmap="viridis"``, pass `alpha` too.
        mask_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.contour` for the outlines of `masks`.
        box_kwargs : dict, default=None
            Keyword arguments of :class:`matplotlib.patches.Rectangle` for the boxes.

        Returns
        -------
        AnomalyMapDisplay
            The display itself.

        Raises
        ------
        ValueError
            If `ax` is not a subplot.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.image import AxesImage

        image_style = merge_style({"cmap": "gray", **value_range(self.X)}, image_kwargs, AxesImage)
        defaults = {"cmap": make_color_map(), **value_range(self.maps)}
        map_style = merge_style(defaults, map_kwargs, AxesImage)
        legend_ax = self._make_grid(ax)
        for i, image_ax in enumerate(self.axes_.flat[: len(self.X)]):
            draw_image(image_ax, self.X[i], image_style)
            drawn_map = image_ax.imshow(self.maps[i], **map_style)
            image_ax.set_axis_on()
            image_ax.set(xticks=[], yticks=[])
            image_ax.set_title(self._make_title(i), fontsize="small")
        self.colorbar_ = self.figure_.colorbar(drawn_map, ax=self.axes_, label="Anomaly map")
        handles = [*self._encircle(mask_kwargs), *self._box(box_kwargs)]
        if handles:
            n_columns = 1 if self.axes_.shape[1] < 3 else 2
            legend_ax.legend(
                handles=handles, loc="center", ncols=n_columns, fontsize="small", frameon=False
            )
        return self

    def _make_grid(self, ax):
        """Set `figure_` and `axes_`, invisible ones in the place of `ax`; return the legend's."""
        n_columns = min(len(self.X), IMAGES_PER_ROW)
        ratios = [height / width for height, width in map(np.shape, self.maps)]
        # Inches of a row: its highest image, of at most twice its width, and the titles.
        heights = [
            1.6 * min(2, max(ratios[start : start + n_columns])) + 0.4
            for start in range(0, len(ratios), n_columns)
        ]
        # Of the legend, two lines at most.
        below = 0.01 if self.masks is None and self.threshold is None else 0.45
        if ax is None:
            # An inch for the color bar.
            ax = new_axes(figsize=(1.7 * n_columns + 1, sum(heights) + below))
        self.figure_ = ax.figure
        images, legend = take_place(ax).subgridspec(2, 1, height_ratios=[sum(heights), below])
        grid = images.subgridspec(len(heights), n_columns, height_ratios=heights)
        self.axes_ = grid.subplots(squeeze=False)
        legend_ax = self.figure_.add_subplot(legend)
        for hidden_ax in [*self.axes_.flat, legend_ax]:
            hidden_ax.set_axis_off()
        return legend_ax

    def _make_title(self, i):
        if self.anomaly_scores is None:
            return f"image {self.indices[i]}\nmax {np.max(self.maps[i]):.4g}"
        return f"image {self.indices[i]}\nscore {self.anomaly_scores[i]:.4g}"

    def _encircle(self, given):
        """Draw the outlines of the masks; return what stands for them in the legend."""
        if self.masks is None:
            return []
        style = {"colors": MASK_COLOR, "linewidths": 1.5, **(given or {})}
        for image_ax, mask in zip(self.axes_.flat, self.masks, strict=False):
            draw_outline(image_ax, mask, style)
        return [make_outline_key(style, "defect (mask)")]

    def _box(self, given):
        """Set `regions_` and draw their boxes; return what stands for them in the legend."""
        from matplotlib.patches import Rectangle

        self.regions_ = None
        if self.threshold is None:
            return []
        self.regions_ = regions(self.maps, self.threshold, min_area=self.min_area)
        label = f"region above {self.threshold:.4g}"
        defaults = {"edgecolor": BOX_COLOR, "fill": False, "linewidth": 1.5, "label": label}
        style = merge_style(defaults, given, Rectangle)
        for image_ax, found in zip(self.axes_.flat, self.regions_, strict=False):
            for region in found:
                image_ax.add_patch(make_rectangle(region.box, style))
        low, high = self.colorbar_.mappable.get_clim()
        if low <= self.threshold <= high:
            self.colorbar_.ax.axhline(self.threshold, color=BOX_COLOR, linewidth=1.5)
        return [Rectangle((0, 0), 1, 1, **style)]
