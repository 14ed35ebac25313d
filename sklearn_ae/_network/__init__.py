"""The Keras side: the only package that imports keras, tensorflow or scikeras at module level."""

import os
import sys


def _check_backend():
    """Refuse another backend than TensorFlow before Keras fails in a way that explains nothing."""
    if "keras" in sys.modules:
        backend = sys.modules["keras"].config.backend()
    else:
        backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow":
        raise RuntimeError(
            "sklearn_ae needs Keras's TensorFlow backend. Unset the environment variable "
            "KERAS_BACKEND, or set it to 'tensorflow', before Keras is first imported. Received: "
            f"{backend!r}."
        )


_check_backend()

import keras  # noqa: E402, F401

# Keras may also take its backend from a configuration file, which is read when it is imported.
_check_backend()

# TensorFlow fixes its number of threads with the first thing it does, such as building a model.
from sklearn_ae._network import processes  # noqa: E402, F401
