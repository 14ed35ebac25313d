"""Every kind of data is read as the same numbers, and given back in the same shape and units."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tiny_networks import tiny, tiny_conv, two_models

from sklearn_ae import ConvAutoencoder
from sklearn_ae.autoencoder.network import scoring
from sklearn_ae.autoencoder.network.outputs import LARGEST_SCORE

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(loc=3, scale=[1, 2, 3, 4, 5, 0.1], size=(60, 6))
IMAGES = GENERATOR.integers(0, 256, size=(40, 8, 9), dtype=np.uint8)
COLORS = GENERATOR.integers(0, 256, size=(30, 9, 8, 3), dtype=np.uint8)
NAMES = ["a", "b", "c", "d", "e", "f"]

METHODS = [
    "score_samples",
    "decision_function",
    "predict",
    "transform",
    "reconstruct",
    "anomaly_map",
]


@pytest.fixture(scope="module")
def fitted_rows():
    return tiny().fit(ROWS)


@pytest.fixture(scope="module")
def fitted_images():
    return tiny_conv().fit(IMAGES)


@pytest.fixture(scope="module")
def fitted_unit_images():
    return tiny_conv().fit(IMAGES / 255)


@pytest.fixture(scope="module")
def fitted_colors():
    return tiny_conv().fit(COLORS)


# Types and containers


ZEROS_AND_ONES = GENERATOR.integers(0, 2, size=(30, 6))
DTYPES = ["bool", "uint8", "uint16", "int8", "int64", "float16", "float32", "float64", "longdouble"]


@pytest.fixture(scope="module")
def fitted_zeros_and_ones():
    return tiny(scaling="standard").fit(ZEROS_AND_ONES.astype(np.float64))


@pytest.mark.parametrize("dtype", DTYPES)
def test_types_hold_the_same_numbers(fitted_zeros_and_ones, dtype):
    X = ZEROS_AND_ONES.astype(dtype)
    detector = tiny(scaling="standard").fit(X)
    expected = fitted_zeros_and_ones.score_samples(ZEROS_AND_ONES)
    for fitted in (detector, fitted_zeros_and_ones):
        scores = fitted.score_samples(X)
        assert scores.dtype == np.float64
        assert_allclose(scores, expected, rtol=1e-6)
    assert detector.reconstruct(X).dtype == np.float32
    assert detector.anomaly_map(X).dtype == np.float32
    assert detector.transform(X).dtype == np.float32
    assert detector.predict(X).dtype == int
    assert detector.validation_scores_.dtype == np.float64


def test_float64_loses_no_digit():
    """Time stamps differ by less than float32 can tell apart at their size."""
    seconds = 1.7e9 + ROWS
    detector = tiny().fit(seconds)
    assert_allclose(
        detector.score_samples(seconds), tiny().fit(ROWS).score_samples(ROWS), rtol=1e-3
    )


def stored(X, tmp_path):
    np.save(tmp_path / "X.npy", X)
    return np.load(tmp_path / "X.npy", mmap_mode="r")


def read_only(X, tmp_path):
    X = X.copy()
    X.flags.writeable = False
    return X


CONTAINERS = {
    "memory map": stored,
    "read-only": read_only,
    "Fortran order": lambda X, tmp_path: np.asfortranarray(X),
    "every second": lambda X, tmp_path: np.repeat(X, 2, axis=0)[::2],
    "reversed": lambda X, tmp_path: X[::-1, ::-1].copy()[::-1, ::-1],
    "nested lists": lambda X, tmp_path: X.tolist(),
    "list of arrays": lambda X, tmp_path: list(X),
    "foreign byte order": lambda X, tmp_path: X.astype(X.dtype.newbyteorder()),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kind", ["rows", "unit_images"])
def test_containers_hold_the_same_numbers(request, kind, container, tmp_path):
    # Float images, since lists and their like keep no uint8.
    make, X = (tiny, ROWS) if kind == "rows" else (tiny_conv, IMAGES / 255)
    held = CONTAINERS[container](X, tmp_path)
    before = np.array(held)
    expected = request.getfixturevalue(f"fitted_{kind}")
    detector = make().fit(held)
    assert_array_equal(detector.validation_scores_, expected.validation_scores_)
    for method in METHODS:
        assert_array_equal(getattr(detector, method)(held), getattr(expected, method)(X))
    assert_array_equal(np.array(held), before)


@pytest.mark.parametrize(
    "container", ["foreign byte order", "Fortran order", "read-only", "reversed"]
)
@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.int16, np.float16, np.float32])
def test_memory_layouts_of_images_change_nothing(dtype, container, tmp_path):
    X = IMAGES / dtype(255) if np.dtype(dtype).kind == "f" else IMAGES.astype(dtype) * dtype(100)
    held = CONTAINERS[container](X, tmp_path)
    expected, detector = tiny_conv().fit(X), tiny_conv().fit(held)
    assert_array_equal(detector.validation_scores_, expected.validation_scores_)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in METHODS:
            of_expected = getattr(expected, method)(X)
            assert_array_equal(getattr(detector, method)(held), of_expected)
            assert_array_equal(getattr(expected, method)(held), of_expected)
            assert_array_equal(getattr(detector, method)(X), of_expected)


def test_tiles_of_both_byte_orders_are_alike():
    images = [image.astype(dtype) * 100 for image in IMAGES for dtype in ("<u2", ">u2")]
    same = [image.astype(np.uint16) for image in images]
    detector, expected = tiny_conv(tile_size=8).fit(images), tiny_conv(tile_size=8).fit(same)
    assert_array_equal(detector.validation_scores_, expected.validation_scores_)
    assert_array_equal(detector.score_samples(images), expected.score_samples(same))


def with_names(frame, X, names=NAMES):
    return frame(X, columns=names) if frame is pd.DataFrame else frame(X, schema=names)


@pytest.fixture(scope="module")
def named():
    return {frame: tiny().fit(with_names(frame, ROWS)) for frame in (pd.DataFrame, pl.DataFrame)}


def of_objects(samples):
    array = np.empty(len(samples), dtype=object)
    array[:] = samples
    return array


@pytest.mark.parametrize(
    "container",
    [
        lambda images: of_objects(list(images)),
        lambda images: of_objects(images.tolist()),
        lambda images: images.astype(object),
        lambda images: pd.Series(list(images)),
    ],
    ids=["objects", "objects of lists", "objects of all dimensions", "series"],
)
def test_objects_that_are_images_hold_the_same_numbers(fitted_images, container):
    objects = container(IMAGES)
    for method in METHODS:
        compute = getattr(fitted_images, method)
        assert_allclose(compute(objects), compute(IMAGES), rtol=1e-6)
    # Numbers in lists have lost their type, which says how they are scaled.
    typed = IMAGES.astype(np.int64 if isinstance(objects[0], list) else IMAGES.dtype)
    if objects.ndim == 1:
        fitted = tiny_conv().fit(objects)
        assert_array_equal(fitted.score_samples(typed), tiny_conv().fit(typed).score_samples(typed))


@pytest.mark.parametrize("method", METHODS)
def test_iterators_are_refused(fitted_images, method):
    with pytest.raises(TypeError, match=r"Pass list\(X\). Received: X of type generator"):
        getattr(fitted_images, method)(image for image in IMAGES)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
class TestFrames:
    def test_columns_are_features(self, frame, named, fitted_rows):
        data, detector = with_names(frame, ROWS), named[frame]
        assert detector.feature_names_in_.tolist() == NAMES
        assert_array_equal(detector.score_samples(data), fitted_rows.score_samples(ROWS))
        assert detector.reconstruct(data).shape == ROWS.shape

    @pytest.mark.parametrize("method", METHODS)
    def test_other_names_or_order_are_refused(self, frame, method, named):
        call = getattr(named[frame], method)
        with pytest.raises(ValueError, match="Feature names must be in the same order"):
            call(with_names(frame, ROWS, NAMES[::-1]))
        with pytest.raises(ValueError, match=r"unseen at fit time:\n- z"):
            call(with_names(frame, ROWS, [*NAMES[:-1], "z"]))
        with pytest.raises(ValueError, match=r"now missing:\n- f"):
            call(with_names(frame, ROWS[:, :5], NAMES[:5]))
        with pytest.warns(UserWarning, match="X does not have valid feature names"):
            call(ROWS)

    def test_mixed_columns_are_numbers(self, frame):
        columns = {"a": [True, False] * 15, "b": np.arange(30), "c": np.arange(30) / 8}
        detector = tiny().fit(frame(columns))
        X = np.column_stack(list(columns.values()))
        assert_array_equal(detector.score_samples(frame(columns)), tiny().fit(X).score_samples(X))


def test_nullable_columns_of_pandas_are_numbers():
    data = pd.DataFrame(
        {"a": pd.array(range(30), "Int64"), "b": pd.array([0.5, 2] * 15, "Float32")}
    )
    X = np.column_stack([np.arange(30.0), [0.5, 2] * 15])
    assert_array_equal(tiny().fit(data).score_samples(data), tiny().fit(X).score_samples(X))


def test_no_names_without_a_frame(fitted_rows, fitted_images):
    assert not hasattr(fitted_rows, "feature_names_in_")
    assert not hasattr(fitted_images, "feature_names_in_")
    assert (fitted_rows.n_features_in_, fitted_images.n_features_in_) == (6, 72)


# Shapes


SHAPES = [
    (ROWS, None, (6,)),
    (IMAGES, None, (8, 9, 1)),
    (IMAGES[..., None], None, (8, 9, 1)),
    (COLORS, None, (9, 8, 3)),
    (IMAGES.reshape(40, 72), (8, 9), (8, 9, 1)),
    (IMAGES.reshape(40, 72), (8, 9, 1), (8, 9, 1)),
    (COLORS.reshape(30, -1), [9, 8, 3], (9, 8, 3)),
    (ROWS, (6,), (6,)),
    (IMAGES, (8, 9), (8, 9, 1)),
    (IMAGES[..., None], (8, 9), (8, 9, 1)),
]


@pytest.mark.parametrize(("X", "input_shape", "expected"), SHAPES)
def test_shapes_come_back_as_they_went_in(X, input_shape, expected):
    make = tiny if expected == (6,) else tiny_conv
    detector = make(input_shape=input_shape).fit(X)
    assert detector.input_shape_ == expected
    assert detector.n_features_in_ == np.prod(X.shape[1:])
    assert detector.score_samples(X).shape == (len(X),)
    assert detector.predict(X).shape == (len(X),)
    codes = detector.transform(X)
    assert codes.shape == (len(X), 2)
    assert detector.reconstruct(X).shape == X.shape
    assert detector.inverse_transform(codes).shape == X.shape
    maps = detector.anomaly_map(X)
    # Channels are summed in maps of images, and flat rows stay flat.
    assert maps.shape == (X.shape[:3] if X.ndim == 4 else X.shape)
    assert_allclose(maps.reshape(len(X), -1).sum(axis=1), -detector.score_samples(X), rtol=1e-5)


@pytest.mark.parametrize("X", [IMAGES, COLORS], ids=["gray", "color"])
def test_folded_rows_equal_images(X, request):
    rows = X.reshape(len(X), -1)
    folded = tiny_conv(input_shape=X.shape[1:]).fit(rows)
    images = tiny_conv().fit(X)
    assert_array_equal(folded.validation_scores_, images.validation_scores_)
    # Each takes the other's shape.
    for detector in (folded, images):
        assert_array_equal(detector.score_samples(X), detector.score_samples(rows))
    assert_array_equal(folded.reconstruct(rows).reshape(X.shape), images.reconstruct(X))


def test_channel_axis_of_gray_images_is_optional(fitted_images):
    detector = tiny_conv().fit(IMAGES[..., None])
    for X in (IMAGES, IMAGES[..., None]):
        assert_array_equal(detector.score_samples(X), fitted_images.score_samples(X))
        assert detector.reconstruct(X).shape == X.shape
        assert detector.anomaly_map(X).shape == IMAGES.shape


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (17, 8), (11, 23)])
@pytest.mark.parametrize("n_channels", [1, 3, 5])
def test_conv_autoencoder_gives_back_any_size(size, n_channels):
    shape = (*size, n_channels)
    for filters in [(2,), (2, 3), (2, 2, 2)]:
        encoder, decoder = ConvAutoencoder(filters=filters).build(shape, 2)
        assert encoder.input_shape == decoder.output_shape == (None, *shape)
        assert encoder.output_shape == decoder.input_shape == (None, 2)


def test_conv_autoencoder_fits_an_odd_size():
    X = GENERATOR.random((24, 11, 23, 5))
    detector = tiny(architecture=ConvAutoencoder(filters=(2, 2))).fit(X)
    assert detector.reconstruct(X).shape == X.shape
    assert detector.anomaly_map(X).shape == X.shape[:3]


# Batches


@pytest.mark.parametrize("kind", ["rows", "images", "colors"])
def test_one_row_or_many(request, kind):
    detector = request.getfixturevalue(f"fitted_{kind}")
    X = {"rows": ROWS, "images": IMAGES, "colors": COLORS}[kind]
    for method in METHODS:
        call = getattr(detector, method)
        one_by_one = np.concatenate([call(X[i : i + 1]) for i in range(5)])
        assert_allclose(call(X)[:5], one_by_one, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n_bytes", [1, 5000])
def test_chunks(fitted_images, monkeypatch, n_bytes):
    """One row, or a few, at a time give what all at once do."""
    codes = fitted_images.transform(IMAGES)
    at_once = [getattr(fitted_images, method)(IMAGES) for method in METHODS]
    decoded = fitted_images.inverse_transform(codes)
    sizes = []
    monkeypatch.setattr(scoring, "_BYTES_PER_LAYER", n_bytes)
    rows_per_chunk = scoring._rows_per_chunk

    def spy(*arguments):
        sizes.append(rows_per_chunk(*arguments))
        return sizes[-1]

    monkeypatch.setattr(scoring, "_rows_per_chunk", spy)
    for method, expected in zip(METHODS, at_once, strict=True):
        result = getattr(fitted_images, method)(IMAGES)
        assert result.dtype == expected.dtype
        assert_allclose(result, expected, rtol=1e-5, atol=1e-4)
    assert_allclose(fitted_images.inverse_transform(codes), decoded, rtol=1e-5, atol=1e-4)
    assert max(sizes) == 1 if n_bytes == 1 else 1 < min(sizes) <= max(sizes) < len(IMAGES) // 2


# Values far from the training data


@pytest.mark.parametrize("anomaly_score", ["absolute_error", "squared_error"])
def test_huge_values_are_anomalies(anomaly_score):
    detector = tiny(anomaly_score=anomaly_score).fit(ROWS)
    expected = detector.score_samples(ROWS[:3])
    for value in (1e20, -1e38, 1e39, -1e200, 1e300, -1.7e308):
        X = ROWS[:3].copy()
        X[1, 2] = value
        scores = detector.score_samples(X)
        assert np.isfinite(scores).all()
        assert -LARGEST_SCORE <= scores[1] < -1e19
        assert detector.predict(X)[1] == -1
        # The rows beside it are scored as ever.
        assert_allclose(scores[[0, 2]], expected[[0, 2]], rtol=1e-5)


def test_huge_values_in_every_feature_and_under_a_sigmoid():
    detector = tiny().fit(np.abs(ROWS) / 50)
    for value in (1e30, 1e300, 1.7e308):
        X = np.full((2, 6), value)
        assert np.isfinite(detector.score_samples(X)).all()
        assert detector.predict(X).tolist() == [-1, -1]


def test_a_reconstruction_that_is_no_number_is_an_anomaly():
    detector = tiny(architecture=two_models).fit(ROWS)
    X = ROWS[:2].copy()
    X[1] = [1e300, -1e300] * 3
    # Where the network gives NaN, the largest number stands in the reconstruction.
    assert detector.reconstruct(X)[1].max() == np.float32(LARGEST_SCORE)
    assert detector.score_samples(X)[1] == -LARGEST_SCORE
    assert detector.predict(X)[1] == -1
