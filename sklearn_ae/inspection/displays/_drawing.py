"""What several displays do with matplotlib."""

import numpy as np

# Blue and vermilion of Okabe and Ito's palette, distinct in every kind of color vision:
# https://jfly.uni-koeln.de/color/
NORMAL_COLOR = "#0072B2"
ANOMALY_COLOR = "#D55E00"


def merge_style(defaults, given, artist_class):
    """Put a user's keyword arguments above the defaults, under their full names.

    Parameters
    ----------
    defaults : dict
        Keyword arguments of a drawing method of matplotlib.
    given : dict or None
        Those of the user, in which `c` may stand for `color`, `ls` for `linestyle`, and so on.
    artist_class : subclass of matplotlib.artist.Artist
        The artist whose short names these are.

    Returns
    -------
    keyword_arguments : dict
    """
    from matplotlib.cbook import normalize_kwargs

    return {**defaults, **normalize_kwargs(given, artist_class)}


def new_axes(**figure_kwargs):
    """Make a figure with one axes, whose labels are never cut off.

    Parameters
    ----------
    **figure_kwargs : dict
        Keyword arguments of :func:`matplotlib.pyplot.figure`.

    Returns
    -------
    ax : matplotlib.axes.Axes
    """
    import matplotlib.pyplot as plt

    return plt.figure(layout="constrained", **figure_kwargs).subplots()


def take_place(ax):
    """Hide a subplot, for a grid of axes to take its place.

    Parameters
    ----------
    ax : matplotlib.axes.Axes

    Returns
    -------
    place : matplotlib.gridspec.SubplotSpec

    Raises
    ------
    ValueError
        If `ax` is not a subplot.
    """
    if ax.get_subplotspec() is None:
        raise ValueError(
            "ax must be a subplot, as plt.subplots makes them, for the grid to take its place. "
            f"Received: ax={ax!r}."
        )
    ax.set_axis_off()
    return ax.get_subplotspec()


def value_range(images):
    """Find the scale of images or maps that are drawn together.

    Parameters
    ----------
    images : array-like, or list of array-like
        Numbers; in a list, of any shapes.

    Returns
    -------
    limits : dict
        `vmin` and `vmax`: the smallest value and the largest one, as floats.
    """
    low = min(float(np.min(image)) for image in images)
    high = max(float(np.max(image)) for image in images)
    # Of constant images, other values must still look different.
    return {"vmin": low, "vmax": high if high > low else low + 1}
