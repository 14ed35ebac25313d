"""Keras objects as text, equal for two objects that compute the same."""

import json

import keras

# Elsewhere, a string that is a layer's name may be a setting of another: an activation, say.
_HOLD_NAMES = ("name", "keras_history", "input_layers", "output_layers")


def fingerprint(keras_object, keep_seeds=False):
    """Write a Keras object as text, with layers' names replaced by numbers.

    Parameters
    ----------
    keras_object : keras.Model, keras.optimizers.Optimizer, keras.losses.Loss or function
    keep_seeds : bool, default=False
        Whether two objects that differ in their seeds only are to differ.

    Returns
    -------
    fingerprint : str or None
        None if any part is not Keras's own: two classes or functions may go by the same name.
    """
    if _is_keras_function(keras_object):
        return keras_object.__name__
    try:
        config = keras.saving.serialize_keras_object(keras_object)
        names = {}
        _collect_names(config, names)
        return json.dumps(_normalize(config, names, keep_seeds))
    except (TypeError, ValueError, NotImplementedError):
        return None


def is_keras(cls_or_function):
    """Return whether a class or a function is Keras's own."""
    return (getattr(cls_or_function, "__module__", None) or "").split(".")[0] == "keras"


def _is_keras_function(keras_object):
    return hasattr(keras_object, "__name__") and is_keras(keras_object)


def _collect_names(config, names):
    if isinstance(config, dict):
        if _is_policy(config):
            return
        if "class_name" in config and "config" in config:
            module = (config.get("module") or "").split(".")[0]
            # Layers of this package are as fixed as Keras's own.
            is_own = module in ("keras", "sklearn_ae") and config["class_name"] != "Lambda"
            if not is_own and config["class_name"] != "__keras_tensor__":
                raise ValueError(f"not Keras's own: {config['class_name']}")
        name = config.get("name")
        if isinstance(name, str):
            names.setdefault(name, f"layer {len(names)}")
        for value in config.values():
            _collect_names(value, names)
    elif isinstance(config, list | tuple):
        for value in config:
            _collect_names(value, names)


def _normalize(config, names, keep_seeds):
    if isinstance(config, dict):
        if _is_policy(config):
            return config
        return {
            key: _rename(value, names)
            if key in _HOLD_NAMES
            else _normalize(value, names, keep_seeds)
            for key, value in config.items()
            if keep_seeds or key != "seed"
        }
    if isinstance(config, list | tuple):
        return [_normalize(value, names, keep_seeds) for value in config]
    return config


def _rename(value, names):
    """Replace all strings in what holds nothing but names of layers and numbers."""
    if isinstance(value, dict):
        return {key: _rename(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rename(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def _is_policy(config):
    """Return whether this is a policy of data types, whose name tells what it does."""
    return "DTypePolicy" in str(config.get("class_name"))
