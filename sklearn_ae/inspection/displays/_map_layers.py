"""The layers of AnomalyMapDisplay: an image, the map over it, outlines and boxes."""

import numpy as np

# Of the palette that the other displays' colors are from, sky blue and bluish green: both are seen
# on dark and on bright images, and on the colors of the maps.
MASK_COLOR = "#56B4E9"
BOX_COLOR = "#009E73"


def make_color_map():
    """Return colors from a transparent to an opaque one, so that normal pixels are seen.

    Returns
    -------
    color_map : matplotlib.colors.ListedColormap
    """
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap

    colors = mpl.colormaps["YlOrRd"](np.linspace(0, 1, 256))
    # The worst pixels of the image are still seen.
    colors[:, 3] = np.linspace(0, 0.9, 256)
    return ListedColormap(colors, name="anomaly map")


def draw_image(ax, image, style):
    """Draw an image, gray or in colors, on the scale that the style has.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    image : ndarray of shape (height, width) or (height, width, 1 or 3)
    style : dict
        Keyword arguments of :meth:`matplotlib.axes.Axes.imshow`, `vmin` and `vmax` among them.
    """
    from matplotlib.colors import Normalize

    if image.ndim == 3 and image.shape[2] == 3:
        # imshow reads colors on a fixed scale and ignores vmin and vmax.
        to_unit_range = Normalize(style["vmin"], style["vmax"], clip=True)
        image = to_unit_range(image.astype(np.float64))
    else:
        image = image.reshape(image.shape[:2])
    ax.imshow(image, **style)


def draw_outline(ax, mask, style):
    """Draw a line around the pixels of a mask.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    mask : ndarray of shape (height, width), bool
    style : dict
        Keyword arguments of :meth:`matplotlib.axes.Axes.contour`.
    """
    # matplotlib warns of a contour that is nowhere.
    if not mask.any():
        return
    limits = {"xlim": ax.get_xlim(), "ylim": ax.get_ylim()}
    # A margin, for the outline of what touches the image's border to be closed.
    height, width = mask.shape
    rows, columns = np.arange(-1, height + 1), np.arange(-1, width + 1)
    ax.contour(columns, rows, np.pad(mask, 1).astype(float), levels=[0.5], **style)
    ax.set(**limits)


def make_outline_key(style, label):
    """Return a line for the legend, in the style of the outlines.

    Parameters
    ----------
    style : dict
        Keyword arguments of :meth:`matplotlib.axes.Axes.contour`, `colors` and `linewidths` among
        them.
    label : str

    Returns
    -------
    line : matplotlib.lines.Line2D
    """
    from matplotlib.lines import Line2D

    color, width = (np.atleast_1d(style[name])[0] for name in ("colors", "linewidths"))
    return Line2D([], [], color=color, linewidth=width, label=label)


def make_rectangle(box, style):
    """Return the rectangle around the pixels of a box.

    Parameters
    ----------
    box : tuple of int
        ``(top, left, bottom, right)``, the latter two one beyond the last row and column.
    style : dict
        Keyword arguments of :class:`matplotlib.patches.Rectangle`.

    Returns
    -------
    rectangle : matplotlib.patches.Rectangle
    """
    from matplotlib.patches import Rectangle

    top, left, bottom, right = box
    # A pixel reaches from half a unit before its index to half a unit beyond.
    return Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, **style)
