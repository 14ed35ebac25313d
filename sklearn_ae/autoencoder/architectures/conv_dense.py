"""ConvDenseAutoencoder: the large network of the introductory article."""

import math
from numbers import Integral

from sklearn.base import BaseEstimator

from sklearn_ae._base.sklearn_compat import Interval
from sklearn_ae.autoencoder.architectures.blocks import (
    IMAGE,
    add_dense_code,
    check_is_image,
    check_layer_sizes,
    integers,
)


class ConvDenseAutoencoder(BaseEstimator):
    """Convolutions of stride 1, then dense layers: the large network of the introductory article.

    Conv2D layers (stride 1, 'same', ReLU), Flatten, Dense layers (ReLU) and a linear code; the
    decoder has the dense layers in reverse, one to (height / 2^k) · (width / 2^k) · `filters[-1]`
    values (ReLU), Reshape, the transposed convolutions (stride 2, ReLU) in reverse, and a last
    transposed convolution to the channels, where k is the number of convolutions. With its
    defaults, 54,919,009 parameters at 28×28×1 and `latent_dim=32`.

    Parameters
    ----------
    filters : tuple of int, default=(128, 64)
        Number of filters of each convolution of the encoder, first to last.
    units : tuple of int, default=(1024, 64)
        Number of units of each dense layer between the convolutions and the code.
    kernel_size : int, default=3
        Height and width of every kernel, in pixels.

    See Also
    --------
    ConvAutoencoder : Strided, a two-hundredth of the size, any height and width.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector, ConvDenseAutoencoder
    >>> AutoencoderAnomalyDetector(architecture=ConvDenseAutoencoder(units=(256, 64)))
    AutoencoderAnomalyDetector(architecture=ConvDenseAutoencoder(units=(256, 64)))
    """

    _parameter_constraints = {
        "filters": ["array-like"],
        "units": ["array-like"],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, filters=(128, 64), units=(1024, 64), kernel_size=3):
        self.filters = filters
        self.units = units
        self.kernel_size = kernel_size

    def build(self, input_shape, latent_dim):
        """Build the encoder and the decoder.

        Parameters
        ----------
        input_shape : tuple of int
            ``(height, width, channels)``; height and width must be multiples of 2^k for k
            convolutions (4 with the defaults).
        latent_dim : int
            Length of the code.

        Returns
        -------
        encoder, decoder : keras.Model
            Inputs of shape ``(n, *input_shape)`` to codes ``(n, latent_dim)``, and back.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or height or width is no such multiple.
        """
        check_layer_sizes(self, "filters", "units")
        check_is_image(self, input_shape)
        factor = 2 ** len(self.filters)
        if input_shape[0] % factor or input_shape[1] % factor:
            raise ValueError(
                f"ConvDenseAutoencoder with {len(self.filters)} convolutions needs height and "
                f"width that are multiples of {factor}; pad the images or use ConvAutoencoder, "
                f"which takes any size. Received: input_shape={input_shape}."
            )
        return _build_conv_dense(self, input_shape, latent_dim)


def _build_conv_dense(architecture, input_shape, latent_dim):
    import keras
    from keras import layers

    filters, units = integers(architecture.filters), integers(architecture.units)
    kernel = int(architecture.kernel_size)
    inputs = x = keras.Input(input_shape, name="encoder_input")
    for i, n in enumerate(filters):
        x = layers.Conv2D(n, kernel, activation="relu", name=f"encoder_conv_{i}", **IMAGE)(x)
    x = layers.Flatten(data_format="channels_last", name="encoder_flatten")(x)
    code = add_dense_code(x, units, latent_dim)

    code_input = x = keras.Input((latent_dim,), name="decoder_input")
    factor = 2 ** len(filters)
    smallest = (input_shape[0] // factor, input_shape[1] // factor, filters[-1])
    for i, n in enumerate((*reversed(units), math.prod(smallest))):
        x = layers.Dense(n, activation="relu", name=f"decoder_dense_{i}")(x)
    x = layers.Reshape(smallest, name="decoder_reshape")(x)
    for i, n in enumerate(reversed(filters)):
        x = layers.Conv2DTranspose(
            n, kernel, strides=2, activation="relu", name=f"decoder_conv_{i}", **IMAGE
        )(x)
    outputs = layers.Conv2DTranspose(input_shape[-1], kernel, name="decoder_output", **IMAGE)(x)
    return keras.Model(inputs, code, name="encoder"), keras.Model(
        code_input, outputs, name="decoder"
    )
