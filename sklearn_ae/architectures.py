"""Architectures: parameter objects that build an encoder and a decoder.

An architecture has `build(input_shape, latent_dim) -> (encoder, decoder)`, two Keras models. The
encoder maps scaled inputs of `input_shape` to codes of `latent_dim` numbers, the decoder maps codes
back to `input_shape`. Its last layer is linear: the detector adds the output activation that its
loss asks for, and sets the seeds.

An architecture may have `build_features(input_shape) -> model` too, a Keras model from scaled
images to feature maps. It is not trained: `build` is called with the shape of the features of one
position, and the autoencoder learns and scores those.
"""

from numbers import Integral

from sklearn.base import BaseEstimator

from sklearn_ae._compat import Interval
from sklearn_ae._feature_autoencoder import FeatureAutoencoder
from sklearn_ae._layer_sizes import NOISE_CONSTRAINTS, check_layer_sizes
from sklearn_ae._signatures import check_takes

__all__ = ["ConvAutoencoder", "ConvDenseAutoencoder", "DenseAutoencoder", "FeatureAutoencoder"]

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
        _check_is_image(self, input_shape)
        if min(input_shape[:2]) < SMALLEST_IMAGE:
            raise ValueError(
                f"ConvAutoencoder needs images of at least {SMALLEST_IMAGE}×{SMALLEST_IMAGE} "
                f"pixels; use DenseAutoencoder for smaller ones. Received: input_shape="
                f"{input_shape}."
            )
        from sklearn_ae._network import layers

        return layers.build_conv(self, input_shape, latent_dim)


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
        _check_is_image(self, input_shape)
        factor = 2 ** len(self.filters)
        if input_shape[0] % factor or input_shape[1] % factor:
            raise ValueError(
                f"ConvDenseAutoencoder with {len(self.filters)} convolutions needs height and "
                f"width that are multiples of {factor}; pad the images or use ConvAutoencoder, "
                f"which takes any size. Received: input_shape={input_shape}."
            )
        from sklearn_ae._network import layers

        return layers.build_conv_dense(self, input_shape, latent_dim)


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
        from sklearn_ae._network import layers

        return layers.build_dense(self, input_shape, latent_dim)


def resolve_architecture(architecture, input_shape):
    """Return the architecture, or the one that "auto" stands for.

    Parameters
    ----------
    architecture : "auto", object with `build`, or callable
    input_shape : tuple of int
        Shape of one sample as the network sees it.

    Returns
    -------
    architecture : object with `build`, or callable

    Raises
    ------
    TypeError
        If it is a class or a Keras model.
    """
    if isinstance(architecture, type):
        raise TypeError(
            "architecture must be an object, not a class. Pass "
            f"architecture={architecture.__name__}(). Received: {architecture!r}."
        )
    if any(cls.__module__.split(".")[0] == "keras" for cls in type(architecture).__mro__):
        raise TypeError(
            "architecture must build models, and is one itself. Pass a function that builds it, "
            f"def build(input_shape, latent_dim): … Received: {architecture!r}."
        )
    if not isinstance(architecture, str):
        _check_methods(architecture)
        return architecture
    if len(input_shape) == 3 and min(input_shape[:2]) >= SMALLEST_IMAGE:
        return ConvAutoencoder()
    return DenseAutoencoder()


def builder_of(architecture):
    """Return what builds the models: the method `build`, or the architecture itself.

    Parameters
    ----------
    architecture : object with `build`, or callable

    Returns
    -------
    build : callable
    """
    build = getattr(architecture, "build", None)
    return build if callable(build) else architecture


def has_features(architecture):
    """Return whether an autoencoder learns the features of a frozen network, not the samples.

    Parameters
    ----------
    architecture : "auto", object with `build`, or callable

    Returns
    -------
    has_features : bool
    """
    return hasattr(architecture, "build_features")


def resolve_latent_dim(latent_dim, input_shape):
    """Return the length of the code, or the one that "auto" stands for.

    Parameters
    ----------
    latent_dim : "auto" or int
    input_shape : tuple of int
        Shape of one sample as the network sees it.

    Returns
    -------
    latent_dim : int
    """
    if latent_dim != "auto":
        return latent_dim
    # Measured: images of a digit that a code of 32 numbers rebuilds too well, one of 16 tells from
    # others, and rows are told apart best by a code that is no bottleneck.
    return 16 if len(input_shape) == 3 else 32


def _check_methods(architecture):
    """Refuse an architecture whose methods cannot be called as they will be."""
    if has_features(architecture):
        build_features = architecture.build_features
        if not callable(build_features):
            raise TypeError(
                "build_features of architecture must be a method that builds a Keras model from "
                "scaled images to feature maps. Rename the attribute, or leave it out for an "
                f"autoencoder of samples. Received: build_features={build_features!r}."
            )
        name = "build_features of architecture"
        check_takes(build_features, ("input_shape",), name, architecture)
    build = builder_of(architecture)
    name = "architecture" if build is architecture else "build of architecture"
    check_takes(build, ("input_shape", "latent_dim"), name, architecture)


def _check_is_image(architecture, input_shape):
    if len(input_shape) != 3:
        raise ValueError(
            f"{type(architecture).__name__} needs images, (n, height, width) or (n, height, "
            "width, channels). For rows use DenseAutoencoder, or fold them into images with "
            f"AutoencoderAnomalyDetector(input_shape=(height, width)). Received: samples of shape "
            f"{input_shape}."
        )
