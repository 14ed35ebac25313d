"""What architectures have in common: checks of their parameters, and blocks of layers.

Every layer is named, so that building a network does not advance Keras's counters of default
names, and `channels_last` is said explicitly, whatever the user's Keras configuration is.
"""

from numbers import Integral, Real

from sklearn_ae._base.sklearn_compat import Interval

NOISE_CONSTRAINTS = {
    "noise": [Interval(Real, 0, None, closed="left")],
    "masking_rate": [Interval(Real, 0, 1, closed="left")],
}

IMAGE = {"padding": "same", "data_format": "channels_last"}


def check_layer_sizes(architecture, *layer_parameters):
    """Check all parameters of an architecture, and those that have a number for each layer.

    Parameters
    ----------
    architecture : estimator object
        Has `_parameter_constraints`.
    *layer_parameters : str
        Names of the parameters that are sequences of numbers of filters or units.

    Raises
    ------
    ValueError
        If one is out of its range.
    """
    architecture._validate_params()
    for name in layer_parameters:
        sizes = getattr(architecture, name)
        if len(sizes) == 0 or not all(isinstance(n, Integral) and n >= 1 for n in sizes):
            raise ValueError(
                f"{name} of {type(architecture).__name__} must be a non-empty sequence of "
                f"positive integers, one for each layer. Received: {name}={sizes!r}."
            )


def check_is_image(architecture, input_shape):
    """Refuse samples that are not images."""
    if len(input_shape) != 3:
        raise ValueError(
            f"{type(architecture).__name__} needs images, (n, height, width) or (n, height, "
            "width, channels). For rows use DenseAutoencoder, or fold them into images with "
            f"AutoencoderAnomalyDetector(input_shape=(height, width)). Received: samples of shape "
            f"{input_shape}."
        )


def integers(sizes):
    """Return Python's own integers: Keras refuses NumPy's."""
    return tuple(int(n) for n in sizes)


def add_dense_code(x, units, latent_dim):
    """Add dense layers and a linear code."""
    from keras import layers

    for i, n in enumerate(units):
        x = layers.Dense(n, activation="relu", name=f"encoder_dense_{i}")(x)
    return layers.Dense(latent_dim, name="code")(x)


def add_noise(x, architecture):
    """Add the noise and the masking of an architecture, which training alone applies."""
    from keras import layers

    if architecture.noise:
        x = layers.GaussianNoise(architecture.noise, name="noise")(x)
    if architecture.masking_rate:
        x = layers.Dropout(architecture.masking_rate, name="masking")(x)
    return x
