"""Keras models as JSON that is checked before Keras sees it."""

import copy
import json
from concurrent.futures import ThreadPoolExecutor

import keras

from sklearn_ae._network import regions  # noqa: F401  registers the layers of the package
from sklearn_ae._network.network import from_json, to_json
from sklearn_ae._network.randomness import python_random_restored
from sklearn_ae.exceptions import PersistenceError

_MODULES = {
    "keras.activations",
    "keras.constraints",
    "keras.dtype_policies",
    "keras.initializers",
    "keras.layers",
    "keras.losses",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.regularizers",
    "keras.src.models.functional",
    "keras.src.models.sequential",
}
_OF_KERAS = {"DTypePolicy", "FloatDTypePolicy", "Functional", "Model", "Sequential"}

# They run code, or read files, that the configuration names.
_UNSAFE = {
    *("FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper"),
    *("IntegerLookup", "StringLookup", "TextVectorization"),
}
_SPECIAL = {"__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__", "__tensor__"}

# A network of 200 layers has some 2,000.
_MAX_OBJECTS = 50_000


def write_model(model):
    """Return a model as a configuration, after a check that it can be read.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    config : dict

    Raises
    ------
    PersistenceError
        If a layer is not Keras's own and not registered, or could run any code.
    """
    try:
        config = _without_compilation(json.loads(to_json(model)))
        check_config(config)
        _check_shapes(config, [tuple(weight.shape) for weight in model.weights])
    except (TypeError, ValueError) as error:
        raise PersistenceError(
            "The network cannot be saved to a file that needs no trust. Register your own layers "
            "and functions with keras.saving.register_keras_serializable, give layers a "
            "get_config, and replace Lambda layers, which could run any code, by such layers. "
            f"Received: {error}"
        ) from error
    return config


def read_model(config, weights, shapes):
    """Return a Keras model.

    Parameters
    ----------
    config : dict
        What `write_model` gave, or anything else.
    weights : callable
        Returns the arrays, once they are known to fit.
    shapes : list of tuple of int
        Of the arrays.

    Raises
    ------
    PersistenceError
        If the configuration is of no such model, or of one with other weights.
    """
    check_config(config)
    try:
        _check_shapes(config, shapes)
        return from_json(json.dumps(config), weights())
    except PersistenceError:
        raise
    except Exception as error:  # Keras raises anything for a configuration that makes no sense.
        raise PersistenceError(f"Keras cannot build the network: {error!s:.500}") from error


def check_config(config):
    """Refuse a configuration that names anything but parts of models.

    Parameters
    ----------
    config : object
        From JSON.

    Raises
    ------
    PersistenceError
        If Keras would import, call or read what no network needs.
    """
    stack, n_objects = [config], 0
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                n_objects += 1
                _check_object(value)
            stack += value.values()
        elif isinstance(value, list):
            stack += value
    if n_objects > _MAX_OBJECTS:
        raise PersistenceError(f"The network has {n_objects} parts, more than {_MAX_OBJECTS}.")


def _without_compilation(config):
    """Leave out with what a model was compiled: that of the user's may hold functions."""
    if isinstance(config, dict):
        items = config.items()
        return {key: _without_compilation(v) for key, v in items if key != "compile_config"}
    return list(map(_without_compilation, config)) if isinstance(config, list) else config


def _check_object(config):
    name, module = config["class_name"], config.get("module")
    if not isinstance(name, str) or name in _UNSAFE or "compile_config" in config:
        raise _refused(config)
    if name.startswith("__"):
        if name not in _SPECIAL:
            raise _refused(config)
        return
    registered = config.get("registered_name")
    known = keras.saving.get_custom_objects()
    own_name = config.get("config") if name == "function" else name
    for custom in (registered, own_name):
        if isinstance(custom, str) and custom in known:
            return
    if module is None or not isinstance(module, str):
        raise _refused(config)
    if name == "function":
        is_function = isinstance(own_name, str) and own_name.isidentifier()
        is_known = module in ("builtins", "keras.activations", "keras.losses")
        if not is_function or not is_known or not _is_builtin(own_name):
            raise _refused(config)
        return
    is_part = module in _MODULES or module.startswith("keras.src.ops.")
    if not (is_part or (module == "keras" and name in _OF_KERAS)):
        raise _refused(config)


def _is_builtin(name):
    modules = (keras.activations, keras.initializers, keras.losses, keras.regularizers)
    return any(hasattr(module, name) for module in modules)


def _refused(config):
    shown = {key: config.get(key) for key in ("module", "class_name", "registered_name")}
    return PersistenceError(
        "The network has a part that is neither Keras's own nor registered, or that could run any "
        "code. If it is yours, import what registers it with "
        "keras.saving.register_keras_serializable. Received: "
        f"{json.dumps(shown):.300}"
    )


def _check_shapes(config, shapes):
    """Refuse a configuration with other weights than those at hand, before it allocates any."""
    # Keras takes configurations apart.
    config = copy.deepcopy(config)

    def list_shapes():
        # Nothing is allocated in this scope.
        with python_random_restored(), keras.StatelessScope(initialize_variables=False):
            model = keras.saving.deserialize_keras_object(config)
        if not isinstance(model, keras.Model):
            raise PersistenceError(f"The network is no Keras model but {type(model).__name__}.")
        return [tuple(weight.shape) for weight in model.weights]

    # In a thread of its own: Keras keeps what is not initialised, by thread, to do it later.
    with ThreadPoolExecutor(1) as executor:
        needed = executor.submit(list_shapes).result()
    if needed != [tuple(shape) for shape in shapes]:
        raise PersistenceError(
            f"The network needs weights of shapes {needed!s:.300}. Received: {shapes!s:.300}."
        )
