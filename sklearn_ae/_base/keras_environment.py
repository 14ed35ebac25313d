"""What Keras needs of its process: a backend, no fork, threads, and the user's generators.

Nothing here imports TensorFlow or Keras before it is called.
"""

import json
import multiprocessing
import os
import random
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

_THREADS = Path("/proc/self/task")

# Of whatever changes the process for a moment. One for all, or two could wait for each other.
KERAS_LOCK = threading.RLock()


def _is_tensorflow_without_threads():
    """Tell whether TensorFlow has run in this process and its threads are gone.

    A fork takes along the memory of a process, and no thread but the one that forks. That can be
    seen on Linux, where TensorFlow's threads have names.
    """
    context = getattr(sys.modules.get("tensorflow.python.eager.context"), "_context", None)
    if getattr(context, "_context_handle", None) is None:
        return False
    names = []
    with suppress(OSError):
        for thread in _THREADS.iterdir():
            with suppress(OSError):  # It may end meanwhile.
                names.append((thread / "comm").read_text())
    return bool(names) and not any(name.startswith("tf_") for name in names)


# Of a fork before this import, nothing else tells.
_FORKED_WITH_TENSORFLOW = _is_tensorflow_without_threads()


def is_forked_with_tensorflow():
    """Tell whether this process was forked from one that had imported TensorFlow.

    If it was forked before this package was imported, TensorFlow must have run in the parent.

    Returns
    -------
    is_forked : bool
    """
    return _FORKED_WITH_TENSORFLOW


def _note_fork():
    global _FORKED_WITH_TENSORFLOW  # noqa: PLW0603  it is the process that changes
    _FORKED_WITH_TENSORFLOW |= "tensorflow" in sys.modules


# As early as the package is imported: the parent may use Keras itself, and the child alone import
# the part of the package that does.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def import_keras():
    """Import Keras with the backend of TensorFlow.

    Returns
    -------
    keras : module

    Raises
    ------
    RuntimeError
        If Keras has another backend.
    """
    check_backend()
    import keras

    # Keras may also take its backend from a configuration file, which is read when it is imported.
    check_backend()
    return keras


def check_backend():
    """Refuse another backend than TensorFlow before Keras fails in a way that explains nothing.

    Raises
    ------
    RuntimeError
        If Keras has, or will have, another one.
    """
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


def take_share_of_cores():
    """Let TensorFlow use as many threads as this worker process has been given.

    joblib and Dask tell their workers by OMP_NUM_THREADS, which TensorFlow does not read: without
    this, each worker uses all cores, and they fight over them.
    """
    share = os.environ.get("OMP_NUM_THREADS", "")
    if multiprocessing.parent_process() is None or not share.isdigit() or int(share) < 1:
        return
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(int(share))
        tf.config.threading.set_inter_op_parallelism_threads(int(share))
    except RuntimeError:
        # TensorFlow runs already: then somebody else has decided.
        return


def check_not_forked():
    """Refuse to go on in a process that was forked after TensorFlow was imported, and may hang.

    Raises
    ------
    RuntimeError
        If it was.
    """
    if is_forked_with_tensorflow():
        raise RuntimeError(
            "TensorFlow hangs in a process that is forked from one that uses it. Start worker "
            "processes anew: with joblib's default backend 'loky', with Dask, or with "
            "multiprocessing.get_context('spawn'). Received: a process forked from one that has "
            "imported TensorFlow."
        )


def check_eager():
    """Refuse to go on where TensorFlow builds graphs instead of computing.

    Raises
    ------
    RuntimeError
        If eager execution is off.
    """
    import tensorflow as tf

    if not tf.executing_eagerly():
        raise RuntimeError(
            "sklearn_ae needs TensorFlow's eager execution, which is its default. Leave out "
            "tf.compat.v1.disable_eager_execution() or tf.compat.v1.disable_v2_behavior(), and "
            "call the detector outside of tf.function and tf.Graph. Received: "
            "tf.executing_eagerly() = False."
        )


def check_modes():
    """Refuse to build a network in modes of TensorFlow in which it cannot be built.

    Raises
    ------
    RuntimeError
        If eager execution is off, or a distribution strategy's scope is entered.
    """
    import tensorflow as tf

    check_eager()
    if tf.distribute.has_strategy():
        raise RuntimeError(
            "sklearn_ae fits and restores networks on one device. Leave the scope of the "
            "distribution strategy first; for many fits at a time use n_jobs or Dask. Received: "
            f"the scope of a {type(tf.distribute.get_strategy()).__name__}."
        )


@contextmanager
def python_random_restored():
    """Undo the draws of unseeded Keras initializers and layers from Python's global generator."""
    # One thread at a time, or one would restore what another has drawn.
    with KERAS_LOCK:
        state = random.getstate()
        try:
            yield
        finally:
            random.setstate(state)


def restore_weights(model, weights):
    """Set the weights of a model, and what its layers compute from them once and for all.

    Parameters
    ----------
    model : keras.Model
    weights : list of ndarray
    """
    model.set_weights(weights)
    # Those of normalizations, which a model that is loaded from a file finalizes as well.
    _finalize(model)


def _finalize(model):
    for layer in model.layers:
        if hasattr(layer, "layers"):
            _finalize(layer)
        elif hasattr(layer, "finalize_state"):
            layer.finalize_state()
