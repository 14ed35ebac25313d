"""How well anomaly maps tell defects, small ones and large ones alike."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import auc, roc_curve

from sklearn_ae.maps._checks import check_map_threshold
from sklearn_ae.metrics._pixels import all_pixels, check_has_normals, check_max_false_positive_rate


class RegionRecall(NamedTuple):
    """What :func:`region_recall` returns."""

    recall: float
    n_found: int
    n_regions: int
    overlaps: np.ndarray


def aupro(masks, maps, *, max_false_positive_rate=0.3, region_of_interest=None):
    """Compute the area under the curve of the per-region overlap.

    Parameters
    ----------
    masks : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Booleans, or integers of 0 and 1: True where there is a defect. Connected pixels, also at
        corners, are one region. Masks without a defect are those of normal images.
    maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Anomaly maps: higher is more abnormal.
    max_false_positive_rate : float, default=0.3
        Share of normal pixels flagged, in (0, 1], up to which the area goes.
    region_of_interest : array-like of shape (height, width) or (n, height, width), or list of \
            arrays of shape (height, width), default=None
        Pixels that count: one mask for all images, or one for each. If None, all do. A defect that
        it cuts in two is two.

    Returns
    -------
    aupro : float
        The area divided by `max_false_positive_rate`, in [0, 1]; chance is half of that rate.

    Raises
    ------
    ValueError
        If the masks mark no defect or leave no normal pixel, as then it is undefined; if a mask is
        not of the shape of its map or holds other values, a map is not finite where it counts, or
        `max_false_positive_rate` is no such number.

    See Also
    --------
    PixelCurve : The same for more images than fit in memory, within a stated error.
    region_recall : The per-region overlap at one threshold.

    Notes
    -----
    With the regions C₁, …, C_K of all images and a threshold t, the per-region overlap is
    ``PRO(t) = (1/K) Σₖ |{p ∈ Cₖ: map(p) > t}| / |Cₖ|``, the mean share of a defect that is found.
    It is drawn against the share of normal pixels of all images above t, its points are joined by
    lines, and the area below is cut off at `max_false_positive_rate`, between points if need be
    [1]_.

    It is the ROC curve of pixels if each defect pixel has the weight ``1 / |Cₖ|``.

    References
    ----------
    .. [1] P. Bergmann, K. Batzner, M. Fauser, D. Sattlegger and C. Steger, "The MVTec anomaly
       detection dataset: a comprehensive real-world dataset for unsupervised anomaly detection",
       International Journal of Computer Vision 129, 2021, :doi:`10.1007/s11263-020-01400-4`.

    Examples
    --------
    >>> from sklearn_ae.metrics import aupro
    >>> masks = [[[1, 0, 0, 0], [0, 0, 1, 1]]]
    >>> maps = [[[0.9, 0.2, 0.1, 0.5], [0.1, 0.2, 0.8, 0.4]]]
    >>> aupro(masks, maps)
    0.8333333333333334
    """
    check_max_false_positive_rate(max_false_positive_rate)
    pixels = all_pixels(masks, maps, region_of_interest, metric="AUPRO")
    check_has_normals(pixels.areas.sum(), len(pixels.values), "AUPRO")
    false_positive_rate, overlap, _ = roc_curve(
        pixels.labels > 0, pixels.values, sample_weight=pixels.weigh_defects_equally()
    )
    inside = false_positive_rate <= max_false_positive_rate
    last = np.interp(max_false_positive_rate, false_positive_rate, overlap)
    area = auc(
        np.append(false_positive_rate[inside], max_false_positive_rate),
        np.append(overlap[inside], last),
    )
    return float(area / max_false_positive_rate)


def region_recall(masks, maps, *, threshold, region_of_interest=None):
    """Compute how much of each defect is found at a threshold.

    Parameters
    ----------
    masks : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Booleans, or integers of 0 and 1: True where there is a defect. Connected pixels, also at
        corners, are one region.
    maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Anomaly maps: higher is more abnormal.
    threshold : float
        Number in the units of the maps, above which a pixel is flagged.
    region_of_interest : array-like of shape (height, width) or (n, height, width), or list of \
            arrays of shape (height, width), default=None
        Pixels that count: one mask for all images, or one for each. If None, all do. A defect that
        it cuts in two is two.

    Returns
    -------
    result : RegionRecall
        Named tuple of `recall`, the mean over defects of the share of their pixels that is flagged
        (the per-region overlap); `n_found`, of how many defects a pixel is flagged, and
        `n_regions`, of how many; `overlaps`, the shares, an ndarray of shape (n_regions,), image by
        image, and from top to bottom within one.

    Raises
    ------
    ValueError
        If the masks mark no defect, as then it is undefined; if a mask is not of the shape of its
        map or holds other values, a map is not finite where it counts, or `threshold` is no finite
        number.

    See Also
    --------
    aupro : The mean overlap over thresholds.
    pixel_f1_max : A threshold.

    Examples
    --------
    >>> from sklearn_ae.metrics import region_recall
    >>> masks = [[[1, 0, 0, 0], [0, 0, 1, 1]]]
    >>> maps = [[[0.9, 0.2, 0.1, 0.5], [0.1, 0.2, 0.8, 0.4]]]
    >>> result = region_recall(masks, maps, threshold=0.6)
    >>> result.recall, result.n_found
    (0.75, 2)
    >>> result.overlaps
    array([1. , 0.5])
    """
    threshold = check_map_threshold(threshold)
    pixels = all_pixels(masks, maps, region_of_interest, metric="the recall of regions")
    n_regions = len(pixels.areas)
    flagged = pixels.labels[pixels.values > threshold]
    n_flagged = np.bincount(flagged, minlength=n_regions + 1)[1:]
    overlaps = n_flagged / pixels.areas
    return RegionRecall(
        float(np.mean(overlaps)), int(np.count_nonzero(n_flagged)), n_regions, overlaps
    )
