"""Keras objects as JSON, which is read without trusting it."""

import copy
import json
import math
from concurrent.futures import ThreadPoolExecutor

import keras
import tensorflow as tf

from sklearn_ae._base.keras_environment import python_random_restored
from sklearn_ae.autoencoder.network import masked_pixels  # noqa: F401  registers the layers of the package
from sklearn_ae.autoencoder.network.network import from_json, to_json
from sklearn_ae.deployment.persistence._config_checks import count_parts
from sklearn_ae.exceptions import PersistenceError

# Layers may compute constants when they are built, such as means of as many numbers as channels.
_MAX_CONSTANTS = 2**22


def write_model(model, settings):
    """Return a model as a configuration, after a check that it can be read.

    Parameters
    ----------
    model : keras.Model
    settings : KerasSettings
        Those that it was built with.

    Returns
    -------
    config : dict

    Raises
    ------
    PersistenceError
        If a layer is not Keras's own and not registered, or could run any code.
    """
    try:
        config = _without_compilation(json.loads(to_json(model, settings)))
        count_parts(config)
        _check_shapes(config, [tuple(weight.shape) for weight in model.weights], settings)
    except (TypeError, ValueError) as error:
        raise PersistenceError(
            "The network cannot be saved to a file that needs no trust. Register your own layers "
            "and functions with keras.saving.register_keras_serializable, give layers a "
            "get_config, and replace Lambda layers, which could run any code, by such layers. "
            f"Received: {error}"
        ) from error
    return config


def read_model(config, weights, shapes, settings):
    """Return a Keras model.

    Parameters
    ----------
    config : dict
        What `write_model` gave, or anything else that :func:`count_parts` has not refused.
    weights : callable
        Returns the arrays, once they are known to fit.
    shapes : list of tuple of int
        Of the arrays.
    settings : KerasSettings
        Those that the model was built with.

    Raises
    ------
    PersistenceError
        If the configuration is of no model, or of one with other weights.
    """
    try:
        _check_shapes(config, shapes, settings)
        with settings.applied():
            return from_json(json.dumps(config), weights())
    except PersistenceError:
        raise
    except Exception as error:  # Keras raises anything for a configuration that makes no sense.
        raise PersistenceError(
            f"Keras {keras.__version__} cannot build the network. If it was written by a newer "
            "version, as sklearn_ae.deployment.describe(path) tells, install that. Received: "
            f"{error!s:.500}"
        ) from error


def read_object(config):
    """Return a loss or an optimizer, from what :func:`keras.saving.serialize_keras_object` gave."""
    count_parts(config)
    if _has_layers(config):
        raise PersistenceError("A loss or an optimizer has layers, whose weights would be made.")
    return keras.saving.deserialize_keras_object(copy.deepcopy(config))


def _has_layers(config):
    if isinstance(config, list):
        return any(map(_has_layers, config))
    if not isinstance(config, dict):
        return False
    of_networks = ("keras.layers", "keras.models", "keras.src.")
    module = config.get("module")
    is_of_network = module == "keras" or str(module).startswith(of_networks)
    return is_of_network or any(map(_has_layers, config.values()))


def _without_compilation(config):
    """Leave out with what a model was compiled: that of the user's may hold functions."""
    if isinstance(config, dict):
        items = config.items()
        return {key: _without_compilation(v) for key, v in items if key != "compile_config"}
    return list(map(_without_compilation, config)) if isinstance(config, list) else config


def _check_shapes(config, shapes, settings):
    """Refuse a configuration with other weights than those at hand, before it allocates any."""
    # In a thread of its own: Keras keeps what is not initialized, by thread, to do it later.
    with ThreadPoolExecutor(1) as executor:
        model, n_constants = executor.submit(_outline, config, settings).result()
    if not isinstance(model, keras.Model):
        raise PersistenceError(f"The network is no Keras model but {type(model).__name__}.")
    if not all(layer.built for layer in model._flatten_layers()):
        raise PersistenceError("The network has layers that are not built: call it once.")
    needed = [tuple(weight.shape) for weight in model.weights]
    if needed != [tuple(shape) for shape in shapes]:
        raise PersistenceError(
            f"The network needs weights of shapes {needed!s:.300}. Received: {shapes!s:.300}."
        )
    if n_constants > _MAX_CONSTANTS + 8 * sum(map(math.prod, needed)):
        raise PersistenceError(f"The network has constants of {n_constants} numbers.")


def _outline(config, settings):
    """Build a model without any of its numbers, and tell how many it would compute."""
    # What layers compute when they are built is not computed in a graph, only noted down.
    graph = tf.Graph()
    scope = keras.StatelessScope(initialize_variables=False)
    with settings.applied(), python_random_restored(), graph.as_default(), scope:
        # Keras takes configurations apart.
        model = keras.saving.deserialize_keras_object(copy.deepcopy(config))
    outputs = (output.shape for op in graph.get_operations() for output in op.outputs)
    return model, sum(shape.num_elements() or 0 for shape in outputs if shape.rank is not None)
