"""scikeras, imported without what its import does to Keras.

scikeras 0.13 replaces how Keras models, losses, metrics and optimizers are pickled and copied in
the whole process. Unless the user has imported it already, Keras's own methods are put back.
"""

import sys

import keras

_PATCHED = [
    (keras.Model, "__reduce__"),
    (keras.Model, "__deepcopy__"),
    (keras.losses.Loss, "__reduce__"),
    (keras.metrics.Metric, "__reduce__"),
    (keras.optimizers.Optimizer, "__reduce__"),
]


def _import_base_wrapper():
    is_users = "scikeras" in sys.modules
    methods = [cls.__dict__.get(name) for cls, name in _PATCHED]
    from scikeras.wrappers import BaseWrapper  # noqa: PLC0415

    if not is_users:
        for (cls, name), method in zip(_PATCHED, methods, strict=True):
            if method is None:
                delattr(cls, name)
            else:
                setattr(cls, name, method)
    return BaseWrapper


BaseWrapper = _import_base_wrapper()
