"""Networks that go on, that users build, and that are copied and pickled."""

import copy
import pickle

import keras
import numpy as np
import pytest
from training_cases import (
    IMAGES,
    X,
    assert_equal_to_the_bit,
    small,
    small_conv,
)

from sklearn_ae import DenseAutoencoder

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


def test_warm_start_with_another_output_activation_is_an_error():
    unit = np.clip(X / 6 + 0.5, 0, 1)
    detector = small(warm_start=True).fit(unit)
    with pytest.raises(ValueError, match=r"same output.*'sigmoid'.*'linear'"):
        detector.fit(2 * unit)
    detector.set_params(loss="mean_squared_error")
    with pytest.raises(ValueError, match="same output"):
        detector.fit(unit)


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


def test_subclassed_model_of_another_detector_is_refused():
    parts = Subclassed(2), Subclassed(4)
    with pytest.warns(UserWarning, match="cannot be seeded"):
        first = small(architecture=lambda input_shape, latent_dim: parts).fit(X)
    scores = first.score_samples(X)
    other = small(architecture=lambda input_shape, latent_dim: parts)
    with (
        pytest.warns(UserWarning, match="cannot be seeded"),
        pytest.raises(ValueError, match="a new model at each call"),
    ):
        other.fit(X + 1)
    np.testing.assert_array_equal(first.score_samples(X), scores)


def test_tied_weights_are_refused():
    def tied(input_shape, latent_dim):
        square = keras.layers.Dense(4)
        return tuple(keras.Sequential([keras.Input((4,)), square]) for _ in range(2))

    with pytest.raises(ValueError, match="must not share layers"):
        small(architecture=tied, latent_dim=4).fit(X)


@pytest.fixture
def channels_first():
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format(before)


@pytest.mark.parametrize("data", [X, IMAGES, np.stack([IMAGES] * 3, axis=-1)], ids=lambda d: d.ndim)
def test_users_channels_first_changes_nothing(data, channels_first):
    detector = (small if data.ndim == 2 else small_conv)(scaling="standard").fit(data)
    keras.config.set_image_data_format("channels_last")
    other = (small if data.ndim == 2 else small_conv)(scaling="standard").fit(data)
    keras.config.set_image_data_format("channels_first")
    np.testing.assert_array_equal(detector.score_samples(data), other.score_samples(data))
    network_input = data.reshape(-1, *detector.input_shape_)
    reconstructions = detector.model_.predict(network_input, verbose=0).reshape(data.shape)
    np.testing.assert_allclose(reconstructions, detector.reconstruct(data), rtol=1e-5, atol=1e-4)
    codes = detector.encoder_.predict(network_input, verbose=0)
    np.testing.assert_allclose(codes, detector.transform(data), rtol=1e-5, atol=1e-5)
    decoded = detector.decoder_.predict(codes, verbose=0).reshape(data.shape)
    np.testing.assert_allclose(decoded, detector.reconstruct(data), rtol=1e-5, atol=1e-4)


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
