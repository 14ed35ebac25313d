"""From error maps to defects: smoothing, a threshold with a stated false-alarm rate, regions.

A map is an array of shape (height, width) that says how abnormal each pixel of an image is, such as
one of :meth:`~.AutoencoderAnomalyDetector.anomaly_map`. Maps of one size come as an array
of shape (n, height, width), maps of different sizes as a list.
"""

from bisect import bisect_left
from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from sklearn_ae._base.checks import warn
from sklearn_ae._base.order_statistics import choose_rank, count_rows_needed
from sklearn_ae.maps._checks import check_map_threshold, check_maps, check_min_area, is_one_array

# Pixels that touch at a corner belong together, or a diagonal scratch would be many regions.
_NEIGHBORS = np.ones((3, 3), dtype=bool)


class Region(NamedTuple):
    """Connected pixels of an image that are above a threshold.

    Parameters
    ----------
    box : tuple of int
        ``(top, left, bottom, right)``: the region lies in ``image[top:bottom, left:right]``, so
        that bottom and right are one beyond its last row and column.
    mask : ndarray of shape (bottom - top, right - left), bool
        Which pixels of the box belong to the region.
    area : int
        Number of its pixels.
    peak : float
        Its largest value.

    See Also
    --------
    regions : Find them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ae.maps import regions
    >>> one_map = np.zeros((5, 6))
    >>> one_map[1:3, 2:5] = 0.5
    >>> ((region,),) = regions([one_map], 0.4)
    >>> region.box, region.area, region.peak
    ((1, 2, 3, 5), 6, 0.5)
    >>> one_map[region.slices][region.mask]
    array([0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    """

    box: tuple
    mask: np.ndarray
    area: int
    peak: float

    @property
    def slices(self):
        """The rows and columns of the box, as an index of the image or the map."""
        top, left, bottom, right = self.box
        return slice(top, bottom), slice(left, right)


def smooth(maps, *, sigma=1.0, region_of_interest=None):
    """Smooth maps with a Gaussian.

    Errors of single pixels are noisy, and those of a defect are neighbors. Maps are smoothed
    before a threshold is calibrated for them, and in the same way before it is used.

    Parameters
    ----------
    maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Maps, such as :meth:`~.AutoencoderAnomalyDetector.anomaly_map` gives.
    sigma : float, default=1.0
        Standard deviation of the Gaussian in pixels, at least 0. It is cut off at 4 `sigma`.
    region_of_interest : array-like of shape (height, width) or (n, height, width), or list of \
            arrays of shape (height, width), default=None
        Mask of the pixels that count, for all maps or for each. The others are left out of the
        means, and 0 in the result. If None, all pixels count.

    Returns
    -------
    smoothed : ndarray of shape (n, height, width), or list of arrays of shape (height, width)
        As `maps` came; float32 if that is its type, else float64.

    Raises
    ------
    ValueError
        If `maps` are none, `sigma` is negative, or `region_of_interest` does not fit.

    See Also
    --------
    scipy.ndimage.gaussian_filter : What it is done with.

    Notes
    -----
    Maps are mirrored at the borders (``mode="reflect"``: the border's pixel stands twice), as
    those of :class:`.SmoothedError` are. With a mask r of the region of interest,
    a map m becomes g∗(r·m) / g∗r inside of it, where g∗ is the Gaussian: the mean over the pixels
    that count.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ae.maps import smooth
    >>> maps = np.zeros((1, 7, 7))
    >>> maps[0, 3, 3] = 1
    >>> smooth(maps, sigma=1.0)[0, 3].round(2)
    array([0.  , 0.02, 0.1 , 0.16, 0.1 , 0.02, 0.  ])
    """
    if not (isinstance(sigma, Real) and 0 <= sigma < np.inf):
        raise ValueError(
            "sigma must be a number of pixels, at least 0: the standard deviation of the Gaussian. "
            f"Received: sigma={sigma!r}."
        )
    checked = zip(*check_maps(maps, region_of_interest), strict=True)
    smoothed = [_smooth_one(one_map, inside, sigma) for one_map, inside in checked]
    # None at all cannot be stacked.
    return np.stack(smoothed) if is_one_array(maps) and smoothed else smoothed


def calibrate(maps, *, false_alarm_rate=0.05, confidence=None, min_area=1, region_of_interest=None):
    """Find the threshold that few normal images have a region above.

    The guarantee is that of :class:`.ConformalDetector`, with an image's largest value
    for its anomaly score [1]_: it holds for any maps, good or bad, if the images of `maps` and new
    normal ones are exchangeable, such as drawn independently from the same source. It is about
    images that show any region, not about pixels.

    Parameters
    ----------
    maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Maps of normal images that the detector was not fitted to, smoothed as those that the
        threshold is for.
    false_alarm_rate : float, default=0.05
        Share of new normal images, in (0, 1), for which :func:`regions` may find anything.
    confidence : float or None, default=None
        If None, `false_alarm_rate` is kept to on average over calibrations; a single one may exceed
        it. Otherwise a probability in (0, 1), such as 0.95: that of drawing calibration images
        whose threshold keeps to `false_alarm_rate` for all images to come.
    min_area : int, default=1
        Number of pixels that a region has at least, as it will be given to :func:`regions`. If it
        is larger there, false alarms only become fewer.
    region_of_interest : array-like of shape (height, width) or (n, height, width), or list of \
            arrays of shape (height, width), default=None
        Mask of the pixels that count, for all maps or for each. If None, all pixels count.

    Returns
    -------
    threshold : float
        In the units of `maps`.

    Raises
    ------
    ValueError
        If there are too few images for such a rate, a parameter is none of these, or no region of
        `min_area` fits into an image.

    See Also
    --------
    regions : What is above the threshold.
    sklearn_ae.ConformalDetector : The same for scores of whole samples.

    Notes
    -----
    Let vᵢ be the largest value of map i; with a `min_area` a, the largest value such that a
    connected pixels are at least as high. Then :func:`regions` finds something in image i if and
    only if vᵢ is above the threshold. The threshold is the k-th largest of these n values, with
    k = ⌊false_alarm_rate · (n + 1)⌋, and with `confidence` the largest k such that
    P(Beta(k, n + 1 − k) ≤ false_alarm_rate) ≥ confidence. A new normal image has a value above it
    with a probability of at most k / (n + 1), with ties or without. So there must be ⌈1/rate⌉ − 1
    images at least: 19 for a rate of 0.05.

    References
    ----------
    .. [1] R. Laxhammar and G. Falkman, "Inductive conformal anomaly detection for sequential
       detection of anomalous sub-trajectories", Annals of Mathematics and Artificial Intelligence
       74, 2015, :doi:`10.1007/s10472-013-9381-7`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ae.maps import calibrate, regions
    >>> generator = np.random.default_rng(0)
    >>> normal_maps = generator.uniform(size=(99, 8, 8))
    >>> threshold = calibrate(normal_maps, false_alarm_rate=0.1)
    >>> sum(len(found) > 0 for found in regions(normal_maps, threshold))
    9
    >>> new_maps = generator.uniform(size=(1000, 8, 8))
    >>> sum(len(found) > 0 for found in regions(new_maps, threshold))
    97
    """
    _check_share(false_alarm_rate, "false_alarm_rate")
    if confidence is not None:
        _check_share(confidence, "confidence")
    check_min_area(min_area)
    maps, insides = check_maps(maps, region_of_interest)
    rank = choose_rank(len(maps), false_alarm_rate, confidence)
    if rank < 1:
        raise ValueError(
            f"false_alarm_rate={false_alarm_rate} with confidence={confidence} needs "
            f"{count_rows_needed(false_alarm_rate, confidence)} maps of normal images at least: "
            f"pass more, or raise false_alarm_rate. Received: {len(maps)} maps."
        )
    levels = np.array([_find_level(m, min_area) for m in _leave_out(maps, insides)])
    if np.isneginf(levels).any():
        raise ValueError(
            "min_area must be so small that a region of it fits into each image, and into its "
            f"region_of_interest. Received: min_area={min_area}, which does not fit into image "
            f"{np.argmin(levels)}."
        )
    if len(levels) > 1 and np.ptp(levels) == 0:
        warn(
            f"All {len(levels)} maps have the largest value {levels[0]:.6g}. Only what is above it "
            "is a region, whatever false_alarm_rate is.",
        )
    return float(np.sort(levels)[-rank])


def regions(maps, threshold, *, min_area=1, region_of_interest=None):
    """Find the connected pixels of each image that are above a threshold.

    Parameters
    ----------
    maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Maps, smoothed as those that the threshold was found with.
    threshold : float
        Value above which a pixel belongs to a region, such as :func:`calibrate` gives.
    min_area : int, default=1
        Number of pixels that a region has at least; smaller ones are left out.
    region_of_interest : array-like of shape (height, width) or (n, height, width), or list of \
            arrays of shape (height, width), default=None
        Mask of the pixels that count, for all maps or for each. The others belong to no region,
        and connect none. If None, all pixels count.

    Returns
    -------
    found : list of list of Region
        For each image its regions, the one with the highest peak first, the larger first of those
        with equal peaks. An image without any has an empty list.

    Raises
    ------
    ValueError
        If `maps` are none, `threshold` is no finite number, `min_area` no positive integer, or
        `region_of_interest` does not fit.

    See Also
    --------
    calibrate : A threshold with a stated rate of false alarms.
    scipy.ndimage.label : What it is done with.

    Notes
    -----
    Each pixel has eight neighbors: those that touch at a corner are connected too.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ae.maps import regions
    >>> maps = np.zeros((2, 6, 6))
    >>> maps[0, 1, 1:4] = 0.6
    >>> maps[0, 5, 5] = 0.9
    >>> [[(region.box, region.area) for region in found] for found in regions(maps, 0.5)]
    [[((5, 5, 6, 6), 1), ((1, 1, 2, 4), 3)], []]
    """
    threshold = check_map_threshold(threshold)
    check_min_area(min_area)
    maps = _leave_out(*check_maps(maps, region_of_interest))
    return [_find_regions(one_map, threshold, min_area) for one_map in maps]


def _check_share(share, name):
    if not (isinstance(share, Real) and 0 < share < 1):
        raise ValueError(f"{name} must be a number in (0, 1). Received: {name}={share!r}.")


def _smooth_one(one_map, inside, sigma):
    if inside is None:
        return ndimage.gaussian_filter(one_map, sigma, mode="reflect")
    weights = inside.astype(one_map.dtype)
    sums = ndimage.gaussian_filter(np.where(inside, one_map, 0), sigma, mode="reflect")
    weights = ndimage.gaussian_filter(weights, sigma, mode="reflect")
    return np.divide(sums, weights, out=np.zeros_like(sums), where=inside)


def _leave_out(maps, insides):
    """Yield maps that are below any threshold outside of the region of interest."""
    for one_map, inside in zip(maps, insides, strict=True):
        yield one_map if inside is None else np.where(inside, one_map, -np.inf)


def _find_level(one_map, min_area):
    """Return the value that a threshold must be below for a region of min_area to be above it."""
    if min_area == 1:
        return one_map.max()
    levels = np.unique(one_map[np.isfinite(one_map)])

    def is_too_high(level):
        labels, _ = ndimage.label(one_map >= level, _NEIGHBORS)
        return np.bincount(labels.ravel())[1:].max() < min_area

    # The higher the level, the smaller the regions: a search by halves.
    n_low_enough = bisect_left(levels, True, key=is_too_high)
    return levels[n_low_enough - 1] if n_low_enough else -np.inf


def _find_regions(one_map, threshold, min_area):
    labels, n_regions = ndimage.label(one_map > threshold, _NEIGHBORS)
    areas = np.bincount(labels.ravel(), minlength=n_regions + 1)
    found = []
    for label, slices in enumerate(ndimage.find_objects(labels), start=1):
        if areas[label] < min_area:
            continue
        mask = labels[slices] == label
        rows, columns = slices
        box = (rows.start, columns.start, rows.stop, columns.stop)
        peak = float(one_map[slices][mask].max())
        found.append(Region(box=box, mask=mask, area=int(areas[label]), peak=peak))
    return sorted(found, key=lambda region: (-region.peak, -region.area))
