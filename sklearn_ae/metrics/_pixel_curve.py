"""Pixel metrics of more images than fit in memory."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import gen_batches

from sklearn_ae.maps._checks import check_map_threshold
from sklearn_ae.metrics._pixel_bounds import (
    BoundedMetric,
    bound_area,
    bound_average_precision,
    bound_f1_max,
)
from sklearn_ae.metrics._pixels import (
    Pixels,
    check_has_defects,
    check_has_normals,
    check_max_false_positive_rate,
    just_below,
    pixels_by_image,
)

# Pixels counted at a time: an image may be large, and each takes a few float64.
_PIXELS_PER_CHUNK = 2**20


class PixelCurve:
    """Pixel metrics from counts in bins, image after image, with a bound on their error.

    Images are counted and forgotten: memory holds the bins and one batch of images, however many
    there are. Each metric comes with the limits between which the exact one lies, whatever the
    images: they follow from the counts. The narrower the bins where pixels of defects and normal
    ones mix, the closer the limits.

    Parameters
    ----------
    low, high : float
        Range of the maps that is cut into bins of equal width. Values outside of it are counted in
        the first bin and the last one, which the limits then show.
    n_bins : int, default=10000
        Number of bins.

    See Also
    --------
    pixel_roc_auc : The exact metrics, of images in memory.

    Notes
    -----
    Each bin has the number of its normal pixels, of its defect pixels, the sum of 1 / area of the
    defects that these belong to, and its smallest and largest value. In a bin whose values are all
    equal nothing is lost. Of any other bin, only the order of its pixels is unknown, and `low` and
    `high` are what the worst and the best order would give:

    - ROC AUC: with shares ΔF of the normal and ΔR of the defect pixels in a bin, its area is known
      up to ± ΔF ΔR / 2. The error is half of the pairs that share a bin and may differ in value.
    - AUPRO: the same with the mean overlap in place of the recall; ΔF goes no further than
      `max_false_positive_rate`.
    - Average precision: all defect pixels of a bin before all normal ones, or behind them.
    - F1-max: `value` is reached by `threshold`, and is `low`; `high` has all defect pixels of a
      bin and none of its normal ones.
    - Recall of regions: all pixels of the one bin that the threshold cuts are flagged, or none.

    The limits hold up to the rounding of sums of float64.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ae.metrics import PixelCurve
    >>> generator = np.random.default_rng(0)
    >>> curve = PixelCurve(low=-4, high=8, n_bins=500)
    >>> for _ in range(10):
    ...     masks = generator.uniform(size=(1, 64, 64)) < 0.01
    ...     curve.update(masks, generator.normal(loc=4 * masks))
    >>> curve.roc_auc()
    0.997954 [0.997898, 0.998010]
    >>> curve.roc_auc().error < 1e-4
    True
    >>> curve.f1_max()
    0.867081 [0.867081, 0.869888] at threshold 3.14503
    """

    def __init__(self, *, low, high, n_bins=10_000):
        _check_range(low, high)
        if not (isinstance(n_bins, Integral) and n_bins >= 1):
            raise ValueError(f"n_bins must be a positive integer. Received: n_bins={n_bins!r}.")
        self.low = float(low)
        self.high = float(high)
        self.n_bins = int(n_bins)
        self._n_regions = 0
        self._normal = np.zeros(self.n_bins, dtype=np.int64)
        self._defect = np.zeros(self.n_bins, dtype=np.int64)
        self._overlap = np.zeros(self.n_bins)
        self._smallest = np.full(self.n_bins, np.inf)
        self._largest = np.full(self.n_bins, -np.inf)

    def __repr__(self):
        return f"PixelCurve(low={self.low:g}, high={self.high:g}, n_bins={self.n_bins})"

    def update(self, masks, maps, *, region_of_interest=None):
        """Count the pixels of more images.

        Parameters
        ----------
        masks : array-like of shape (n, height, width), or list of arrays of shape (height, width)
            Booleans, or integers of 0 and 1: True where there is a defect. Connected pixels, also
            at corners, are one region. Masks without a defect are those of normal images.
        maps : array-like of shape (n, height, width), or list of arrays of shape (height, width)
            Anomaly maps: higher is more abnormal.
        region_of_interest : array-like of shape (height, width) or (n, height, width), or list of \
                arrays of shape (height, width), default=None
            Pixels that count: one mask for all images, or one for each. If None, all do. A defect
            that it cuts in two is two.

        Raises
        ------
        ValueError
            If a mask is not of the shape of its map or holds other values, or a map is not finite
            where it counts. Nothing is counted then.
        """
        for image in pixels_by_image(masks, maps, region_of_interest):
            self._n_regions += len(image.areas)
            for chunk in gen_batches(len(image.values), _PIXELS_PER_CHUNK):
                self._count(Pixels(image.values[chunk], image.labels[chunk], image.areas))

    def roc_auc(self):
        """Compute the area under the ROC curve of pixels.

        Returns
        -------
        result : BoundedMetric
            Named tuple of `value` and the limits `low` and `high` of the exact one; `error` is the
            largest distance between them and it.

        Raises
        ------
        ValueError
            If no defect pixel was counted, or no normal one.
        """
        bins = self._filled_bins("the pixel ROC AUC")
        return bound_area(self._normal[bins], self._defect[bins], self._is_exact(bins), 1)

    def average_precision(self):
        """Compute the average precision of pixels.

        Returns
        -------
        result : BoundedMetric
            Named tuple of `value` and the limits `low` and `high` of the exact one; `error` is the
            largest distance between them and it.

        Raises
        ------
        ValueError
            If no defect pixel was counted, or no normal one.
        """
        bins = self._filled_bins("the pixel average precision")
        return bound_average_precision(self._normal[bins], self._defect[bins], self._is_exact(bins))

    def aupro(self, *, max_false_positive_rate=0.3):
        """Compute the area under the curve of the per-region overlap.

        Parameters
        ----------
        max_false_positive_rate : float, default=0.3
            Share of normal pixels flagged, in (0, 1], up to which the area goes.

        Returns
        -------
        result : BoundedMetric
            Named tuple of `value` and the limits `low` and `high` of the exact one; `error` is the
            largest distance between them and it.

        Raises
        ------
        ValueError
            If no defect pixel was counted, or no normal one, or `max_false_positive_rate` is no
            such number.
        """
        check_max_false_positive_rate(max_false_positive_rate)
        bins = self._filled_bins("AUPRO")
        return bound_area(
            self._normal[bins], self._overlap[bins], self._is_exact(bins), max_false_positive_rate
        )

    def f1_max(self):
        """Compute the largest F1 of pixels that a threshold reaches, and the threshold.

        Returns
        -------
        result : BoundedMetric
            Named tuple of `value`, its limits `low` and `high`, and `threshold`: `value` is the F1
            of ``map > threshold``.

        Raises
        ------
        ValueError
            If no defect pixel was counted, or no normal one.
        """
        bins = self._filled_bins("the largest pixel F1")
        result, best = bound_f1_max(self._normal[bins], self._defect[bins], self._is_exact(bins))
        is_last = best == len(bins) - 1
        lowest_flagged = self._smallest[bins[best]]
        threshold = just_below(lowest_flagged) if is_last else self._largest[bins[best + 1]]
        return result._replace(threshold=float(threshold))

    def region_recall(self, *, threshold):
        """Compute the mean share of a defect that is found at a threshold.

        Parameters
        ----------
        threshold : float
            Number in the units of the maps, above which a pixel is flagged.

        Returns
        -------
        result : BoundedMetric
            Named tuple of `value` and the limits `low` and `high` of the exact one; `error` is the
            largest distance between them and it. At the threshold of :meth:`f1_max` they are equal.

        Raises
        ------
        ValueError
            If no defect was counted, or `threshold` is no finite number.
        """
        threshold = check_map_threshold(threshold)
        self._check_has_defects("the recall of regions")
        low = np.sum(self._overlap[self._smallest > threshold]) / self._n_regions
        high = np.sum(self._overlap[self._largest > threshold]) / self._n_regions
        return BoundedMetric(float((low + high) / 2), float(low), float(high))

    def _count(self, pixels):
        # In float64, in which a larger value is never put into a lower bin.
        values = pixels.values.astype(np.float64, copy=False)
        share = (np.clip(values, self.low, self.high) - self.low) / (self.high - self.low)
        bins = np.minimum((share * self.n_bins).astype(np.intp), self.n_bins - 1)
        is_defect = pixels.labels > 0
        weights = pixels.weigh_defects_equally()[is_defect]
        n_bins = self.n_bins
        self._normal += np.bincount(bins[~is_defect], minlength=n_bins)
        self._defect += np.bincount(bins[is_defect], minlength=n_bins)
        self._overlap += np.bincount(bins[is_defect], weights=weights, minlength=n_bins)
        np.minimum.at(self._smallest, bins, values)
        np.maximum.at(self._largest, bins, values)

    def _filled_bins(self, metric):
        """Return the numbers of the bins with pixels, from the highest down."""
        n_defect_pixels = self._check_has_defects(metric)
        check_has_normals(n_defect_pixels, n_defect_pixels + self._normal.sum(), metric)
        return np.flatnonzero(self._normal + self._defect)[::-1]

    def _check_has_defects(self, metric):
        n_defect_pixels = self._defect.sum()
        check_has_defects(n_defect_pixels, n_defect_pixels + self._normal.sum(), metric)
        return n_defect_pixels

    def _is_exact(self, bins):
        return self._smallest[bins] == self._largest[bins]


def _check_range(low, high):
    are_numbers = isinstance(low, Real) and isinstance(high, Real)
    if not (are_numbers and low < high and np.isfinite(float(high) - float(low))):
        raise ValueError(
            "low and high must be finite numbers, low below high: the range of the maps, such as "
            f"that of normal images and a margin. Received: low={low!r}, high={high!r}."
        )
