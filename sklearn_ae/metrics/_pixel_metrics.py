"""How well anomaly maps tell the pixels of defects, all defect pixels alike."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from sklearn_ae.metrics._pixels import all_pixels, check_has_normals, just_below


class PixelF1Max(NamedTuple):
    """What :func:`pixel_f1_max` returns."""

    f1: float
    threshold: float


def pixel_roc_auc(masks, maps, *, region_of_interest=None):
    """Compute the area under the ROC curve of pixels.

    It is the share of pairs, of a defect pixel and a normal one of any image, in which the map is
    larger at the defect; equal values count half. Few pixels are defects, as a rule, and large
    defects count by their pixels: see :func:`aupro`, in which small defects count as much.

    Parameters
    ----------
    masks : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Booleans, or integers of 0 and 1: True where there is a defect.
    maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Anomaly maps, such as :meth:`~.AutoencoderAnomalyDetector.anomaly_map` returns
        them: higher is more abnormal.
    region_of_interest : array-like of shape (height, width) or (n, height, width), or list of \
            arrays of shape (height, width), default=None
        Pixels that count: one mask for all images, or one for each. If None, all do.

    Returns
    -------
    roc_auc : float
        In [0, 1]; chance is 0.5.

    Raises
    ------
    ValueError
        If the masks mark no pixel or all, a mask is not of the shape of its map or holds other
        values, or a map is not finite where it counts.

    See Also
    --------
    PixelCurve : The same for more images than fit in memory, within a stated error.
    sklearn.metrics.roc_auc_score : The metric.

    Examples
    --------
    >>> from sklearn_ae.metrics import pixel_roc_auc
    >>> masks = [[[0, 0, 1], [0, 0, 1]]]
    >>> maps = [[[0.1, 0.2, 0.9], [0.3, 0.1, 0.2]]]
    >>> pixel_roc_auc(masks, maps)
    0.8125
    """
    values, is_defect = _read_both_kinds(masks, maps, region_of_interest, "the pixel ROC AUC")
    return float(roc_auc_score(is_defect, values))


def pixel_average_precision(masks, maps, *, region_of_interest=None):
    """Compute the average precision of pixels.

    Parameters
    ----------
    masks : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Booleans, or integers of 0 and 1: True where there is a defect.
    maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Anomaly maps: higher is more abnormal.
    region_of_interest : array-like of shape (height, width) or (n, height, width), or list of \
            arrays of shape (height, width), default=None
        Pixels that count: one mask for all images, or one for each. If None, all do.

    Returns
    -------
    average_precision : float
        In (0, 1]; chance is the share of defect pixels.

    Raises
    ------
    ValueError
        If the masks mark no pixel or all, a mask is not of the shape of its map or holds other
        values, or a map is not finite where it counts.

    See Also
    --------
    PixelCurve : The same for more images than fit in memory, within a stated error.
    sklearn.metrics.average_precision_score : The metric.

    Examples
    --------
    >>> from sklearn_ae.metrics import pixel_average_precision
    >>> masks = [[[0, 0, 1], [0, 0, 1]]]
    >>> maps = [[[0.1, 0.2, 0.9], [0.3, 0.1, 0.2]]]
    >>> pixel_average_precision(masks, maps)
    0.75
    """
    values, is_defect = _read_both_kinds(
        masks, maps, region_of_interest, "the pixel average precision"
    )
    return float(average_precision_score(is_defect, values))


def pixel_f1_max(masks, maps, *, region_of_interest=None):
    """Compute the largest F1 of pixels that a threshold reaches, and the threshold.

    The threshold is chosen with the labels: the figure says what the maps could reach, not what a
    threshold chosen beforehand does.

    Parameters
    ----------
    masks : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Booleans, or integers of 0 and 1: True where there is a defect.
    maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
        Anomaly maps: higher is more abnormal.
    region_of_interest : array-like of shape (height, width) or (n, height, width), or list of \
            arrays of shape (height, width), default=None
        Pixels that count: one mask for all images, or one for each. If None, all do.

    Returns
    -------
    result : PixelF1Max
        Named tuple of `f1`, in (0, 1], and `threshold`, in the units of the maps: the F1 is that of
        ``map > threshold``. It is the largest value that is not flagged; of several thresholds, the
        highest.

    Raises
    ------
    ValueError
        If the masks mark no pixel or all, a mask is not of the shape of its map or holds other
        values, or a map is not finite where it counts.

    See Also
    --------
    PixelCurve : The same for more images than fit in memory, within a stated error.
    region_recall : What is found of each defect at a threshold.

    Examples
    --------
    >>> from sklearn_ae.metrics import pixel_f1_max
    >>> masks = [[[0, 0, 1], [0, 0, 1]]]
    >>> maps = [[[0.1, 0.2, 0.9], [0.3, 0.1, 0.5]]]
    >>> pixel_f1_max(masks, maps)
    PixelF1Max(f1=1.0, threshold=0.3)
    """
    values, is_defect = _read_both_kinds(masks, maps, region_of_interest, "the largest pixel F1")
    precision, recall, thresholds = precision_recall_curve(is_defect, values)
    # scikit-learn adds a point in which nothing is flagged.
    precision, recall = precision[:-1], recall[:-1]
    total = precision + recall
    f1 = 2 * precision * recall / np.where(total == 0, 1, total)
    best = len(f1) - 1 - int(np.argmax(f1[::-1]))
    # scikit-learn flags values from its threshold on, and we those above it.
    threshold = float(thresholds[best - 1]) if best > 0 else just_below(thresholds[0])
    return PixelF1Max(float(f1[best]), threshold)


def _read_both_kinds(masks, maps, region_of_interest, metric):
    pixels = all_pixels(masks, maps, region_of_interest, metric=metric)
    check_has_normals(pixels.areas.sum(), len(pixels.values), metric)
    return pixels.values, pixels.labels > 0
