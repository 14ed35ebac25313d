"""Scores as parameters: nested names, copies, threads, sharing, and scores of the user's own."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from score_cases import CASES, IMAGES, ROWS, SCORES, combined, data_of, fit, fitted
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from tiny_networks import one_model, tiny, tiny_conv

from sklearn_ae import AutoencoderAnomalyDetector, FixedThresholdDetector, NormalsOnly
from sklearn_ae.autoencoder.network import scoring
from sklearn_ae.scores import (
    CodeDifference,
    CombinedScore,
    LatentDistance,
    SmoothedError,
    SquaredError,
    WhitenedError,
)

STATEFUL = ["whitened", "difference", "code", "neighbors", "combined", "auto"]


# Parameters


def test_parameters_of_parts_are_reached_as_those_of_a_feature_union():
    detector = AutoencoderAnomalyDetector(anomaly_score=combined())
    detector.set_params(
        anomaly_score__neighbors__n_neighbors=3, anomaly_score__error=WhitenedError()
    )
    parts = dict(detector.anomaly_score.scores)
    assert parts["neighbors"].n_neighbors == 3
    assert isinstance(parts["error"], WhitenedError)
    assert detector.get_params()["anomaly_score__neighbors__method"] == "neighbors"
    assert (
        repr(CombinedScore([("a", SquaredError())]))
        == "CombinedScore(scores=[('a', SquaredError())])"
    )
    copied = clone(detector).anomaly_score
    assert dict(copied.scores)["neighbors"] is not parts["neighbors"]
    assert dict(copied.scores)["neighbors"].n_neighbors == 3


@pytest.mark.parametrize("value", ["auto", "absolute_error"])
def test_nested_parameter_of_a_name_says_what_to_pass(value):
    detector = AutoencoderAnomalyDetector(anomaly_score=value)
    message = rf"anomaly_score__sigma needs a score.*anomaly_score=.*\(\).*Received: .*'{value}'"
    with pytest.raises(ValueError, match=message):
        detector.set_params(anomaly_score__sigma=2.0)
    detector.set_params(anomaly_score=SmoothedError(), anomaly_score__sigma=2.0)
    assert detector.anomaly_score.sigma == 2.0


def test_grid_search_over_scores_and_their_parameters():
    search = GridSearchCV(
        NormalsOnly(fit_later(anomaly_score=combined())),
        [
            {"estimator__anomaly_score": ["auto", "squared_error", LatentDistance()]},
            {"estimator__anomaly_score__neighbors__n_neighbors": [1, 9]},
        ],
        cv=StratifiedKFold(n_splits=2, shuffle=True, random_state=0),
        error_score="raise",
    )
    X = np.vstack([ROWS, ROWS[:20] + 50])
    search.fit(X, np.repeat([1, -1], [240, 20]))
    assert len(search.cv_results_["params"]) == 5
    assert search.best_score_ > 0.8


def fit_later(**parameters):
    return tiny(**({"scaling": None, "epochs": 1} | parameters))


# What is refused before any training


@pytest.mark.parametrize(
    ("score", "error", "message"),
    [
        (SmoothedError(), ValueError, r"SmoothedError\(\) smooths images.*samples of shape \(6,\)"),
        (SmoothedError(sigma=0), ValueError, "'sigma' parameter of SmoothedError must be"),
        (LatentDistance(method="nope"), ValueError, "'method' parameter of LatentDistance"),
        (LatentDistance(n_neighbors=0), ValueError, "'n_neighbors' parameter of LatentDistance"),
        (LatentDistance, TypeError, r"anomaly_score must be an object.*LatentDistance\(\)"),
        (CombinedScore([]), TypeError, "must be a non-empty list.*Received"),
        (CombinedScore([SquaredError()]), TypeError, r"list of \(name, score\) tuples.*Received"),
        (CombinedScore([(1, SquaredError())]), TypeError, "must be strings"),
        (CombinedScore([("a", "squared_error")]), TypeError, "objects with compute.*for 'a'"),
        (CombinedScore([("a", SquaredError)]), TypeError, "objects with compute.*for 'a'"),
        (CombinedScore([("a__b", SquaredError())]), ValueError, "must not contain __"),
        (CombinedScore([("scores", SquaredError())]), ValueError, "names conflict with"),
        (CombinedScore([("a", SquaredError())] * 2), ValueError, "not unique"),
        (CombinedScore([("a", combined())]), ValueError, "cannot be a part of another.*'a'"),
        (CombinedScore([("a", SmoothedError(sigma=-1))]), ValueError, "'sigma' parameter"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_score_is_refused_before_training(refuses, score, error, message):
    refuses({"anomaly_score": score}, ROWS, error, message)


@pytest.mark.parametrize("name", ["hidden", "difference", "code", "neighbors", "combined"])
def test_score_of_the_code_needs_one(refuses, name):
    parameters = {"architecture": one_model, "anomaly_score": SCORES[name]}
    message = "anomaly_score uses the code or the encoder.*built one model"
    refuses(parameters, ROWS, ValueError, message)


def test_whitened_error_of_large_samples_is_refused(trainings):
    with pytest.raises(ValueError, match=r"at most 4096 values.*shape \(65, 64, 1\)"):
        tiny_conv(anomaly_score=WhitenedError()).fit(np.random.default_rng(0).random((30, 65, 64)))
    assert not trainings


class SubclassedEncoder(keras.Model):
    def __init__(self, latent_dim):
        super().__init__()
        self.dense = keras.layers.Dense(latent_dim)

    def call(self, x):
        return self.dense(x)


def subclassed(input_shape, latent_dim):
    encoder = SubclassedEncoder(latent_dim)
    encoder(np.zeros((1, *input_shape)))
    decoder = [keras.Input((latent_dim,)), keras.layers.Dense(*input_shape)]
    return encoder, keras.Sequential(decoder)


@pytest.mark.filterwarnings("ignore:.*is a subclassed Keras model")
def test_layers_of_a_subclassed_encoder_are_not_known(trainings):
    with pytest.raises(ValueError, match=r"uses the layers of the encoder.*sequential API"):
        tiny(architecture=subclassed, anomaly_score="hidden_difference").fit(ROWS)
    assert not trainings
    with pytest.raises(RuntimeError, match="a training began"):
        tiny(architecture=subclassed, anomaly_score="code_difference").fit(ROWS)


def test_auto_suits_an_architecture_without_a_code():
    detector = tiny(architecture=one_model, anomaly_score="auto").fit(ROWS)
    assert [name for name, _ in detector.anomaly_score_.scores_] == ["error", "neighbors"]
    assert detector.predict(1e3 * ROWS[:1]) == [-1]


# Copies, threads, warm starts


@pytest.mark.parametrize("name", STATEFUL)
def test_the_users_score_is_never_changed(name):
    score = clone(SCORES[name], safe=False)
    before = copy.deepcopy(score)
    detector = fit("rows", score)
    assert detector.anomaly_score is score
    assert detector.anomaly_score_ is not score
    assert repr(score) == repr(before)
    if name != "auto":
        assert vars(score).keys() == vars(before).keys()


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_copies_threads_and_frozen_detectors_score_alike(kind, name):
    X, detector = data_of(kind), fitted(kind, name)
    scores = detector.score_samples(X)
    for duplicate in (pickle.loads(pickle.dumps(detector)), copy.deepcopy(detector)):
        assert_array_equal(duplicate.score_samples(X), scores)
        assert duplicate.offset_ == detector.offset_
    frozen = FixedThresholdDetector(FrozenEstimator(detector), threshold=-detector.offset_)
    assert_array_equal(frozen.predict(X), detector.predict(X))
    with ThreadPoolExecutor(8) as pool:
        for threaded in pool.map(detector.score_samples, [X] * 16):
            assert_allclose(threaded, scores, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["combined", "auto"])
def test_same_seed_gives_the_same_fitted_score(name):
    one, other = (fit("images", SCORES[name]) for _ in range(2))
    assert_array_equal(one.score_samples(IMAGES), other.score_samples(IMAGES))


def test_warm_start_fits_the_score_anew():
    detector = fit("rows", "code_difference", warm_start=True)
    mean = detector.anomaly_score_.mean_
    detector.fit(ROWS)
    assert not np.array_equal(detector.anomaly_score_.mean_, mean)
    assert np.isfinite(detector.score_samples(ROWS)).all()


def test_clone_has_no_fitted_score():
    detector = clone(fit("rows", combined()))
    with pytest.raises(NotFittedError):
        detector.score_samples(ROWS)
    assert not hasattr(detector.anomaly_score, "scores_")


@pytest.mark.parametrize("name", STATEFUL)
def test_refits_share_what_is_compiled(name, monkeypatch):
    compiled = []
    compile_graph = scoring._compile

    def counting(*args):
        compiled.append(args)
        return compile_graph(*args)

    monkeypatch.setattr(scoring, "_compile", counting)
    monkeypatch.setattr(scoring, "_GRAPHS", type(scoring._GRAPHS)(max_size=64))
    fit("rows", SCORES[name])
    n_compiled = len(compiled)
    for seed in range(2):
        fit("rows", SCORES[name], ROWS[: 200 + seed], random_state=seed).predict(ROWS)
    assert len(compiled) == n_compiled > 0


# Scores of the user's own


class LargestHidden(BaseEstimator):
    """The largest hidden activation, in units of its 95% quantile among normal samples."""

    fits_training_rows = True

    def features(self, response):
        return keras.ops.max(response.hidden[0], axis=1)

    def fit(self, features):
        self.n_rows_ = len(features)
        self.unit_ = np.quantile(features, 0.95, keepdims=True)
        return self

    def compute_from(self, response):
        return self.n_rows_ * self.features(response) / self.unit_


def test_own_score_is_fitted_to_the_training_rows():
    detector = fit("rows", LargestHidden())
    scores = -detector.score_samples(ROWS) / 216
    is_training = np.isin(np.arange(240), detector.validation_indices_, invert=True)
    assert np.quantile(scores[is_training], 0.95) == pytest.approx(1)
    part = fit("rows", CombinedScore([("own", LargestHidden()), ("error", SquaredError())]))
    assert np.isfinite(part.score_samples(ROWS)).all()


class Keeping(BaseEstimator):
    """A score that keeps what it computed last, a tensor of the graph, to look at it."""

    def __init__(self, min_rows=None):
        self.min_rows = min_rows

    def features(self, response):
        self.last = keras.ops.abs(response.inputs - response.reconstructions)
        return self.last

    def fit(self, features):
        return self

    def compute_from(self, response):
        self.last_ = keras.ops.sum(self.features(response), axis=1)
        return self.last_


@pytest.mark.parametrize("is_part", [False, True])
def test_tensors_that_a_score_keeps_do_not_leave_the_graph(is_part):
    score = CombinedScore([("own", Keeping()), ("error", SquaredError())]) if is_part else Keeping()
    detector = fit("rows", score)
    scores = detector.score_samples(ROWS)
    for duplicate in (pickle.loads(pickle.dumps(detector)), copy.deepcopy(detector)):
        assert_array_equal(duplicate.score_samples(ROWS), scores)


@pytest.mark.parametrize(
    ("min_rows", "names"),
    [(None, ["own", "error"]), (0, ["own", "error"]), (216, ["own", "error"]), (217, ["error"])],
)
def test_own_part_is_left_out_below_its_min_rows(min_rows, names):
    """Of 240 rows, 24 are held out."""
    score = CombinedScore([("own", Keeping(min_rows)), ("error", SquaredError())])
    assert [name for name, _ in fit("rows", score).anomaly_score_.scores_] == names


class OfType(Keeping):
    def __init__(self, dtype):
        self.dtype = dtype

    def compute_from(self, response):
        return keras.ops.cast(super().compute_from(response), self.dtype)


@pytest.mark.parametrize("dtype", ["float16", "int32", "bool"])
def test_scores_of_any_real_type_become_float64(dtype):
    detector = fit("rows", OfType(dtype))
    errors = np.abs(ROWS - detector.reconstruct(ROWS)).sum(axis=1)
    scores = -detector.score_samples(ROWS)
    assert scores.dtype == np.float64
    assert_allclose(scores, errors.astype(dtype), rtol=1e-2, atol=1 if dtype == "int32" else 0)


@pytest.mark.parametrize("dtype", ["complex64", "string"])
def test_scores_that_are_no_real_numbers_are_refused(refuses, dtype):
    class Score(Keeping):
        def compute_from(self, response):
            scores = super().compute_from(response)
            return tf.strings.as_string(scores) if dtype == "string" else tf.cast(scores, dtype)

    message = f"scores of Score must be real numbers.*Received: a tensor of {dtype}"
    refuses({"anomaly_score": Score()}, ROWS, ValueError, message)


class Negative(BaseEstimator):
    def compute(self, inputs, reconstructions):
        return -keras.ops.sum(keras.ops.abs(inputs - reconstructions), axis=1)


def test_negative_part_of_a_combination_is_refused(refuses):
    score = CombinedScore([("error", SquaredError()), ("negative", Negative())])
    refuses({"anomaly_score": score}, ROWS, ValueError, "must not be negative.*from 'negative'")


class NotOneNumber(BaseEstimator):
    def compute_from(self, response):
        return response.codes


def test_response_that_is_not_one_number_a_sample_is_refused(refuses):
    message = r"compute_from of NotOneNumber must return one number.*shape \(None, 2\)"
    refuses({"anomaly_score": NotOneNumber()}, ROWS, ValueError, message)


def test_part_of_a_difference_of_codes_is_computed_once_for_all():
    """Scores that share a part of the network agree on it to the bit."""
    score = CombinedScore([("a", CodeDifference()), ("b", CodeDifference())])
    one, two = fit("images", score), fit("images", CombinedScore([("a", CodeDifference())]))
    assert_array_equal(one.score_samples(IMAGES), two.score_samples(IMAGES))
