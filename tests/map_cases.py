"""Maps and masks, and the pixel metrics by definition: threshold after threshold."""

from itertools import pairwise

import numpy as np
from scipy import ndimage


def random_case(seed, n_values=20, n_images=3, size=9):
    """Masks and maps of n_values distinct values, most of them both of defects and of normals."""
    generator = np.random.default_rng(seed)
    masks = ndimage.uniform_filter(generator.uniform(size=(n_images, size, size)), (0, 3, 3)) > 0.55
    maps = generator.integers(n_values, size=masks.shape) + 0.3 * n_values * masks
    return masks, np.floor(maps) / n_values


def regions_of(masks):
    """Each defect as a mask over all images, found by growing it pixel after pixel."""
    left = np.array(masks, dtype=bool)
    while left.any():
        region = np.zeros_like(left)
        region[tuple(np.argwhere(left)[0])] = True
        while True:
            grown = ndimage.binary_dilation(region, np.ones((1, 3, 3))) & left
            if (grown == region).all():
                break
            region = grown
        left &= ~region
        yield region


def curve_of(masks, maps):
    """False-positive rate, mean overlap, precision and recall for every threshold, descending."""
    masks = np.asarray(masks, dtype=bool)
    regions = list(regions_of(masks))
    # The largest value flags nothing, and minus infinity everything.
    for threshold in [*np.unique(maps)[::-1], -np.inf]:
        flagged = maps > threshold
        yield (
            flagged[~masks].mean(),
            np.mean([flagged[region].mean() for region in regions]),
            masks[flagged].mean() if flagged.any() else 1.0,
            flagged[masks].mean(),
        )


def aupro_by_definition(masks, maps, limit):
    points = list(curve_of(masks, maps))
    area = 0.0
    for (x0, y0, *_), (x1, y1, *_) in pairwise(points):
        end = min(x1, limit)
        if end > x0:
            y_end = y0 + (y1 - y0) * (end - x0) / (x1 - x0)
            area += (end - x0) * (y0 + y_end) / 2
    return area / limit


def f1_max_by_definition(masks, maps):
    return max(2 * p * r / (p + r) if p + r else 0 for _, _, p, r in curve_of(masks, maps))
