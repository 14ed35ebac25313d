"""What an AnomalyMapDisplay is made of: images, maps and masks, chosen and checked."""

import numpy as np
from sklearn.utils import check_array

from sklearn_ae.maps._checks import (
    check_map_threshold,
    check_maps,
    check_masks,
    check_min_area,
    split_masks,
)


def find_worst(anomaly_scores, n_samples):
    """Return the indices of the largest scores, the largest first, then the first of equal ones."""
    return np.argsort(-np.asarray(anomaly_scores), kind="stable")[:n_samples]


def take_masks(masks, worst, n_images):
    """Return the masks of some images, or None if there are none."""
    if masks is None:
        return None
    masks = split_masks(masks, n_images)
    return [masks[i] for i in worst]


def fold_rows(rows, maps, input_shape):
    """Return the images that rows are, and their maps."""
    if len(input_shape) != 3:
        raise ValueError(
            "detector must be one of images, for its maps to be drawn; of rows, see "
            f"ContributionDisplay. Received: a detector of input_shape_={input_shape}."
        )
    return rows.reshape(-1, *input_shape), maps.reshape(-1, *input_shape).sum(axis=-1)


def collect_images(X, maps, masks, indices):
    """Return the parameters of a display of these images and no others."""
    maps, _ = check_maps(maps)
    if not maps:
        raise ValueError("X must hold an image at least. Received: n_samples=0.")
    images = []
    for image, one_map, index in zip(X, maps, indices, strict=True):
        name = f"X[{index}]"
        image = check_array(image, allow_nd=True, ensure_2d=False, input_name=name)
        is_gray = image.ndim == 2
        if not (is_gray or (image.ndim == 3 and image.shape[2] in (1, 3))):
            raise ValueError(
                f"{name} must be an image of shape (height, width) or (height, width, channels) "
                "of 1 or 3 channels. Of more channels, pass those to show: image[..., :3] or "
                f"image[..., 0]. Received: {name} of shape {image.shape}."
            )
        if image.shape[:2] != one_map.shape:
            raise ValueError(
                f"maps must have the height and width of their images. Received: {name} of shape "
                f"{image.shape} and its map of shape {one_map.shape}."
            )
        images.append(image)
    if masks is not None:
        masks = check_masks(masks, maps)
    return {"X": images, "maps": maps, "masks": masks, "indices": indices}


def check_boxes(threshold, min_area):
    """Return what boxes are drawn by, as parameters of a display."""
    check_min_area(min_area)
    if threshold is not None:
        threshold = float(check_map_threshold(threshold))
    return {"threshold": threshold, "min_area": min_area}
