"""The Keras side: the only package that imports keras, tensorflow or scikeras at module level."""

import json
import os
import sys


def _check_backend():
    """Refuse another backend than TensorFlow before Keras fails in a way that explains nothing."""
    if "keras" in sys.modules:
        backend = sys.modules["keras"].config.backend()
    else:
        backend = os.environ.get("KERAS_BACKEND") or _backend_of_file()
    if backend != "tensorflow":
        raise RuntimeError(
            "sklearn_ae needs Keras's TensorFlow backend. Set the environment variable "
            "KERAS_BACKEND to 'tensorflow' before Keras is first imported. If it is not set, "
            f"{_config_path()} names the backend. Received: {backend!r}."
        )


def _config_path():
    """Return where Keras looks for its configuration."""
    home = os.path.expanduser("~")
    if not os.access(home, os.W_OK):
        home = "/tmp"
    folder = os.environ.get("KERAS_HOME", os.path.join(home, ".keras"))
    return os.path.expanduser(os.path.join(folder, "keras.json"))


def _backend_of_file():
    """Read the backend as Keras does, which without that backend cannot be imported."""
    try:
        with open(_config_path()) as file:
            return json.load(file).get("backend", "tensorflow")
    except (AttributeError, OSError, ValueError):
        return "tensorflow"


_check_backend()

import keras  # noqa: E402, F401

# Keras may also take its backend from a configuration file, which is read when it is imported.
_check_backend()

# TensorFlow fixes its number of threads with the first thing it does, such as building a model.
from sklearn_ae._network import processes  # noqa: E402, F401
