"""Data that cannot work are refused before any training."""

import copy
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from tiny_networks import tiny, tiny_conv

from sklearn_ae import DenseAutoencoder

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(40, 6))
IMAGES = GENERATOR.integers(0, 256, size=(40, 8, 9), dtype=np.uint8)
SPARSE = sp.csr_array(np.abs(ROWS))


@pytest.fixture(scope="module")
def fitted_images():
    return tiny_conv().fit(IMAGES)


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
    "text among objects": (with_value(ROWS, 0).astype(object), ValueError, "to float: 'a'"),
    "text in a frame": (pd.DataFrame({"a": ["a", "b"] * 20}), ValueError, "to float: 'a'"),
    "text in a polars frame": (pl.DataFrame({"a": ["a", "b"] * 20}), ValueError, "to float: 'a'"),
    "dates": (
        np.arange(80).reshape(40, 2).astype("datetime64[D]"),
        ValueError,
        r"X must hold real numbers: convert dates.*Received: X of dtype datetime64\[D\]",
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
    "ragged": ([[1, 2], [3]], ValueError, "inhomogeneous shape"),
    "images of different sizes": ([np.eye(8), np.eye(9)], ValueError, "inhomogeneous shape"),
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
        (IMAGES[0], "X has 9 features, but .* is expecting 72 features"),
        (IMAGES.reshape(40, -1)[:, :-1], "X has 71 features, but .* is expecting 72 features"),
        (with_value(IMAGES, np.inf), "X contains infinity"),
    ],
)
def test_other_data_after_a_fit_to_images(fitted_images, method, X, message):
    with pytest.raises(ValueError, match=message):
        getattr(fitted_images, method)(X)


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
