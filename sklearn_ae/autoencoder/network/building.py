"""From an architecture to a seeded network."""

import weakref

import keras
import numpy as np
from keras import layers

from sklearn_ae._base.checks import warn
from sklearn_ae._base.keras_environment import python_random_restored
from sklearn_ae.autoencoder.architectures.choosing import builder_of
from sklearn_ae.autoencoder.network.network import Network

_NONLINEAR_LAYERS = (
    layers.ReLU,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ELU,
    layers.Softmax,
)

# Layers and functions of keras.ops, by their classes' names, behind which an activation is still
# the last one.
_REARRANGING = {
    "cropping2d",
    "dropout",
    "expanddims",
    "flatten",
    "identity",
    "permute",
    "reshape",
    "squeeze",
    "transpose",
}


# Subclassed models that a network has: they are used as they are, so two must not share one.
_TAKEN_MODELS = weakref.WeakSet()


def build_network(architecture, front, latent_dim, *, use_sigmoid, random_state):
    """Build the network of a detector, its weights drawn from `random_state`.

    Parameters
    ----------
    architecture : object with `build`, or callable
        Called with `input_shape` and `latent_dim`; gives encoder and decoder, or one model.
    front : Values, Maps or Backbone
        What stands in front of the autoencoder.
    latent_dim : int
        Length of the code.
    use_sigmoid : bool
        Whether the output is a sigmoid where the architecture's last layer is linear.
    random_state : numpy.random.RandomState
        Source of every seed.

    Returns
    -------
    network : Network

    Raises
    ------
    TypeError
        If the architecture gives no Keras model.
    ValueError
        If the models do not map what the front gives to codes and back.
    """
    input_shape = front.learned_shape
    with python_random_restored():
        build = builder_of(architecture)
        # NumPy's integers, of which a grid may be, are refused by Keras.
        latent_dim = int(latent_dim)
        parts = _check_parts(build(input_shape, latent_dim))
        _check_nothing_is_shared(parts)
        parts = tuple(_reseed(part, random_state) for part in parts)
        _check_shapes(parts, input_shape, latent_dim)
    is_linear = _last_activation(parts[-1]) == "linear"
    output_activation = "sigmoid" if use_sigmoid and is_linear else "linear"
    return Network(front, parts, output_activation)


def ends_in_sigmoid(network):
    """Return whether reconstructions can only lie between 0 and 1 in scaled units."""
    return "sigmoid" in (network.output_activation, _last_activation(network.parts[-1]))


def check_input_shape(network, input_shape):
    """Refuse to go on from a network for samples of another shape."""
    if network.input_shape != input_shape:
        raise ValueError(
            "With warm_start=True, X must hold samples of the shape of the previous fit, "
            f"{network.input_shape}. Pass such samples or set warm_start=False. Received: samples "
            f"of shape {input_shape}."
        )


def check_same_region(network, region):
    """Refuse to go on from a network that has seen other pixels."""
    if not np.array_equal(network.scaling.region, region):
        raise ValueError(
            "With warm_start=True, region_of_interest must be that of the previous fit. Set "
            "warm_start=False to begin anew. Received: another one."
        )


def check_kind(network):
    """Refuse to go on from a network of features with one of values."""
    if network.is_positionwise:
        raise ValueError(
            "With warm_start=True, architecture must be that of the previous fit. Set "
            "warm_start=False to begin anew. Received: one without features, after one with them."
        )


def copy_weights(source, target):
    """Copy the weights of a network to one of the same architecture.

    Raises
    ------
    ValueError
        If the architectures or their output activations differ.
    """
    if source.output_activation != target.output_activation:
        raise ValueError(
            "With warm_start=True, the loss must ask for the same output as in the previous fit, "
            f"{source.output_activation!r}: loss='auto' depends on the range of X. Name the loss "
            "in both fits, or set warm_start=False to begin anew. Received: data and loss for "
            f"{target.output_activation!r}."
        )
    shapes, expected = (
        [weight.shape for part in network.parts for weight in part.weights]
        for network in (source, target)
    )
    if shapes != expected:
        raise ValueError(
            "With warm_start=True, architecture and latent_dim must be those of the previous fit. "
            f"Set warm_start=False to begin anew. Received: weights of shapes {shapes} before and "
            f"{expected} now."
        )
    for old, new in zip(source.parts, target.parts, strict=True):
        new.set_weights(old.get_weights())


def _last_activation(model):
    """Return the name of the activation that a model's outputs went through last."""
    # A functional model's operations are its layers and the functions of keras.ops.
    for operation in reversed(getattr(model, "operations", model.layers)):
        if isinstance(operation, keras.Model):
            return _last_activation(operation)
        name = type(operation).__name__.lower()
        is_function = not isinstance(operation, keras.Layer) and hasattr(keras.activations, name)
        if is_function or isinstance(operation, _NONLINEAR_LAYERS):
            return name
        activation = getattr(operation, "activation", None)
        if activation is keras.activations.linear and isinstance(operation, layers.Activation):
            continue
        if activation is not None:
            return getattr(activation, "__name__", type(activation).__name__)
        if name not in _REARRANGING:
            break
    return "linear"


def _check_parts(built):
    parts = built if isinstance(built, tuple | list) else (built,)
    if len(parts) not in (1, 2) or not all(isinstance(part, keras.Model) for part in parts):
        raise TypeError(
            "architecture must build an encoder and a decoder, two Keras models, or one Keras "
            "model from input to reconstruction. Return `encoder, decoder`. Received: "
            f"{built!r}."
        )
    return tuple(parts)


def _check_nothing_is_shared(parts):
    """Refuse tied weights, which would go different ways in the copies of the parts."""
    if len(parts) == 2:
        first, second = ({id(weight) for weight in part.weights} for part in parts)
        if first & second:
            raise ValueError(
                "The encoder and the decoder that architecture built must not share layers. Build "
                "one model from input to reconstruction instead. Received: "
                f"{len(first & second)} shared weights."
            )


def _reseed(model, random_state):
    """Return a copy of the model in which every seed comes from `random_state`."""

    def clone_layer(layer):
        config = _with_seeds(layer.get_config(), random_state)
        return type(layer).from_config(config)

    try:
        copy = keras.models.clone_model(model, clone_function=clone_layer, recursive=True)
    except (ValueError, NotImplementedError):
        warn(
            f"{model.name!r} is a subclassed Keras model, which cannot be seeded: the fit is not "
            "repeatable, and goes on from the weights that the model has. Build it with the "
            "functional or the sequential API instead.",
        )
        if model in _TAKEN_MODELS:
            raise ValueError(
                "architecture must build a new model at each call: a subclassed model cannot be "
                f"copied, and the detector that has it would change. Received: {model.name!r} "
                "again."
            ) from None
        _TAKEN_MODELS.add(model)
        return model
    for variable, kept in zip(
        copy.non_trainable_weights, model.non_trainable_weights, strict=False
    ):
        variable.assign(kept)
    return copy


def _with_seeds(config, random_state):
    if isinstance(config, dict):
        return {
            key: int(random_state.randint(np.iinfo(np.int32).max))
            if key == "seed"
            else _with_seeds(value, random_state)
            for key, value in config.items()
        }
    if isinstance(config, list):
        return [_with_seeds(value, random_state) for value in config]
    return config


def _check_shapes(parts, input_shape, latent_dim):
    x = keras.Input(input_shape, name="input")
    expected = [("encoder", (latent_dim,)), ("decoder", input_shape)][-len(parts) :]
    for part, (name, shape) in zip(parts, expected, strict=True):
        name = name if len(parts) == 2 else "model"
        try:
            output = part(x)
        except ValueError as error:
            raise ValueError(
                f"The {name} that architecture built does not take inputs of shape "
                f"{(None, *x.shape[1:])}. Build it from the input_shape and latent_dim that it "
                f"is called with. Received: {error}"
            ) from error
        if tuple(getattr(output, "shape", ())[1:]) != tuple(shape):
            shapes = [tuple(tensor.shape) for tensor in keras.tree.flatten(output)]
            raise ValueError(
                f"The {name} that architecture built must map shape {(None, *x.shape[1:])} to "
                f"{(None, *shape)}. Received: "
                + (f"{len(shapes)} outputs, " if len(shapes) > 1 else "outputs ")
                + f"of shape {', '.join(map(str, shapes))}."
            )
        x = output
