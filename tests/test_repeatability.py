"""The same seed gives the same bits, and a fit leaves the process as it was."""

import os
import pickle
import random
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras.src.random import seed_generator
from training_cases import (
    IMAGES,
    X,
    assert_equal_to_the_bit,
    small,
    small_conv,
)

from sklearn_ae import DenseAutoencoder
from sklearn_ae.autoencoder.training import keras_fit as network_training


@pytest.fixture
def compiled_models(monkeypatch):
    """List the compiled models that are kept; none is at first, as in a new process."""
    store = type(network_training._COMPILED_MODELS)(max_size=10_000_000)
    monkeypatch.setattr(network_training, "_COMPILED_MODELS", store)
    return lambda: [model for values in store._entries.values() for model, _ in values]


# Repeatability


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
import training_cases as t
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
import sklearn_ae.autoencoder.training.keras_fit
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


@pytest.mark.parametrize("by", ["environment", "file"])
def test_other_backend_is_refused(by, tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "jax"}' if by == "file" else "{}")
    settings = {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "jax" if by == "environment" else ""}
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
        env=os.environ | settings,
        text=True,
    )
    assert "KERAS_BACKEND" in result.stdout
    assert str(tmp_path / "keras.json") in result.stdout
    assert "Received: 'jax'" in result.stdout


@pytest.mark.parametrize(
    ("text", "backend"),
    [('{"backend": "torch"}', "torch"), ("{}", "tensorflow"), ("{", "tensorflow"), (None, None)],
)
def test_backend_of_the_file_is_the_one_that_keras_reads(text, backend, tmp_path, monkeypatch):
    from sklearn_ae._base.keras_environment import _backend_of_file

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if text is not None:
        (tmp_path / "keras.json").write_text(text)
    assert _backend_of_file() == (backend or "tensorflow")
