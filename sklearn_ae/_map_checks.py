"""Checks of anomaly maps, masks and images that may come as one array or as a list."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_array


def check_maps(maps, name="maps"):
    """Return maps one by one.

    Parameters
    ----------
    maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        A list may hold maps of different sizes.
    name : str, default="maps"
        Name of the maps in errors.

    Returns
    -------
    maps : list of ndarray of shape (height, width), float32 or float64
        Views of what is float32 or float64 already.

    Raises
    ------
    ValueError
        If there is a map without two dimensions or pixels, or a value is no finite number.
    """
    floats = {"dtype": [np.float64, np.float32], "allow_nd": True, "ensure_2d": False}
    floats |= {"ensure_min_samples": 0}
    if is_one_array(maps):
        maps = check_array(maps, input_name=name, **floats)
        if maps.ndim != 3:
            raise ValueError(_describe_maps(name, f"an array of shape {maps.shape}"))
        maps = list(maps)
    else:
        _check_is_list(maps, name)
        maps = [check_array(m, input_name=f"{name}[{i}]", **floats) for i, m in enumerate(maps)]
    for i, one_map in enumerate(maps):
        if one_map.ndim != 2 or one_map.size == 0:
            raise ValueError(_describe_maps(name, f"{name}[{i}] of shape {one_map.shape}"))
    return maps


def check_masks(masks, maps, name):
    """Return masks one by one, each of the shape of its map.

    Parameters
    ----------
    masks : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Booleans, or integers of 0 and 1.
    maps : list of ndarray of shape (height, width)
        What the masks belong to.
    name : str
        Name of the masks in errors.

    Returns
    -------
    masks : list of ndarray of shape (height, width), bool

    Raises
    ------
    ValueError
        If there is not one mask of the right shape for each map, or a value is neither 0 nor 1.
    """
    if not is_one_array(masks):
        _check_is_list(masks, name)
    if len(masks) != len(maps):
        raise ValueError(
            f"{name} must have one mask for each map. Received: {len(masks)} masks and "
            f"{len(maps)} maps."
        )
    return [
        _check_mask(mask, one_map, f"{name}[{i}]")
        for i, (mask, one_map) in enumerate(zip(masks, maps, strict=True))
    ]


def check_region_of_interest(region_of_interest, maps):
    """Return a region of interest for each map.

    Parameters
    ----------
    region_of_interest : array-like of shape (height, width) or (n, height, width), list of arrays \
            of shape (height, width), or None
        One mask for all maps, or one for each.
    maps : list of ndarray of shape (height, width)

    Returns
    -------
    regions : list of (ndarray of shape (height, width), bool, or None)

    Raises
    ------
    ValueError
        If a mask is not of the shape of its map, has another value than 0 and 1, or is empty.
    """
    name = "region_of_interest"
    if region_of_interest is None:
        return [None] * len(maps)
    n_dimensions = getattr(region_of_interest, "ndim", None)
    if n_dimensions is None and len(region_of_interest):
        n_dimensions = 1 + np.ndim(region_of_interest[0])
    if n_dimensions == 2:
        regions = [_check_mask(region_of_interest, one_map, name) for one_map in maps]
    else:
        regions = check_masks(region_of_interest, maps, name)
    for region in regions:
        if not region.any():
            raise ValueError(
                f"{name} must be True at one pixel of each image at least: nothing else is looked "
                "at. Received: a mask that is False everywhere."
            )
    return regions


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


def _check_is_list(images, name):
    # Nested lists of numbers are read one image at a time, as a list of arrays is.
    if not (isinstance(images, list | tuple) or hasattr(images, "ndim")):
        raise ValueError(_describe_maps(name, f"{name} of type {type(images).__name__}"))


def _check_mask(mask, one_map, name):
    mask = np.asarray(mask)
    if mask.shape != one_map.shape:
        raise ValueError(
            f"{name} must have the shape of its map, {one_map.shape}. Received: {name} of shape "
            f"{mask.shape}."
        )
    if mask.dtype.kind not in ("b", "i", "u") or not np.isin(mask, (0, 1)).all():
        raise ValueError(
            f"{name} must be booleans, or integers of 0 and 1: compare it first, as in mask > 0. "
            f"Received: {name} of dtype {mask.dtype} with values from {mask.min()} to {mask.max()}."
        )
    return mask.astype(bool, copy=False)


def _describe_maps(name, received):
    return (
        f"{name} must be an array of shape (n, height, width) or, for images of different sizes, a "
        "list of arrays of shape (height, width), none of them 0. One image goes into a list: "
        f"[image]. Received: {received}."
    )
