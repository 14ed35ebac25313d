"""Keras layers of the library's own architectures.

Every layer is named, so that building a network does not advance Keras's counters of default
names, and `channels_last` is said explicitly, whatever the user's Keras configuration is.
"""

import math

import keras
from keras import layers

_IMAGE = {"padding": "same", "data_format": "channels_last"}


def build_conv(architecture, input_shape, latent_dim):
    """Build the encoder and decoder of :class:`~sklearn_ae.ConvAutoencoder`."""
    filters, kernel = _integers(architecture.filters), int(architecture.kernel_size)
    inputs = keras.Input(input_shape, name="encoder_input")
    x = _corrupt(inputs, architecture)
    sizes = [input_shape[:2]]
    for i, n in enumerate(filters):
        x = layers.Conv2D(
            n, kernel, strides=2, activation="relu", name=f"encoder_conv_{i}", **_IMAGE
        )(x)
        sizes.append(tuple(x.shape[1:3]))
    x = layers.Flatten(data_format="channels_last", name="encoder_flatten")(x)
    code = layers.Dense(latent_dim, name="code")(x)

    code_input = keras.Input((latent_dim,), name="decoder_input")
    smallest = (*sizes.pop(), filters[-1])
    x = layers.Dense(math.prod(smallest), activation="relu", name="decoder_dense")(code_input)
    x = layers.Reshape(smallest, name="decoder_reshape")(x)
    for i in reversed(range(len(filters))):
        x = layers.Conv2DTranspose(
            filters[i], kernel, strides=2, activation="relu", name=f"decoder_conv_{i}", **_IMAGE
        )(x)
        x = _crop(x, sizes.pop(), name=f"decoder_crop_{i}")
    outputs = layers.Conv2D(input_shape[-1], kernel, name="decoder_output", **_IMAGE)(x)
    return keras.Model(inputs, code, name="encoder"), keras.Model(
        code_input, outputs, name="decoder"
    )


def build_conv_dense(architecture, input_shape, latent_dim):
    """Build the encoder and decoder of :class:`~sklearn_ae.ConvDenseAutoencoder`."""
    filters, units = _integers(architecture.filters), _integers(architecture.units)
    kernel = int(architecture.kernel_size)
    inputs = x = keras.Input(input_shape, name="encoder_input")
    for i, n in enumerate(filters):
        x = layers.Conv2D(n, kernel, activation="relu", name=f"encoder_conv_{i}", **_IMAGE)(x)
    x = layers.Flatten(data_format="channels_last", name="encoder_flatten")(x)
    code = _dense_code(x, units, latent_dim)

    code_input = x = keras.Input((latent_dim,), name="decoder_input")
    factor = 2 ** len(filters)
    smallest = (input_shape[0] // factor, input_shape[1] // factor, filters[-1])
    for i, n in enumerate((*reversed(units), math.prod(smallest))):
        x = layers.Dense(n, activation="relu", name=f"decoder_dense_{i}")(x)
    x = layers.Reshape(smallest, name="decoder_reshape")(x)
    for i, n in enumerate(reversed(filters)):
        x = layers.Conv2DTranspose(
            n, kernel, strides=2, activation="relu", name=f"decoder_conv_{i}", **_IMAGE
        )(x)
    outputs = layers.Conv2DTranspose(input_shape[-1], kernel, name="decoder_output", **_IMAGE)(x)
    return keras.Model(inputs, code, name="encoder"), keras.Model(
        code_input, outputs, name="decoder"
    )


def build_dense(architecture, input_shape, latent_dim):
    """Build the encoder and decoder of :class:`~sklearn_ae.DenseAutoencoder`."""
    units = _integers(architecture.units)
    inputs = keras.Input(input_shape, name="encoder_input")
    x = layers.Flatten(data_format="channels_last", name="encoder_flatten")(inputs)
    x = _corrupt(x, architecture)
    code = _dense_code(x, units, latent_dim)

    code_input = x = keras.Input((latent_dim,), name="decoder_input")
    for i, n in enumerate(reversed(units)):
        x = layers.Dense(n, activation="relu", name=f"decoder_dense_{i}")(x)
    x = layers.Dense(math.prod(input_shape), name="decoder_output")(x)
    outputs = layers.Reshape(input_shape, name="decoder_reshape")(x)
    return keras.Model(inputs, code, name="encoder"), keras.Model(
        code_input, outputs, name="decoder"
    )


def _integers(sizes):
    """Return Python's own integers: Keras refuses NumPy's."""
    return tuple(int(n) for n in sizes)


def _dense_code(x, units, latent_dim):
    for i, n in enumerate(units):
        x = layers.Dense(n, activation="relu", name=f"encoder_dense_{i}")(x)
    return layers.Dense(latent_dim, name="code")(x)


def _corrupt(x, architecture):
    if architecture.noise:
        x = layers.GaussianNoise(architecture.noise, name="noise")(x)
    if architecture.masking_rate:
        x = layers.Dropout(architecture.masking_rate, name="masking")(x)
    return x


def _crop(x, size, name):
    surplus = (x.shape[1] - size[0], x.shape[2] - size[1])
    if not any(surplus):
        return x
    cropping = ((0, surplus[0]), (0, surplus[1]))
    return layers.Cropping2D(cropping, data_format="channels_last", name=name)(x)
