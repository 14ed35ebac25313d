"""Data that cannot work are refused before any training."""

import copy
import datetime
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from tiny_networks import tiny, tiny_conv

from sklearn_ae import DenseAutoencoder, maps, metrics
from sklearn_ae.datasets import make_anomalies
from sklearn_ae.inspection import compare_with_baselines

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(40, 6))
IMAGES = GENERATOR.integers(0, 256, size=(40, 8, 9), dtype=np.uint8)
SPARSE = sp.csr_array(np.abs(ROWS))


@pytest.fixture(scope="module")
def fitted_images():
    return tiny_conv().fit(IMAGES)


WORDS = "X must hold real numbers.*OneHotEncoder.*dates.*Received: column %s"
SIZES = "X must hold samples of one shape.*Resize.*tile_size.*windows.*Received: .*%s"
MASKED = r"must have a value everywhere.*filled\(value\).*Received: a masked array with"


def objects(parts):
    X = np.empty(len(parts), dtype=object)
    X[:] = parts
    return X


def with_value(X, value):
    X = X.astype(np.float64)
    X[(3, *np.ones(X.ndim - 1, dtype=int))] = value
    return X


# Data


BAD_DATA = {
    "NaN": (with_value(ROWS, np.nan), ValueError, "Input X contains NaN"),
    "NaN in images": (with_value(IMAGES, np.nan), ValueError, "Input X contains NaN"),
    "NaN of float32": (with_value(ROWS, np.nan).astype("f4"), ValueError, "X contains NaN"),
    "infinity": (with_value(ROWS, np.inf), ValueError, "Input X contains infinity"),
    "minus infinity": (with_value(IMAGES, -np.inf), ValueError, "Input X contains infinity"),
    "NA": (pd.DataFrame({"a": pd.array([1, None] * 20, dtype="Int64")}), ValueError, "X contains"),
    "null": (pl.DataFrame({"a": [1.5, None] * 20}), ValueError, "Input X contains NaN"),
    "null among decimals": (
        pl.DataFrame({"a": [Decimal("1.5"), None] * 20}),
        ValueError,
        "Input X contains NaN",
    ),
    "beyond float64": (
        with_value(ROWS, 0) + np.longdouble("1e4000"),
        ValueError,
        "Input X contains infinity",
    ),
    "complex": (ROWS + 1j, ValueError, "Complex data not supported"),
    "complex images": (IMAGES + 1j, ValueError, "Complex data not supported"),
    "text": (ROWS.astype(str), ValueError, "Convert your data to numeric values"),
    "text in images": (IMAGES.astype(str), ValueError, "Convert your data to numeric values"),
    "bytes": (ROWS.astype("S5"), ValueError, "Convert your data to numeric values"),
    "text among objects": (with_value(ROWS, 0).astype(object), ValueError, WORDS % "1 with 'a'"),
    "text in a frame": (
        pd.DataFrame({"a": [0, 1] * 20, "b": ["good", "bad"] * 20}),
        ValueError,
        WORDS % "'b' with 'good'",
    ),
    "text in a polars frame": (
        pl.DataFrame({"a": ["a", "b"] * 20}),
        ValueError,
        WORDS % "'a' with 'a'",
    ),
    "text in lists": ([[1, "a"], [2, "b"]], ValueError, WORDS % "1 with 'a'"),
    "categories": (
        pd.DataFrame({"a": pd.Categorical(["u", "v"] * 20)}),
        ValueError,
        WORDS % "'a' with 'u'",
    ),
    "dates in a frame": (
        pd.DataFrame({"day": pd.date_range("2020-01-01", periods=40), "b": np.arange(40.0)}),
        ValueError,
        WORDS % "'day' with datetime64",
    ),
    "dates in a polars frame": (
        pl.DataFrame({"day": [datetime.date(2020, 1, 1)] * 40, "b": np.arange(40.0)}),
        ValueError,
        WORDS % "'day' with d",
    ),
    "dates among objects": (
        pd.DataFrame({"day": np.array([datetime.date(2020, 1, 1)] * 40, dtype=object)}),
        ValueError,
        WORDS % "'day' with datetime.date",
    ),
    "masked rows": (np.ma.masked_less(ROWS, -1), ValueError, MASKED),
    "masked images": (np.ma.masked_less(IMAGES, 9), ValueError, MASKED),
    "masked image in a list": ([np.ma.masked_less(i, 9) for i in IMAGES], ValueError, MASKED),
    "dates": (
        np.arange(80).reshape(40, 2).astype("datetime64[D]"),
        ValueError,
        WORDS % r"0 with datetime64\[D\], column 1 with datetime64\[D\]",
    ),
    "durations": (
        np.arange(320).reshape(5, 8, 8).astype("timedelta64[s]"),
        ValueError,
        r"X must hold real numbers: convert dates.*Received: X of dtype timedelta64\[s\]",
    ),
    "sparse array": (SPARSE, TypeError, r"Sparse data was passed for X.*'\.toarray\(\)'"),
    "sparse matrix": (sp.csr_matrix(SPARSE), TypeError, "Sparse data was passed for X"),
    "sparse coordinates": (sp.coo_array(SPARSE), TypeError, "Sparse data was passed for X"),
    "no rows": (ROWS[:0], ValueError, r"0 sample.*\(0, 6\).*minimum of 2"),
    "no images": (IMAGES[:0], ValueError, r"0 sample.*\(0, 8, 9\).*minimum of 2"),
    "no features": (ROWS[:, :0], ValueError, r"0 feature.*\(40, 0\).*minimum of 1"),
    "no width": (IMAGES[:, :, :0], ValueError, r"X must be.*none of them 0.*\(40, 8, 0\)"),
    "no channels": (np.empty((40, 8, 9, 0)), ValueError, r"none of them 0.*\(40, 8, 9, 0\)"),
    "one row": (ROWS[:1], ValueError, r"1 sample.*\(1, 6\).*minimum of 2"),
    "one image": (IMAGES[:1], ValueError, r"1 sample.*\(1, 8, 9\).*minimum of 2"),
    "empty list": ([], ValueError, "Expected 2D array"),
    "number": (3.0, ValueError, "Expected 2D array, got scalar"),
    "None": (None, ValueError, "Expected 2D array, got scalar"),
    "1-D": (ROWS[0], ValueError, r"(?s)Expected 2D array, got 1D.*reshape\(-1, 1\)"),
    "1-D list": ([1.0, 2.0], ValueError, "Expected 2D array, got 1D"),
    "series": (pd.Series(ROWS[0]), ValueError, "Expected a 2-dimensional container.*Series"),
    "5-D": (
        IMAGES[..., None, None],
        ValueError,
        r"X must be rows \(n, n_features\) or images.*Received: X of shape \(40, 8, 9, 1, 1\)",
    ),
    "ragged": ([[1, 2], [3]], ValueError, SIZES % r"\(2,\), \(1,\)"),
    "images of different sizes": (
        [np.eye(8), np.eye(9)],
        ValueError,
        SIZES % r"\(8, 8\), \(9, 9\)",
    ),
    "gray beside color": (
        [np.zeros((9, 9)), np.zeros((9, 9, 3))],
        ValueError,
        SIZES % r"\(9, 9\), \(9, 9, 3\)",
    ),
    "objects of different sizes": (
        objects([np.eye(8), np.eye(9)]),
        ValueError,
        SIZES % r"\(8, 8\), \(9, 9\)",
    ),
    "series of different lengths": (
        [np.zeros((30, 3)), np.zeros((31, 3))],
        ValueError,
        SIZES % r"\(30, 3\), \(31, 3\)",
    ),
}
BAD_DATA["text among objects"][0][3, 1] = "a"


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data(refuses, case):
    X, error, message = BAD_DATA[case]
    refuses({}, X, error, message)


def test_numbers_among_objects_are_converted(fitted_images):
    objects = tiny().fit(ROWS.astype(object))
    np.testing.assert_array_equal(objects.score_samples(ROWS), tiny().fit(ROWS).score_samples(ROWS))
    np.testing.assert_array_equal(
        fitted_images.score_samples(IMAGES.astype(object)), fitted_images.score_samples(IMAGES)
    )


@pytest.mark.parametrize(
    "X",
    [np.ones((40, 3)), np.tile([1, 2, 3], (40, 1)), np.zeros((40, 8, 8), dtype=np.uint8)],
    ids=["ones", "equal rows", "black images"],
)
def test_constant_data_warn_and_fit(X):
    with pytest.warns(UserWarning, match="All rows of X are equal: nothing can be learned"):
        detector = tiny().fit(X)
    assert np.isfinite(detector.score_samples(X)).all()


# Shapes


@pytest.mark.parametrize(
    ("input_shape", "X", "message"),
    [
        ((2, 4), ROWS, r"input_shape=\(2, 4\) has 8 values, and each row of X has 6. Give the"),
        ((5,), ROWS, r"input_shape=\(5,\) has 5 values, and each row of X has 6"),
        ((8, 8), IMAGES, r"input_shape=\(8, 8\) differs from.*\(8, 9\). Leave input_shape=None"),
        ((72,), IMAGES, r"input_shape=\(72,\) differs from.*\(8, 9\). Leave input_shape=None"),
        ((1, 2, 3, 1), ROWS, r"input_shape must be .*Received: input_shape=\(1, 2, 3, 1\)"),
        ((), ROWS, r"input_shape must be .*Received: input_shape=\(\)"),
        ((-2, -3), ROWS, r"input_shape must be .*Received: input_shape=\(-2, -3\)"),
        ((2.0, 3), ROWS, r"input_shape must be .*Received: input_shape=\(2.0, 3\)"),
        (6, ROWS, "'input_shape' parameter .* must be an instance of 'tuple'.* Got 6"),
        ("2x3", ROWS, "'input_shape' parameter .* must be an instance of 'tuple'.* Got '2x3'"),
    ],
)
def test_bad_input_shape(refuses, input_shape, X, message):
    refuses({"input_shape": input_shape}, X, ValueError, message)


METHODS = [
    "score_samples",
    "decision_function",
    "predict",
    "transform",
    "reconstruct",
    "anomaly_map",
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (ROWS[:, :5], "X has 5 features, but .* is expecting 6 features"),
        (ROWS[0], "Expected 2D array, got 1D"),
        (ROWS[:0], "0 sample"),
        (ROWS[:, :, None], r"the detector was fitted to: \(6,\). Received: .*\(40, 6, 1\)"),
        (ROWS.reshape(40, 2, 3), r"the detector was fitted to: \(6,\). Received: .*\(40, 2, 3\)"),
        (IMAGES[..., None, None], r"X must be rows .*Received: .*\(40, 8, 9, 1, 1\)"),
        (with_value(ROWS, np.nan), "X contains NaN"),
        (ROWS.astype(str), "Convert your data to numeric values"),
        (np.ma.masked_less(ROWS, 0), MASKED),
        ([*ROWS.tolist(), list("abcdef")], WORDS % "0 with 'a', column 1 with 'b'.*1 more"),
    ],
)
def test_other_data_after_a_fit_to_rows(fitted_detector, method, X, message):
    with pytest.raises(ValueError, match=message):
        getattr(fitted_detector, method)(X)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (IMAGES[:, :7], r"fitted to: \(8, 9\) or \(8, 9, 1\). Received: .*\(40, 7, 9\)"),
        (IMAGES.transpose(0, 2, 1), r"\(8, 9\) or \(8, 9, 1\). Received: .*\(40, 9, 8\)"),
        (np.stack([IMAGES] * 3, -1), r"\(8, 9\) or \(8, 9, 1\). Received: .*\(40, 8, 9, 3\)"),
        (IMAGES[0], r"a single sample: pass X\[np.newaxis\].*Received: X of shape \(8, 9\)"),
        (IMAGES[0].tolist(), r"a single sample: pass X\[np.newaxis\].*X of shape \(8, 9\)"),
        (IMAGES[0, ..., None], r"a single sample: pass X\[np.newaxis\].*shape \(8, 9, 1\)"),
        (IMAGES[:, None], r"channels come first.*X.transpose\(0, 2, 3, 1\).*\(40, 1, 8, 9\)"),
        (np.ma.masked_less(IMAGES, 9), MASKED),
        ([IMAGES[0], IMAGES[1, :5]], SIZES % r"\(8, 9\), \(5, 9\)"),
        (IMAGES.reshape(40, -1)[:, :-1], "X has 71 features, but .* is expecting 72 features"),
        (with_value(IMAGES, np.inf), "X contains infinity"),
    ],
)
def test_other_data_after_a_fit_to_images(fitted_images, method, X, message):
    with pytest.raises(ValueError, match=message):
        getattr(fitted_images, method)(X)


def test_color_images_with_channels_first_or_without_the_batch_axis(trainings_done):
    X = GENERATOR.integers(0, 256, size=(24, 16, 12, 3), dtype=np.uint8)
    detector = tiny().fit(X)
    for wrong, message in (
        (X[0], r"a single sample: pass X\[np.newaxis\]"),
        (X.transpose(0, 3, 1, 2), r"X.transpose\(0, 2, 3, 1\)"),
        (X[0].transpose(2, 0, 1), r"X.transpose\(1, 2, 0\)\[np.newaxis\]"),
    ):
        with pytest.raises(ValueError, match=message):
            detector.predict(wrong)


def test_objects_of_one_shape_are_stacked(fitted_images):
    expected = fitted_images.score_samples(IMAGES)
    np.testing.assert_array_equal(fitted_images.score_samples(objects(list(IMAGES))), expected)


def test_arrays_without_masked_values_are_read(fitted_images):
    X = np.ma.masked_less(IMAGES, 0)
    assert X.mask.sum() == 0
    np.testing.assert_array_equal(
        fitted_images.score_samples(X), fitted_images.score_samples(IMAGES)
    )


@pytest.mark.parametrize(
    "call",
    [
        maps.smooth,
        lambda X: maps.regions(list(X), 0.5),
        lambda X: metrics.region_recall(X > 0.5, X.data, threshold=0.5),
        make_anomalies,
        lambda X: compare_with_baselines(tiny(), X.reshape(40, -1)),
        lambda X: tiny(tile_size=4).fit(X),
    ],
)
def test_masked_values_are_refused_everywhere(call, trainings):
    with pytest.raises(ValueError, match=MASKED):
        call(np.ma.masked_less(GENERATOR.random((40, 8, 9)), 0.1))
    assert trainings == []


# Shapes that are probably a mistake


COLORS = GENERATOR.integers(0, 256, size=(24, 16, 12, 3), dtype=np.uint8)
SENSORS = GENERATOR.normal(size=(24, 30, 9)) * [1e5, 10, 1e-3, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("parameters", "X", "message"),
    [
        ({}, COLORS.transpose(0, 3, 1, 2), r"images 3 pixels high.*X.transpose\(0, 2, 3, 1\)"),
        ({}, COLORS[:, None, ..., 0], r"images 1 pixels high.*X.transpose\(0, 2, 3, 1\)"),
        (
            {"input_shape": (3, 16, 12)},
            COLORS.reshape(24, -1),
            r"folded by input_shape=\(3, 16, 12\), is taken for images 3 pixels high",
        ),
        ({}, np.concatenate(COLORS[:2]), r"single image \(32, 12, 3\), pass X\[np.newaxis\]"),
        ({}, GENERATOR.normal(size=(24, 30, 6)), r"windows.*pass X\[:, :, np.newaxis\]"),
        ({}, GENERATOR.normal(size=(24, 2, 30)), r"24 gray images of 2x30 pixels.*windows"),
        ({}, SENSORS, r"orders of magnitude.*pass X\[:, :, np.newaxis\]"),
        ({}, SENSORS.transpose(0, 2, 1), r"orders of magnitude"),
    ],
)
def test_shapes_that_are_probably_a_mistake_warn(trainings, parameters, X, message):
    with (
        pytest.warns(UserWarning, match=message),
        pytest.raises(RuntimeError, match="a training began"),
    ):
        tiny(**parameters).fit(X)


MARGINS = np.zeros((24, 28, 28))
MARGINS[:, 4:-4, 4:-4] = 255 * GENERATOR.random((24, 20, 20))
MARGINS[:, :, :4] = 1e-3 * GENERATOR.random((24, 28, 4))


@pytest.mark.parametrize(
    "X",
    [
        COLORS,
        COLORS[..., 0],
        SENSORS[:, :, None],
        SENSORS[..., None],
        GENERATOR.normal(size=(24, 30, 3, 1)),
        GENERATOR.normal(size=(24, 3, 3)),
        GENERATOR.normal(size=(24, 5, 5)),
        GENERATOR.normal(size=(24, 3, 3, 40)),
        GENERATOR.normal(size=(24, 30, 9)),
        GENERATOR.normal(size=(24, 1, 30, 2)),
        np.where(MARGINS < 1, 0, MARGINS),
        np.where(np.eye(28), MARGINS, 0),
        MARGINS.transpose(0, 2, 1) * np.hanning(30)[1:-1, None] ** 4,
    ],
)
def test_shapes_that_are_fine_do_not_warn(trainings, X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeError, match="a training began"):
            tiny().fit(X)


def test_score_refuses_other_data_too(fitted_detector):
    with pytest.raises(ValueError, match="X has 5 features"):
        fitted_detector.score(ROWS[:, :5], np.resize([-1, 1], 40))


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.ones((2, 3)), r"X must be codes of 2 numbers \(latent_dim\).*\(2, 3\)"),
        (np.ones(2), "Expected 2D array, got 1D"),
        (np.ones((2, 2, 1)), "Found array with dim 3"),
        (np.full((2, 2), np.nan), "X contains NaN"),
        (np.ma.masked_less(np.eye(2), 1), MASKED),
    ],
)
def test_bad_codes(fitted_detector, codes, message):
    with pytest.raises(ValueError, match=message):
        fitted_detector.inverse_transform(codes)


@pytest.mark.parametrize(
    ("parameters", "X", "message"),
    [
        ({}, ROWS[:, :5], r"the shape of the previous fit, \(6,\).*Received: .*\(5,\)"),
        ({"input_shape": (2, 3)}, ROWS, r"of the previous fit, \(6,\).*Received: .*\(2, 3, 1\)"),
        ({"latent_dim": 3}, ROWS, "architecture and latent_dim must be those of the previous fit"),
        ({"architecture": DenseAutoencoder(units=(5,))}, ROWS, "architecture and latent_dim must"),
    ],
)
def test_warm_start_with_another_network(fitted_detector, trainings, parameters, X, message):
    detector = copy.copy(fitted_detector).set_params(warm_start=True, **parameters)
    before = dict(vars(detector))
    with pytest.raises(ValueError, match=f"warm_start=True.*{message}") as raised:
        detector.fit(X)
    assert "warm_start=False" in str(raised.value)
    assert "Received: " in str(raised.value)
    assert trainings == []
    assert vars(detector) == before
