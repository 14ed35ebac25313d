"""Files that are written whole or not at all."""

import os
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path


def check_can_be_written(path, name):
    """Refuse, before what may take hours, a file that could not be written after it.

    Parameters
    ----------
    path : str or path-like
    name : str
        The parameter or option that gave it.

    Returns
    -------
    path : pathlib.Path
        Of the file itself, where the path is that of a symbolic link.

    Raises
    ------
    OSError
        If there is no such folder, or it may not be written to, or what is there is no file.
    """
    target = Path(os.path.realpath(path))
    folder = target.parent
    is_in_the_way = target.exists() and not target.is_file()
    # A stream of the process may be a file, but it is no place to move another to.
    is_stream = os.path.abspath(path).startswith(("/dev/fd/", "/dev/std", "/proc/"))
    if is_in_the_way or is_stream or not folder.is_dir() or not os.access(folder, os.W_OK):
        error = OSError if folder.is_dir() else FileNotFoundError
        raise error(
            f"{name} must be a file in a folder that exists and may be written to. "
            f"Received: '{path}'."
        )
    return target


@contextmanager
def open_to_replace(path):
    """Open a file of bytes beside its place, and move it there at the end of the block.

    Parameters
    ----------
    path : pathlib.Path

    Yields
    ------
    file : file object
        After an error or an interrupt, it is deleted, and what was in its place stays.
    """
    # In the same folder, for only there it can be moved in one step. A short name: that of the file
    # may be as long as a name can be.
    partial = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with partial.open("xb") as file:
            yield file
        if path.exists():
            # Who may read it is what it was.
            shutil.copymode(path, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_to_disk(file):
    """Wait until the disk has what was written, lest a new name reach it before the data do.

    Parameters
    ----------
    file : file object
    """
    file.flush()
    os.fsync(file.fileno())
