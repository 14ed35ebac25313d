"""Trainings kept on disk: what does not change the weights never trains again."""

import functools
import tempfile
import warnings
from numbers import Integral
from pathlib import Path

import joblib
import keras
import tensorflow as tf
from sklearn.utils.validation import check_memory

import sklearn_ae
from sklearn_ae._network import training
from sklearn_ae._network.describing import describe

# Only these change the weights; `verbose` does not, and callbacks switch the memory off.
_SETTINGS = ("batch_size", "epochs", "patience")


def open_memory(parameters):
    """Check the detector's `memory`, before anything is trained.

    Parameters
    ----------
    parameters : dict
        The detector's.

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
    memory = parameters["memory"]
    if memory is None:
        return None
    obstacle = _find_obstacle(parameters)
    if obstacle is not None:
        _warn_once(obstacle)
        return None
    location = getattr(memory, "location", memory)
    if location is None:
        return None
    try:
        Path(location).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=location):
            pass
    except OSError as error:
        raise ValueError(
            "memory must be a folder that can be written to: choose another one. Received: "
            f"memory={memory!r}, {error}."
        ) from error
    return check_memory(str(memory) if isinstance(memory, Path) else memory)


def train(memory, network, X, training_rows, validation_rows, **arguments):
    """Train a network as :func:`training.train` does, or take what an equal training left.

    Parameters
    ----------
    memory : joblib.Memory or None
    network, X, training_rows, validation_rows, **arguments
        See :func:`sklearn_ae._network.training.train`.

    Returns
    -------
    log : TrainingLog
    """
    data = (network, X, training_rows, validation_rows)
    if memory is not None:
        key = _key(*data, **arguments)
        if key is not None:
            cached = memory.cache(_train, ignore=["data", "arguments"])
            weights, log = cached(key, data, arguments)
            for part, values in zip(network.parts, weights, strict=True):
                part.set_weights(values)
            return training.TrainingLog(*log)
    return training.train(*data, **arguments)


def _train(key, data, arguments):
    """Train and return weights and log. What changes either of them is in the key."""
    log = training.train(*data, **arguments)
    return [part.get_weights() for part in data[0].parts], tuple(log)


def _find_obstacle(parameters):
    if parameters["random_state"] is None:
        return "with random_state=None every fit is to be another one. Pass an int"
    if not isinstance(parameters["random_state"], Integral):
        return "a RandomState instance changes with every fit. Pass random_state=int"
    if parameters["callbacks"]:
        return "callbacks act during the training, which would be left out. Pass callbacks=None"
    if parameters["warm_start"]:
        return "with warm_start=True a fit depends on those before it"
    return None


@functools.cache
def _warn_once(obstacle):
    """Warn once in a process: a grid search would repeat it for every fit."""
    warnings.warn(f"memory is not used: {obstacle}.", UserWarning, stacklevel=2)


def _key(network, X, training_rows, validation_rows, *, loss, optimizer, settings, random_state):
    """Return a hash of all that determines the weights, or None with a warning."""
    described = (describe(keras.losses.get(loss)), describe(optimizer), network.configuration)
    if None in described:
        name = ("loss", "optimizer", "architecture")[described.index(None)]
        _warn_once(
            f"{name} holds a function or a class that is not Keras's own, and an edit of it would "
            "go unnoticed"
        )
        return None
    # Not the architecture's parameters, but the layers that it built, their seeds and weights.
    built = (
        describe(network.joint, keep_seeds=True),
        [part.get_weights() for part in network.parts],
        tuple(network.scaling),
    )
    return joblib.hash(
        (
            (sklearn_ae.__version__, keras.__version__, tf.__version__),
            built,
            described,
            X,
            (training_rows, validation_rows),
            [settings[name] for name in _SETTINGS],
            random_state.get_state(),
        )
    )
