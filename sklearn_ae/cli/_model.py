"""What images a model takes."""


class ImageModel:
    """A detector of images from a file.

    Parameters
    ----------
    detector : estimator object
        The detector, or a wrapper of this package around it.
    path : pathlib.Path
        The file that it came from.

    Attributes
    ----------
    innermost : estimator object
        The detector inside of all wrappers, which makes maps.
    size : tuple of int or None
        ``(height, width)`` of the images that it takes, None if it cuts them into tiles.
    mode : {"grey", "colour"}
        What it takes.

    Raises
    ------
    ValueError
        If it takes no images.
    """

    def __init__(self, detector, path):
        self.detector = detector
        self.innermost = detector
        while not hasattr(self.innermost, "anomaly_map"):
            self.innermost = self.innermost.estimator_
        shape = self.innermost.input_shape_
        if len(shape) != 3 or shape[2] not in (1, 3):
            raise ValueError(
                "MODEL must be a detector of images, grey or colour. Received: "
                f"'{path}', which takes samples of shape {shape}."
            )
        self.size = None if self.innermost.tile_size is not None else shape[:2]
        self.mode = "grey" if shape[2] == 1 else "colour"
