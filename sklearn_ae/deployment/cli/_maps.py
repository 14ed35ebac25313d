"""Pictures of where images are abnormal."""

import hashlib
import math
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np

from sklearn_ae._base.files import open_to_replace
from sklearn_ae._base.progress import progress_bar
from sklearn_ae.deployment.cli._messages import is_progress_shown, tell
from sklearn_ae.deployment.cli._table import batches
from sklearn_ae.inspection.displays import AnomalyMapDisplay

# A picture is some three inches wide: enough pixels to see a defect.
_DOTS_PER_INCH = 200

# Of the name of a file, in bytes, on all common file systems.
_LONGEST_NAME = 255


def write_maps(model, photographs, scored, *, source, target, highest):
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
    highest : float or None
        Value of the darkest color. None takes the largest value of all maps.
    """
    images, filenames = photographs.images, photographs.filenames
    # The maps, which may be more than fit into memory, wait for the largest value of all: with one
    # scale of colors for each picture, normal images would look like abnormal ones.
    with tempfile.TemporaryFile() as file:
        largest = _keep_maps(model, images, file)
        if highest is None:
            highest = largest
            tell(f"the darkest color of the maps is {highest:.4g}, their largest value")
        file.seek(0)
        with progress_bar(len(images), unit="pictures", is_shown=is_progress_shown()) as advance:
            for i, (image, filename) in enumerate(zip(images, filenames, strict=True)):
                values = np.frombuffer(file.read(4 * math.prod(image.shape[:2])), np.float32)
                name = _name(Path(filename), source)
                path = target / name.with_name(_short(f"{name.name}.png"))
                path.parent.mkdir(parents=True, exist_ok=True)
                title = f"{name}\nscore {scored['score'][i]:.4g}"
                title += ", anomaly" if scored["label"][i] < 0 else ", normal"
                _draw(path, image, values.reshape(image.shape[:2]), highest, title)
                advance(i + 1)


def _keep_maps(model, images, file):
    """Write the maps of images to a file, and return their largest value."""
    highest = 0
    with progress_bar(len(images), unit="maps", is_shown=is_progress_shown()) as advance:
        for batch in batches(images):
            for one_map in model.innermost.anomaly_map(images[batch]):
                file.write(np.ascontiguousarray(one_map, dtype=np.float32))
                highest = max(highest, float(one_map.max()))
            advance(min(batch.stop, len(images)))
    return highest or 1


def _name(filename, source):
    """Return the path of an image inside its folder, or its name if it is not in one."""
    return filename.relative_to(source) if source.is_dir() else Path(filename.name)


def _short(name):
    """Return a name that a file may have, told apart by its hash if it had to be cut."""
    encoded = os.fsencode(name)
    if len(encoded) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:12]
    return f"{encoded[:200].decode(errors='ignore')}-{digest}.png"


def _draw(path, image, one_map, highest, title):
    import matplotlib.pyplot as plt

    display = AnomalyMapDisplay.from_maps(
        [image], [one_map], map_kwargs={"vmin": 0, "vmax": highest}
    )
    try:
        # Names may have dollar signs, and letters that the font lacks.
        title = title.encode(errors="backslashreplace").decode()
        display.axes_[0, 0].set_title(title, fontsize="small", wrap=True, parse_math=False)
        with open_to_replace(path) as file, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            display.figure_.savefig(file, format="png", dpi=_DOTS_PER_INCH)
    finally:
        plt.close(display.figure_)
