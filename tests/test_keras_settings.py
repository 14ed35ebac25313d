"""Keras's global settings: a fitted detector keeps those that it was fitted with."""

import copy
import pickle
import threading

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_array_equal
from persistence_cases import of_features
from tiny_networks import tiny, tiny_conv

from sklearn_ae import deployment
from sklearn_ae.autoencoder.network.keras_settings import KerasSettings
from sklearn_ae.autoencoder.network.scoring import _GRAPHS

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(40, 6))
IMAGES = GENERATOR.integers(0, 256, size=(40, 12, 12), dtype=np.uint8)

USUAL = KerasSettings()
OTHERS = {
    "usual": USUAL,
    "policy": KerasSettings(dtype_policy="mixed_float16"),
    "floatx": KerasSettings(floatx="float16"),
    "data format": KerasSettings(image_data_format="channels_first"),
    "epsilon": KerasSettings(epsilon=0.5),
    "all": KerasSettings("mixed_bfloat16", "float16", "channels_first", 0.5),
}


@keras.saving.register_keras_serializable("tests")
class AsSet(keras.Layer):
    """What it does is in the settings, not in its configuration."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.layers.Dense(3, kernel_initializer="ones")

    def build(self, input_shape):
        self.inner.build(input_shape)

    def call(self, x):
        x = self.inner(ops.cast(x, keras.config.floatx())) + keras.config.epsilon()
        return 2 * x if keras.config.image_data_format() == "channels_first" else x

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 3)


def build_as_set(input_shape, latent_dim):
    encoder = keras.Sequential(
        [keras.Input(input_shape), AsSet(), keras.layers.Dense(latent_dim, activation="tanh")]
    )
    decoder = keras.Sequential([keras.Input((latent_dim,)), keras.layers.Dense(input_shape[0])])
    return encoder, decoder


DETECTORS = {
    "rows": lambda: (tiny(anomaly_score="code_difference"), ROWS),
    "images": lambda: (tiny_conv(), IMAGES),
    "features": lambda: (of_features(), IMAGES),
    "custom layer": lambda: (tiny(architecture=build_as_set), ROWS),
}


@pytest.fixture(autouse=True)
def settings_put_back():
    before = KerasSettings.of_process()
    yield
    put(before)


def put(settings):
    keras.config.set_dtype_policy(settings.dtype_policy)
    keras.config.set_floatx(settings.floatx)
    keras.config.set_image_data_format(settings.image_data_format)
    keras.config.set_epsilon(settings.epsilon)


@pytest.fixture(params=DETECTORS)
def fitted(request):
    detector, X = DETECTORS[request.param]()
    put(USUAL)
    return detector.fit(X), X


@pytest.mark.filterwarnings("ignore:.*is not in the file:UserWarning")
@pytest.mark.parametrize("name", ["policy", "floatx", "data format", "epsilon", "all"])
def test_detector_that_comes_back_scores_as_before(fitted, name, tmp_path):
    detector, X = fitted
    scores, maps = detector.score_samples(X), detector.anomaly_map(X)
    pickled = pickle.dumps(detector)
    deployment.save(detector, tmp_path / "model.skae")
    put(OTHERS[name])
    for restored in (
        deployment.load(tmp_path / "model.skae", verify=True),
        pickle.loads(pickled),
        copy.deepcopy(detector),
    ):
        assert_array_equal(restored.score_samples(X), scores)
        assert_array_equal(restored.anomaly_map(X), maps)
    assert KerasSettings.of_process() == OTHERS[name]


def test_detector_scores_for_the_first_time_under_other_settings(fitted):
    detector, X = fitted
    twin = pickle.loads(pickle.dumps(detector))
    X = X.astype(np.float32)
    scores = twin.score_samples(X)
    _GRAPHS._entries.clear()
    for name in ("policy", "floatx", "data format", "all"):
        put(USUAL)
        fresh = copy.deepcopy(detector)
        put(OTHERS[name])
        assert_array_equal(fresh.score_samples(X), scores)


@pytest.mark.parametrize("name", ["policy", "floatx", "epsilon"])
def test_detector_that_was_fitted_under_other_settings_keeps_them(name, tmp_path):
    detector = tiny(architecture=build_as_set)
    put(OTHERS[name])
    scores = detector.fit(ROWS).score_samples(ROWS)
    detector.architecture = "auto"
    deployment.save(detector, tmp_path / "model.skae")
    put(USUAL)
    assert_array_equal(copy.deepcopy(detector).score_samples(ROWS), scores)
    assert_array_equal(deployment.load(tmp_path / "model.skae").score_samples(ROWS), scores)
    usual = tiny(architecture=build_as_set).fit(ROWS)
    assert (usual.score_samples(ROWS) != scores).any()


def test_views_and_codes_are_those_of_the_fit():
    detector = tiny().fit(ROWS)
    codes, rebuilt = detector.transform(ROWS), detector.reconstruct(ROWS)
    twin = copy.deepcopy(detector)
    put(OTHERS["all"])
    assert_array_equal(twin.transform(ROWS), codes)
    assert_array_equal(twin.reconstruct(ROWS), rebuilt)
    assert_array_equal(twin.model_(ROWS).numpy(), detector.model_(ROWS).numpy())
    assert twin.encoder_.output.dtype == "float32"


def test_training_is_kept_for_its_settings_alone(tmp_path, trainings_done):
    for settings in (USUAL, OTHERS["floatx"], USUAL):
        put(settings)
        tiny(memory=tmp_path).fit(ROWS)
    assert len(trainings_done) == 2


def test_settings_are_put_back_after_an_error_and_one_thread_has_them_at_a_time():
    put(USUAL)
    seen, threads = [], []

    def observe():
        with USUAL.applied():
            seen.append(KerasSettings.of_process())

    def fail():
        with OTHERS["all"].applied():
            assert KerasSettings.of_process() == OTHERS["all"]
            threads.append(threading.Thread(target=observe))
            threads[0].start()
            threads[0].join(0.1)
            assert seen == []
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    threads[0].join()
    assert seen == [USUAL]
    assert KerasSettings.of_process() == USUAL


@pytest.mark.parametrize(
    "changed",
    [
        {"dtype_policy": "int8"},
        {"floatx": "int32"},
        {"image_data_format": "channels"},
        {"epsilon": 0.0},
        {"epsilon": "1"},
        {"other": 1},
    ],
)
def test_file_with_impossible_settings_is_refused(changed):
    from sklearn_ae.deployment.persistence._reading import Reader

    node = {"settings": USUAL._asdict() | changed, "parts": []}
    with pytest.raises((ValueError, TypeError), match=r"settings|unexpected keyword"):
        Reader(None)._read_network(node)
