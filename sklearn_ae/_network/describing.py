"""Keras objects as text, equal for two objects that compute the same."""

import json

import keras


def describe(keras_object):
    """Write a Keras object as text, without seeds and with layers' names replaced by numbers.

    Parameters
    ----------
    keras_object : keras.Model, keras.optimizers.Optimizer, keras.losses.Loss or function

    Returns
    -------
    description : str or None
        None if any part is not Keras's own: two classes or functions may go by the same name.
    """
    if _is_keras_function(keras_object):
        return keras_object.__name__
    try:
        config = keras.saving.serialize_keras_object(keras_object)
        names = {}
        _collect_names(config, names)
        return json.dumps(_normalise(config, names))
    except (TypeError, ValueError, NotImplementedError):
        return None


def is_keras(cls_or_function):
    """Return whether a class or a function is Keras's own."""
    return (getattr(cls_or_function, "__module__", None) or "").split(".")[0] == "keras"


def _is_keras_function(keras_object):
    return hasattr(keras_object, "__name__") and is_keras(keras_object)


def _collect_names(config, names):
    if isinstance(config, dict):
        if "class_name" in config and "config" in config:
            module = (config.get("module") or "").split(".")[0]
            is_own = module == "keras" and config["class_name"] != "Lambda"
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


def _normalise(config, names):
    if isinstance(config, dict):
        return {
            key: None if key == "seed" else _normalise(value, names)
            for key, value in config.items()
        }
    if isinstance(config, list | tuple):
        return [_normalise(value, names) for value in config]
    return names.get(config, config) if isinstance(config, str) else config
