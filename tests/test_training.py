"""Training: what it minimizes, when it ends, and whose weights stay."""

import json
import math
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import clone
from training_cases import IMAGES, X, small, small_conv

from sklearn_ae.exceptions import TrainingDivergedError

# Losses, epochs and weights


def test_history_holds_the_losses_of_this_fit():
    detector = small(epochs=3, patience=None).fit(X)
    assert set(detector.history_) == {"loss", "val_loss"}
    assert [len(losses) for losses in detector.history_.values()] == [3, 3]
    assert all(type(loss) is float for loss in detector.history_["loss"])
    assert detector.n_epochs_ == 3
    assert detector.history_["loss"][-1] < detector.history_["loss"][0]


def test_val_loss_is_the_loss_of_the_held_out_rows_at_the_best_epoch():
    detector = small(epochs=6, patience=None, loss="mean_squared_error", scaling=None).fit(X)
    held_out = X[detector.validation_indices_]
    error = np.mean((held_out - detector.reconstruct(held_out)) ** 2)
    assert detector.best_epoch_ == np.argmin(detector.history_["val_loss"])
    assert min(detector.history_["val_loss"]) == pytest.approx(error, rel=1e-5)


class Overshoot(keras.callbacks.Callback):
    """Spoils the weights in every epoch from the third on."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch >= 2:
            self.model.set_weights([weight + 1 for weight in self.model.get_weights()])


def test_best_weights_survive_worse_epochs_after_them():
    # A learning rate that does not depend on the number of epochs.
    parameters = {"learning_rate": None, "patience": None}
    two = small(epochs=2, **parameters).fit(X)
    five = small(epochs=5, **parameters, callbacks=[Overshoot()]).fit(X)
    assert (two.n_epochs_, five.n_epochs_) == (2, 5)
    assert five.best_epoch_ == two.best_epoch_ == 1
    np.testing.assert_array_equal(five.score_samples(X), two.score_samples(X))


def test_patience_of_none_runs_all_epochs():
    detector = small(epochs=9, patience=None, callbacks=[Overshoot()]).fit(X)
    assert (detector.best_epoch_, detector.n_epochs_) == (1, 9)


def test_patience_ends_the_training():
    detector = small(epochs=9, patience=3, callbacks=[Overshoot()]).fit(X)
    assert detector.best_epoch_ == 1
    assert detector.n_epochs_ == 2 + 3


def test_only_training_rows_are_fitted_to():
    """Other held-out rows, of the same number, change no weight when every epoch is kept."""
    other = X.copy()
    held_out = small().fit(X).validation_indices_
    other[held_out] += 1
    parameters = {"epochs": 1, "scaling": "standard"}
    weights, other_weights = (
        small(**parameters).fit(data).model_.get_weights() for data in (X, other)
    )
    for weight, other_weight in zip(weights, other_weights, strict=True):
        np.testing.assert_array_equal(weight, other_weight)


class Steps(keras.callbacks.Callback):
    """Leaves the number of steps of each epoch in the history, and may end the training."""

    def __init__(self, n_epochs=None):
        super().__init__()
        self.n_epochs = n_epochs

    def on_epoch_begin(self, epoch, logs=None):
        self.n_steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.n_steps += 1

    def on_epoch_end(self, epoch, logs=None):
        logs["steps"] = self.n_steps
        self.model.stop_training = epoch + 1 == self.n_epochs


@pytest.mark.parametrize(
    ("n_rows", "n_steps"),
    # Passes of 1, of 3 and of 68 steps over nine tenths of the rows.
    [(30, 64), (90, 66), (2400, 68)],
)
def test_auto_epochs_go_over_few_rows_until_there_are_64_steps(n_rows, n_steps):
    rows = np.random.default_rng(0).normal(size=(n_rows, 4))
    detector = small(epochs="auto", batch_size=32, callbacks=[Steps(n_epochs=2)]).fit(rows)
    assert detector.history_["steps"] == [n_steps] * 2
    plain = small(epochs=2, batch_size=32, callbacks=[Steps()]).fit(rows)
    assert plain.history_["steps"] == [-(-9 * n_rows // 320)] * 2


def test_each_pass_of_an_epoch_has_an_order_of_its_own():
    seen = []

    def recording(y, y_hat):
        tf.py_function(lambda rows: seen.append(rows.numpy()[:, 0]), [y], [])
        return keras.losses.mean_squared_error(y, y_hat)

    parameters = {"scaling": None, "batch_size": 64, "patience": 0, "validation_fraction": 0}
    with pytest.warns(UserWarning, match="No row is held out"):
        small(epochs="auto", loss=recording, **parameters).fit(X)
    assert {tuple(sorted(order)) for order in seen} == {tuple(sorted(X[:, 0]))}
    assert len({tuple(order) for order in seen}) == len(seen) >= 64


def test_few_rows_are_learned():
    position = np.random.default_rng(0).normal(size=(30, 1))
    rows = position * [1.0, 1.0, -1.0, 2.0]
    errors = [
        np.abs(small(epochs=epochs).fit(rows).score_samples(rows)).mean() for epochs in (15, "auto")
    ]
    assert errors[1] < 0.3 * errors[0]


@pytest.mark.parametrize(
    ("make", "data", "n_epochs"), [(small, X, 60), (small_conv, IMAGES, 15)], ids=["rows", "images"]
)
def test_auto_epochs_of_images_are_fewer(monkeypatch, make, data, n_epochs):
    monkeypatch.setattr("sklearn_ae.autoencoder.training.settings._MIN_STEPS", 1)
    assert make(epochs="auto", patience=None, batch_size=64).fit(data).n_epochs_ == n_epochs


def test_step_is_traced_once_for_training_and_once_for_validation():
    traced = []

    def tracing(y, y_hat):
        traced.append(y.shape)
        return keras.losses.mean_squared_error(y, y_hat)

    small(epochs=3, loss=tracing).fit(X)
    assert len(traced) == 2


@pytest.mark.parametrize(("data", "length"), [(X, 32), (IMAGES, 16)], ids=["rows", "images"])
def test_auto_code_is_shorter_for_images(data, length):
    detector = small(architecture="auto", latent_dim="auto", epochs=1).fit(data)
    assert detector.transform(data).shape == (len(data), length)


def test_without_held_out_rows_the_training_loss_chooses_the_best_epoch():
    with pytest.warns(UserWarning, match="No row is held out, for validation_fraction=0"):
        detector = small(validation_fraction=0, epochs=4, callbacks=[Overshoot()]).fit(X)
    assert set(detector.history_) == {"loss"}
    assert detector.best_epoch_ == 1


@pytest.mark.parametrize("loss", ["mean_absolute_error", keras.losses.MeanAbsoluteError()])
def test_loss_by_name_and_instance(loss):
    detector = small(loss=loss, scaling=None, epochs=1).fit(X)
    held_out = X[detector.validation_indices_]
    error = np.mean(np.abs(held_out - detector.reconstruct(held_out)))
    assert detector.history_["val_loss"][0] == pytest.approx(error, rel=1e-5)


def test_auto_loss_is_binary_crossentropy_for_unit_range_else_squared_error():
    unit = np.clip(X / 6 + 0.5, 0, 1)
    for data, loss in [(unit, "binary_crossentropy"), (X, "mean_squared_error")]:
        auto, named = (small(loss=loss_, epochs=1).fit(data) for loss_ in ("auto", loss))
        assert auto.history_ == named.history_
    reconstruction = small(epochs=1).fit(unit).reconstruct(100 * X)
    assert reconstruction.min() >= 0
    assert reconstruction.max() <= 1


def test_loss_that_expects_logits_is_refused():
    with pytest.raises(ValueError, match="from_logits=False"):
        small(loss=keras.losses.BinaryCrossentropy(from_logits=True)).fit(np.abs(X) / 9)


def test_unknown_loss_and_optimizer_are_named():
    with pytest.raises(ValueError, match=r"loss must be.*Received: 'no_such_loss'"):
        small(loss="no_such_loss").fit(X)
    with pytest.raises(ValueError, match=r"optimizer must be.*Received: 'no_such_optimizer'"):
        small(optimizer="no_such_optimizer").fit(X)
    with pytest.raises(TypeError, match="optimizer must be"):
        small(optimizer=dict).fit(X)


# Optimizers


def test_optimizer_by_name_class_and_instance_are_equal():
    histories = [
        small(optimizer=optimizer, learning_rate=rate).fit(X).history_
        for optimizer, rate in [
            ("sgd", 0.5),
            (keras.optimizers.SGD, 0.5),
            (keras.optimizers.SGD(0.5), None),
        ]
    ]
    assert histories[0] == histories[1] == histories[2]
    assert histories[0] != small(optimizer="sgd").fit(X).history_


def test_configured_optimizer_is_used_and_never_changed():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    optimizer = keras.optimizers.Adam(schedule, clipnorm=1.0)
    config = json.dumps(keras.optimizers.serialize(optimizer))
    detector = small(optimizer=optimizer)
    first, second = clone(detector).fit(X), clone(detector).fit(X)
    again = detector.fit(X)
    assert first.history_ == second.history_ == again.history_
    assert detector.optimizer is optimizer
    assert not optimizer.built
    assert int(optimizer.iterations) == 0
    assert json.dumps(keras.optimizers.serialize(optimizer)) == config
    assert first.history_ != small(optimizer=keras.optimizers.Adam(0.1)).fit(X).history_


# Callbacks


class Counter(keras.callbacks.Callback):
    """Counts its own epochs, as a callback with a state does."""

    def __init__(self):
        super().__init__()
        self.n_epochs = 0
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.n_epochs += 1
        self.seen.append(logs["val_loss"])
        logs["n_epochs_of_callback"] = self.n_epochs


def test_each_fit_uses_its_own_copy_of_the_callbacks():
    counter = Counter()
    detector = small(callbacks=[counter])
    for fitted in (detector.fit(X), clone(detector).fit(X), detector.fit(X)):
        assert fitted.history_["n_epochs_of_callback"] == [1, 2]
    assert counter.n_epochs == 0
    assert counter.seen == []
    assert detector.callbacks == [counter]


def test_callback_can_change_the_learning_rate_of_its_fit_alone():
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.0)
    plain = small().fit(X)
    stopped = small(callbacks=[schedule]).fit(X)
    assert stopped.history_["val_loss"][0] == pytest.approx(stopped.history_["val_loss"][1])
    assert small().fit(X).history_ == plain.history_


class LearningRates(keras.callbacks.Callback):
    """Logs the learning rate of the last step of each epoch."""

    def on_epoch_end(self, epoch, logs=None):
        logs["rate"] = float(self.model.optimizer.learning_rate)


def rates(**parameters):
    callbacks = [LearningRates(), *parameters.pop("callbacks", [])]
    fitted = small(**{"epochs": 4, "patience": None, **parameters}, callbacks=callbacks).fit(X)
    return fitted.history_["rate"]


def test_learning_rate_falls_along_half_a_cosine_from_twice_that_of_the_optimizer():
    n_steps = 4 * math.ceil((len(X) - round(0.1 * len(X))) / small().batch_size)
    last_steps = n_steps // 4 * np.arange(1, 5) - 1
    for optimizer, own in [("adam", 1e-3), (keras.optimizers.SGD, 1e-2)]:
        expected = own * (1 + np.cos(np.pi * last_steps / n_steps))
        # Again, with the compiled model that the fit before left.
        for _ in range(2):
            np.testing.assert_allclose(rates(optimizer=optimizer), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"learning_rate": None}, 1e-3),
        ({"learning_rate": 0.25}, 0.25),
        ({"optimizer": keras.optimizers.Adam(0.125)}, 0.125),
        (
            {
                "optimizer": keras.optimizers.Adam(
                    keras.optimizers.schedules.PiecewiseConstantDecay([10_000], [0.375, 1.0])
                )
            },
            0.375,
        ),
        ({"callbacks": [keras.callbacks.LearningRateScheduler(lambda epoch: 0.5)]}, 0.5),
        ({"callbacks": [keras.callbacks.ReduceLROnPlateau(patience=100)]}, 1e-3),
    ],
)
def test_learning_rate_that_is_the_users_business_does_not_fall(parameters, expected):
    np.testing.assert_allclose(rates(**parameters), [expected] * 4, rtol=1e-6)


class OwnRate(keras.callbacks.Callback):
    """Sets the learning rate in the second epoch, and for good."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.model.optimizer.learning_rate = 0.5


class OwnOptimizer(keras.optimizers.SGD):
    """Has a schedule of its own."""

    def __init__(self, learning_rate=0.1, **parameters):
        schedule = keras.optimizers.schedules.ExponentialDecay(learning_rate, 1, 0.5)
        super().__init__(schedule, **parameters)


def test_callbacks_and_optimizers_of_ones_own_overrule_the_fall():
    fallen, *others = rates(callbacks=[OwnRate()])
    assert fallen < 2e-3
    assert others == [0.5] * 3
    small(optimizer=OwnOptimizer).fit(X)


def test_second_fit_of_a_configuration_in_mixed_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        histories = [small().fit(X).history_ for _ in range(2)]
    finally:
        keras.config.set_dtype_policy(policy)
    assert histories[0] == histories[1]


def test_progress_is_printed_as_asked(capfd):
    small(verbose=0).fit(X)
    assert capfd.readouterr().out == ""
    small(verbose=2).fit(X)
    lines = capfd.readouterr().out
    assert "Epoch 2/2" in lines
    assert "val_loss" in lines
    small(verbose=1).fit(X)
    assert "━" in capfd.readouterr().out


@pytest.mark.parametrize("parameters", [{}, {"tile_size": 20}], ids=["whole", "tiles"])
def test_scoring_of_many_samples_shows_the_time_left_as_asked(capfd, parameters):
    images = np.random.default_rng(0).integers(0, 256, size=(30, 28, 28), dtype=np.uint8)
    detector = small_conv(**parameters).fit(images)
    many = np.repeat(images, 200, axis=0) if not parameters else images
    scores = detector.score_samples(many)
    capfd.readouterr()
    detector.set_params(verbose=2).score_samples(many)
    assert capfd.readouterr() == ("", "")
    np.testing.assert_array_equal(detector.set_params(verbose=1).score_samples(many), scores)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert re.search(r"\d+/\d+ (samples|images), \d:\d\d:\d\d left", captured.err)
    assert f"{len(many)}/{len(many)}" in captured.err
    detector.score_samples(many[:1])
    assert capfd.readouterr() == ("", "")


# Failures and interrupts


class Interrupt(keras.callbacks.Callback):
    """Presses Ctrl-C in the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("warm_start", [False, True])
def test_interrupt_leaves_the_detector_as_it_was(warm_start):
    detector = small(warm_start=warm_start).fit(X)
    scores, attributes = detector.score_samples(X), dict(vars(detector))
    detector.set_params(callbacks=[Interrupt()])
    attributes["callbacks"] = detector.callbacks
    with pytest.raises(KeyboardInterrupt):
        detector.fit(np.hstack([X, X]) if not warm_start else X + 1)
    assert vars(detector) == attributes
    np.testing.assert_array_equal(detector.score_samples(X), scores)


def test_interrupted_first_fit_leaves_it_unfitted():
    detector = small(callbacks=[Interrupt()])
    attributes = dict(vars(detector))
    with pytest.raises(KeyboardInterrupt):
        detector.fit(X)
    assert vars(detector) == attributes


def test_interrupted_fit_leaves_nothing_to_the_next():
    plain = small().fit(X)
    with pytest.raises(KeyboardInterrupt):
        small(callbacks=[Interrupt()]).fit(X)
    assert small().fit(X).history_ == plain.history_


def test_diverging_loss_raises_with_advice():
    detector = small(optimizer="sgd", learning_rate=1e30, epochs=5)
    with pytest.raises(TrainingDivergedError, match=r"learning_rate.*Received: 'sgd'.*1e\+30"):
        detector.fit(X)
    assert not hasattr(detector, "offset_")
    assert issubclass(TrainingDivergedError, ValueError)
