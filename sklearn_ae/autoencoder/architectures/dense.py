"""DenseAutoencoder: fully connected, for rows of features and small images."""

import math

from sklearn.base import BaseEstimator

from sklearn_ae.autoencoder.architectures.blocks import (
    NOISE_CONSTRAINTS,
    add_dense_code,
    add_noise,
    check_layer_sizes,
    integers,
)


class DenseAutoencoder(BaseEstimator):
    """Fully connected autoencoder for rows of features, and for images of any size.

    Dense layers (ReLU) and a linear code; the decoder has them in reverse. During training noise
    is added to the inputs, and the network learns to remove it: without it, a code at least as wide
    as the row would learn the identity and every anomaly would be rebuilt.

    Parameters
    ----------
    units : tuple of int, default=(128, 64)
        Number of units of each dense layer of the encoder, first to last.
    noise : float, default=0.3
        Standard deviation, in scaled units, of Gaussian noise added to the inputs during training
        only (a denoising autoencoder [1]_).
    masking_rate : float, default=0.0
        Share of input values set to zero during training only, in [0, 1) [1]_.

    See Also
    --------
    ConvAutoencoder : For images.

    References
    ----------
    .. [1] P. Vincent et al., "Extracting and composing robust features with denoising
       autoencoders", ICML 2008, :doi:`10.1145/1390156.1390294`.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector, DenseAutoencoder
    >>> AutoencoderAnomalyDetector(architecture=DenseAutoencoder(units=(64,), noise=0.1))
    AutoencoderAnomalyDetector(architecture=DenseAutoencoder(noise=0.1, units=(64,)))
    """

    _parameter_constraints = {"units": ["array-like"], **NOISE_CONSTRAINTS}

    def __init__(self, *, units=(128, 64), noise=0.3, masking_rate=0.0):
        self.units = units
        self.noise = noise
        self.masking_rate = masking_rate

    def build(self, input_shape, latent_dim):
        """Build the encoder and the decoder.

        Parameters
        ----------
        input_shape : tuple of int
            ``(n_features,)`` or ``(height, width, channels)``.
        latent_dim : int
            Length of the code.

        Returns
        -------
        encoder, decoder : keras.Model
            Inputs of shape ``(n, *input_shape)`` to codes ``(n, latent_dim)``, and back.

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        check_layer_sizes(self, "units")
        return build_dense(self, input_shape, latent_dim)


def build_dense(architecture, input_shape, latent_dim):
    """Build the encoder and decoder of an architecture with `units`, `noise` and `masking_rate`."""
    import keras
    from keras import layers

    units = integers(architecture.units)
    inputs = keras.Input(input_shape, name="encoder_input")
    x = layers.Flatten(data_format="channels_last", name="encoder_flatten")(inputs)
    x = add_noise(x, architecture)
    code = add_dense_code(x, units, latent_dim)

    code_input = x = keras.Input((latent_dim,), name="decoder_input")
    for i, n in enumerate(reversed(units)):
        x = layers.Dense(n, activation="relu", name=f"decoder_dense_{i}")(x)
    x = layers.Dense(math.prod(input_shape), name="decoder_output")(x)
    outputs = layers.Reshape(input_shape, name="decoder_reshape")(x)
    return keras.Model(inputs, code, name="encoder"), keras.Model(
        code_input, outputs, name="decoder"
    )
