"""Where the command writes: checked before what may take hours, and never over what it reads."""

import importlib.util
import os

from sklearn_ae._base.files import check_can_be_written
from sklearn_ae.datasets._image_files import SUFFIXES


def check_output(path, option, *, model=None):
    """Refuse a file that cannot be written, or that would replace an image or the model.

    Parameters
    ----------
    path : pathlib.Path
    option : str
        The option that gave it.
    model : pathlib.Path or None, default=None
        The file of the model that is read, which another kind of file must not replace.

    Returns
    -------
    path : pathlib.Path
        Of the file itself, where the path is that of a symbolic link.

    Raises
    ------
    OSError
        If it cannot be written.
    ValueError
        If it would replace what is read.
    """
    if path.suffix.lower() in SUFFIXES:
        raise ValueError(
            f"{option} must not have the name of an image, one of which it might replace: choose "
            f"another ending. Received: '{path}'."
        )
    path = check_can_be_written(path, option)
    if model is not None and path == model.resolve():
        raise ValueError(
            f"{option} must not be MODEL, which it would replace: choose another file. Received: "
            f"'{model}' for both."
        )
    return path


def check_can_draw(target, source):
    """Refuse, before anything is scored, what could not be drawn after it.

    Parameters
    ----------
    target : pathlib.Path
        Folder of the pictures, which is made if there is none.
    source : pathlib.Path
        Where the images are.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    OSError
        If there is a file in the place of the folder, or it may not be written to.
    ValueError
        If the next call would take the pictures for images.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ImportError("--maps needs matplotlib: pip install 'sklearn-ae[plot]'.")
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"--maps must be a folder. Received: '{target}', a file.")
    if source.is_dir() and target.resolve().is_relative_to(source.resolve()):
        raise ValueError(
            "--maps must be a folder outside of FOLDER, whose images its pictures would be when "
            f"that is scored again. Received: '{target}' in '{source}'."
        )
    target.mkdir(parents=True, exist_ok=True)
    if not os.access(target, os.W_OK):
        raise PermissionError(f"--maps must be a folder to write to. Received: '{target}'.")
