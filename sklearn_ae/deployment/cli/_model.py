"""A detector of images from a file, and the images that it takes."""

import numpy as np

from sklearn_ae.deployment.cli._folder_faults import Demands
from sklearn_ae.deployment.persistence import describe, load
from sklearn_ae.thresholds._unwrapping import find_calibration_scores, walk_inwards


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
    mode : {"gray", "color"}
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
                "MODEL must be a detector of images, gray or color. Received: "
                f"'{path}', which takes samples of shape {shape}."
            )
        self.size = None if self._contract["tile_size"] is not None else shape[:2]
        self.mode = "gray" if shape[2] == 1 else "color"
        # The command shows the progress itself.
        self.innermost.set_params(verbose=0)

    def demands(self, *, are_all_read):
        """Return what images must be: of the type of the fit, and no smaller than a tile.

        Parameters
        ----------
        are_all_read : bool
            Whether a file that cannot be read is a fault.

        Returns
        -------
        demands : Demands
        """
        return Demands(
            size=self.size,
            mode=self.mode,
            tile_size=self._contract["tile_size"],
            dtype=np.dtype(self._contract["dtype"]),
            are_all_read=are_all_read,
        )
