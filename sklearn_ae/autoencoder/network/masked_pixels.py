"""Keras layers that keep what is outside of a region of interest out of a network."""

import base64

import keras
import numpy as np
from keras import ops
from scipy import ndimage


class _Masked(keras.Layer):
    """A layer with a mask, which it is written with.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool, or dict
        The mask, or what `get_config` makes of it.
    **kwargs
        See :class:`keras.Layer`.
    """

    def __init__(self, mask, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.mask = _unpack(**mask) if isinstance(mask, dict) else np.asarray(mask, dtype=bool)

    def get_config(self):
        """Return what the layer can be built from again."""
        config = super().get_config()
        config.pop("trainable")
        return config | {"mask": _pack(self.mask)}


@keras.saving.register_keras_serializable("sklearn_ae")
class KeepRegion(_Masked):
    """0 at the pixels outside of a mask, so that no error is there and nothing is learned."""

    def call(self, x):
        """Mask images, of shape (n, height, width, channels)."""
        # Not a product: of infinity, that would be NaN.
        return ops.where(self.mask[..., np.newaxis], x, ops.zeros_like(x))


@keras.saving.register_keras_serializable("sklearn_ae")
class SelectPositions(_Masked):
    """The positions of feature maps that lie inside of a mask, one below the other."""

    def call(self, x):
        """Select from maps of shape (n, height, width, d): (n, n_positions, 1, d)."""
        positions = ops.reshape(x, (-1, self.mask.size, x.shape[-1]))
        return ops.take(positions, np.flatnonzero(self.mask), axis=1)[:, :, np.newaxis]

    def spread(self, x):
        """Put what belongs to the positions back, of shape (n, height, width, d).

        Other positions have the value of the nearest one, so that what is interpolated does not
        fade toward the edge of the mask.
        """
        rows, columns = ndimage.distance_transform_edt(
            ~self.mask, return_distances=False, return_indices=True
        )
        numbers = np.cumsum(self.mask).reshape(self.mask.shape) - 1
        spread = ops.take(x[:, :, 0], numbers[rows, columns].ravel(), axis=1)
        return ops.reshape(spread, (-1, *self.mask.shape, x.shape[-1]))


def select_positions(features, region):
    """Leave out the positions of a model of features that have no pixel of a region.

    Parameters
    ----------
    features : keras.Model
        Images to feature maps.
    region : ndarray of shape (height, width), bool
        Pixels of the images.

    Returns
    -------
    features : keras.Model
        Images to maps of shape (n, n_positions, 1, n_features).

    Raises
    ------
    ValueError
        If fewer than two positions are left.
    """
    _, *shape, _ = features.output_shape
    rows, columns = (
        _cells(n_cells, length) for n_cells, length in zip(shape, region.shape, strict=True)
    )
    mask = rows @ region @ columns.T > 0
    if mask.sum() < 2:
        raise ValueError(
            "region_of_interest must lie in two positions of the backbone at least, each of "
            f"{region.shape[0] / shape[0]:g}×{region.shape[1] / shape[1]:g} pixels. Pass a larger "
            f"region, or earlier layers. Received: {np.count_nonzero(region)} pixels."
        )
    # Called anew: a sequential model has no output before its first call.
    inputs = keras.Input(features.input_shape[1:], dtype="float32", name="scaled_image")
    selected = SelectPositions(mask, name="region_of_interest")(features(inputs))
    model = keras.Model(inputs, selected, name="features_in_region")
    model.trainable = False
    return model


def _cells(n_cells, length):
    """Return which pixels of a row belong to which cell, of shape (n_cells, length)."""
    begins = np.arange(n_cells)[:, np.newaxis] * length // n_cells
    ends = -(-np.arange(1, n_cells + 1)[:, np.newaxis] * length // n_cells)
    pixels = np.arange(length)
    return ((begins <= pixels) & (pixels < ends)).astype(np.float32)


def _pack(mask):
    bits = base64.b64encode(np.packbits(mask)).decode("ascii")
    return {"shape": list(mask.shape), "bits": bits}


def _unpack(shape, bits):
    values = np.unpackbits(np.frombuffer(base64.b64decode(bits), dtype=np.uint8))
    return values[: shape[0] * shape[1]].reshape(shape).astype(bool)
