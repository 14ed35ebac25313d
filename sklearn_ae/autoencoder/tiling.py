"""Large images as overlapping tiles: cut for training, scored and blended one batch at a time."""

import math
import tempfile
from itertools import product
from numbers import Integral

import numpy as np
from sklearn.utils import check_array, gen_batches

from sklearn_ae._base.checks import check_is_no_iterator, check_not_masked
from sklearn_ae._base.holdout import Split
from sklearn_ae._base.order_statistics import floor_of_share
from sklearn_ae._base.progress import progress_bar
from sklearn_ae.autoencoder.input_checks import describe_unlikely_shape

# Tiles in memory at a time, as they are cut from an image.
_BYTES_PER_BATCH = 2**25

# Training tiles of more bytes are kept in a temporary file.
_MAX_BYTES_IN_MEMORY = 2**30


class Tiling:
    """Where the tiles of an image are.

    Parameters
    ----------
    tile_size : int or tuple of two ints
        Height and width of a tile, in pixels.
    tile_overlap : float
        Share of a tile, in [0, 1), that neighbors have in common at least.
    """

    def __init__(self, tile_size, tile_overlap):
        is_pair = isinstance(tile_size, tuple | list) and len(tile_size) == 2
        sizes = tuple(tile_size) if is_pair else (tile_size, tile_size)
        if not all(isinstance(n, Integral) and n >= 1 for n in sizes):
            raise ValueError(
                "tile_size must be a number of pixels, (height, width), or None to take images "
                f"whole. Received: tile_size={tile_size!r}."
            )
        self.shape = tuple(int(n) for n in sizes)
        self._overlaps = [min(n - floor_of_share(1 - tile_overlap, n), n - 1) for n in self.shape]

    def positions(self, image):
        """Return the top left corners of the tiles that cover an image, spread evenly."""
        return list(product(*map(self._starts, image.shape, self.shape, self._overlaps)))

    def batches(self, image):
        """Cut an image, and give corners and tiles of one batch after the other.

        Yields
        ------
        corners : list of (int, int)
        tiles : ndarray of shape (n, height, width, n_channels)
        """
        positions = self.positions(image)
        size = image.dtype.itemsize * math.prod(self.shape) * image.shape[2]
        for batch in gen_batches(len(positions), max(1, _BYTES_PER_BATCH // size)):
            corners = positions[batch]
            yield corners, np.stack([self.cut(image, *corner) for corner in corners])

    def cut(self, image, top, left):
        """Return one tile of an image."""
        return image[top : top + self.shape[0], left : left + self.shape[1]]

    def weights(self):
        """Return the weight of each pixel of a tile: less toward its edge, where others overlap.

        Returns
        -------
        weights : tuple of two ndarrays of shape (height,) and (width,), float32
            Their outer product is that of the pixels.
        """
        return tuple(map(_ramps, self.shape, self._overlaps))

    @staticmethod
    def _starts(length, size, overlap):
        n_tiles = math.ceil((length - overlap) / (size - overlap))
        return np.linspace(0, length - size, n_tiles).round().astype(int).tolist()


def check_images(detector, X, tiling, *, n_channels=None, minimum=1):
    """Return images of any sizes as a list of arrays of three dimensions.

    Parameters
    ----------
    detector : estimator object
        Named in errors.
    X : array-like of shape (n, height, width) or (n, height, width, n_channels), or list of images
    tiling : Tiling
    n_channels : int or None, default=None
        Number of channels that the detector was fitted to.
    minimum : int, default=1
        Smallest number of images.

    Returns
    -------
    images : list of ndarray of shape (height, width, n_channels)
        Views of X where it is an array.

    Raises
    ------
    ValueError
        If X is no such thing, or an image is smaller than a tile or of other channels or another
        type than the others.
    """
    check_not_masked(X)
    if isinstance(X, np.ndarray) and X.dtype != object and X.ndim not in (3, 4):
        raise ValueError(
            "With tile_size, X must be images: an array (n, height, width) or (n, height, width, "
            "channels), or a list of images. If X is a single sample: pass X[np.newaxis]. "
            f"Received: X of shape {X.shape}."
        )
    if _count(X) < minimum:
        raise ValueError(
            f"X must hold at least {minimum} images, and n_samples={len(X)} are fewer than that."
        )
    images = [_check_image(detector, image, i, tiling, len(X)) for i, image in enumerate(X)]
    _check_kinds(images, n_channels)
    return images


def cut_training_tiles(images, tiling, split, random_state):
    """Cut as many tiles as cover each image, at random places.

    Parameters
    ----------
    images : list of ndarray of shape (height, width, n_channels)
    tiling : Tiling
    split : Split
        Of the images.
    random_state : numpy.random.RandomState

    Returns
    -------
    tiles : ndarray of shape (n, height, width, n_channels)
    split : Split
        Of the tiles.
    """
    counts = np.array([len(tiling.positions(image)) for image in images])
    shape = (counts.sum(), *tiling.shape, images[0].shape[2])
    tiles = allocate(shape, images[0].dtype)
    begins = np.cumsum(counts) - counts
    for image, begin, count in zip(images, begins, counts, strict=True):
        room = [length - size + 1 for length, size in zip(image.shape, tiling.shape, strict=False)]
        corners = np.column_stack([random_state.randint(n, size=count) for n in room])
        for i, corner in enumerate(corners):
            tiles[begin + i] = tiling.cut(image, *corner)
    of_image = np.repeat(np.arange(len(images)), counts)
    return tiles, Split(*(np.flatnonzero(np.isin(of_image, images)) for images in split))


def score_images(images, tiling, score, *, is_progress_shown=False):
    """Return the smallest of the scores of each image's tiles, that of the most abnormal one."""
    scores = np.empty(len(images))
    is_shown = is_progress_shown and len(images) > 1
    with progress_bar(len(images), unit="images", is_shown=is_shown) as advance:
        for i, image in enumerate(images):
            scores[i] = min(score(tiles).min() for _, tiles in tiling.batches(image))
            advance(i + 1)
    return scores


def map_images(images, tiling, compute):
    """Blend the maps of tiles to maps of the images.

    Returns
    -------
    maps : list of ndarray of shape (height, width), float32
    """
    return [_blend(image, tiling, compute) for image in images]


def allocate(shape, dtype):
    """Return an empty array, in a temporary file where it is large."""
    if math.prod(shape) * np.dtype(dtype).itemsize <= _MAX_BYTES_IN_MEMORY:
        return np.empty(shape, dtype=dtype)
    # Without a name: the system deletes it when nothing refers to it any more.
    file = tempfile.TemporaryFile()  # noqa: SIM115
    return np.memmap(file, dtype=dtype, mode="w+", shape=tuple(map(int, shape)))


def _count(X):
    check_is_no_iterator(X)
    if not hasattr(X, "__len__"):
        raise TypeError(
            "With tile_size, X must be a list of images, or an array (n, height, width) or (n, "
            f"height, width, channels). Received: X of type {type(X).__name__}."
        )
    return len(X)


def _blend(image, tiling, compute):
    rows, columns = tiling.weights()
    total = np.zeros(image.shape[:2], dtype=np.float32)
    height, width = (np.zeros(length, dtype=np.float32) for length in image.shape[:2])
    tops, lefts = (sorted(set(starts)) for starts in zip(*tiling.positions(image), strict=True))
    if len(tops) == len(lefts) == 1:
        [(_, tiles)] = tiling.batches(image)
        return compute(tiles)[0]
    # Weights are products, so their sums over tiles are products of the sums along each axis.
    for top in tops:
        height[top : top + len(rows)] += rows
    for left in lefts:
        width[left : left + len(columns)] += columns
    for corners, tiles in tiling.batches(image):
        for (top, left), tile in zip(corners, compute(tiles), strict=True):
            part = total[top : top + len(rows), left : left + len(columns)]
            # Numbers near the largest of float32 may have a sum beyond.
            with np.errstate(over="ignore"):
                part += rows[:, np.newaxis] * columns * tile
    with np.errstate(over="ignore"):
        total /= height[:, np.newaxis]
        total /= width
    return np.minimum(total, np.finfo(total.dtype).max)


def _ramps(size, overlap):
    distances = np.minimum(np.arange(1, size + 1), np.arange(size, 0, -1))
    return np.minimum(distances / (overlap + 1), 1).astype(np.float32)


def _check_kinds(images, n_channels):
    """Refuse images that differ in type or channels from the first, or from what was fitted to."""
    kinds = [(image.dtype.newbyteorder("="), image.shape[2]) for image in images]
    for i, (dtype, n) in enumerate(kinds):
        if n_channels is not None and n != n_channels:
            raise ValueError(
                f"Images of X must have as many channels as the training images, {n_channels}. "
                f"Convert them. Received: {n} channels of image {i}, which is of {dtype}."
            )
        if (dtype, n) != kinds[0]:
            raise ValueError(
                "All images of X must be of one type and have as many channels as each other. "
                f"Convert them. Received: {kinds[0][0]} and {kinds[0][1]} channels of image 0, "
                f"{dtype} and {n} channels of image {i}."
            )


def _check_image(detector, image, i, tiling, n_images):
    image = np.asarray(image)
    shape = (n_images, *image.shape)
    if image.ndim not in (2, 3) or 0 in image.shape:
        raise ValueError(
            "With tile_size, X must be a list of images (height, width) or (height, width, "
            f"channels). Received: image {i} of shape {image.shape}."
        )
    flat = image.reshape(len(image), -1)
    checked = check_array(flat, dtype="numeric", input_name=f"X[{i}]", estimator=detector)
    if checked.dtype.kind not in "buif" or checked.dtype.itemsize > 8:
        raise ValueError(f"Images must be of real numbers. Received: image {i} of {checked.dtype}.")
    image = checked.reshape((*image.shape, 1)[:3])
    if image.shape[0] < tiling.shape[0] or image.shape[1] < tiling.shape[1]:
        mistake = describe_unlikely_shape(shape)
        advice = "" if mistake is None else f"X of shape {shape} {mistake} "
        raise ValueError(
            f"Images must be at least as large as a tile, tile_size={tiling.shape}. Choose a "
            f"smaller one, or pad the images. {advice}Received: image {i} of shape "
            f"{image.shape[:2]}."
        )
    return image
