"""Images of a folder, mapped into memory from a temporary file."""

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn_ae.datasets import load_images
from sklearn_ae.deployment.cli._folder_faults import FolderError, find_faults
from sklearn_ae.deployment.cli._messages import is_progress_shown, tell


@contextmanager
def images_in(folder, demands):
    """Load the images of a folder, as many as there are, and name those that cannot be read.

    Parameters
    ----------
    folder : pathlib.Path
    demands : Demands
        What they must be, and are turned into.

    Yields
    ------
    photographs : sklearn.utils.Bunch
        As :func:`~sklearn_ae.datasets.load_images` returns them.

    Raises
    ------
    FolderError
        If they are not what they must be. It names all that is wrong, for which all are read again.
    """
    # The system may hold on to a mapped file and refuse to delete it: Windows does.
    with TemporaryDirectory(prefix="sklearn-ae-", ignore_cleanup_errors=True) as temporary:
        try:
            photographs = load_images(
                folder,
                size=demands.size,
                mode=demands.mode,
                on_error="list",
                memory_map=Path(temporary) / "images.npy",
                verbose=is_progress_shown(),
            )
        except ValueError:
            # At the first image that does not go with the others, or that there is no image.
            _raise_faults(folder, demands)
            raise
        if not demands.are_met_by(photographs):
            _raise_faults(folder, demands)
        for filename, reason in photographs.errors.items():
            tell(f"cannot read {filename!r}: {reason}")
        yield photographs


def _raise_faults(folder, demands):
    faults = find_faults(folder, demands)
    if faults:
        raise FolderError(faults)
