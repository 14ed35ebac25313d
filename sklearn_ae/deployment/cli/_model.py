"""A detector of images from a file, and the images that it takes."""

import numpy as np

from sklearn_ae.deployment.persistence import describe, load
from sklearn_ae.thresholds._unwrapping import find_calibration_scores, walk_inwards

# What load_images gives, but for floats, whose units an image of integers does not tell.
_TYPES_OF_FILES = ("uint8", "uint16")


class ImageModel:
    """A detector of images from a file.

    Parameters
    ----------
    path : pathlib.Path

    Attributes
    ----------
    detector : estimator object
        The detector, or a wrapper of this package around it.
    innermost : AutoencoderAnomalyDetector
        The detector inside of all wrappers, which makes maps.
    size : tuple of int or None
        ``(height, width)`` of the images that it takes, None if it cuts them into tiles.
    mode : {"grey", "colour"}
        What it takes.
    calibration_scores : ndarray of shape (n,) or None
        Sorted scores, among which those of images are counted for their p-values; None if it gives
        none.

    Raises
    ------
    ValueError
        If it takes no images.
    """

    def __init__(self, path):
        self.detector = load(path)
        *_, self.innermost = walk_inwards(self.detector)
        self.calibration_scores = find_calibration_scores(self.detector)
        # What it was fitted to: parameters may be of other kinds, or set to something else since.
        self._contract = describe(path)["input"]
        shape = self.innermost.input_shape_
        if len(shape) != 3 or shape[2] not in (1, 3):
            raise ValueError(
                "MODEL must be a detector of images, grey or colour. Received: "
                f"'{path}', which takes samples of shape {shape}."
            )
        self.size = None if self._contract["tile_size"] is not None else shape[:2]
        self.mode = "grey" if shape[2] == 1 else "colour"
        # The command shows the progress itself.
        self.innermost.set_params(verbose=0)

    def check(self, photographs):
        """Refuse images of another type, whose numbers mean something else, and too small ones.

        Parameters
        ----------
        photographs : sklearn.utils.Bunch

        Raises
        ------
        ValueError
            If they have 16 bits, say, and the model was fitted to 8, or one is smaller than a tile.
        """
        self._check_type(photographs.images[0].dtype)
        if self._contract["tile_size"] is None:
            return
        height, width = self._contract["tile_size"]
        for image, filename in zip(photographs.images, photographs.filenames, strict=True):
            if image.shape[0] < height or image.shape[1] < width:
                raise ValueError(
                    "FOLDER must hold images at least as large as the tiles of the model, "
                    f"{height}x{width}. Received: '{filename}' of {image.shape[0]}x"
                    f"{image.shape[1]} pixels, high and wide."
                )

    def _check_type(self, dtype):
        expected = np.dtype(self._contract["dtype"])
        # Of floats, a file has fewer digits than an array may have, but in the same units.
        if dtype == expected or dtype.kind == expected.kind == "f":
            return
        advice = f"{expected}: save them so"
        if expected.name not in _TYPES_OF_FILES:
            advice = (
                f"{expected}, in units that are not known: fit the model to images as "
                "`sklearn-ae fit` or load_images of sklearn_ae.datasets reads them"
            )
        raise ValueError(
            "FOLDER must hold images of the type that the model was fitted to, "
            f"{advice}. Received: images of {dtype}."
        )
