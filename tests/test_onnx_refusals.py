"""What cannot be exported says so, and no file is written or harmed."""

import logging
import os
import random
import sys
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from persistence_cases import BYTES, ROWS, fitted_kind
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tiny_networks import tiny, two_models

from sklearn_ae import ConvDenseAutoencoder, FixedThresholdDetector
from sklearn_ae.deployment import to_onnx
from sklearn_ae.deployment.onnx import _exporting, _writing
from sklearn_ae.exceptions import PersistenceError
from sklearn_ae.scores import CombinedScore, SquaredError


@pytest.fixture
def path(tmp_path):
    """A file that is there already, and must not change."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"the model of yesterday")
    yield path
    assert path.read_bytes() == b"the model of yesterday"
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


class InNumpy(BaseEstimator):
    """A score that TensorFlow calls back for."""

    def compute(self, inputs, reconstructions):
        def largest(errors):
            return np.abs(errors).max(axis=1)

        scores = tf.numpy_function(largest, [inputs - reconstructions], tf.float64)
        return tf.reshape(scores, tf.shape(inputs)[:1])


class Compared(BaseEstimator):
    """A score that depends on the other samples of a batch."""

    def compute(self, inputs, reconstructions):
        errors = keras.ops.sum(abs(inputs - reconstructions), axis=1)
        return errors / keras.ops.max(errors)


class Noise(keras.Layer):
    """A layer that draws random numbers when it scores too."""

    def call(self, x):
        return x + tf.random.normal(tf.shape(x))


def noisy(input_shape, latent_dim):
    encoder, decoder = two_models(input_shape, latent_dim)
    return keras.Sequential([keras.Input(input_shape), Noise(), *encoder.layers]), decoder


def grouped(input_shape, latent_dim):
    """A convolution of groups, which Keras compiles apart from the rest."""
    _, decoder = two_models(input_shape, latent_dim)
    layers = [
        keras.layers.Reshape((1, 3, 2)),
        keras.layers.Conv2D(2, 1, groups=2),
        keras.layers.Flatten(),
        keras.layers.Dense(latent_dim),
    ]
    return keras.Sequential([keras.Input(input_shape), *layers]), decoder


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"anomaly_score": InNumpy()}, "keras.ops, not with NumPy.*Received: .*PyFunc"),
        ({"anomaly_score": Compared()}, "another score.*Received: a relative difference"),
        ({"architecture": noisy}, "another score.*random"),
        ({"architecture": grouped}, "Received: the operations .*PartitionedCall"),
    ],
)
def test_network_or_score_that_onnx_cannot_have(parameters, message, path):
    detector = tiny(**parameters).fit(ROWS)
    with pytest.raises(PersistenceError, match=message):
        to_onnx(detector, path)


def test_tiles_of_images_of_any_size(path):
    with pytest.raises(PersistenceError, match=r"cut them before.*Received: tile_size=\(8, 10\)"):
        to_onnx(fitted_kind("tiles")[0], path)


def test_estimators_that_are_no_part_of_the_graph(path):
    pipeline = make_pipeline(StandardScaler(), tiny()).fit(ROWS)
    with pytest.raises(TypeError, match=r"export the last step alone.*with StandardScaler"):
        to_onnx(pipeline, path)
    with pytest.raises(TypeError, match=r"skl2onnx. Received: IsolationForest"):
        to_onnx(IsolationForest().fit(ROWS), path)
    with pytest.raises(NotFittedError):
        to_onnx(tiny(), path)


@pytest.mark.parametrize("golden_inputs", [ROWS[:0], ROWS[0], ROWS[:, :3], BYTES])
def test_golden_inputs_of_another_shape(golden_inputs, path):
    with pytest.raises(ValueError, match=r"golden_inputs must be samples of shape \(6,\)"):
        to_onnx(fitted_kind("rows")[0], path, golden_inputs=golden_inputs)


@pytest.mark.parametrize(
    ("golden_inputs", "message"),
    [
        (BYTES / 255, "values that uint8.*Received: float64 from 0 to 1"),
        (BYTES + 0.5, "values that uint8"),
        (BYTES.astype(int) + 1, "values that uint8.*Received: int64 from 1 to 256"),
        (np.where(BYTES == 7, np.nan, BYTES), "golden_inputs must be.*contains NaN"),
        (BYTES[:, :15], "golden_inputs must be samples of shape"),
    ],
)
def test_golden_inputs_that_the_model_cannot_take(golden_inputs, message, path, monkeypatch):
    """Of which nothing would be left to compare. Said before the conversion."""
    monkeypatch.setattr(_exporting, "build_onnx_model", None)
    with pytest.raises(ValueError, match=message):
        to_onnx(fitted_kind("bytes")[0], path, golden_inputs=golden_inputs)


@pytest.mark.parametrize("dtype", ["float16", "mixed_bfloat16"])
def test_half_precision_is_named(dtype, path):
    def build(input_shape, latent_dim):
        layers = [keras.layers.Dense(latent_dim, dtype=dtype), keras.layers.Dense(*input_shape)]
        return keras.Sequential([keras.Input(input_shape), *layers])

    detector = tiny(architecture=build).fit(ROWS)
    with pytest.raises(PersistenceError, match=r"half precision.*compute in .*float16"):
        to_onnx(detector, path)


def test_too_little_memory_is_no_fault_of_the_network(path, monkeypatch):
    def convert(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(_exporting.tf2onnx.convert, "from_function", convert)
    with pytest.raises(MemoryError):
        to_onnx(fitted_kind("rows")[0], path)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "tf2onnx"])
def test_missing_package_is_named_with_its_extra(package, path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-ae\[onnx\]'"):
        to_onnx(fitted_kind("rows")[0], path)


@pytest.mark.parametrize(
    ("output", "change"),
    [
        ("score", lambda x: x * (1 + 1e-3)),
        ("anomaly_map", lambda x: x * (1 + 1e-3)),
        ("label", lambda x: -x),
        ("label", tf.ones_like),
        ("label", lambda x: -tf.ones_like(x)),
        ("p_value", lambda x: 1 - x),
        ("p_value", tf.ones_like),
        ("p_value", lambda x: tf.ones_like(x) / 31),
    ],
)
def test_a_model_that_disagrees_is_refused(output, change, path, monkeypatch):
    """Of a conversion that is wrong in one of its outputs."""
    build = _exporting._make_graph

    def build_wrong(*args):
        graph = build(*args)

        def wrong(*values):
            outputs = graph(*values)
            return outputs | {output: change(outputs[output])}

        return wrong

    monkeypatch.setattr(_exporting, "_make_graph", build_wrong)
    with pytest.raises(PersistenceError, match=f"another {output} than the detector does"):
        to_onnx(fitted_kind("conformal")[0], path)


def test_scores_are_not_compared_with_the_threshold(path, monkeypatch):
    """A large one would hide that they differ."""
    compute = _exporting._bounded
    monkeypatch.setattr(_exporting, "_bounded", lambda *args: 1.5 * compute(*args))
    frozen = FrozenEstimator(fitted_kind("rows")[0])
    detector = FixedThresholdDetector(frozen, threshold=1e6).fit(ROWS)
    with pytest.raises(PersistenceError, match="another score"):
        to_onnx(detector, path)


def test_an_interrupted_write_leaves_the_file_that_was_there(path, monkeypatch):
    def interrupt(file):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        to_onnx(fitted_kind("rows")[0], path)


def test_folder_that_does_not_exist_is_an_error_before_the_conversion(tmp_path, monkeypatch):
    monkeypatch.setattr(_exporting, "build_onnx_model", None)
    with pytest.raises(FileNotFoundError, match=r"a folder that exists.*Received: .*nowhere"):
        to_onnx(fitted_kind("rows")[0], tmp_path / "nowhere" / "model.onnx")
    for path in (tmp_path, "", "."):
        with pytest.raises(OSError, match=r"path must be a file"):
            to_onnx(fitted_kind("rows")[0], path)


def test_large_networks_warn_before_the_conversion(path, monkeypatch):
    def convert(*args):
        raise RuntimeError("the conversion began")

    monkeypatch.setattr(_exporting, "build_onnx_model", convert)
    monkeypatch.setattr(_writing, "LARGE_NETWORK", 50)
    detector = fitted_kind("rows")[0]
    n = detector.model_.count_params()
    expected = pytest.warns(UserWarning, match=f"network of {n} weights takes about .* GB .* s")
    with expected, pytest.raises(RuntimeError, match="began"):
        to_onnx(detector, path)
    monkeypatch.setattr(_writing, "LARGE_NETWORK", n + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeError, match="began"):
            to_onnx(detector, path)


def test_the_network_of_the_article_is_a_large_one():
    encoder, decoder = ConvDenseAutoencoder().build((28, 28, 1), 32)
    assert encoder.count_params() + decoder.count_params() >= _writing.LARGE_NETWORK


def test_what_no_onnx_file_can_hold_is_refused_before_the_conversion(path, monkeypatch):
    monkeypatch.setattr(_exporting.tf2onnx.convert, "from_function", None)
    monkeypatch.setattr(_exporting, "LARGEST_MODEL", 100)
    with pytest.raises(PersistenceError, match=r"An ONNX file holds .* GB at most"):
        to_onnx(fitted_kind("rows")[0], path)


def test_the_export_changes_nothing_of_the_process(tmp_path):
    """Neither Keras's names and graphs nor the level of a logger."""
    detector = tiny(anomaly_score=CombinedScore([("error", SquaredError())])).fit(ROWS)
    before = detector.score_samples(ROWS)
    graph, layer = tf.compat.v1.get_default_graph(), keras.layers.Dense(1).name
    state, level = random.getstate(), logging.getLogger("tf2onnx").level
    root = logging.getLogger()
    handlers, filters = list(root.handlers), list(root.filters)
    to_onnx(detector, tmp_path / "model.onnx")
    assert random.getstate() == state
    assert logging.getLogger("tf2onnx").level == level
    assert (root.handlers, root.filters) == (handlers, filters)
    assert tf.compat.v1.get_default_graph() is graph
    number = int(layer.rpartition("_")[2])
    assert keras.layers.Dense(1).name == f"dense_{number + 1}"
    assert (detector.score_samples(ROWS) == before).all()
