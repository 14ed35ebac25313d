"""From a network of images to the features of it that an autoencoder learns."""

import keras
import numpy as np
from keras import layers

from sklearn_ae._network.network import restore_weights
from sklearn_ae._network.randomness import python_random_restored


def build_features(backbone, layer_names, input_shape):
    """Build a model from scaled images to the outputs of some layers, on one grid of positions.

    Parameters
    ----------
    backbone : keras.Model
        Images of any size, or of that of `input_shape`, to anything.
    layer_names : sequence of str or None
        Layers whose outputs are taken, the finest grid first. None takes the model's outputs.
    input_shape : tuple of int
        ``(height, width, channels)``; grey images are repeated for a backbone of colour.

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
    outputs = _take_outputs(backbone, layer_names)
    inputs = keras.Input(input_shape, dtype="float32", name="scaled_image")
    images = inputs
    n_channels = backbone.inputs[0].shape[-1]
    if n_channels == 3 and input_shape[-1] == 1:
        images = layers.Concatenate(name="grey_as_colour", trainable=False)([inputs] * 3)
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
