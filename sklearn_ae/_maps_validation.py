"""Checks of anomaly maps and masks, which come as one array or as a list of images."""

from numbers import Real

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
        Views of what is float32 or float64 already. Not known to be finite: see
        :func:`check_is_finite`.

    Raises
    ------
    ValueError
        If there is no map, or one without two dimensions or pixels.
    """
    maps = _split(maps, name)
    if not maps:
        raise ValueError(_describe_form(name, "no image"))
    numbers = {"dtype": [np.float64, np.float32], "allow_nd": True, "ensure_2d": False}
    numbers |= {"ensure_min_samples": 0, "ensure_all_finite": False}
    maps = [check_array(m, input_name=f"{name}[{i}]", **numbers) for i, m in enumerate(maps)]
    for i, one_map in enumerate(maps):
        if one_map.ndim != 2 or one_map.size == 0:
            raise ValueError(_describe_form(name, f"{name}[{i}] of shape {one_map.shape}"))
    return maps


def check_is_finite(maps, regions, name="maps"):
    """Raise a ValueError if a map has a pixel without a finite number in the region of interest.

    Parameters
    ----------
    maps : list of ndarray of shape (height, width)
    regions : list of (ndarray of shape (height, width), bool, or None)
        What :func:`check_region_of_interest` returned.
    name : str, default="maps"
        Name of the maps in the error.
    """
    for i, (one_map, region) in enumerate(zip(maps, regions, strict=True)):
        finite = np.isfinite(one_map) if region is None else np.isfinite(one_map[region])
        if not finite.all():
            raise ValueError(
                f"{name} must be finite: give a pixel without a meaning a number, or leave it out "
                f"with region_of_interest. Received: {name}[{i}] with "
                f"{finite.size - np.count_nonzero(finite)} pixels of NaN or infinity among "
                f"{finite.size}."
            )


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
    masks = _split(masks, name)
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
    if _n_dimensions(region_of_interest) == 2:
        regions = [_check_mask(region_of_interest, one_map, name) for one_map in maps]
    else:
        regions = check_masks(region_of_interest, maps, name)
    if not all(region.any() for region in regions):
        raise ValueError(
            f"{name} must be True at one pixel of each image at least: nothing else is looked at. "
            "Leave images without such a pixel out. Received: a mask that is False everywhere."
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
            "threshold must be a finite number in the units of maps. Received: "
            f"threshold={threshold!r}."
        )
    return np.float64(threshold)


def _split(images, name):
    """Return one array, or a list, as a list of what shall be images."""
    is_array = hasattr(images, "__array__") and hasattr(images, "ndim")
    if not is_array and not isinstance(images, list | tuple):
        raise ValueError(_describe_form(name, f"{name} of type {type(images).__name__}"))
    if is_array and images.ndim != 3 and not _is_of_objects(images):
        raise ValueError(_describe_form(name, f"an array of shape {images.shape}"))
    return list(images)


def _is_of_objects(images):
    # Such an array holds images of different sizes.
    return getattr(getattr(images, "dtype", None), "kind", None) == "O"


def _n_dimensions(images):
    if hasattr(images, "ndim") and not _is_of_objects(images):
        return images.ndim
    # Images of different sizes make no array, and one mask may be a list of lists.
    has_first = hasattr(images, "__len__") and len(images) > 0
    return 1 + np.ndim(images[0]) if has_first else None


def _check_mask(mask, one_map, name):
    mask = np.asarray(mask)
    if mask.shape != one_map.shape:
        raise ValueError(
            f"{name} must have the shape of its map, {one_map.shape}. Received: {name} of shape "
            f"{mask.shape}."
        )
    if mask.dtype == bool:
        return mask
    if mask.dtype.kind not in ("i", "u"):
        raise ValueError(
            f"{name} must be booleans, or integers of 0 and 1: compare it first, as in mask > 0. "
            f"Received: {name} of dtype {mask.dtype}."
        )
    if mask.min() < 0 or mask.max() > 1:
        raise ValueError(
            f"{name} must be booleans, or integers of 0 and 1: compare it first, as in mask > 0. "
            f"Received: {name} with values from {mask.min()} to {mask.max()}."
        )
    return mask.astype(bool)


def _describe_form(name, received):
    return (
        f"{name} must be an array of shape (n, height, width) or, for images of different sizes, a "
        "list of arrays of shape (height, width), none of them 0. One image goes into a list: "
        f"[image]. Received: {received}."
    )
