"""Training of a network: Keras's `fit`, through scikeras, seeded and without side effects."""

import copy
import math
import sys
from contextlib import contextmanager
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from sklearn.preprocessing import FunctionTransformer

from sklearn_ae._base.progress import is_open
from sklearn_ae.autoencoder.network.caching import BoundedCache
from sklearn_ae.autoencoder.training.blocks import (
    BlockTraining,
    HeldOutBlocks,
    TrainingBlocks,
    is_large,
)
from sklearn_ae.autoencoder.training.compiling import compile_key
from sklearn_ae.autoencoder.training.scheduling import CosineDecay
from sklearn_ae.autoencoder.training.scikeras_import import BaseWrapper
from sklearn_ae.exceptions import TrainingDivergedError

# Compiled models are kept for the next fit of the same configuration, since each new one costs
# seconds of tracing and megabytes that TensorFlow does not give back. Counted in parameters, of
# which each takes 12 bytes with the two moments of Adam.
_COMPILED_MODELS = BoundedCache(max_size=10_000_000)

# What is compiled takes memory beside the parameters: it counts as at least so many.
_SMALLEST_SIZE = 150_000


class TrainingLog(NamedTuple):
    """What a training leaves beside the weights.

    Parameters
    ----------
    history : dict of str to list of float
        Keras's history: a value of each epoch for "loss" and, with held-out rows, "val_loss".
    best_epoch : int
        The epoch, from 0, whose weights the network has now.
    callbacks : list of keras.callbacks.Callback
        The copies of the user's that were called, without their model.
    """

    history: dict
    best_epoch: int
    callbacks: list


def train(network, X, split, settings, random_state):
    """Fit a network to rows of X and leave it with the weights of its best epoch.

    Parameters
    ----------
    network : Network
        Trained in place.
    X : ndarray of shape (n, *network.input_shape)
        Raw values; read batch by batch, never copied as a whole.
    split : Split
        Rows of X to fit to, and held-out rows whose loss chooses the best epoch. If there are
        none, the training loss does.
    settings : TrainingSettings
    random_state : numpy.random.RandomState
        Source of the order of the rows.

    Returns
    -------
    log : TrainingLog

    Raises
    ------
    TrainingDivergedError
        If the loss becomes NaN or infinite.
    """
    loss, optimizer = settings.loss, settings.new_optimizer()
    own = copy.deepcopy(settings.callbacks) or []
    training = TrainingBlocks(network, X, split.training, settings, random_state)
    if any(map(_looks_at_batches, own)):
        training.n_batches_per_block = 1
    validation = None
    if len(split.validation):
        validation = HeldOutBlocks(network, X, split.validation)
    best = keras.callbacks.EarlyStopping(
        monitor="loss" if validation is None else "val_loss",
        mode="min",
        patience=settings.epochs if settings.patience is None else settings.patience,
        restore_best_weights=True,
    )
    key = compile_key(network, loss, optimizer, own)
    jit_compile = "auto" if is_large(network.autoencoder, settings.batch_size) else False
    key = None if key is None else (*key, jit_compile)
    compiled = _compiled_model(network, key, loss, optimizer, jit_compile)
    model = compiled.model
    n_steps = settings.epochs * training.n_batches
    callbacks = [CosineDecay(compiled, n_steps if settings.learning_rate_falls else None), *own]
    wrapper = _ScikerasAutoencoder(
        training,
        validation,
        model=lambda: model,
        epochs=settings.epochs,
        # Keras writes to the standard output, or fails.
        verbose=settings.verbose if is_open(sys.stdout) else 0,
        callbacks=[_DivergenceCheck(), *callbacks, best],
        # The optimizer must be said here too: scikeras checks what it compiles, and compiles
        # models that are not.
        optimizer=optimizer,
        loss=loss,
    )
    with _no_retracing_warnings():
        # scikeras validates an array, instead of which Keras gets the blocks.
        wrapper.fit(np.zeros((len(split.training), 1), dtype=np.int8), None)
    if key is not None:
        _copy_variables(model, network.autoencoder)
    # Mixed precision puts another optimizer around, which cannot start anew.
    if key is not None and type(model.optimizer) is type(optimizer):
        _COMPILED_MODELS.put(key, compiled, size=max(model.count_params(), _SMALLEST_SIZE))
    history = {name: list(map(_as_number, log)) for name, log in wrapper.history_.items()}
    for callback in own:
        # It may train another fit's network next. Not set_model, which does more in some classes.
        callback._model = None
    return TrainingLog(history, int(best.best_epoch), own)


def _looks_at_batches(callback):
    """Tell whether a callback has methods of its own for batches, which a block would skip."""
    names = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
    # On the object too: LambdaCallback sets them there.
    base = keras.callbacks.Callback
    return any(
        name in vars(callback) or getattr(type(callback), name) is not getattr(base, name)
        for name in names
    )


def _as_number(value):
    """Return a float for a NumPy number or a tensor, and anything else that a callback logs."""
    return float(value) if np.ndim(value) == 0 and not isinstance(value, str) else value


class _ScikerasAutoencoder(BaseWrapper):
    """scikeras's wrapper, made to fit inputs to themselves in an order of our own.

    scikeras hands Keras whole arrays, of which it refuses targets of four dimensions, and Keras
    shuffles them with a generator that only a global seed reaches.
    """

    def __init__(self, training, validation, **parameters):
        super().__init__(**parameters)
        # Private, or scikeras would take them for parameters.
        self._training = training
        self._validation = validation

    @property
    def feature_encoder(self):
        """Pass on what comes, whatever container the user wants from other transformers."""
        return FunctionTransformer().set_output(transform="default")

    target_encoder = feature_encoder

    def _fit_keras_model(self, X, y, sample_weight, warm_start, epochs, initial_epoch, **kwargs):
        super()._fit_keras_model(
            self._training,
            None,
            sample_weight=None,
            warm_start=warm_start,
            epochs=epochs,
            initial_epoch=initial_epoch,
            validation_data=self._validation,
            shuffle=False,
            batch_size=None,
            **kwargs,
        )


class _DivergenceCheck(keras.callbacks.Callback):
    """Ends a training whose loss is not a number any more."""

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            if name in ("loss", "val_loss") and not math.isfinite(value):
                # Mixed precision puts another optimizer around the user's.
                optimizer = self.model.optimizer
                optimizer = getattr(optimizer, "inner_optimizer", optimizer)
                raise TrainingDivergedError(
                    f"The training diverged: {name} is {value} after epoch {epoch + 1}. Lower "
                    "learning_rate, pass an optimizer with clipnorm=1.0, or scale X (scaling="
                    "'standard' does, unless a few values are extremely large). Received: "
                    f"{optimizer.name!r} with a learning rate of "
                    f"{float(optimizer.learning_rate):.3g}."
                )


@contextmanager
def _no_retracing_warnings():
    """Silence what TensorFlow says of loops: each configuration is traced once, and only once."""

    def is_other(record):
        return "triggered tf.function retracing" not in record.getMessage()

    logger = tf.get_logger()
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def _compiled_model(network, key, loss, optimizer, jit_compile):
    """Return a BlockTraining with the network's weights and an optimizer that starts anew."""
    autoencoder = network.autoencoder
    compiled = _COMPILED_MODELS.take(key) if key is not None else None
    if compiled is not None:
        model = compiled.model
        optimizer.build(model.trainable_variables)
        for variable, initial in zip(model.optimizer.variables, optimizer.variables, strict=True):
            variable.assign(initial)
        _copy_variables(autoencoder, model)
        return compiled
    if key is None:
        # The layers are shared with the network, the optimizer and the compiled functions are not.
        model = keras.Model(autoencoder.inputs, autoencoder.outputs, name="training")
    else:
        model = keras.models.clone_model(autoencoder)
        _copy_variables(autoencoder, model)
    model.compile(optimizer=optimizer, loss=loss, jit_compile=jit_compile)
    # TensorFlow traces the step of a training twice if the first time creates variables.
    model.optimizer.build(model.trainable_variables)
    return BlockTraining(model)


def _copy_variables(source, target):
    """Copy weights and the states of the layers' random generators."""
    for variable, value in zip(_variables(target), _variables(source), strict=True):
        variable.assign(value)


def _variables(model):
    """Return the variables of a model's layers, without those of its loss and optimizer."""
    return [variable for layer in model.layers for variable in layer.variables]
