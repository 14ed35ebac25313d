"""Checks of anomaly maps and masks, which come as one array or as a list of images."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_array

from sklearn_ae._base.checks import check_not_masked


def check_maps(maps, region_of_interest=None):
    """Return maps one by one, and a region of interest for each.

    Parameters
    ----------
    maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        A list may hold maps of different sizes, and none at all.
    region_of_interest : array-like of shape (height, width) or (n, height, width), or list of \
            arrays of shape (height, width), default=None
        One mask for all maps, or one for each. If None, all pixels count.

    Returns
    -------
    maps : list of ndarray of shape (height, width), float32 or float64
        Views of what is float32 or float64 already. Finite in the regions of interest, and
        anything outside of them.
    regions : list of (ndarray of shape (height, width), bool, or None)
        None for a map of which all pixels count.

    Raises
    ------
    ValueError
        If there is a map without two dimensions or pixels; if a region of interest is not of the
        shape of its map, has another value than 0 and 1, or is empty; if a pixel that counts is no
        finite number.
    """
    numbers = {"dtype": [np.float64, np.float32], "allow_nd": True, "ensure_2d": False}
    numbers |= {"ensure_min_samples": 0, "ensure_all_finite": False}
    maps = [
        check_array(one_map, input_name=f"maps[{i}]", **numbers)
        for i, one_map in enumerate(split_images(maps, "maps"))
    ]
    for i, one_map in enumerate(maps):
        if one_map.ndim != 2 or one_map.size == 0:
            raise ValueError(_describe_images("maps", f"maps[{i}] of shape {one_map.shape}"))
    regions = _check_region_of_interest(region_of_interest, maps)
    for i, (one_map, region) in enumerate(zip(maps, regions, strict=True)):
        _check_is_finite(one_map if region is None else one_map[region], f"maps[{i}]")
    return maps, regions


def check_masks(masks, maps, name="masks"):
    """Return masks one by one, each of the shape of its map.

    Parameters
    ----------
    masks : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Booleans, or integers of 0 and 1.
    maps : list of ndarray of shape (height, width)
        What the masks belong to.
    name : str, default="masks"
        Name of the masks in errors.

    Returns
    -------
    masks : list of ndarray of shape (height, width), bool

    Raises
    ------
    ValueError
        If there is not one mask of the right shape for each map, or a value is neither 0 nor 1.
    """
    masks = split_masks(masks, len(maps), name)
    return [
        _check_mask(mask, one_map.shape, f"{name}[{i}]")
        for i, (mask, one_map) in enumerate(zip(masks, maps, strict=True))
    ]


def split_masks(masks, n_images, name="masks"):
    """Return masks one by one, not looked into yet.

    Parameters
    ----------
    masks : array-like of shape (n, height, width), or list of arrays of shape (height, width)
    n_images : int
        What n must be.
    name : str, default="masks"
        Name of the masks in errors.

    Returns
    -------
    masks : list of array-like

    Raises
    ------
    ValueError
        If there is not one mask for each image.
    """
    masks = split_images(masks, name)
    if len(masks) != n_images:
        raise ValueError(
            f"{name} must have one mask for each image. Received: {len(masks)} masks and "
            f"{n_images} images."
        )
    return masks


def split_images(images, name):
    """Return one array, or a list, as a list of what shall be maps or masks.

    Parameters
    ----------
    images : object
    name : str
        Their name in errors.

    Returns
    -------
    images : list
        Views, if `images` are an array.

    Raises
    ------
    ValueError
        If `images` are neither an array of three dimensions nor a list.
    """
    check_not_masked(images, name)
    # Nested lists of numbers are read one image at a time, as a list of arrays is.
    if not (hasattr(images, "ndim") or isinstance(images, list | tuple)):
        raise ValueError(_describe_images(name, f"{name} of type {type(images).__name__}"))
    if is_one_array(images) and images.ndim != 3:
        raise ValueError(_describe_images(name, f"an array of shape {images.shape}"))
    return list(images)


def is_one_array(images):
    """Return whether images come as one array, and not as a list of them.

    Parameters
    ----------
    images : object

    Returns
    -------
    is_array : bool
    """
    # An array of objects holds images of different sizes.
    dtype = getattr(images, "dtype", None)
    return hasattr(images, "ndim") and getattr(dtype, "kind", None) != "O"


def check_map_threshold(threshold):
    """Return a threshold of maps, or raise a ValueError unless it is a finite number.

    Parameters
    ----------
    threshold : object

    Returns
    -------
    threshold : float64
        Not a Python float, which would be rounded to the type of the map that it is compared with.
    """
    if not (isinstance(threshold, Real) and np.isfinite(threshold)):
        raise ValueError(
            "threshold must be a finite number in the units of maps, such as "
            f"sklearn_ae.maps.calibrate gives. Received: threshold={threshold!r}."
        )
    return np.float64(threshold)


def check_region(region, shape):
    """Return the region of interest of images of one size.

    Parameters
    ----------
    region : array-like of shape (height, width)
        Booleans, or integers of 0 and 1.
    shape : tuple of int
        ``(height, width)`` of the images.

    Returns
    -------
    region : ndarray of shape (height, width), bool
        A copy.

    Raises
    ------
    ValueError
        If it is of another shape, has another value than 0 and 1, or is empty.
    """
    name = "region_of_interest"
    if np.ndim(region) != 2:
        raise ValueError(
            f"{name} must be one mask of shape (height, width) for all images. Received: {name} "
            f"of shape {np.shape(region)}."
        )
    region = _check_mask(region, shape, name, "the images").copy()
    if not region.any():
        raise ValueError(
            f"{name} must be True at one pixel at least: nothing else is looked at. Received: a "
            "mask that is False everywhere."
        )
    return region


def check_min_area(min_area):
    """Raise a ValueError unless the number of pixels of a region is a positive integer.

    Parameters
    ----------
    min_area : object
    """
    if not (isinstance(min_area, Integral) and min_area >= 1):
        raise ValueError(
            "min_area must be a positive integer, the number of pixels that a region has at least. "
            f"Received: min_area={min_area!r}."
        )


def _check_region_of_interest(region_of_interest, maps):
    name = "region_of_interest"
    if region_of_interest is None:
        return [None] * len(maps)
    if _is_one_mask(region_of_interest):
        regions = [_check_mask(region_of_interest, one_map.shape, name) for one_map in maps]
    else:
        regions = check_masks(region_of_interest, maps, name)
    if not all(region.any() for region in regions):
        raise ValueError(
            f"{name} must be True at one pixel of each image at least: nothing else is looked at. "
            "Leave images without such a pixel out. Received: a mask that is False everywhere."
        )
    return regions


def _is_one_mask(images):
    if is_one_array(images):
        return images.ndim == 2
    # One mask may be a list of rows.
    return isinstance(images, list | tuple) and len(images) > 0 and np.ndim(images[0]) == 1


def _check_is_finite(values, name):
    n_others = values.size - np.count_nonzero(np.isfinite(values))
    if n_others:
        raise ValueError(
            "maps must be finite: give a pixel without a meaning a number or, where it can be "
            f"given, leave it out with region_of_interest. Received: {name} with {n_others} pixels "
            f"of NaN or infinity among {values.size}."
        )


def _check_mask(mask, shape, name, what="its map"):
    mask = np.asarray(mask)
    if mask.shape != shape:
        raise ValueError(
            f"{name} must have the shape of {what}, {shape}. Received: {name} of shape "
            f"{mask.shape}."
        )
    if mask.dtype == bool:
        return mask
    received = f"dtype {mask.dtype}"
    if mask.dtype.kind in ("i", "u"):
        if mask.min() >= 0 and mask.max() <= 1:
            return mask.astype(bool)
        received = f"values from {mask.min()} to {mask.max()}"
    raise ValueError(
        f"{name} must be booleans, or integers of 0 and 1: compare it first, as in mask > 0. "
        f"Received: {name} of {received}."
    )


def _describe_images(name, received):
    return (
        f"{name} must be an array of shape (n, height, width) or, for images of different sizes, a "
        "list of arrays of shape (height, width), none of them 0. One image goes into a list: "
        f"[image]. Received: {received}."
    )
