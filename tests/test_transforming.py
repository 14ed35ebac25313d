"""What a fitted detector gives beside scores: codes, reconstructions and Keras models."""

import pickle

import keras
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from tiny_networks import one_model, tiny, tiny_conv

from sklearn_ae import DenseAutoencoder

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(loc=100, scale=[1, 2, 3, 4, 5, 0.1], size=(60, 6))
COLORS = GENERATOR.integers(0, 256, size=(30, 9, 8, 3), dtype=np.uint8)
NAMES = ["a", "b", "c", "d", "e", "f"]

METHODS = [
    "score_samples",
    "decision_function",
    "predict",
    "transform",
    "inverse_transform",
    "reconstruct",
    "anomaly_map",
]
VIEWS = ["model_", "encoder_", "decoder_"]


@pytest.fixture(scope="module")
def fitted_rows():
    return tiny().fit(ROWS)


@pytest.fixture(scope="module")
def fitted_colors():
    return tiny_conv().fit(COLORS)


@pytest.fixture(scope="module")
def without_code():
    return tiny(architecture=one_model).fit(ROWS)


@pytest.mark.parametrize("kind", ["rows", "colors"])
def test_keras_models_agree_with_the_methods_in_raw_units(request, kind):
    detector = request.getfixturevalue(f"fitted_{kind}")
    X = ROWS if kind == "rows" else COLORS
    codes, reconstruction = detector.transform(X), detector.reconstruct(X)
    for model in (detector.model_, detector.encoder_, detector.decoder_):
        assert isinstance(model, keras.Model)
    assert detector.model_.input_shape == detector.model_.output_shape == (None, *X.shape[1:])
    tolerance = {"rtol": 1e-5, "atol": 1e-4}
    assert_allclose(detector.model_.predict(X, verbose=0), reconstruction, **tolerance)
    assert_allclose(detector.encoder_.predict(X, verbose=0), codes, **tolerance)
    assert_allclose(detector.decoder_.predict(codes, verbose=0), reconstruction, **tolerance)
    assert_allclose(detector.inverse_transform(codes), reconstruction, **tolerance)
    for values in (codes, reconstruction, detector.inverse_transform(codes)):
        assert values.dtype == np.float32


def test_codes_of_a_pipeline_lead_back_to_its_inputs(fitted_rows):
    pipeline = make_pipeline(StandardScaler(), tiny()).fit(ROWS)
    codes = pipeline.transform(ROWS)
    detector = pipeline[-1]
    expected = pipeline[0].inverse_transform(detector.inverse_transform(codes))
    assert_array_equal(pipeline.inverse_transform(codes), expected)
    assert abs(expected.mean() - 100) < 10


def test_fit_transform_is_the_transform_of_the_fit(fitted_rows):
    assert_array_equal(tiny().fit_transform(ROWS), fitted_rows.transform(ROWS))


def test_changes_of_what_is_returned_change_no_detector(fitted_rows):
    expected = fitted_rows.reconstruct(ROWS)
    fitted_rows.reconstruct(ROWS)[:] = 0
    fitted_rows.transform(ROWS)[:] = 0
    assert_array_equal(fitted_rows.reconstruct(ROWS), expected)


# Names


def test_names_of_codes(fitted_rows, fitted_colors):
    expected = [f"autoencoderanomalydetector{i}" for i in range(2)]
    for detector in (fitted_rows, fitted_colors):
        assert detector.get_feature_names_out().tolist() == expected
    union = FeatureUnion([("codes", tiny(latent_dim=3)), ("scaled", StandardScaler())]).fit(ROWS)
    assert union.transform(ROWS).shape == (60, 9)
    assert union.get_feature_names_out()[2:4].tolist() == [
        "codes__autoencoderanomalydetector2",
        "scaled__x0",
    ]


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output(container, fitted_rows):
    data = pd.DataFrame(ROWS, columns=NAMES, index=np.arange(60) + 5)
    detector = tiny().set_output(transform=container).fit(data)
    codes = detector.transform(data)
    assert type(codes).__module__.startswith(container)
    assert list(codes.columns) == detector.get_feature_names_out().tolist()
    assert_array_equal(np.asarray(codes), fitted_rows.transform(ROWS))
    if container == "pandas":
        assert_array_equal(codes.index, data.index)
    # Only codes are columns of a table, and any container of them is decoded.
    assert isinstance(detector.reconstruct(data), np.ndarray)
    assert_array_equal(detector.inverse_transform(codes), fitted_rows.inverse_transform(codes))


# Subclassed models, which do not tell the shape of what they give


@keras.saving.register_keras_serializable("test_transforming")
class Subclassed(keras.Model):
    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units
        self.dense = keras.layers.Dense(units)

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class OfSubclassed:
    """An architecture of two subclassed models, of rows or of features."""

    def build(self, input_shape, latent_dim):
        return Subclassed(latent_dim), Subclassed(*input_shape)


class FeaturesOfSubclassed(OfSubclassed):
    def build_features(self, input_shape):
        return keras.Sequential([keras.Input(input_shape), keras.layers.Conv2D(3, 3, strides=2)])


@pytest.mark.filterwarnings("ignore:.*is a subclassed Keras model")
@pytest.mark.parametrize("copy", [lambda d: d, lambda d: pickle.loads(pickle.dumps(d))])
def test_codes_of_a_subclassed_encoder_have_names_and_are_decoded(copy):
    pipeline = make_pipeline(StandardScaler(), tiny(architecture=OfSubclassed()))
    pipeline = copy(pipeline.set_output(transform="pandas").fit(ROWS))
    codes = pipeline.transform(ROWS)
    assert list(codes.columns) == [f"autoencoderanomalydetector{i}" for i in range(2)]
    scaled, detector = pipeline[0].transform(ROWS).to_numpy(), pipeline[-1]
    decoded = detector.inverse_transform(codes)
    assert_allclose(decoded, detector.reconstruct(scaled), rtol=1e-5, atol=1e-5)
    assert_allclose(
        pipeline.inverse_transform(codes), pipeline[0].inverse_transform(decoded), rtol=1e-6
    )
    with pytest.raises(ValueError, match=r"codes of 2 numbers.*shape \(60, 6\)"):
        detector.inverse_transform(ROWS)


@pytest.mark.filterwarnings("ignore:.*is a subclassed Keras model")
def test_codes_of_features_of_a_subclassed_encoder_have_names():
    images = GENERATOR.random((30, 9, 8))
    detector = tiny(architecture=FeaturesOfSubclassed(), anomaly_score="auto").fit(images)
    codes = detector.set_output(transform="pandas").transform(images)
    assert list(codes.columns) == [f"autoencoderanomalydetector{i}" for i in range(2)]


# Unfitted


@pytest.mark.parametrize("method", METHODS)
def test_unfitted_methods(method):
    with pytest.raises(NotFittedError, match="AutoencoderAnomalyDetector instance is not fitted"):
        getattr(tiny(), method)(ROWS)


def test_unfitted_score():
    with pytest.raises(NotFittedError, match="AutoencoderAnomalyDetector instance is not fitted"):
        tiny().score(ROWS, np.resize([1, -1], 60))


@pytest.mark.parametrize("name", VIEWS)
def test_unfitted_attributes(name):
    with pytest.raises(NotFittedError, match="AutoencoderAnomalyDetector instance is not fitted"):
        getattr(tiny(), name)
    with pytest.raises(NotFittedError, match="AutoencoderAnomalyDetector instance is not fitted"):
        tiny().get_feature_names_out()
    for fitted_attribute in ("offset_", "history_", "validation_scores_", *VIEWS):
        assert not hasattr(tiny(), fitted_attribute)


# One model, which has no code


@pytest.mark.parametrize(
    "name", ["transform", "inverse_transform", "get_feature_names_out", "encoder_", "decoder_"]
)
def test_one_model_has_no_code(without_code, name):
    assert not hasattr(without_code, name)
    reason = r"(one model from input to reconstruction, so there is no code|has no attribute)"
    with pytest.raises(AttributeError, match=reason) as raised:
        getattr(without_code, name)
    messages = f"{raised.value} {raised.value.__cause__}"
    assert "so there is no code. Let it build an encoder and a decoder." in messages


def test_one_model_does_all_else(without_code):
    reconstruction = without_code.model_.predict(ROWS, verbose=0)
    assert_allclose(without_code.reconstruct(ROWS), reconstruction, rtol=1e-5)
    deviations = np.delete(ROWS, without_code.validation_indices_, axis=0).std(axis=0)
    errors = np.abs(ROWS - reconstruction) / deviations
    assert_allclose(without_code.anomaly_map(ROWS), errors, rtol=1e-3, atol=1e-4)
    scores = without_code.score_samples(ROWS)
    assert_allclose(-scores, errors.sum(axis=1), rtol=1e-3)
    assert_array_equal(without_code.predict(ROWS) == -1, scores < without_code.offset_)
    again = clone(without_code).fit(ROWS)
    assert_array_equal(again.score_samples(ROWS), scores)


def test_a_refit_with_two_models_has_codes_again(without_code):
    detector = clone(without_code).fit(ROWS)
    detector.set_params(architecture=DenseAutoencoder(units=(4,))).fit(ROWS)
    assert detector.transform(ROWS).shape == (60, 2)
    assert detector.encoder_.output_shape == (None, 2)
