"""Images of a folder, mapped into memory from a temporary file."""

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn_ae.datasets import load_images
from sklearn_ae.deployment.cli._telling import is_progress_shown, tell


@contextmanager
def images_in(folder, *, size=None, mode=None):
    """Load the images of a folder, as many as there are, and name those that cannot be read.

    Parameters
    ----------
    folder : pathlib.Path
    size : tuple of int or None, default=None
        ``(height, width)`` to resize them to.
    mode : {"grey", "colour"} or None, default=None
        What to turn them into.

    Yields
    ------
    photographs : sklearn.utils.Bunch
        As :func:`~sklearn_ae.datasets.load_images` returns them.
    """
    # The system may hold on to a mapped file and refuse to delete it: Windows does.
    with TemporaryDirectory(prefix="sklearn-ae-", ignore_cleanup_errors=True) as temporary:
        photographs = load_images(
            folder,
            size=size,
            mode=mode,
            on_error="list",
            memory_map=Path(temporary) / "images.npy",
            verbose=is_progress_shown(),
        )
        for filename, reason in photographs.errors.items():
            tell(f"cannot read {filename!r}: {reason}")
        yield photographs


def check_all_were_read(photographs):
    """Refuse to learn from what is left, for what cannot be read may be what matters.

    Parameters
    ----------
    photographs : sklearn.utils.Bunch

    Raises
    ------
    OSError
        If some could not be read.
    """
    if photographs.errors:
        raise OSError(
            "FOLDER must hold images that can all be read: repair or remove those named above. "
            f"Received: {len(photographs.errors)} that cannot be read, and "
            f"{len(photographs.filenames)} others."
        )


def check_one_size(photographs):
    """Refuse images of different sizes, naming two of them.

    Parameters
    ----------
    photographs : sklearn.utils.Bunch

    Raises
    ------
    ValueError
        If they are not of one size.
    """
    if not isinstance(photographs.images, list):
        return
    sizes = [image.shape[:2] for image in photographs.images]
    other = next(i for i, size in enumerate(sizes) if size != sizes[0])
    named = " and ".join(
        f"'{photographs.filenames[i]}' of {sizes[i][0]}x{sizes[i][1]}" for i in (0, other)
    )
    raise ValueError(
        "FOLDER must hold images of one size: pass --image-size to resize them, or --tile-size to "
        f"cut them into tiles. Received: {named} pixels, high and wide."
    )
