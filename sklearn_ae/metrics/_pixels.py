"""Pixels of maps and masks as samples, with the defects that they belong to."""

from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from sklearn_ae.maps._checks import check_maps, check_masks

# Pixels that touch at a corner are connected, as in the evaluation code of MVTec AD.
_NEIGHBORS = np.ones((3, 3), dtype=int)


class Pixels(NamedTuple):
    """The pixels that count, of one image or of all.

    Parameters
    ----------
    values : ndarray of shape (n_pixels,), float32 or float64
        The map.
    labels : ndarray of shape (n_pixels,), int
        Number of the defect that a pixel belongs to, from 1, or 0 for a normal pixel.
    areas : ndarray of shape (n_defects,), int
        Number of pixels of each defect.
    """

    values: np.ndarray
    labels: np.ndarray
    areas: np.ndarray

    def weigh_defects_equally(self):
        """Return weights by which each defect counts 1, and each normal pixel.

        Returns
        -------
        weights : ndarray of shape (n_pixels,), float64
        """
        return 1 / np.concatenate([[1], self.areas])[self.labels]


def pixels_by_image(masks, maps, region_of_interest):
    """Check maps and masks, all of them first, and return the pixels of one image after another.

    Parameters
    ----------
    masks : array-like of shape (n, height, width), or list of arrays of shape (height, width)
    maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
    region_of_interest : array-like of shape (height, width) or (n, height, width), list of arrays \
            of shape (height, width), or None

    Returns
    -------
    pixels : iterator of Pixels

    Raises
    ------
    ValueError
        If they are not what the metrics take.
    """
    maps, regions = check_maps(maps, region_of_interest)
    if not maps:
        raise ValueError("maps must hold one image at least. Received: no image.")
    masks = check_masks(masks, maps)
    return map(_read_pixels, masks, maps, regions)


def all_pixels(masks, maps, region_of_interest, *, metric):
    """Return the pixels of all images, among which there are defects.

    Parameters
    ----------
    masks, maps, region_of_interest : array-like or list of arrays
        As in :func:`pixels_by_image`.
    metric : str
        What needs defects, for the error.

    Returns
    -------
    pixels : Pixels

    Raises
    ------
    ValueError
        If there is no defect, or they are not what the metrics take.
    """
    images = list(pixels_by_image(masks, maps, region_of_interest))
    n_earlier = 0
    for image in images:
        image.labels[image.labels > 0] += n_earlier
        n_earlier += len(image.areas)
    pixels = Pixels(*(np.concatenate(parts) for parts in zip(*images, strict=True)))
    check_has_defects(pixels.areas.sum(), len(pixels.values), metric)
    return pixels


def check_has_defects(n_defect_pixels, n_pixels, metric):
    """Raise a ValueError if there is no defect.

    Parameters
    ----------
    n_defect_pixels, n_pixels : int
    metric : str
        What needs them, for the error.
    """
    if n_defect_pixels == 0:
        raise ValueError(
            f"masks must mark a defect in one image at least: with none, {metric} is undefined. "
            f"Received: empty masks, with 0 defect pixels among the {n_pixels} that count."
        )


def check_has_normals(n_defect_pixels, n_pixels, metric):
    """Raise a ValueError if there is no normal pixel.

    Parameters
    ----------
    n_defect_pixels, n_pixels : int
    metric : str
        What needs them, for the error.
    """
    if n_defect_pixels == n_pixels:
        raise ValueError(
            f"masks must leave normal pixels: with none, {metric} is undefined. Received: masks "
            f"that mark all of the {n_pixels} pixels that count."
        )


def check_max_false_positive_rate(rate):
    """Raise a ValueError unless the rate is a number in (0, 1].

    Parameters
    ----------
    rate : object
    """
    if not (isinstance(rate, Real) and 0 < rate <= 1):
        raise ValueError(
            "max_false_positive_rate must be a number in (0, 1]. Received: "
            f"max_false_positive_rate={rate!r}."
        )


def just_below(value):
    """Return a threshold that a value is above, be it compared as float32 or as float64.

    Parameters
    ----------
    value : float

    Returns
    -------
    threshold : float
    """
    with np.errstate(over="ignore"):
        below = np.nextafter(np.float32(value), np.float32(-np.inf))
    return float(below if np.isfinite(below) else np.nextafter(value, -np.inf))


def _read_pixels(mask, one_map, region):
    # What lies outside of the region does not even connect: as if the image ended there.
    labels, _ = ndimage.label(mask if region is None else mask & region, _NEIGHBORS)
    areas = np.bincount(labels.ravel())[1:]
    if region is None:
        return Pixels(one_map.ravel(), labels.ravel(), areas)
    return Pixels(one_map[region], labels[region], areas)
