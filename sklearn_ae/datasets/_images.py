"""Image files as arrays in memory, or mapped into it from one file."""

import math
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from sklearn_ae._base.files import open_to_replace
from sklearn_ae._base.progress import progress_bar
from sklearn_ae.datasets._image_files import check_pillow, list_image_files, read_image


def load_images(
    folder_or_paths, *, size=None, mode=None, on_error="raise", memory_map=None, verbose=False
):
    """Load PNG, JPEG, BMP and TIFF files.

    Images are gray or color, and turned as their EXIF data say. Those of 8 bits, of 1 bit and with
    a palette become uint8, as what they show; gray ones of 16 bits stay uint16, and of floats
    float32. They must be alike: all gray or all color, and of one type.

    Parameters
    ----------
    folder_or_paths : str, path-like or iterable of them
        A folder, whose images are loaded in the order of their sorted paths, down to any depth.
        Hidden files and folders and linked folders are left out, as are files whose names do not
        end in .bmp, .jpeg, .jpg, .png, .tif or .tiff. Or the path of an image, or paths of images,
        in the order wanted and with any names.
    size : tuple of int or None, default=None
        ``(height, width)`` in pixels that all images are resized to, without keeping their
        proportions. Shrinking averages the pixels that become one, so that fine patterns do not
        turn into coarse ones.
    mode : {"gray", "color"} or None, default=None
        What to turn all images into: "gray" is the luminance of ITU-R 601-2, "color" repeats the
        gray for red, green and blue. With None, they stay what they are, and must be alike.
    on_error : {"raise", "list"}, default="raise"
        What happens at a file that is damaged, is no image, or has what would be lost: an alpha
        channel, several images, or colors of 16 bits. With "list", it is left out and listed in
        `errors`.
    memory_map : str, path-like or None, default=None
        Path of a file, whose name ends in ".npy", to write the images to, for images that do not
        fit into memory. It is replaced if it exists, once all images are read. Of images of
        different sizes, it holds the pixels in one row, image after image.
    verbose : bool, default=False
        Whether to show a progress bar on the standard error stream.

    Returns
    -------
    photographs : sklearn.utils.Bunch
        Dictionary with these keys, which are attributes too:

        - `images` : ndarray of shape (n, height, width) or, of color images, (n, height, width,
          3), uint8, uint16 or float32. With `memory_map`, a read-only numpy.memmap of that file.
          For images of different sizes, a list of n arrays (height, width) or (height, width, 3),
          with `memory_map` parts of one numpy.memmap.
        - `filenames` : ndarray of shape (n,), str, the path of each image.
        - `errors` : dict of str to str, path of each file left out and what is wrong with it.

    Raises
    ------
    ImportError
        If Pillow is not installed.
    OSError
        If a folder or, with ``on_error="raise"``, a file cannot be read, which the error names.
    TypeError
        If `folder_or_paths` is neither a path nor an iterable of paths.
    ValueError
        If there is no image, if images are not alike, or if another parameter is not as described.

    See Also
    --------
    sklearn.datasets.load_files : Text files, labeled by the names of their folders.

    Notes
    -----
    Pillow refuses images of more than ``2 * PIL.Image.MAX_IMAGE_PIXELS`` pixels, by default 179
    millions, which may be made to fill the memory. Raise that number for files that you trust.

    Examples
    --------
    >>> from pathlib import Path
    >>> import sklearn.datasets
    >>> from sklearn_ae.datasets import load_images
    >>> folder = Path(sklearn.datasets.__file__).parent / "images"
    >>> photographs = load_images(folder, size=(64, 96))
    >>> photographs.images.shape, photographs.images.dtype
    ((2, 64, 96, 3), dtype('uint8'))
    >>> [Path(filename).name for filename in photographs.filenames]
    ['china.jpg', 'flower.jpg']
    """
    check_pillow()
    _check_options(mode=mode, on_error=on_error)
    size = _check_size(size)
    memory_map = _check_memory_map(memory_map)
    to_read = list_image_files(folder_or_paths)
    errors = {}
    with progress_bar(len(to_read), unit="files", is_shown=verbose) as advance:
        images = _read_all(
            to_read,
            size=size,
            mode=mode,
            errors=errors if on_error == "list" else None,
            advance=advance,
        )
        if memory_map is None:
            images, filenames = _collect(images, len(to_read))
        else:
            images, filenames = _write(images, len(to_read), memory_map)
    return Bunch(images=images, filenames=np.array(filenames), errors=errors)


def _check_options(*, mode, on_error):
    if mode not in ("gray", "color", None):
        raise ValueError(f"mode must be 'gray', 'color' or None. Received: mode={mode!r}.")
    if on_error not in ("raise", "list"):
        raise ValueError(f"on_error must be 'raise' or 'list'. Received: on_error={on_error!r}.")


def _check_size(size):
    if size is None:
        return None
    is_pair = isinstance(size, tuple | list) and len(size) == 2
    if not is_pair or not all(isinstance(side, Integral) and side >= 1 for side in size):
        raise ValueError(
            "size must be (height, width), two integers of at least 1, or None to leave images "
            f"as large as they are. Received: size={size!r}."
        )
    return int(size[0]), int(size[1])


def _check_memory_map(memory_map):
    if memory_map is None:
        return None
    path = Path(memory_map)
    if path.suffix != ".npy" or not path.parent.is_dir() or path.is_dir():
        raise ValueError(
            "memory_map must be the path of a file to write, in a folder that exists and with a "
            "name that ends in '.npy', or None to load the images into memory. Received: "
            f"memory_map={str(memory_map)!r}."
        )
    return path


def _read_all(filenames, *, size, mode, errors, advance):
    """Read images and check that they are alike.

    Parameters
    ----------
    filenames : list of str
    size : tuple of int or None
    mode : {"gray", "color"} or None
    errors : dict or None
        Where to put what is wrong with files that cannot be read, or None to raise it.
    advance : callable
        Called with the number of files that are done.

    Yields
    ------
    filename : str
    pixels : ndarray of shape (height, width) or (height, width, 3)
    """
    first = None
    for n_done, filename in enumerate(filenames, start=1):
        pixels = read_or_list(filename, size=size, mode=mode, errors=errors)
        if pixels is not None:
            kind = filename, pixels.ndim, pixels.dtype
            first = first or kind
            if kind[1:] != first[1:]:
                raise _not_alike(first, kind)
            yield filename, pixels
        advance(n_done)
    if first is None:
        filename, reason = next(iter(errors.items()))
        raise ValueError(
            "folder_or_paths must hold an image that can be read. Received: "
            f"{len(errors)} files, of which none can, such as {filename!r}: {reason}."
        )


def read_or_list(filename, *, size, mode, errors):
    """Return the pixels of a file, or None if it is listed among the errors.

    Parameters
    ----------
    filename : str
    size : tuple of int or None
    mode : {"gray", "color"} or None
    errors : dict or None
        Where to put what is wrong with a file that cannot be read, or None to raise it.
    """
    try:
        return read_image(filename, size=size, mode=mode)
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises many kinds for damaged files.
        reason = str(error).rstrip(".") or type(error).__name__
        if errors is None:
            raise OSError(
                f"folder_or_paths must hold images that can be read: repair or remove {filename!r},"
                f" or pass on_error='list' to leave such files out. Received: {reason}."
            ) from error
        errors[filename] = reason


def _not_alike(*kinds):
    """Return the error for images that do not go together, from one of each kind."""
    advice = "pass mode='gray' or mode='color' to turn all into one"
    if len({dtype for _, _, dtype in kinds}) > 1:
        advice = "save them with as many bits each"
    descriptions = [
        f"{filename!r} is {'gray' if n_dimensions == 2 else 'color'} of type {dtype}"
        for filename, n_dimensions, dtype in kinds
    ]
    return ValueError(
        "folder_or_paths must hold images that are all gray or all color, and of one type: load "
        f"them apart, or {advice}. Received: {' and '.join(descriptions)}."
    )


def _collect(images, n_files):
    """Gather images in one array if they are of one size, else in a list.

    Parameters
    ----------
    images : iterator of (str, ndarray)
    n_files : int
        The most images that there may be.

    Returns
    -------
    images : ndarray of shape (n, height, width) or (n, height, width, 3), or list of ndarray
    filenames : list of str
    """
    filenames, collected = [], None
    for filename, pixels in images:
        if collected is None:
            # At once, as a list and then an array would need twice the memory.
            collected = np.empty((n_files, *pixels.shape), dtype=pixels.dtype)
        elif isinstance(collected, np.ndarray) and pixels.shape != collected.shape[1:]:
            collected = [image.copy() for image in collected[: len(filenames)]]
        if isinstance(collected, list):
            collected.append(pixels.copy())
        else:
            collected[len(filenames)] = pixels
        filenames.append(filename)
    return collected[: len(filenames)], filenames


def _write(images, n_files, path):
    """Write images to a file and map it into memory.

    Parameters
    ----------
    images : iterator of (str, ndarray)
    n_files : int
        The most images that there may be.
    path : pathlib.Path

    Returns
    -------
    images : numpy.memmap of shape (n, height, width) or (n, height, width, 3), or list of them
    filenames : list of str
    """
    filenames, shapes = [], []
    with open_to_replace(path) as file:
        for filename, pixels in images:
            if not shapes:
                _write_header(file, (n_files, *pixels.shape), pixels.dtype)
            file.write(np.ascontiguousarray(pixels))
            filenames.append(filename)
            shapes.append(pixels.shape)
        are_of_one_size = len(set(shapes)) == 1
        n_values = sum(map(math.prod, shapes))
        file.seek(0)
        shape = (len(shapes), *shapes[0]) if are_of_one_size else (n_values,)
        _write_header(file, shape, pixels.dtype)
    mapped = np.load(path, mmap_mode="r")
    return mapped if are_of_one_size else _take_apart(mapped, shapes), filenames


def _take_apart(values, shapes):
    """Return parts of a row of values as images, without a copy."""
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    return [
        values[end - math.prod(shape) : end].reshape(shape)
        for end, shape in zip(ends, shapes, strict=True)
    ]


def _write_header(file, shape, dtype):
    """Write the header of a .npy file, which NumPy pads, so that the number of rows may change."""
    np.lib.format.write_array_header_1_0(
        file,
        {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape},
    )
