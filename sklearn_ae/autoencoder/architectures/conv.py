"""ConvAutoencoder: strided convolutions, for images of any size."""

import math
from numbers import Integral

from sklearn.base import BaseEstimator

from sklearn_ae._base.sklearn_compat import Interval
from sklearn_ae.autoencoder.architectures.blocks import (
    IMAGE,
    NOISE_CONSTRAINTS,
    add_noise,
    check_is_image,
    check_layer_sizes,
    integers,
)

# Below 8 pixels nothing is left to convolve after two layers of stride 2.
SMALLEST_IMAGE = 8


class ConvAutoencoder(BaseEstimator):
    """Compact convolutional autoencoder for images of any size from 8×8 pixels.

    Each encoder layer halves height and width (stride 2, rounded up), a dense layer makes the code,
    and the decoder mirrors them: dense, one transposed convolution of stride 2 for each encoder
    layer, cropped to the size that the encoder saw there, and a last convolution. At 28×28×1 and
    `latent_dim=32` the defaults have 278,369 parameters.

    Parameters
    ----------
    filters : tuple of int, default=(32, 64)
        Number of filters of each encoder layer, first to last.
    kernel_size : int, default=3
        Height and width of every kernel, in pixels.
    noise : float, default=0.0
        Standard deviation, in scaled units, of Gaussian noise added to the inputs during training
        only (a denoising autoencoder [1]_). May worsen scores that are plain errors.
    masking_rate : float, default=0.0
        Share of input values set to zero during training only, in [0, 1) [1]_. May worsen scores
        that are plain errors.

    See Also
    --------
    ConvDenseAutoencoder : Unstrided convolutions with dense layers behind them, 200 times larger.
    DenseAutoencoder : Fully connected, for rows and for smaller images.

    References
    ----------
    .. [1] P. Vincent et al., "Extracting and composing robust features with denoising
       autoencoders", ICML 2008, :doi:`10.1145/1390156.1390294`.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector, ConvAutoencoder
    >>> detector = AutoencoderAnomalyDetector(architecture=ConvAutoencoder(filters=(16, 32)))
    >>> detector.set_params(architecture__kernel_size=5).architecture
    ConvAutoencoder(filters=(16, 32), kernel_size=5)
    """

    _parameter_constraints = {
        "filters": ["array-like"],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        **NOISE_CONSTRAINTS,
    }

    def __init__(self, *, filters=(32, 64), kernel_size=3, noise=0.0, masking_rate=0.0):
        self.filters = filters
        self.kernel_size = kernel_size
        self.noise = noise
        self.masking_rate = masking_rate

    def build(self, input_shape, latent_dim):
        """Build the encoder and the decoder.

        Parameters
        ----------
        input_shape : tuple of int
            ``(height, width, channels)``.
        latent_dim : int
            Length of the code.

        Returns
        -------
        encoder, decoder : keras.Model
            Inputs of shape ``(n, *input_shape)`` to codes ``(n, latent_dim)``, and back.

        Raises
        ------
        ValueError
            If a parameter is out of its range or the input is not an image of at least 8×8.
        """
        check_layer_sizes(self, "filters")
        check_is_image(self, input_shape)
        if min(input_shape[:2]) < SMALLEST_IMAGE:
            raise ValueError(
                f"ConvAutoencoder needs images of at least {SMALLEST_IMAGE}×{SMALLEST_IMAGE} "
                f"pixels; use DenseAutoencoder for smaller ones. Received: input_shape="
                f"{input_shape}."
            )
        return _build_conv(self, input_shape, latent_dim)


def _build_conv(architecture, input_shape, latent_dim):
    import keras
    from keras import layers

    filters, kernel = integers(architecture.filters), int(architecture.kernel_size)
    inputs = keras.Input(input_shape, name="encoder_input")
    x = add_noise(inputs, architecture)
    sizes = [input_shape[:2]]
    for i, n in enumerate(filters):
        x = layers.Conv2D(
            n, kernel, strides=2, activation="relu", name=f"encoder_conv_{i}", **IMAGE
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
            filters[i], kernel, strides=2, activation="relu", name=f"decoder_conv_{i}", **IMAGE
        )(x)
        x = _crop(x, sizes.pop(), name=f"decoder_crop_{i}")
    outputs = layers.Conv2D(input_shape[-1], kernel, name="decoder_output", **IMAGE)(x)
    return keras.Model(inputs, code, name="encoder"), keras.Model(
        code_input, outputs, name="decoder"
    )


def _crop(x, size, name):
    from keras import layers

    surplus = (x.shape[1] - size[0], x.shape[2] - size[1])
    if not any(surplus):
        return x
    cropping = ((0, surplus[0]), (0, surplus[1]))
    return layers.Cropping2D(cropping, data_format="channels_last", name=name)(x)
