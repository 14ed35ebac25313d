"""Keras objects as text, equal for two objects that compute the same."""

import json

import keras


def describe(keras_object, keep_seeds=False):
    """Write a Keras object as text, with layers' names replaced by numbers.

    Parameters
    ----------
    keras_object : keras.Model, keras.optimizers.Optimizer, keras.losses.Loss or function
    keep_seeds : bool, default=False
        Whether two objects that differ in their seeds only are to differ.

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
        return json.dumps(_normalise(config, names, keep_seeds))
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


def _normalise(config, names, keep_seeds):
    if isinstance(config, dict):
        return {
            key: _normalise(value, names, keep_seeds)
            for key, value in config.items()
            if keep_seeds or key != "seed"
        }
    if isinstance(config, list | tuple):
        return [_normalise(value, names, keep_seeds) for value in config]
    return names.get(config, config) if isinstance(config, str) else config
