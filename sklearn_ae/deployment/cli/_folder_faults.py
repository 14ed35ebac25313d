"""Everything that is wrong with the images of a folder, in one go."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from sklearn_ae._base.progress import progress_bar
from sklearn_ae.datasets._image_files import list_image_files
from sklearn_ae.datasets._images import read_or_list
from sklearn_ae.deployment.cli._messages import is_progress_shown

# Files that are named for each fault.
_MOST_NAMES = 10

# What load_images gives, but for floats, whose units an image of integers does not tell.
_TYPES_OF_FILES = ("uint8", "uint16")


class Demands(NamedTuple):
    """What the images of a folder must be.

    Parameters
    ----------
    size : tuple of int or None, default=None
        ``(height, width)`` that they are resized to. None keeps their sizes.
    mode : {"gray", "color"} or None, default=None
        What they are turned into. None requires that they are alike.
    tile_size : tuple of int or None, default=None
        ``(height, width)`` of the tiles that they are cut into. With neither this nor `size`, they
        must be of one size.
    dtype : numpy.dtype or None, default=None
        Type that they must have. None requires that they have the same.
    are_all_read : bool, default=True
        Whether a file that cannot be read is a fault, as long as there is another one.
    """

    size: tuple | None = None
    mode: str | None = None
    tile_size: tuple | None = None
    dtype: np.dtype | None = None
    are_all_read: bool = True

    def are_met_by(self, photographs):
        """Tell whether images are as they must be.

        Parameters
        ----------
        photographs : sklearn.utils.Bunch
            As :func:`~sklearn_ae.datasets.load_images` returns them, alike but in size.
        """
        images = photographs.images
        if photographs.errors and self.are_all_read:
            return False
        if self.is_one_size and isinstance(images, list):
            return False
        return self.allows_type(images[0].dtype) and all(
            self.allows_size(image.shape[:2]) for image in images
        )

    @property
    def is_one_size(self):
        """Whether images must have the same size."""
        return self.size is None and self.tile_size is None

    def allows_type(self, dtype):
        """Tell whether an image may have a type."""
        # NumPy takes None for float64.
        if self.dtype is None or dtype == self.dtype:
            return True
        # Of floats, a file has fewer digits than an array may have, but in the same units.
        return dtype.kind == self.dtype.kind == "f"

    def allows_size(self, size):
        """Tell whether an image may have a size."""
        return self.tile_size is None or all(np.greater_equal(size, self.tile_size))


class FolderError(ValueError):
    """Images of a folder are not as they must be.

    Parameters
    ----------
    faults : list of str
        A message for each fault.
    """

    def __init__(self, faults):
        self.faults = faults
        super().__init__(" ".join(faults))


class _Image(NamedTuple):
    filename: str
    mode: str
    dtype: np.dtype
    size: tuple


def find_faults(folder, demands):
    """Read all images of a folder, and say what is wrong with them.

    Parameters
    ----------
    folder : pathlib.Path
    demands : Demands

    Returns
    -------
    faults : list of str
    """
    images, errors = [], {}
    filenames = list_image_files(folder)
    with progress_bar(
        len(filenames), unit="files examined", is_shown=is_progress_shown()
    ) as advance:
        for n_done, filename in enumerate(filenames, start=1):
            pixels = read_or_list(filename, size=None, mode=None, errors=errors)
            if pixels is not None:
                mode = "gray" if pixels.ndim == 2 else "color"
                images.append(_Image(filename, mode, pixels.dtype, pixels.shape[:2]))
            advance(n_done)
    faults = []
    if errors and (demands.are_all_read or not images):
        faults.append(
            "FOLDER must hold images that can all be read: repair or remove these. Received: "
            f"{len(errors)} that cannot be read, and {len(images)} others. {_name_each(errors)}."
        )
    checks = (_check_modes, _check_types, _check_sizes) if images else ()
    return [*faults, *(fault for check in checks if (fault := check(images, demands)))]


def _check_modes(images, demands):
    if demands.mode is None and len({image.mode for image in images}) > 1:
        return (
            "FOLDER must hold images that are all gray or all color: pass --mode gray or --mode "
            f"color to turn all into one. Received: {_compare(images, lambda x: x.mode)}."
        )
    return None


def _check_types(images, demands):
    if demands.dtype is None:
        if len({image.dtype for image in images}) == 1:
            return None
        return (
            "FOLDER must hold images of one type: save them with as many bits each. Received: "
            f"{_compare(images, lambda x: x.dtype.name)}."
        )
    others = {x.filename: x.dtype.name for x in images if not demands.allows_type(x.dtype)}
    if not others:
        return None
    advice = f"{demands.dtype}: save them so"
    if demands.dtype.name not in _TYPES_OF_FILES:
        advice = (
            f"{demands.dtype}, in units that are not known: fit the model to images as "
            "`sklearn-ae fit` or load_images of sklearn_ae.datasets reads them"
        )
    return (
        f"FOLDER must hold images of the type that the model was fitted to, {advice}. Received: "
        f"{len(others)} of {len(images)} images of another type. {_name_each(others)}."
    )


def _check_sizes(images, demands):
    if demands.is_one_size:
        if len({image.size for image in images}) == 1:
            return None
        return (
            "FOLDER must hold images of one size: pass --image-size to resize them, or --tile-size "
            "to cut them into tiles. Received, as height x width in pixels: "
            f"{_compare(images, lambda x: _text(x.size))}."
        )
    others = {x.filename: _text(x.size) for x in images if not demands.allows_size(x.size)}
    if not others:
        return None
    return (
        f"FOLDER must hold images at least as large as the tiles, {_text(demands.tile_size)}: "
        f"remove or pad smaller ones, or fit with a smaller --tile-size. Received: {len(others)} "
        f"of {len(images)} images that are smaller. {_name_each(others)}."
    )


def _compare(images, kind_of):
    """Say what most images are, and name the others."""
    kinds = {image.filename: kind_of(image) for image in images}
    [(most, n)] = Counter(kinds.values()).most_common(1)
    example = next(filename for filename in kinds if kinds[filename] == most)
    others = {filename: kind for filename, kind in kinds.items() if kind != most}
    are = "is" if n == 1 else "are"
    return f"{n} of {len(kinds)} {are} {most}, such as {example!r}; others {_name_each(others)}"


def name_some(names):
    """Name files, not too many.

    Parameters
    ----------
    names : list of str

    Returns
    -------
    text : str
    """
    return _join([repr(name) for name in names[:_MOST_NAMES]], len(names))


def _name_each(described):
    """Name files, not too many, each with what is said of it."""
    named = list(described.items())[:_MOST_NAMES]
    return _join([f"{filename!r} ({text})" for filename, text in named], len(described))


def _join(texts, n):
    return ", ".join(texts) + (f" and {n - len(texts)} more" if n > len(texts) else "")


def _text(size):
    height, width = size
    return f"{height}x{width}"
