"""Image files: which there are in a folder, and what their pixels are."""

import os
from pathlib import Path

import numpy as np

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff")

# Pillow would try dozens of other decoders on a file that is not what its name says.
_FORMATS = ("BMP", "JPEG", "PNG", "TIFF")

# Pillow's modes of pixels that show a gray or a color of 8 bits, and the one to read them in.
_8_BIT_MODES = {"1": "L", "L": "L", "RGB": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}

_ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")

# Numbers of the TIFF standard, https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf.
_BITS_PER_SAMPLE = 258
_PHOTOMETRIC_INTERPRETATION = 262
_WHITE_IS_ZERO = 0


def check_pillow():
    """Refuse to go on without Pillow."""
    try:
        import PIL  # noqa: F401
    except ImportError as error:
        raise ImportError("load_images needs Pillow: pip install 'sklearn-ae[images]'.") from error


def list_image_files(folder_or_paths):
    """List the files to read, in order.

    Parameters
    ----------
    folder_or_paths : str, path-like or iterable of them
        A folder, which is searched to any depth, an image, or images.

    Returns
    -------
    filenames : list of str
        At least one.

    Raises
    ------
    OSError
        If a folder does not exist or cannot be read.
    TypeError
        If it is no path, and no iterable of paths.
    ValueError
        If there is no image.
    """
    if not isinstance(folder_or_paths, str | os.PathLike):
        return _list_paths(folder_or_paths)
    if not os.path.exists(folder_or_paths):
        raise FileNotFoundError(
            "folder_or_paths must be a folder, an image or a list of images that exist. "
            f"Received: {str(folder_or_paths)!r}, which does not exist."
        )
    if not os.path.isdir(folder_or_paths):
        return [os.fspath(folder_or_paths)]
    filenames = _search(os.fspath(folder_or_paths))
    if not filenames:
        raise ValueError(
            "folder_or_paths must hold images, at any depth, with a name that ends in one of "
            f"{', '.join(SUFFIXES)}. Received: the folder {str(folder_or_paths)!r}, which holds "
            "none."
        )
    return filenames


def read_image(filename, *, size, mode):
    """Read the pixels of one file.

    Parameters
    ----------
    filename : str
    size : tuple of int or None
        ``(height, width)`` to resize to.
    mode : {"gray", "color"} or None
        What to turn the image into.

    Returns
    -------
    pixels : ndarray of shape (height, width) or (height, width, 3), uint8, uint16 or float32

    Raises
    ------
    Exception
        Any: Pillow raises many kinds for damaged files.
    """
    from PIL import ImageOps

    if not os.path.isfile(filename):
        raise FileNotFoundError(
            "a folder or no regular file" if os.path.exists(filename) else "no such file"
        )
    # Opened here, for Pillow 13.0 maps TIFF files that it opens itself into memory, and takes their
    # rows for columns where EXIF data say that they are.
    with open(filename, "rb") as file, _open_image(file) as image:
        _check_channels(image)
        # Not after turning, which makes a plain image of any format.
        is_inverted = _is_inverted(image)
        pixels = _pixels(ImageOps.exif_transpose(image), mode)
    if is_inverted:
        pixels = np.iinfo(pixels.dtype).max - pixels
    if size is not None:
        pixels = _resize(pixels, size)
    if mode == "color" and pixels.ndim == 2:
        pixels = np.repeat(pixels[..., np.newaxis], 3, axis=-1)
    return pixels


def _list_paths(paths):
    try:
        filenames = [os.fspath(path) for path in paths]
    except TypeError as error:
        raise TypeError(
            "folder_or_paths must be a folder, an image or a list of images, as str or "
            f"pathlib.Path. Received: {paths!r:.200}."
        ) from error
    if not all(isinstance(filename, str) for filename in filenames):
        raise TypeError(
            "folder_or_paths must hold paths of type str or pathlib.Path: decode others with "
            f"os.fsdecode. Received: {paths!r:.200}."
        )
    # Elements of an array of str, whose type would show in messages, are of a subclass.
    filenames = [str(filename) for filename in filenames]
    if not filenames:
        raise ValueError(
            "folder_or_paths must be a folder, an image or a list of at least one image. "
            "Received: no path."
        )
    return filenames


def _search(folder):
    """Return the images in a folder, at any depth, sorted by the parts of their paths."""

    def fail(error):
        raise error

    found = []
    # Without onerror, a folder that may not be read would be left out silently.
    for parent, folders, names in os.walk(folder, onerror=fail):
        # Hidden ones are not the user's: notebooks keep copies in .ipynb_checkpoints, and macOS
        # puts a ._name.png beside name.png in archives.
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            os.path.join(parent, name)
            for name in names
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    return sorted(found, key=lambda filename: Path(filename).parts)


def _open_image(file):
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(file, formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise ValueError("no BMP, JPEG, PNG or TIFF file, or a damaged one") from error


def _check_channels(image):
    """Refuse an image of which some would be lost, by what its header says.

    Parameters
    ----------
    image : PIL.Image.Image
        Not decoded yet.
    """
    # Phones add pictures for special displays to their JPEG files, of which MPO is a kind.
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        raise ValueError(f"{image.n_frames} images in one file: save each in a file of its own")
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        raise ValueError(
            "an alpha channel or a transparent color, which is neither gray nor color: save the "
            "image without, on the background that it shall have"
        )
    is_16_bit_png = image.format == "PNG" and ";16" in str(image.tile[0][3])
    is_16_bit_tiff = image.format == "TIFF" and max(image.tag_v2.get(_BITS_PER_SAMPLE, (1,))) > 8
    if image.mode in ("RGB", "CMYK", "YCbCr") and (is_16_bit_png or is_16_bit_tiff):
        raise ValueError(
            "colors of 16 bits, of which Pillow keeps 8: read the file with another library, such "
            "as imageio or OpenCV, and use its array, or save the image with 8 bits"
        )
    # Before Pillow 10.3, gray PNG files of 16 bits had the mode of 32.
    is_known = image.mode in (*_8_BIT_MODES, "P", "F") or image.mode.startswith("I;16")
    if not is_known and not (image.mode == "I" and is_16_bit_png):
        raise ValueError(
            f"pixels of Pillow's mode {image.mode!r}: save the image as gray or color of 8 bits, "
            "or as gray of 16 bits or floats"
        )


def _is_inverted(image):
    """Return whether 0 is white, which Pillow itself sees to where pixels have 8 bits."""
    return (
        image.mode.startswith("I;16")
        and image.format == "TIFF"
        and image.tag_v2.get(_PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO
    )


def _pixels(image, mode):
    """Return what a decoded image shows, as an array."""
    if image.mode == "P":
        palette = np.reshape(image.getpalette("RGB"), (-1, 3))
        image = image.convert("L" if (palette == palette[:, :1]).all() else "RGB")
    if image.mode in _8_BIT_MODES:
        target = "L" if mode == "gray" else _8_BIT_MODES[image.mode]
        return np.asarray(image.convert(target))
    pixels = np.asarray(image)
    return pixels if image.mode == "F" else pixels.astype(np.uint16)


def _resize(pixels, size):
    """Resize by the mean of the pixels nearby, weighted by a triangle.

    As its weights are positive, lines get no shadows, which a detector could take for defects.
    """
    from PIL import Image

    height, width = size
    # Floats hold 16 bits exactly, and all versions of Pillow resize them.
    image = Image.fromarray(pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32))
    resized = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    return resized if pixels.dtype.kind == "f" else np.rint(resized).astype(pixels.dtype)
