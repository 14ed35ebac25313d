"""What fits share: compiled models and graphs, and nothing else."""

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

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

from sklearn_ae import ConvAutoencoder, DenseAutoencoder
from sklearn_ae.autoencoder.network import scoring
from sklearn_ae.autoencoder.training import keras_fit as network_training


@pytest.fixture
def compiled_models(monkeypatch):
    """List the compiled models that are kept; none is at first, as in a new process."""
    store = type(network_training._COMPILED_MODELS)(max_size=10_000_000)
    monkeypatch.setattr(network_training, "_COMPILED_MODELS", store)
    return lambda: [model for values in store._entries.values() for model, _ in values]


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


class OwnCallback(keras.callbacks.Callback):
    """It might do anything to the model that it is given."""


def test_what_differs_is_not_shared(compiled_models):
    small_conv().fit(IMAGES)
    small_conv(loss="mean_squared_error").fit(IMAGES)
    small_conv(optimizer="sgd").fit(IMAGES)
    small(architecture=ConvAutoencoder(filters=(3,))).fit(IMAGES)
    assert len(compiled_models()) == 4
    small_conv(callbacks=[OwnCallback()]).fit(IMAGES)
    small_conv(loss=lambda x, y: keras.ops.mean(x - y, axis=-1)).fit(IMAGES)
    assert len(compiled_models()) == 4


def test_fit_and_score_through_cached_graphs_without_predict(compiled_graphs, monkeypatch):
    def predict(*args, **kwargs):
        raise AssertionError("Model.predict is slow for few rows")

    monkeypatch.setattr(keras.Model, "predict", predict)
    for seed in range(3):
        detector = small_conv(random_state=seed).fit(IMAGES)
        for n_rows in (1, 7, 40):
            detector.predict(IMAGES[:n_rows])
    assert len(compiled_graphs) == 1
    detector.predict(IMAGES.astype(np.float32))
    assert len(compiled_graphs) == 2


@pytest.fixture
def compiled_graphs(monkeypatch):
    """List the scoring graphs that are compiled from now on; none is kept from before."""
    compiled = []
    compile_graph = scoring._compile

    def counting(*args):
        compiled.append(args)
        return compile_graph(*args)

    monkeypatch.setattr(scoring, "_GRAPHS", type(scoring._GRAPHS)(max_size=64))
    monkeypatch.setattr(scoring, "_compile", counting)
    return compiled


def test_nets_of_other_noise_do_not_share_what_is_compiled(compiled_models):
    for noise in (0.1, 0.5):
        small(architecture=DenseAutoencoder(units=(8,), noise=noise)).fit(X)
    assert len(compiled_models()) == 2


MANY_CONFIGURATIONS = """
import numpy as np
from sklearn_ae import AutoencoderAnomalyDetector, DenseAutoencoder
X = np.random.default_rng(0).normal(size=(40, 4))
for latent_dim in range(1, 8):
    AutoencoderAnomalyDetector(
        architecture=DenseAutoencoder(units=(4,)), latent_dim=latent_dim, epochs=1, random_state=0
    ).fit(X).predict(X)
"""


def test_many_configurations_print_no_retracing_warning():
    result = subprocess.run(
        [sys.executable, "-c", MANY_CONFIGURATIONS], capture_output=True, check=True, text=True
    )
    assert "retracing" not in result.stderr + result.stdout


def test_threads_fit_alike_and_leave_pythons_generator_alone():
    state = random.getstate()
    with ThreadPoolExecutor(4) as pool:
        fitted = list(pool.map(lambda seed: small_conv(random_state=seed).fit(IMAGES), [0, 1] * 3))
    assert random.getstate() == state
    for seed in (0, 1):
        for detector in fitted[seed::2]:
            assert_equal_to_the_bit(detector, small_conv(random_state=seed).fit(IMAGES), IMAGES)


def test_fitted_detectors_do_not_share_weights():
    first = small_conv().fit(IMAGES)
    scores = first.score_samples(IMAGES)
    small_conv(random_state=1).fit(IMAGES)
    np.testing.assert_array_equal(first.score_samples(IMAGES), scores)


def network_of(**setting):
    """Build a network one of whose layers has a setting, which is its name too if it is a word."""
    [value] = setting.values()

    def build(input_shape, latent_dim):
        layers = [
            keras.Input(input_shape),
            keras.layers.Conv2D(4, 3, padding="same", name=str(value), **setting),
            keras.layers.Conv2D(input_shape[-1], 3, padding="same"),
        ]
        return keras.Sequential(layers)

    return build


@pytest.mark.parametrize(
    "settings",
    [
        [{"activation": "relu"}, {"activation": "tanh"}],
        [{"dtype": "float64"}, {"dtype": "bfloat16"}, {"dtype": "float32"}],
    ],
)
def test_nets_that_differ_in_what_may_be_a_name_share_nothing(settings):
    """A layer named "relu" must not hide that another one, named "tanh", computes tanh."""
    detectors = [small(architecture=network_of(**setting)).fit(IMAGES) for setting in settings]
    scaled = IMAGES[..., np.newaxis] / np.float32(255)
    for detector in detectors:
        reconstructed = detector._network.autoencoder.predict(scaled, verbose=0)
        errors = np.abs(scaled - reconstructed.astype(np.float32)).sum(axis=(1, 2, 3))
        np.testing.assert_allclose(-detector.score_samples(IMAGES), errors, rtol=1e-3)
    losses = {detector.history_["loss"][-1] for detector in detectors}
    assert len(losses) == len(detectors)
