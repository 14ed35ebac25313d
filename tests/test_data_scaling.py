"""Scaling inside the network: which one, from which rows, and in which units results are."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tiny_networks import tiny, tiny_conv

from sklearn_ae.autoencoder import samples
from sklearn_ae.autoencoder import scaling as scaling_module
from sklearn_ae.autoencoder.samples import limits_of
from sklearn_ae.autoencoder.scaling import fit_scaling

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(loc=3, scale=[1, 2, 3, 4, 5, 0.1], size=(60, 6))
UNIT_ROWS = GENERATOR.random((60, 6))
IMAGES = GENERATOR.integers(0, 256, size=(40, 8, 9), dtype=np.uint8)
COLORS = GENERATOR.integers(0, 256, size=(30, 9, 8, 3), dtype=np.uint8)


def with_one_value(value):
    X = UNIT_ROWS.copy()
    X[3, 1] = value
    return X


AUTO = {
    "uint8 images": (COLORS, "range"),
    "uint16 images": (COLORS.astype(np.uint16) * 257, "range"),
    "uint32 images": (COLORS.astype(np.uint32), "standard"),
    "int64 images": (COLORS.astype(np.int64), "standard"),
    "float images in [0, 1]": ((COLORS / 255).astype(np.float32), None),
    "float images beyond": (COLORS / 254, "standard"),
    "boolean images": (COLORS > 127, None),
    "uint8 rows": (COLORS[:, 0, 0], "standard"),
    "float rows in [0, 1]": (UNIT_ROWS, None),
    "float16 rows in [0, 1]": (UNIT_ROWS.astype(np.float16), None),
    "boolean rows": (UNIT_ROWS > 0.5, None),
    "integer rows of 0 and 1": ((UNIT_ROWS > 0.5).astype(int), "standard"),
    "rows with one value below 0": (with_one_value(-1e-6), "standard"),
    "rows with one value above 1": (with_one_value(1 + 1e-6), "standard"),
    "other rows": (ROWS, "standard"),
}


@pytest.mark.parametrize("kind", AUTO)
def test_auto(kind):
    X, expected = AUTO[kind]
    rows, limits = np.arange(20), limits_of(X)[:2]
    auto, explicit = (fit_scaling(scaling, X, rows, limits) for scaling in ("auto", expected))
    assert_array_equal(auto.scale, explicit.scale)
    assert_array_equal(auto.offset, explicit.offset)
    values = X.astype(np.float64)
    if expected is None:
        scaled = values
    elif expected == "range":
        scaled = values / np.iinfo(X.dtype).max
    else:
        axes = tuple(range(X.ndim - 1))
        scaled = (values - values[rows].mean(axis=axes)) / values[rows].std(axis=axes)
    assert auto.transform(X).dtype == np.float32
    assert_allclose(auto.transform(X), scaled, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("X", "scaling"),
    [(IMAGES, "range"), (IMAGES / 255, None), (IMAGES.astype(int), "standard")],
    ids=["uint8", "unit", "int64"],
)
def test_auto_is_what_a_fit_uses(X, scaling):
    auto, explicit = (tiny_conv(scaling=value).fit(X) for value in ("auto", scaling))
    assert_array_equal(auto.score_samples(X), explicit.score_samples(X))


def test_folded_rows_are_scaled_as_images():
    rows = IMAGES.reshape(40, -1)
    folded, images = tiny_conv(input_shape=(8, 9)).fit(rows), tiny_conv().fit(IMAGES)
    assert_array_equal(folded.score_samples(rows), images.score_samples(IMAGES))


def errors_in_units_of(scale, detector, X):
    """Return the anomaly map that a standard deviation or range of `scale` gives."""
    return np.abs(X - detector.reconstruct(X)) / scale


def test_statistics_are_those_of_training_rows_per_feature():
    X = ROWS.copy()
    held_out = tiny().fit(X).validation_indices_
    X[held_out] += 20 * GENERATOR.normal(size=(len(held_out), 6))
    detector = tiny().fit(X)
    assert_array_equal(detector.validation_indices_, held_out)
    deviations = np.delete(X, held_out, axis=0).std(axis=0)
    expected = errors_in_units_of(deviations, detector, X)
    assert_allclose(detector.anomaly_map(X), expected, rtol=1e-4, atol=1e-5)
    # What it would be with the held-out rows is far from it.
    assert not np.allclose(expected, errors_in_units_of(X.std(axis=0), detector, X), rtol=0.1)


def test_statistics_of_images_are_per_channel():
    X = GENERATOR.normal(loc=[0, 10, 100], scale=[1, 5, 30], size=(30, 8, 9, 3))
    detector = tiny_conv().fit(X)
    training = np.delete(X, detector.validation_indices_, axis=0)
    expected = errors_in_units_of(training.std(axis=(0, 1, 2)), detector, X).sum(axis=-1)
    assert_allclose(detector.anomaly_map(X), expected, rtol=1e-4, atol=1e-4)


def test_zero_variance_counts_as_one():
    X = ROWS.copy()
    X[:, 2] = 7
    detector = tiny().fit(X)
    X[:, 2] = [5, 9] * 30
    expected = np.abs(X - detector.reconstruct(X))[:, 2]
    assert_allclose(detector.anomaly_map(X)[:, 2], expected, rtol=1e-5)


@pytest.mark.parametrize("X", [1000 + ROWS, UNIT_ROWS], ids=["standardized", "unscaled"])
def test_scores_are_in_scaled_and_reconstructions_in_input_units(X):
    detector, squared = tiny().fit(X), tiny(anomaly_score="squared_error").fit(X)
    reconstruction = detector.reconstruct(X)
    assert reconstruction.dtype == np.float32
    # Near the data even before much is learned: input units have their location.
    assert_allclose(reconstruction.mean(axis=0), X.mean(axis=0), rtol=0.5, atol=0.5)
    scale = 1 if X is UNIT_ROWS else np.delete(X, detector.validation_indices_, axis=0).std(axis=0)
    scaled_errors = errors_in_units_of(scale, detector, X)
    assert_allclose(-detector.score_samples(X), scaled_errors.sum(axis=1), rtol=1e-3)
    assert_allclose(-squared.score_samples(X), (scaled_errors**2).sum(axis=1), rtol=1e-3)


@pytest.mark.parametrize("make", [tiny, tiny_conv], ids=["dense", "convolutional"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integer_images_equal_floats_divided_by_their_range(make, dtype):
    largest = np.iinfo(dtype).max
    X = (IMAGES.astype(dtype) * (largest // 255)).astype(dtype)
    integers, floats = make(epochs=2).fit(X), make(epochs=2).fit(X / largest)
    assert_allclose(integers.score_samples(X), floats.score_samples(X / largest), rtol=1e-5)
    assert integers.offset_ == pytest.approx(floats.offset_, rel=1e-5)
    reconstruction = integers.reconstruct(X)
    assert reconstruction.dtype == np.float32
    assert_allclose(reconstruction / largest, floats.reconstruct(X / largest), rtol=1e-4)
    assert_allclose(integers.anomaly_map(X), floats.anomaly_map(X / largest), rtol=1e-4, atol=1e-6)


# Warnings about units


METHODS = ["score_samples", "predict", "transform", "reconstruct", "anomaly_map"]


@pytest.fixture(scope="module")
def fitted_integers():
    return tiny().fit(IMAGES)


@pytest.fixture(scope="module")
def fitted_unit_floats():
    return tiny().fit(IMAGES / 255)


@pytest.mark.parametrize("method", METHODS)
def test_floats_in_unit_range_after_a_fit_to_integers(fitted_integers, method):
    message = "fitted to uint8 of at most 255, and X is floats of at most 1.*multiply X by 255"
    with pytest.warns(UserWarning, match=message):
        getattr(fitted_integers, method)(IMAGES / 255)


@pytest.mark.parametrize("method", METHODS)
def test_integers_after_a_fit_to_floats_in_unit_range(fitted_unit_floats, method):
    message = "fitted to float64 of at most 1, and X is uint8 above 1.*divide X by 255"
    with pytest.warns(UserWarning, match=message):
        getattr(fitted_unit_floats, method)(IMAGES)


UNITS = {
    "floats": IMAGES / 255,
    "overshooting floats": 1.005 * IMAGES / 255,
    "standardized": (IMAGES - 128.0) / 64,
    "floats to 255": IMAGES.astype(np.float32),
    "signed integers": IMAGES.astype(np.int64),
    "booleans": IMAGES > 127,
    "mask of 0 and 1": (IMAGES > 127).astype(np.uint8),
    "mask of 0 and 255": (IMAGES > 127) * np.uint8(255),
    "8 bits": IMAGES,
    "12 bits": IMAGES.astype(np.uint16) * 16,
    "16 bits": IMAGES.astype(np.uint16) * 257,
    "8 bits in a wide type": IMAGES.astype(np.uint16),
}


@pytest.mark.parametrize(
    ("fitted_to", "given", "advice"),
    [
        ("8 bits", "16 bits", "divide X by 257"),
        ("16 bits", "8 bits", "multiply X by 257"),
        ("8 bits", "12 bits", "divide X by 257"),
        ("12 bits", "8 bits", "multiply X by 257"),
        ("16 bits", "8 bits in a wide type", "multiply X by 257"),
        ("8 bits", "booleans", "multiply X by 255"),
        ("booleans", "8 bits", "divide X by 255"),
        ("mask of 0 and 255", "mask of 0 and 1", "multiply X by 255"),
        ("mask of 0 and 1", "mask of 0 and 255", "divide X by 255"),
        ("floats to 255", "floats", "multiply X by 255"),
        ("floats", "floats to 255", "divide X by 255"),
        ("signed integers", "floats", "multiply X by 255"),
        ("floats", "signed integers", "divide X by 255"),
        ("8 bits", "overshooting floats", "multiply X by 255"),
        ("overshooting floats", "8 bits", "divide X by 255"),
        ("8 bits", "standardized", "convert X as the training data were"),
        ("standardized", "8 bits", "convert X as the training data were"),
    ],
)
def test_images_in_other_units_warn(fitted_to, given, advice):
    X = UNITS[given]
    detector = tiny().fit(UNITS[fitted_to])
    message = f"of at most .*, and X is .*If they are not the same, {advice}"
    with pytest.warns(UserWarning, match=message):
        detector.predict(X)
    with pytest.warns(UserWarning, match=message):
        detector.predict(X[..., np.newaxis])
    assert_no_warning(detector, UNITS[fitted_to])
    assert_no_warning(detector, np.zeros_like(X[:3]) if X.dtype.kind != "f" else UNITS[fitted_to])


def test_tiles_and_folded_rows_in_other_units_warn():
    tiled = tiny(tile_size=6).fit(list(IMAGES))
    with pytest.warns(UserWarning, match="X is uint16 of at most 65535.*divide X by 257"):
        tiled.predict([image * np.uint16(257) for image in IMAGES])
    folded = tiny(input_shape=(8, 9)).fit(IMAGES.reshape(40, -1))
    with pytest.warns(UserWarning, match="X is bool of at most 1"):
        folded.predict(IMAGES.reshape(40, -1) > 127)


def assert_no_warning(detector, X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector.predict(X)


def test_no_warning_where_units_are_those_of_the_fit(fitted_integers, fitted_unit_floats):
    for X in (IMAGES, IMAGES.astype(np.float32), IMAGES.astype(np.uint16), np.zeros_like(IMAGES)):
        assert_no_warning(fitted_integers, X)
    for X in (IMAGES / 255, 2 * IMAGES / 255, IMAGES // 255, IMAGES > 127):
        assert_no_warning(fitted_unit_floats, X)


@pytest.mark.parametrize(
    ("fitted_to", "X"),
    [
        (IMAGES // 255, IMAGES / 255),
        (IMAGES.astype(float), IMAGES),
        (IMAGES > 127, IMAGES / 255),
        (IMAGES > 127, (IMAGES > 127).astype(np.uint8)),
        (IMAGES, IMAGES // 64),
        (IMAGES.astype(np.uint16), IMAGES),
        (1000 * (IMAGES / 255), 40 * (IMAGES / 255)),
        (-IMAGES.astype(float), IMAGES / 255),
        # The columns of a table have units of their own.
        (100 * UNIT_ROWS, UNIT_ROWS),
        (UNIT_ROWS > 0.5, (200 * UNIT_ROWS).astype(np.uint8)),
        ((200 * UNIT_ROWS).astype(np.uint8), (60000 * UNIT_ROWS).astype(np.uint16)),
    ],
    ids=[
        "integers of 0 and 1",
        "floats to 255",
        "booleans",
        "masks",
        "dark images",
        "wide type",
        "temperatures",
        "negative",
        "rows",
        "boolean rows",
        "rows of integers",
    ],
)
def test_no_warning_where_units_may_be_the_same(fitted_to, X):
    assert_no_warning(tiny().fit(fitted_to), X)


def test_detector_fitted_to_integers_reads_floats_as_integers(fitted_integers):
    X = IMAGES.astype(np.float32)
    expected = fitted_integers.score_samples(IMAGES)
    assert_allclose(fitted_integers.score_samples(X), expected, rtol=1e-6)


def test_statistics_are_those_of_all_chunks(monkeypatch):
    monkeypatch.setattr(scaling_module, "_VALUES_PER_CHUNK", 7 * 6)
    scaling = fit_scaling("standard", ROWS, np.arange(60), limits_of(ROWS)[:2])
    scaled = scaling.transform(ROWS)
    assert_allclose(scaled.mean(axis=0), 0, atol=1e-6)
    assert_allclose(scaled.std(axis=0), 1, atol=1e-6)


def test_limits_are_those_of_all_chunks(monkeypatch):
    monkeypatch.setattr(samples, "_VALUES_PER_CHUNK", 7 * 6)
    X = np.ones((60, 6))
    assert limits_of(X).is_constant
    X[-1] = np.arange(6)
    limits = limits_of(X)
    assert not limits.is_constant
    assert_array_equal(limits.low, np.minimum(np.arange(6), 1))
    assert_array_equal(limits.high, np.maximum(np.arange(6), 1))
