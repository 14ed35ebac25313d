"""What the command tells its user, on the standard error stream, in its own words."""

import re
import sys

# In this order. They are looked for outside of quotation marks, where names of files are.
_TRANSLATIONS = [
    (
        r"No row is held out, for X has fewer than (\d+) rows, (\d+): the network is fitted to the "
        "rows that",
        r"No image is held out, for FOLDER holds \2, fewer than \1: the network is fitted to the "
        "images that",
    ),
    (
        "by more samples or a larger validation_fraction, calibrate with other normal samples, or "
        "set threshold",
        "by more images in FOLDER, a tenth of which is held out, or calibrate the model with other "
        "normal images",
    ),
    ("All rows of X are", "All images of FOLDER are"),
    ("and X is", "and FOLDER holds"),
    (r"(multiply|divide) X by (\d+)", r"\1 the values of its images by \2"),
    ("convert X as the training data were", "convert its images as those of the fit were"),
    ("(new normal|held-out) (rows|samples)", r"\1 images"),
    ("calibration rows", "images of FOLDER"),
    (
        "folder_or_paths must be a folder, an image or a list of images that exist",
        "FOLDER must be a folder or an image that exists",
    ),
    ("folder_or_paths", "FOLDER"),
    ("load_images needs", "Images need"),
    ("of sklearn_ae.deployment.save, or", "that `sklearn-ae fit` or `calibrate` wrote, or"),
    (r"(?:architecture=)?\bConvDenseAutoencoder\b(?:\(\))?", "--architecture conv-dense"),
    (r"(?:architecture=)?\bConvAutoencoder\b(?:\(\))?", "--architecture conv"),
    (r"(?:architecture=)?\bDenseAutoencoder\b(?:\(\))?", "--architecture dense"),
    (r"(?:architecture=)?\bFeatureAutoencoder\b(?:\(\))?", "--architecture features"),
    (r"(?:input_shape=|images of shape )\((\d+), (\d+), \d+\)", r"images of \1x\2 pixels"),
    (r"\btile_size=\((\d+), (\d+)\)", r"--tile-size \1x\2"),
    (r"\bfalse_alarm_rate=", "--false-alarm-rate "),
    (r"\bfalse_alarm_rate\b", "--false-alarm-rate"),
    (r"\btile_size\b", "--tile-size"),
    (r"\brandom_state\b", "--random-state"),
]

_QUOTED = re.compile(r"((?<!\w)'[^']*'|(?<!\w)\"[^\"]*\")")


def in_own_words(message):
    """Return a message of the library as the command would say it.

    Parameters
    ----------
    message : str

    Returns
    -------
    message : str
        The same where it names nothing that the command calls otherwise.
    """
    parts = _QUOTED.split(message)
    for pattern, replacement in _TRANSLATIONS:
        parts[::2] = [re.sub(pattern, replacement, part) for part in parts[::2]]
    return "".join(parts)


def tell(message):
    """Print a message, as one line."""
    print(f"sklearn-ae: {' '.join(message.split())}", file=sys.stderr, flush=True)


def is_progress_shown():
    """Return whether a person watches: in a log file, a bar would be a mess."""
    return sys.stderr.isatty()
