"""Scores of images, and the table of them."""

import csv
import io
import sys
from pathlib import Path

import numpy as np
from sklearn.utils import gen_batches

from sklearn_ae._base.files import open_to_replace, write_to_disk
from sklearn_ae._base.order_statistics import conformal_p_values
from sklearn_ae._base.progress import progress_bar
from sklearn_ae.deployment.cli._messages import is_progress_shown

# Images that are scored at a time, between two steps of the progress bar.
_BYTES_PER_BATCH = 2**26


def score_files(model, photographs):
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
    scores = _score_batches(detector, photographs.images)
    decisions = scores - detector.offset_
    scored = {
        "file": photographs.filenames,
        "score": scores,
        "decision": decisions,
        "label": np.where(decisions < 0, -1, 1),
    }
    if model.calibration_scores is not None:
        # As `p_values` does, which would compute the scores again.
        scored["p_value"] = conformal_p_values(scores, model.calibration_scores)
    return scored


def _score_batches(detector, images):
    """Return the scores of images, and show how long they take."""
    scores = np.empty(len(images))
    with progress_bar(len(images), unit="images scored", is_shown=is_progress_shown()) as advance:
        for batch in batches(images):
            scores[batch] = detector.score_samples(images[batch])
            advance(min(batch.stop, len(images)))
    return scores


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
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(scored)
    writer.writerows(rows)
    # Names of files may be no text in any encoding, or not in that of the stream.
    if path is None:
        encoding = sys.stdout.encoding or "utf-8"
        text = table.getvalue().encode(encoding, "backslashreplace").decode(encoding)
        print(text, end="")
    else:
        with open_to_replace(path) as file:
            file.write(table.getvalue().encode(errors="backslashreplace"))
            write_to_disk(file)
