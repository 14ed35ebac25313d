"""Blocks of batches train as one batch after the other does."""

import types

import keras
import numpy as np
import pytest
from keras import layers
from tiny_networks import tiny, tiny_conv

from sklearn_ae import ConvAutoencoder, DenseAutoencoder
from sklearn_ae.autoencoder.training import blocks as blocks_module
from sklearn_ae.autoencoder.training.blocks import BlockTraining, TrainingBlocks

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 5))
IMAGES = RNG.random((90, 8, 8))


class Watch(keras.callbacks.Callback):
    """Looks at every batch, so that a block has one."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


def with_layers(*make, **dense):
    def build(input_shape, latent_dim):
        inputs = x = keras.Input(input_shape)
        x = layers.Dense(6, activation="relu", **dense)(x)
        for make_layer in make:
            x = make_layer()(x)
        x = layers.Dense(latent_dim)(x)
        return keras.Model(inputs, layers.Dense(input_shape[-1])(x))

    return build


@keras.saving.register_keras_serializable(package="tests")
class Penalty(layers.Layer):
    def call(self, inputs):
        self.add_loss(0.01 * keras.ops.mean(keras.ops.square(inputs)))
        return inputs


CASES = {
    "default": {},
    "learning rate": {"learning_rate": 0.01},
    "sgd, absolute error": {"optimizer": "sgd", "loss": "mean_absolute_error"},
    "schedule": {
        "optimizer": lambda: keras.optimizers.Adam(
            keras.optimizers.schedules.ExponentialDecay(0.01, 3, 0.9)
        )
    },
    "clipnorm": {"optimizer": lambda: keras.optimizers.Adam(0.01, clipnorm=0.1)},
    "state": {"architecture": with_layers(layers.BatchNormalization)},
    "dropout": {"architecture": with_layers(lambda: layers.Dropout(0.3, seed=1))},
    "noise": {"architecture": with_layers(lambda: layers.GaussianNoise(0.3, seed=1))},
    "regularizer": {"architecture": with_layers(kernel_regularizer=keras.regularizers.L2(0.1))},
    "added loss": {"architecture": with_layers(Penalty)},
    "small last batch": {"batch_size": 64},
    "several passes": {"epochs": "auto", "batch_size": 150},
}


def weights_of(detector):
    return [w for part in detector._network.parts for w in part.get_weights()]


@pytest.mark.parametrize("name", CASES)
def test_blocks_train_as_one_batch_after_the_other(name, monkeypatch):
    parameters = {"epochs": 2, "batch_size": 8, **CASES[name]}
    if callable(parameters.get("optimizer")):
        parameters["optimizer"] = parameters["optimizer"]()
    # So that an epoch has several blocks, the last of them shorter.
    monkeypatch.setattr(blocks_module, "count_batches_per_block", lambda *args: 4)
    blocks = tiny(**parameters).fit(X)
    watch = Watch()
    singles = tiny(callbacks=[watch], **parameters).fit(X)
    for one, other in zip(weights_of(blocks), weights_of(singles), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
    for name, values in singles.history_.items():
        np.testing.assert_allclose(blocks.history_[name], values, rtol=1e-5)
    [kept] = singles.callbacks_
    assert len(kept.rates) > 2 * blocks.n_epochs_


def test_large_networks_train_with_xla_alike(monkeypatch):
    plain = tiny_conv(epochs=2, batch_size=16).fit(IMAGES)
    monkeypatch.setattr(blocks_module, "_SECONDS_FOR_XLA", 0)
    compiled = []
    compile_model = keras.Model.compile

    def compiling(model, *args, **kwargs):
        compiled.append(kwargs["jit_compile"])
        compile_model(model, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "compile", compiling)
    large = tiny_conv(epochs=2, batch_size=16).fit(IMAGES)
    assert compiled == ["auto"]
    for one, other in zip(weights_of(plain), weights_of(large), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_images_and_mixed_precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        blocks = tiny_conv(epochs=2, batch_size=8).fit(IMAGES)
        singles = tiny_conv(epochs=2, batch_size=8, callbacks=[Watch()]).fit(IMAGES)
    finally:
        keras.config.set_dtype_policy(before)
    for one, other in zip(weights_of(blocks), weights_of(singles), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


class WatchEpochs(keras.callbacks.Callback):
    """Looks at epochs alone, and does with the model what users do."""

    x = X.astype(np.float32)

    def on_epoch_end(self, epoch, logs=None):
        self.loss = self.model.evaluate(self.x, self.x, verbose=0)
        self.loss_of_batch = self.model.test_on_batch(self.x, self.x)
        self.val_loss = logs["val_loss"]
        self.steps = self.params["steps"]


def test_steps_are_blocks_and_callbacks_may_use_the_model(tmp_path):
    callback = WatchEpochs()
    detector = tiny(epochs=1, batch_size=8, callbacks=[callback], scaling=None).fit(X)
    assert detector.callbacks_[0].steps == 1
    callback.x = X[detector.validation_indices_].astype(np.float32)
    path = str(tmp_path / "best.keras")
    keeper = keras.callbacks.ModelCheckpoint(path, save_best_only=False)
    detector = tiny(epochs=1, batch_size=8, callbacks=[callback, keeper], scaling=None).fit(X)
    kept = detector.callbacks_[0]
    np.testing.assert_allclose([kept.loss, kept.loss_of_batch], kept.val_loss, rtol=1e-5)
    loaded = keras.models.load_model(path)
    np.testing.assert_allclose(loaded.predict(kept.x, verbose=0), detector.reconstruct(kept.x))


def test_one_epoch_is_what_keras_trains():
    """Against `train_on_batch`, with batches in the same order."""
    autoencoder = keras.Sequential(
        [keras.Input((5,)), layers.Dense(4, activation="relu"), layers.Dense(5)]
    )
    reference = keras.models.clone_model(autoencoder)
    reference.set_weights(autoencoder.get_weights())
    reference.compile("adam", "mse", jit_compile=False)

    order = RNG.permutation(150)

    class Plain:
        """A scaling that changes nothing, and a generator that always draws the same order."""

        transform = staticmethod(lambda X: X.astype(np.float32))
        permutation = staticmethod(lambda rows: order)

    for begin in range(0, 150, 32):
        batch = X[order[begin : begin + 32]].astype(np.float32)
        reference.train_on_batch(batch, batch)
    model = keras.models.clone_model(autoencoder)
    model.set_weights(autoencoder.get_weights())
    model.compile("adam", "mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    BlockTraining(model)
    network = types.SimpleNamespace(scaling=Plain, autoencoder=autoencoder)
    settings = types.SimpleNamespace(batch_size=32, min_steps=1)
    blocks = TrainingBlocks(network, X, np.arange(150), settings, Plain)
    blocks.n_batches_per_block = 3
    assert len(blocks) == 2
    assert blocks.n_batches == 5
    model.fit(blocks, epochs=1, verbose=0, shuffle=False)
    for one, other in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)


def test_learning_rate_falls_over_the_batches():
    watch = Watch()
    detector = tiny(epochs=3, batch_size=8, callbacks=[watch]).fit(X)
    rates = np.array(detector.callbacks_[0].rates)
    n = len(rates)
    np.testing.assert_allclose(
        rates, 0.001 * (1 + np.cos(np.pi * np.arange(n) / n)), rtol=1e-5, atol=1e-9
    )


def test_a_callback_that_sets_the_learning_rate_is_obeyed():
    class Set(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.optimizer.learning_rate = 0.0

        def on_epoch_end(self, epoch, logs=None):
            self.weights = [*getattr(self, "weights", []), self.model.get_weights()]

    detector = tiny(epochs=4, batch_size=8, callbacks=[Set()]).fit(X)
    first, *others = detector.callbacks_[0].weights
    for weights in others:
        for one, other in zip(first, weights, strict=True):
            np.testing.assert_array_equal(one, other)


def test_blocks_are_short_enough_for_memory():
    small = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.Dense(6)])
    large = keras.Sequential([keras.Input((512, 512, 3)), layers.Conv2D(3, 3, padding="same")])
    assert blocks_module.count_batches_per_block(small, 32) > 100
    n = blocks_module.count_batches_per_block(large, 32)
    assert n == 1


def test_wide_rows_do_not_make_a_network_large():
    def join(architecture, shape):
        encoder, decoder = architecture.build(shape, 16)
        inputs = keras.Input(shape)
        return keras.Model(inputs, decoder(encoder(inputs)))

    rows = join(DenseAutoencoder(), (2048,))
    assert blocks_module.count_batches_per_block(rows, 256) == 1
    assert not blocks_module.is_large(rows, 32)
    assert blocks_module.is_large(join(ConvAutoencoder(), (28, 28, 1)), 32)


def test_blocks_of_subclassed_models_are_small():
    @keras.saving.register_keras_serializable(package="tests")
    class Encoder(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, inputs):
            return self.dense(inputs)

    inputs = keras.Input((6,))
    model = keras.Model(inputs, layers.Dense(6)(Encoder()(inputs)))
    assert blocks_module.count_batches_per_block(model, 32) == 1
    assert blocks_module.count_held_out_rows_per_block(model) <= 64
