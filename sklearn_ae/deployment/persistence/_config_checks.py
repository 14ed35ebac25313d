"""Configurations of Keras objects, checked before Keras sees them."""

import json
import sys
from collections import deque

import keras
import numpy as np

from sklearn_ae.exceptions import PersistenceError

# Where Keras looks for a class, and what that must be.
_BASES = {
    "keras": (keras.Model, keras.dtype_policies.DTypePolicy),
    "keras.constraints": keras.constraints.Constraint,
    "keras.dtype_policies": keras.dtype_policies.DTypePolicy,
    "keras.initializers": keras.initializers.Initializer,
    "keras.layers": keras.Layer,
    "keras.losses": keras.losses.Loss,
    "keras.models": keras.Model,
    "keras.optimizers": keras.optimizers.Optimizer,
    "keras.optimizers.schedules": keras.optimizers.schedules.LearningRateSchedule,
    "keras.regularizers": keras.regularizers.Regularizer,
    "keras.src.models.functional": keras.Model,
    "keras.src.models.sequential": keras.Model,
}
_OPERATIONS = "keras.src.ops."
_MODULES_OF_FUNCTIONS = (
    keras.activations,
    keras.constraints,
    keras.initializers,
    keras.losses,
    keras.regularizers,
)

# They run code, or read files, that the configuration names.
_UNSAFE = {
    *("FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper"),
    *("IntegerLookup", "StringLookup", "TextVectorization"),
}

# They make a list of as many tensors as a number in the configuration says, Unstack else as many as
# the axis is long.
_SPLITTING = {"ArraySplit", "Split", "Unstack"}
_MAX_PIECES = 10_000

# Keras goes through the layers of a model until each has been called: once, if they are listed in
# the order of the calls, and once more for layers that are called again later.
_MAX_ROUNDS = 20

# Values and not objects: they have no class.
_VALUES = {"__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__", "__tensor__"}


def count_parts(config):
    """Refuse a configuration that names anything but parts of networks, and count these.

    Parameters
    ----------
    config : object
        From JSON.

    Returns
    -------
    n_parts : int
        Number of objects that Keras makes of it, each as often as it is called.

    Raises
    ------
    PersistenceError
        If Keras would import, call or read what no network needs.
    """
    try:
        return _count(config)
    except PersistenceError:
        raise
    except Exception as error:  # It may be anything.
        raise PersistenceError(f"The network makes no sense: {error!s:.200}") from error


def _count(config):
    if isinstance(config, list):
        return sum(map(_count, config))
    if not isinstance(config, dict):
        return 0
    is_object = "class_name" in config
    if is_object:
        _check_object(config)
    parts = {key: _count(value) for key, value in config.items()}
    of_calls = parts.pop("inbound_nodes", 0)
    if isinstance(config.get("layers"), list):
        _check_order(config["layers"])
    n_calls = len(config["inbound_nodes"]) if isinstance(config.get("inbound_nodes"), list) else 1
    if config.get("class_name") == "Sequential":
        # Keras goes through all layers so far for each that it adds.
        n_calls *= 1 + len(config["config"]["layers"]) // 10
    # A model that is called twice runs through all its layers twice, and so do models inside of it.
    return max(1, n_calls) * (is_object + sum(parts.values())) + of_calls


def _check_object(config):
    name, module = config["class_name"], config.get("module")
    if name in _VALUES if isinstance(name, str) else False:
        return _check_value(config)
    # Without a module, Keras takes it for a configuration of an older version and reads it so.
    is_known_kind = isinstance(name, str) and "module" in config and "compile_config" not in config
    if not is_known_kind or name in _UNSAFE:
        raise _refused(config)
    if name == "function":
        if not _is_function(config.get("config"), module):
            raise _refused(config)
    elif not _is_registered(config.get("registered_name", name)) and not _is_class(name, module):
        raise _refused(config)
    if name in _SPLITTING and _largest_integer(config) > _MAX_PIECES:
        raise _refused(config)
    if name == "Unstack" and not isinstance(config["config"].get("num"), int):
        raise _refused(config)
    return None


def _check_order(layers):
    """Refuse a model that takes time that grows with the square of its layers, or without end."""
    waiting = [
        (layer.get("name"), deque(list(_sources(call)) for call in layer["inbound_nodes"]))
        for layer in layers
        if isinstance(layer, dict) and isinstance(layer.get("inbound_nodes"), list)
    ]
    # An input has been called, although no call is noted down.
    n_called = {name: int(not calls) for name, calls in waiting if isinstance(name, str)}
    for _ in range(_MAX_ROUNDS):
        for name, calls in waiting:
            while calls and all(n_called.get(source, 0) > i for source, i in calls[0]):
                calls.popleft()
                n_called[name] = n_called.get(name, 0) + 1
        waiting = [(name, calls) for name, calls in waiting if calls]
        if not waiting:
            return
    raise PersistenceError(f"The network has {len(waiting)} layers that are out of order.")


def _sources(call):
    """Yield which call of which layer gives the tensors of a call."""
    if isinstance(call, list):
        for item in call:
            yield from _sources(item)
    elif isinstance(call, dict):
        if call.get("class_name") == "__keras_tensor__":
            name, number, _ = call["config"]["keras_history"]
            if not isinstance(name, str) or not isinstance(number, int):
                raise _refused(call)
            yield name, number
        else:
            yield from _sources(list(call.values()))


def _check_value(config):
    if config["class_name"] == "__numpy__":
        try:
            is_number = np.dtype(config["config"]["dtype"]).kind in "biuf"
        except (LookupError, TypeError, ValueError):
            is_number = False
        if not is_number:
            raise _refused(config)


def _is_registered(name):
    return isinstance(name, str) and name in keras.saving.get_custom_objects()


def _is_function(name, module):
    """Tell whether a name stands for a function that is registered, or one of Keras's own."""
    if _is_registered(name):
        return True
    if not isinstance(name, str) or not name.isidentifier():
        return False
    is_known = module == "builtins" or module in {m.__name__ for m in _MODULES_OF_FUNCTIONS}
    return is_known and any(callable(getattr(m, name, None)) for m in _MODULES_OF_FUNCTIONS)


def _is_class(name, module):
    """Tell whether Keras would find a part of networks under a name, and not something else."""
    if not isinstance(module, str):
        return False
    bases = _BASES.get(module, keras.Operation if module.startswith(_OPERATIONS) else ())
    # Keras's modules are all imported: nothing is, for the sake of a file.
    cls = getattr(sys.modules.get(module), name, None)
    return isinstance(cls, type) and issubclass(cls, bases)


def _largest_integer(config):
    if isinstance(config, dict | list):
        values = config.values() if isinstance(config, dict) else config
        return max(map(_largest_integer, values), default=0)
    return abs(config) if isinstance(config, int) else 0


def _refused(config):
    shown = {key: config.get(key) for key in ("module", "class_name", "registered_name")}
    return PersistenceError(
        "The network has a part that is neither Keras's own nor registered, or that could run any "
        "code. If it is yours, import what registers it with "
        "keras.saving.register_keras_serializable; Lambda layers must be replaced by such layers. "
        f"Received: {json.dumps(shown):.300}"
    )
