"""What the command reads: checked before TensorFlow is imported, and in its own words."""

import shlex

import numpy as np

from sklearn_ae._base.order_statistics import choose_rank, count_rows_needed
from sklearn_ae.datasets._image_files import SUFFIXES
from sklearn_ae.deployment.cli._folder_faults import name_some


def check_model(options):
    """Refuse what can be no model, and a folder in its place.

    Parameters
    ----------
    options : argparse.Namespace
        With `model` and, of some subcommands, `folder`.

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If MODEL and FOLDER have changed places.
    """
    model, folder = options.model, getattr(options, "folder", None)
    is_no_model = model.is_dir() or (model.is_file() and _is_image(model))
    if is_no_model and folder is not None and folder.is_file() and not _is_image(folder):
        right = shlex.join(map(str, (folder, model)))
        raise ValueError(
            f"MODEL must come before FOLDER: sklearn-ae {options.command} {right}. Received: "
            f"'{model}' as MODEL and '{folder}' as FOLDER."
        )
    what = "a folder" if model.is_dir() else "which does not exist"
    if model.is_dir() or not model.exists():
        order = "" if folder is None else ", and come before FOLDER"
        error = IsADirectoryError if model.is_dir() else FileNotFoundError
        raise error(
            f"MODEL must be a file that `sklearn-ae fit` or `calibrate` wrote{order}. Received: "
            f"'{model}', {what}."
        )


def _is_image(path):
    return path.suffix.lower() in SUFFIXES


def check_fit(photographs):
    """Refuse a single image.

    Parameters
    ----------
    photographs : sklearn.utils.Bunch
    """
    if len(photographs.images) < 2:
        raise ValueError("FOLDER must hold at least 2 images to fit to. Received: 1 image.")


def check_calibration(options, model, photographs):
    """Refuse too few images, and images that the model was fitted to.

    Parameters
    ----------
    options : argparse.Namespace
        Of the subcommand ``calibrate``.
    model : ImageModel
    photographs : sklearn.utils.Bunch
    """
    rate, confidence, n = options.false_alarm_rate, options.confidence, len(photographs.images)
    if choose_rank(n, rate, confidence) < 1:
        sure = "" if confidence is None else f" and --confidence {confidence:g}"
        lower = "" if confidence is None else ", or lower --confidence"
        raise ValueError(
            f"FOLDER must hold at least {count_rows_needed(rate, confidence)} images for "
            f"--false-alarm-rate {rate:g}{sure}: add images, or raise --false-alarm-rate{lower}. "
            f"Received: {n} image{'s'[: n > 1]}."
        )
    # Images do not repeat by nature, unlike rows of a table.
    is_known, _ = model.innermost._compare_with_fit(photographs.images)
    if is_known.any():
        known = photographs.filenames[np.flatnonzero(is_known)].tolist()
        raise ValueError(
            "FOLDER must hold images that are new to the model, or more new normal images would be "
            f"flagged than --false-alarm-rate says: remove those of the fit. Received: {len(known)}"
            f" of {n} images that it was fitted to. {name_some(known)}."
        )
