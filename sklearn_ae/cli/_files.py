"""Files that are written whole or not at all."""

import os
from contextlib import contextmanager
from uuid import uuid4


def check_can_be_written(path, option):
    """Refuse, before hours of training, a file that could not be written after them.

    Parameters
    ----------
    path : pathlib.Path
    option : str
        The option that gave it.

    Raises
    ------
    OSError
        If there is no such folder, or it may not be written to, or the path is that of a folder.
    """
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise OSError(
            f"{option} must be a file in a folder that exists and may be written to. "
            f"Received: '{path}'."
        )


@contextmanager
def replaced_when_whole(path):
    """Write a file beside its place, and move it there at the end of the block.

    Parameters
    ----------
    path : pathlib.Path

    Yields
    ------
    partial : pathlib.Path
        Where to write. After an error or an interrupt, it is deleted.
    """
    # Beside the file, as only there it can be moved into place in one step.
    partial = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
