"""Trainings kept on disk: what does not change the weights never trains again."""

import functools
import tempfile
from numbers import Integral
from pathlib import Path

import joblib
import keras
import numpy as np
import tensorflow as tf
from sklearn.utils.validation import check_memory

from sklearn_ae._base.checks import warn
from sklearn_ae._base.files import locked
from sklearn_ae._base.version import __version__
from sklearn_ae.autoencoder.network.fingerprints import fingerprint
from sklearn_ae.autoencoder.training import keras_fit

# Only these change the weights; `verbose` does not, and callbacks switch the memory off.
_SETTINGS = ("batch_size", "epochs", "learning_rate_falls", "min_steps", "patience")

# Where in the memory's own folder.
_FOLDER = "sklearn_ae"


def open_memory(detector):
    """Check the detector's `memory`, before anything is trained.

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector

    Returns
    -------
    memory : joblib.Memory or None
        None if nothing is to be kept.

    Raises
    ------
    ValueError
        If the folder cannot be written to.

    Warns
    -----
    UserWarning
        If another parameter makes that impossible.
    """
    memory = detector.memory
    if memory is None:
        return None
    obstacle = _find_obstacle(detector)
    if obstacle is not None:
        _warn_once(obstacle)
        return None
    try:
        opened = check_memory(str(memory) if isinstance(memory, Path) else memory)
        if opened.store_backend is None:
            return None
        folder = _folder(opened)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        raise ValueError(
            "memory must be a folder that can be written to: choose another one. Received: "
            f"memory={memory!r}, {error}."
        ) from error
    return opened


def train(network, X, split, settings, random_state):
    """Train a network as :func:`keras_fit.train` does, or take what an equal training left.

    If another thread or process is at the same training, its end is waited for.

    Parameters
    ----------
    network, X, split, settings, random_state
        See :func:`sklearn_ae.autoencoder.training.keras_fit.train`.

    Returns
    -------
    log : TrainingLog

    Warns
    -----
    UserWarning
        If what was left is of no use, so that the network is trained again.
    """
    memory = settings.memory
    X, split, settings = network.front.training_data(X, split, settings)
    key = None if memory is None else _key(network, X, split, settings, random_state)
    if key is None:
        return keras_fit.train(network, X, split, settings, random_state)
    # Not memory.cache: it empties folders whose function it takes for another one, and whether it
    # has looked for that it remembers of the function, not of the folder.
    store, entry = memory.store_backend, (_FOLDER, key)
    names = {"loss", "val_loss"} if len(split.validation) else {"loss"}
    with locked(_folder(memory) / f"{key}.lock"):
        log = _restore(store, entry, network, names)
        if log is None:
            log = keras_fit.train(network, X, split, settings, random_state)
            weights = [part.get_weights() for part in network.parts]
            # Without callbacks: with some, the memory is not used.
            _keep(store, entry, (weights, (log.history, log.best_epoch)))
    return log


def _keep(store, entry, item):
    """Write an entry, and leave no part of one if the disk is full or the write interrupted."""
    # A process that was killed may have left a part.
    store.clear_item(entry)
    try:
        store.dump_item(entry, item, verbose=0)
    finally:
        if not store.contains_item(entry):
            store.clear_item(entry)


def _folder(memory):
    return Path(memory.store_backend.location, _FOLDER)


def _restore(store, entry, network, names):
    """Give the network the weights of an entry and return the log, or None if there is none."""
    if not store.contains_item(entry):
        return None
    try:
        weights, log = store.load_item(entry, verbose=0)
        history, best_epoch = log
        _check_weights(weights, network)
        _check_log(history, best_epoch, names)
    except Exception as error:  # whatever it is that was unpickled
        warn(
            "A training kept in memory cannot be read, so it is done again and replaced: "
            f"{'/'.join(entry)}, {type(error).__name__}: {error}",
        )
        return None
    # Only now that all is known to fit: a training begins with the initial weights.
    for part, values in zip(network.parts, weights, strict=True):
        part.set_weights(values)
    return keras_fit.TrainingLog(history, best_epoch, callbacks=[])


def _check_weights(weights, network):
    kept, needed = (
        [[(array.shape, array.dtype) for array in part] for part in parts]
        for parts in (weights, [part.get_weights() for part in network.parts])
    )
    if kept != needed:
        raise ValueError("weights of other shapes or types than those of the network")


def _check_log(history, best_epoch, names):
    values = np.asarray([history[name] for name in sorted(names)])
    is_history = set(history) == names and values.ndim == 2 and values.dtype.kind == "f"
    if not (is_history and best_epoch in range(values.shape[1])):
        raise ValueError(f"a log of {sorted(history)} whose best epoch is {best_epoch!r}")


def _find_obstacle(detector):
    if detector.random_state is None:
        return "with random_state=None every fit is to be another one. Pass an int"
    if not isinstance(detector.random_state, Integral):
        return "a RandomState instance changes with every fit. Pass random_state=int"
    if detector.callbacks:
        return "callbacks act during the training, which would be left out. Pass callbacks=None"
    if detector.warm_start:
        return "with warm_start=True a fit depends on those before it"
    return None


@functools.cache
def _warn_once(obstacle):
    """Warn once in a process: a grid search would repeat it for every fit."""
    warn(f"memory is not used: {obstacle}.")


def _key(network, X, split, settings, random_state):
    """Return a hash of all that determines the weights, or None with a warning."""
    loss, optimizer = keras.losses.get(settings.loss), settings.new_optimizer()
    described = (fingerprint(loss), fingerprint(optimizer), network.learned_configuration)
    if None in described:
        name = ("loss", "optimizer", "architecture")[described.index(None)]
        _warn_once(
            f"{name} holds a function or a class that is not Keras's own, and an edit of it would "
            "go unnoticed"
        )
        return None
    # Not the architecture's parameters, but the layers that it built, their seeds and weights.
    built = (
        fingerprint(network.joint, keep_seeds=True),
        [part.get_weights() for part in network.parts],
        tuple(network.scaling),
    )
    return joblib.hash(
        (
            (__version__, keras.__version__, tf.__version__),
            built,
            described,
            # Equal values in another order in memory, or mapped from a file, hash differently.
            (X.shape, np.ascontiguousarray(X).reshape(-1)),
            tuple(split),
            [getattr(settings, name) for name in _SETTINGS],
            random_state.get_state(),
        )
    )
