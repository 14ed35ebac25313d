"""Pictures of where images are abnormal."""

import importlib.util
import math
import tempfile
from pathlib import Path

import numpy as np

from sklearn_ae import AnomalyMapDisplay
from sklearn_ae._progress import progress_bar
from sklearn_ae._whole_files import open_to_replace
from sklearn_ae.cli._table import batches
from sklearn_ae.cli._telling import is_progress_shown

# A picture is some three inches wide: enough pixels to see a defect.
_DOTS_PER_INCH = 200


def check_can_draw(folder):
    """Refuse, before anything is scored, what could not be drawn after it.

    Parameters
    ----------
    folder : pathlib.Path

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    OSError
        If there is a file in the place of the folder.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ImportError("--maps needs matplotlib: pip install 'sklearn-ae[plot]'.")
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"--maps must be a folder. Received: '{folder}', a file.")


def write_maps(model, photographs, scored, source, target):
    """Draw each image under its map, as target/subfolder/name.jpg.png.

    Parameters
    ----------
    model : ImageModel
    photographs : sklearn.utils.Bunch
    scored : dict of str to ndarray of shape (n,)
    source : pathlib.Path
        Where the images are.
    target : pathlib.Path
        Where the pictures go.
    """
    images, filenames = photographs.images, photographs.filenames
    # The maps, which may be more than fit into memory, wait for the largest value of all: with one
    # scale of colours for each picture, normal images would look like abnormal ones.
    with tempfile.TemporaryFile() as file:
        highest = _keep_maps(model, images, file)
        file.seek(0)
        with progress_bar(len(images), unit="maps", is_shown=is_progress_shown()) as advance:
            for i, (image, filename) in enumerate(zip(images, filenames, strict=True)):
                values = np.frombuffer(file.read(4 * math.prod(image.shape[:2])), np.float32)
                name = _name(Path(filename), source)
                path = target / name.with_name(f"{name.name}.png")
                path.parent.mkdir(parents=True, exist_ok=True)
                title = f"{name}\nscore {scored['score'][i]:.4g}"
                title += ", anomaly" if scored["label"][i] < 0 else ", normal"
                _draw(path, image, values.reshape(image.shape[:2]), highest, title)
                advance(i + 1)


def _keep_maps(model, images, file):
    """Write the maps of images to a file, and return their largest value."""
    highest = 0
    for batch in batches(images):
        for one_map in model.innermost.anomaly_map(images[batch]):
            file.write(np.ascontiguousarray(one_map, dtype=np.float32))
            highest = max(highest, float(one_map.max()))
    return highest or 1


def _name(filename, source):
    """Return the path of an image inside its folder, or its name if it is not in one."""
    return filename.relative_to(source) if source.is_dir() else Path(filename.name)


def _draw(path, image, one_map, highest, title):
    import matplotlib.pyplot as plt

    display = AnomalyMapDisplay.from_maps(
        [image], [one_map], map_kwargs={"vmin": 0, "vmax": highest}
    )
    try:
        display.axes_[0, 0].set_title(title, fontsize="small", wrap=True)
        with open_to_replace(path) as file:
            display.figure_.savefig(file, format="png", dpi=_DOTS_PER_INCH)
    finally:
        plt.close(display.figure_)
