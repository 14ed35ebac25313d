"""Scores of images, and the table of them."""

import csv
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sklearn.utils import gen_batches

from sklearn_ae._progress import progress_bar
from sklearn_ae._whole_files import open_to_replace
from sklearn_ae.cli._telling import is_progress_shown

# Images that are scored at a time, between two steps of the progress bar.
_BYTES_PER_BATCH = 2**26


def score_images(model, photographs):
    """Compute scores, decisions and labels.

    Parameters
    ----------
    model : ImageModel
    photographs : sklearn.utils.Bunch

    Returns
    -------
    scored : dict of str to ndarray of shape (n,)
        The columns of the table, "file" the first.
    """
    detector = model.detector
    scores = over_batches(detector.score_samples, photographs.images, "images scored")
    decisions = scores - detector.offset_
    scored = {
        "file": photographs.filenames,
        "score": scores,
        "decision": decisions,
        "label": np.where(decisions < 0, -1, 1),
    }
    if hasattr(detector, "p_values"):
        scored["p_value"] = over_batches(detector.p_values, photographs.images, "p-values")
    return scored


def over_batches(compute, images, unit):
    """Compute a number for each image, batch by batch, and show how long it takes.

    Parameters
    ----------
    compute : callable
    images : ndarray of shape (n, ...), or list of ndarray
    unit : str
        What is computed, in the plural.

    Returns
    -------
    values : ndarray of shape (n,), float64
    """
    values = np.empty(len(images))
    with progress_bar(len(images), unit=unit, is_shown=is_progress_shown()) as advance:
        for batch in batches(images):
            values[batch] = compute(images[batch])
            advance(min(batch.stop, len(images)))
    return values


def batches(images):
    """Yield slices of images that fit into little memory."""
    largest = max(image.nbytes for image in images)
    yield from gen_batches(len(images), max(1, _BYTES_PER_BATCH // largest))


def write_table(scored, errors, path):
    """Write the table, with a row for each file, in the order of their paths.

    Parameters
    ----------
    scored : dict of str to ndarray of shape (n,)
    errors : dict of str to str
        Files that could not be read.
    path : pathlib.Path or None
        None writes to the standard output.
    """
    columns = [column.tolist() for column in scored.values()]
    rows = list(zip(*columns, strict=True))
    rows += [(filename, *[""] * (len(columns) - 1)) for filename in errors]
    rows.sort(key=lambda row: Path(row[0]).parts)
    with _opened(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(scored)
        writer.writerows(rows)


@contextmanager
def _opened(path):
    if path is None:
        yield sys.stdout
        # Here, where an error of what reads it is noticed.
        sys.stdout.flush()
        return
    with open_to_replace(path, "x", newline="", encoding="utf-8") as file:
        yield file
