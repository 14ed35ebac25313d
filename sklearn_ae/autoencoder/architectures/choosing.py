"""From the detector's parameters to an architecture and the length of its code."""

from sklearn_ae._base.checks import check_takes
from sklearn_ae.autoencoder.architectures.conv import SMALLEST_IMAGE, ConvAutoencoder
from sklearn_ae.autoencoder.architectures.dense import DenseAutoencoder


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
