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
    batch_size, loss, optimizer = settings.batch_size, settings.loss, settings.new_optimizer()
    training = _Batches(network, X, split.training, batch_size, random_state, settings.min_steps)
    validation = None
    if len(split.validation):
        validation = _Batches(network, X, split.validation, batch_size)
    best = keras.callbacks.EarlyStopping(
        monitor="loss" if validation is None else "val_loss",
        mode="min",
        patience=settings.epochs if settings.patience is None else settings.patience,
        restore_best_weights=True,
    )
    own = copy.deepcopy(settings.callbacks) or []
    key = compile_key(network, loss, optimizer, own)
    callbacks = [CosineDecay(), *own] if settings.learning_rate_falls else own
    model = _compiled_model(network, key, loss, optimizer)
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
        wrapper.fit(np.zeros((len(split.training), 1), dtype=np.int8), None)
    if key is not None:
        _copy_variables(model, network.autoencoder)
    # Mixed precision puts another optimizer around, which cannot start anew.
    if key is not None and type(model.optimizer) is type(optimizer):
        _COMPILED_MODELS.put(key, model, size=max(model.count_params(), _SMALLEST_SIZE))
    history = {name: list(map(_as_number, log)) for name, log in wrapper.history_.items()}
    for callback in own:
        # It may train another fit's network next. Not set_model, which does more in some classes.
        callback._model = None
    return TrainingLog(history, int(best.best_epoch), own)


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


class _Batches(keras.utils.PyDataset):
    """Batches of scaled rows, as inputs and targets: an epoch.

    Parameters
    ----------
    network : Network
        Scales the rows.
    X : ndarray of shape (n, *network.input_shape)
        Raw values.
    rows : ndarray of int
        Rows of X.
    batch_size : int
    random_state : numpy.random.RandomState or None, default=None
        Source of a new order for each pass over the rows. None keeps theirs.
    min_steps : int, default=1
        An epoch goes over the rows as often as it takes to make so many batches.
    """

    def __init__(self, network, X, rows, batch_size, random_state=None, min_steps=1):
        super().__init__()
        self._scaling = network.scaling
        self._X = X
        self._rows = rows
        self._batch_size = batch_size
        self._random_state = random_state
        self._n_batches = math.ceil(len(rows) / batch_size)
        self._n_passes = math.ceil(min_steps / self._n_batches)
        self.on_epoch_end()

    def __len__(self):
        return self._n_passes * self._n_batches

    def __getitem__(self, index):
        n_passes, index = divmod(index, self._n_batches)
        begin = index * self._batch_size
        rows = self._orders[n_passes][begin : begin + self._batch_size]
        batch = self._scaling.transform(self._X[rows])
        return batch, batch

    def on_epoch_end(self):
        rows, shuffle = self._rows, getattr(self._random_state, "permutation", np.asarray)
        self._orders = [shuffle(rows) for _ in range(self._n_passes)]


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


def _compiled_model(network, key, loss, optimizer):
    """Return a compiled model with the network's weights and an optimizer that starts anew."""
    autoencoder = network.autoencoder
    model = _COMPILED_MODELS.take(key) if key is not None else None
    if model is not None:
        optimizer.build(model.trainable_variables)
        for variable, initial in zip(model.optimizer.variables, optimizer.variables, strict=True):
            variable.assign(initial)
        _copy_variables(autoencoder, model)
        return model
    if key is None:
        # The layers are shared with the network, the optimizer and the compiled functions are not.
        model = keras.Model(autoencoder.inputs, autoencoder.outputs, name="training")
    else:
        model = keras.models.clone_model(autoencoder)
        _copy_variables(autoencoder, model)
    model.compile(optimizer=optimizer, loss=loss)
    # TensorFlow traces the step of a training twice if the first time creates variables.
    model.optimizer.build(model.trainable_variables)
    return model


def _copy_variables(source, target):
    """Copy weights and the states of the layers' random generators."""
    for variable, value in zip(_variables(target), _variables(source), strict=True):
        variable.assign(value)


def _variables(model):
    """Return the variables of a model's layers, without those of its loss and optimizer."""
    return [variable for layer in model.layers for variable in layer.variables]
