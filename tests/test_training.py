"""Training: what it minimises, when it ends, whose weights stay, and what it must not touch."""

import copy
import json
import os
import pickle
import random
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras.src.random import seed_generator
from sklearn.base import clone

from sklearn_ae import AutoencoderAnomalyDetector, ConvAutoencoder, DenseAutoencoder
from sklearn_ae._network import training as network_training
from sklearn_ae.exceptions import TrainingDivergedError

X = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
IMAGES = np.random.default_rng(0).integers(0, 256, size=(40, 9, 8), dtype=np.uint8)


def small(**parameters):
    defaults = {
        "architecture": DenseAutoencoder(units=(8,)),
        "latent_dim": 2,
        "epochs": 2,
        "batch_size": 16,
        "random_state": 0,
    }
    return AutoencoderAnomalyDetector(**(defaults | parameters))


def small_conv(**parameters):
    return small(architecture=ConvAutoencoder(filters=(2,)), **parameters)


@pytest.fixture
def compiled_models(monkeypatch):
    """List the compiled models that are kept; none is at first, as in a new process."""
    store = type(network_training._COMPILED_MODELS)(max_size=10_000_000)
    monkeypatch.setattr(network_training, "_COMPILED_MODELS", store)
    return lambda: [model for values in store._entries.values() for model, _ in values]


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
    two = small(epochs=2, patience=None).fit(X)
    five = small(epochs=5, patience=None, callbacks=[Overshoot()]).fit(X)
    assert (two.n_epochs_, five.n_epochs_) == (2, 5)
    assert five.best_epoch_ == two.best_epoch_ == 1
    np.testing.assert_array_equal(five.score_samples(X), two.score_samples(X))


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


def test_progress_is_printed_as_asked(capfd):
    small(verbose=0).fit(X)
    assert capfd.readouterr().out == ""
    small(verbose=2).fit(X)
    lines = capfd.readouterr().out
    assert "Epoch 2/2" in lines
    assert "val_loss" in lines
    small(verbose=1).fit(X)
    assert "━" in capfd.readouterr().out


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


# Repeatability


def weights_of(detector):
    return [*detector.encoder_.get_weights(), *detector.decoder_.get_weights()]


def assert_equal_to_the_bit(one, other, data):
    for weight, other_weight in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(weight, other_weight)
    assert one.history_ == other.history_
    assert one.offset_ == other.offset_
    np.testing.assert_array_equal(one.score_samples(data), other.score_samples(data))


@pytest.mark.parametrize(
    ("make", "data"),
    [
        (small, X),
        (small_conv, IMAGES),
        (lambda: small(architecture=DenseAutoencoder(units=(8,), masking_rate=0.2)), X),
    ],
    ids=["dense", "convolutional", "masking"],
)
def test_same_seed_is_equal_to_the_bit_whatever_the_process_did_before(make, data, compiled_models):
    fresh = make().fit(data)  # a newly compiled model
    keras.utils.set_random_seed(5)
    small(random_state=3, latent_dim=3).fit(X)
    reused = make().fit(data)  # the same compiled model
    assert_equal_to_the_bit(fresh, reused, data)


IN_NEW_PROCESS = """
import sys, pickle
sys.path.insert(0, sys.argv[1])
import test_training as t
detector = t.small_conv().fit(t.IMAGES)
sys.stdout.buffer.write(b"scores" + pickle.dumps(detector.score_samples(t.IMAGES)))
"""


def test_same_seed_is_equal_in_another_process():
    result = subprocess.run(
        [sys.executable, "-c", IN_NEW_PROCESS, os.path.dirname(__file__)],
        capture_output=True,
        check=True,
    )
    scores = pickle.loads(result.stdout.partition(b"scores")[2])
    np.testing.assert_array_equal(scores, small_conv().fit(IMAGES).score_samples(IMAGES))


def test_other_seeds_and_none_differ():
    scores = [
        small(random_state=seed).fit(X).score_samples(X).tolist() for seed in (0, 1, None, None)
    ]
    assert len(set(map(tuple, scores))) == 4


def test_random_state_instance_is_drawn_from():
    state = np.random.RandomState(0)
    first, second = small(random_state=state).fit(X), small(random_state=state).fit(X)
    assert first.history_ != second.history_
    assert_equal_to_the_bit(first, small(random_state=np.random.RandomState(0)).fit(X), X)
    assert_equal_to_the_bit(first, small(random_state=0).fit(X), X)


def unseeded(input_shape, latent_dim):
    """Build what a user writes, who gives no seed anywhere."""
    encoder = keras.Sequential(
        [keras.Input(input_shape), keras.layers.Dropout(0.2), keras.layers.Dense(latent_dim)]
    )
    decoder = keras.Sequential([keras.Input((latent_dim,)), keras.layers.Dense(input_shape[0])])
    return encoder, decoder


def test_architecture_without_seeds_is_seeded():
    one, other = (small(architecture=unseeded).fit(X) for _ in range(2))
    assert_equal_to_the_bit(one, other, X)
    assert one.history_ != small(architecture=unseeded, random_state=1).fit(X).history_


# Side effects


def global_state():
    """What of Python, NumPy and Keras a user may rely on."""
    patched = (keras.Model, keras.losses.Loss, keras.metrics.Metric, keras.optimizers.Optimizer)
    return {
        # First, for it is seeded from Python's generator when it is asked for the first time.
        "keras": seed_generator.global_seed_generator().state.numpy().tolist(),
        "python": random.getstate(),
        "numpy": repr(np.random.get_state()),  # noqa: NPY002
        "environment": dict(os.environ),
        "pickling": [
            cls.__dict__.get(name) for cls in patched for name in ("__reduce__", "__deepcopy__")
        ],
        "custom objects": dict(keras.saving.get_custom_objects()),
        "floats": (keras.config.floatx(), keras.config.dtype_policy().name),
    }


def test_fit_leaves_the_process_as_it_was():
    small_conv().fit(IMAGES)  # imports
    before = global_state()
    for seed in range(2):
        detector = small_conv(random_state=seed, optimizer="sgd").fit(IMAGES)
        detector.predict(IMAGES)
        assert detector.model_.count_params() > 0
    assert global_state() == before


def test_fit_does_not_count_up_the_names_of_the_users_layers():
    make = [keras.layers.Flatten, keras.optimizers.Adam, keras.optimizers.SGD]
    make += [lambda: keras.layers.Dense(1), lambda: keras.layers.Conv2D(1, 1)]
    make += [lambda: keras.layers.Rescaling(1), lambda: keras.layers.Activation("linear")]
    make += [keras.Sequential, lambda: keras.Model(*[keras.Input((1,))] * 2)]
    first, second = ([number(new().name) for new in make] for _ in range(2))
    small_conv().fit(IMAGES).predict(IMAGES)
    third = [number(new().name) for new in make]
    assert np.subtract(third, second).tolist() == np.subtract(second, first).tolist()


def number(name):
    """Return 3 for "dense_3" and 0 for "dense"."""
    last = name.rpartition("_")[2]
    return int(last) if last.isdigit() else 0


IMPORT_ORDER = """
import json, os, random, sys
import keras
environment = dict(os.environ)
patched = [keras.Model, keras.losses.Loss, keras.metrics.Metric, keras.optimizers.Optimizer]
methods = [cls.__dict__.get(name) for cls in patched for name in ("__reduce__", "__deepcopy__")]
if sys.argv[1] == "scikeras first":
    import scikeras
    methods = [c.__dict__.get(name) for c in patched for name in ("__reduce__", "__deepcopy__")]
import sklearn_ae._network.training
assert "scikeras.wrappers" in sys.modules
after = [c.__dict__.get(name) for c in patched for name in ("__reduce__", "__deepcopy__")]
print("equal" if (after, dict(os.environ)) == (methods, environment) else "changed")
"""


@pytest.mark.parametrize("order", ["keras first", "scikeras first"])
def test_pickling_of_keras_stays_as_the_user_has_it(order):
    result = subprocess.run(
        [sys.executable, "-c", IMPORT_ORDER, order], capture_output=True, check=True, text=True
    )
    assert result.stdout.split()[-1] == "equal"


def test_other_backend_is_refused():
    code = """
from sklearn_ae import AutoencoderAnomalyDetector
try:
    AutoencoderAnomalyDetector().fit([[0.0, 1.0]] * 30)
except RuntimeError as error:
    print(error)
"""
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env=os.environ | {"KERAS_BACKEND": "jax"},
        text=True,
    )
    assert "KERAS_BACKEND" in result.stdout
    assert "Received: 'jax'" in result.stdout


def test_refits_share_compiled_functions(compiled_models, monkeypatch):
    """Or every fit would cost seconds and megabytes, and TensorFlow would warn of retracing."""
    n_traces = 0
    compute_loss = keras.Model.compute_loss

    def counting(self, *args, **kwargs):
        nonlocal n_traces
        n_traces += 1
        return compute_loss(self, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "compute_loss", counting)
    small_conv().fit(IMAGES)
    [first], n_first = compiled_models(), n_traces
    for seed in range(4):
        small_conv(random_state=seed, epochs=1).fit(IMAGES[seed:]).predict(IMAGES)
    assert compiled_models() == [first]
    assert n_traces == n_first > 0


def test_what_differs_is_not_shared(compiled_models):
    small_conv().fit(IMAGES)
    small_conv(loss="mean_squared_error").fit(IMAGES)
    small_conv(optimizer="sgd").fit(IMAGES)
    small(architecture=ConvAutoencoder(filters=(3,))).fit(IMAGES)
    assert len(compiled_models()) == 4
    small_conv(callbacks=[Counter()]).fit(IMAGES)
    small_conv(loss=lambda x, y: keras.ops.mean(x - y, axis=-1)).fit(IMAGES)
    assert len(compiled_models()) == 4


def test_fitted_detectors_do_not_share_weights():
    first = small_conv().fit(IMAGES)
    scores = first.score_samples(IMAGES)
    small_conv(random_state=1).fit(IMAGES)
    np.testing.assert_array_equal(first.score_samples(IMAGES), scores)


# Going on


def test_warm_start_goes_on_from_weights_and_scaling():
    detector = small(warm_start=True, epochs=4).fit(X)
    last = detector.history_["loss"][-1]
    detector.set_params(epochs=1).fit(X)
    assert detector.n_epochs_ == 1
    assert detector.history_["loss"][0] < last
    scores = detector.score_samples(X)
    detector.set_params(learning_rate=1e-12).fit(100 * X)
    np.testing.assert_allclose(detector.score_samples(X), scores, rtol=1e-5)


def test_warm_start_of_an_unfitted_detector_begins_anew():
    assert small(warm_start=True).fit(X).history_ == small().fit(X).history_


def test_without_warm_start_a_refit_begins_anew():
    detector = small().fit(X)
    history = detector.history_
    assert detector.fit(X).history_ == history


@pytest.mark.parametrize("change", [{"latent_dim": 3}, {"architecture": DenseAutoencoder()}])
def test_warm_start_with_another_network_is_an_error(change):
    detector = small(warm_start=True).fit(X).set_params(**change)
    with pytest.raises(ValueError, match="warm_start=False"):
        detector.fit(X)


def test_warm_start_with_other_samples_is_an_error():
    detector = small(warm_start=True).fit(X)
    with pytest.raises(ValueError, match=r"warm_start=False.*\(3,\)"):
        detector.fit(X[:, :3])


# Networks of the user's own


def pretrained(input_shape, latent_dim):
    frozen = keras.layers.Dense(6, kernel_initializer="ones", trainable=False, name="frozen")
    encoder = keras.Sequential([keras.Input(input_shape), frozen, keras.layers.Dense(latent_dim)])
    frozen.set_weights([np.full((4, 6), 0.25), np.zeros(6)])
    decoder = keras.Sequential([keras.Input((latent_dim,)), keras.layers.Dense(4)])
    return encoder, decoder


def test_weights_of_frozen_layers_are_kept():
    detector = small(architecture=pretrained).fit(X)
    frozen = detector.encoder_.get_weights()
    assert any(weight.shape == (4, 6) and (weight == 0.25).all() for weight in frozen)


class Subclassed(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.layer = keras.layers.Dense(units)

    def call(self, x):
        return self.layer(x)


def test_subclassed_models_warn_that_they_cannot_be_seeded():
    def build(input_shape, latent_dim):
        return Subclassed(latent_dim), Subclassed(input_shape[0])

    with pytest.warns(UserWarning, match="subclassed Keras model, which cannot be seeded"):
        detector = small(architecture=build).fit(X)
    assert detector.score_samples(X).shape == (64,)


# Pickles and copies


@pytest.mark.parametrize("make_copy", [copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))])
def test_copies_score_alike_and_go_on_alike(make_copy):
    detector = small_conv(warm_start=True, optimizer=keras.optimizers.SGD(0.1)).fit(IMAGES)
    copied = make_copy(detector)
    assert_equal_to_the_bit(detector, copied, IMAGES)
    assert_equal_to_the_bit(detector.fit(IMAGES), copied.fit(IMAGES), IMAGES)


def test_pickle_holds_no_optimizer_state():
    detector = small_conv().fit(IMAGES)
    n_bytes = 4 * detector.model_.count_params()
    assert len(pickle.dumps(detector)) < n_bytes + 20_000


def with_lambda(input_shape, latent_dim):
    x = keras.Input(input_shape)
    return keras.Model(x, keras.layers.Lambda(lambda x: x / 2)(keras.layers.Dense(4)(x)))


def test_network_with_lambda_layer_is_not_pickled():
    detector = small(architecture=with_lambda).fit(X)
    with pytest.raises(TypeError, match="replace Lambda layers"):
        pickle.dumps(detector)
