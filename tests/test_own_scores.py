"""Anomaly scores of the user's own, and what is refused before anything is trained."""

import copy
import pickle
import types

import keras
import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from tiny_networks import tiny

from sklearn_ae.scores import CombinedScore, SquaredError

X = np.random.default_rng(0).normal(size=(60, 5))


class LargestError:
    """A score that a user writes: the largest absolute error."""

    def __init__(self):
        self.reduce = lambda errors: keras.ops.max(errors, axis=1)

    def compute(self, inputs, reconstructions):
        return self.reduce(keras.ops.abs(inputs - reconstructions))


def test_own_score_is_used_as_float64():
    detector = tiny(anomaly_score=LargestError(), scaling=None).fit(X)
    errors = np.abs(X - detector.reconstruct(X))
    np.testing.assert_allclose(detector.score_samples(X), -errors.max(axis=1), rtol=1e-5)

    class InFloat32(LargestError):
        def compute(self, inputs, reconstructions):
            return keras.ops.cast(super().compute(inputs, reconstructions), "float32")

    assert tiny(anomaly_score=InFloat32()).fit(X).score_samples(X).dtype == np.float64


def test_two_scores_of_one_class_are_two():
    small, large = LargestError(), LargestError()
    large.reduce = lambda errors: 100 * keras.ops.max(errors, axis=1)
    scores, hundredfold = (
        tiny(anomaly_score=score).fit(X).score_samples(X) for score in (small, large)
    )
    np.testing.assert_allclose(hundredfold, 100 * scores)


@pytest.mark.parametrize(
    ("reduce", "received"),
    [
        (keras.ops.mean, r"shape \(\)"),
        (lambda errors: keras.ops.sum(errors, axis=1, keepdims=True), r"shape \(None, 1\)"),
        (lambda errors: keras.ops.sum(errors, axis=0), r"shape \(5,\)"),
        (lambda errors: None, "NoneType"),
    ],
    ids=["one for all", "a column", "one a feature", "nothing"],
)
def test_score_that_is_not_one_number_a_sample_is_refused_before_training(
    reduce, received, trainings
):
    score = LargestError()
    score.reduce = reduce
    with pytest.raises(ValueError, match=f"one number a sample.*Received: .*{received}"):
        tiny(anomaly_score=score).fit(X)
    assert not trainings


# What a score of the user's is fitted to


class OfManyTypes(BaseEstimator):
    """The worst features' errors, in units of what is usual, beside those of masked ones."""

    def features(self, response):
        return abs(response.inputs - response.reconstructions)

    def fit(self, features):
        means = features.mean(axis=0)
        self.unit_ = np.asarray(features.mean())
        self.count_ = np.asarray(len(features))
        self.worst_ = np.argsort(-means)[:2]
        self.mask_ = means > np.median(means)
        self.means_ = means.astype(np.float32)
        self.big_endian_ = means.astype(">f8")
        self.names_ = np.array(["worst", "masked"])
        self.weights_ = [1.0, 0.5]
        return self

    def compute_from(self, response):
        errors = self.features(response) / self.means_
        worst = keras.ops.sum(keras.ops.take(errors, self.worst_, axis=1), axis=1)
        masked = keras.ops.sum(errors * keras.ops.cast(self.mask_, "float64"), axis=1)
        OfManyTypes.seen = {
            name: keras.backend.standardize_dtype(value.dtype)
            for name, value in vars(self).items()
            if keras.ops.is_tensor(value)
        }
        scores = (self.weights_[0] * worst + self.weights_[1] * masked) / self.unit_
        return keras.ops.multiply(scores, self.count_)

    seen = {}

    def expected(self, errors):
        scaled = errors / self.means_
        worst = scaled[:, self.worst_].sum(axis=1)
        return (worst + scaled[:, self.mask_].sum(axis=1) / 2) / self.unit_ * self.count_


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))])
def test_fitted_arrays_of_any_type_and_number_of_axes_keep_it(copied):
    detector = tiny(anomaly_score=OfManyTypes(), scaling=None).fit(X)
    expected = -detector.anomaly_score_.expected(np.abs(X - detector.reconstruct(X)))
    np.testing.assert_allclose(detector.score_samples(X), expected, rtol=1e-5)
    # Arrays of words are no tensors.
    of_floats = dict.fromkeys(["unit_", "means_", "big_endian_"], "float64")
    others = {"count_": "int64", "worst_": "int64", "mask_": "bool"}
    assert OfManyTypes.seen == of_floats | others
    other = copied(detector)
    np.testing.assert_array_equal(other.score_samples(X), detector.score_samples(X))
    for name, value in vars(detector.anomaly_score_).items():
        kept = getattr(other.anomaly_score_, name)
        if isinstance(value, np.ndarray):
            # NumPy pickles what is big-endian in the order of the machine.
            assert kept.dtype.newbyteorder("=") == value.dtype.newbyteorder("=")
            assert kept.shape == value.shape


def test_fitted_arrays_of_any_type_are_kept_in_a_combination():
    score = CombinedScore([("own", OfManyTypes()), ("error", SquaredError())])
    scores = tiny(anomaly_score=score).fit(X).score_samples(X)
    assert np.isfinite(scores).all()
    assert len(set(scores)) == len(X)


class OfTheSum(OfManyTypes):
    """Of a fitted score's usual mistakes, one at a time."""

    def compute_from(self, response):
        return keras.ops.sum(self.features(response), axis=1)


class WithNumPy(OfTheSum):
    def compute_from(self, response):
        return np.abs(response.codes).sum(axis=1)


class WithNumPyFeatures(OfTheSum):
    def features(self, response):
        return np.asarray(response.codes)


class WithCondition(OfTheSum):
    def compute_from(self, response):
        scores = super().compute_from(response)
        return scores if scores[0] > 0 else -scores


class WithFeaturesOfAll(OfTheSum):
    def features(self, response):
        return keras.ops.sum(response.codes)


class WithTwoFeatures(OfTheSum):
    def features(self, response):
        return [response.codes, response.inputs]


class WithLabels(OfTheSum):
    def fit(self, features, y):
        raise AssertionError


class OfOneArgument(BaseEstimator):
    def compute(self, errors):
        raise AssertionError


class WithFitAlone(BaseEstimator):
    def fit(self, features):
        raise AssertionError

    def compute_from(self, response):
        raise AssertionError


@pytest.mark.parametrize(
    ("score", "error", "message"),
    [
        (WithNumPy(), TypeError, "must compute with keras.ops.*Received: WithNumPy, Cannot"),
        (WithNumPyFeatures(), TypeError, "must compute with keras.ops.*Received: WithNumPyF"),
        (WithCondition(), TypeError, "conditions by keras.ops.where.*Received: WithCondition"),
        (WithFeaturesOfAll(), ValueError, r"features of WithFeaturesOfAll .*of shape \(\)"),
        (WithTwoFeatures(), ValueError, "features of WithTwoFeatures .*Received: list"),
        (WithLabels(), TypeError, r"fit of anomaly_score must take 1 argument.*\(features, y\)"),
        (OfOneArgument(), TypeError, "compute of anomaly_score must take 2 arguments, inputs, rec"),
        (WithFitAlone(), TypeError, r"must have a method features\(response\).*Received: WithFit"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseEstimator) else "",
)
@pytest.mark.parametrize("is_part", [False, True])
def test_mistakes_in_a_score_are_explained_before_training(
    score, error, message, is_part, trainings
):
    if is_part:
        score = CombinedScore([("own", score), ("error", SquaredError())])
    with pytest.raises(error, match=message):
        tiny(anomaly_score=score).fit(X)
    assert not trainings


class Logarithm(BaseEstimator):
    def compute(self, inputs, reconstructions):
        return keras.ops.log(inputs[:, 0])


def test_scores_that_are_no_numbers_are_warned_of():
    n_missing = np.count_nonzero(X[:, 0] < 0)
    message = f"anomaly_score should give numbers.*NaN for {n_missing} of 60 samples from Logarithm"
    with pytest.warns(UserWarning, match=message):
        detector = tiny(anomaly_score=Logarithm(), scaling=None).fit(X)
    with pytest.warns(UserWarning, match=message) as warned:
        scores = detector.score_samples(X)
    assert warned[-1].filename == __file__
    assert scores[X[:, 0] < 0].max() < scores[X[:, 0] > 0].min()


class Weighted(BaseEstimator):
    """A score with a list and a function for parameters, and a list that it keeps."""

    def __init__(
        self, weights=(1, 2, 3, 4, 5), reduce=lambda errors: keras.ops.sum(errors, axis=1)
    ):
        self.weights = weights
        self.reduce = reduce

    def features(self, response):
        return abs(response.inputs - response.reconstructions)

    def fit(self, features):
        # Without a word of thanks: what fit returns is not used.
        self.units = [features.mean(), 2.0]
        self.by_name = {"means": features.mean(axis=0)}

    def compute_from(self, response):
        errors = self.features(response) * self.weights / self.by_name["means"]
        return self.reduce(errors) / sum(self.units)


def test_lists_and_functions_of_a_score_are_part_of_its_graph():
    detector = tiny(anomaly_score=Weighted(), scaling=None)
    detector.set_params(anomaly_score__weights=[5, 4, 3, 2, 1])
    for data in (X, 3 * X):
        score = clone(detector).fit(data).anomaly_score_
        detector.fit(data)
        errors = np.abs(data - detector.reconstruct(data)) * [5, 4, 3, 2, 1]
        expected = (errors / score.by_name["means"]).sum(axis=1) / sum(score.units)
        np.testing.assert_allclose(-detector.score_samples(data), expected, rtol=1e-5)


def test_score_without_a_class_of_its_own():
    score = types.SimpleNamespace(
        compute=lambda inputs, reconstructions: keras.ops.max(abs(inputs - reconstructions), axis=1)
    )
    detector = clone(tiny(anomaly_score=score, scaling=None)).fit(X)
    errors = np.abs(X - detector.reconstruct(X)).max(axis=1)
    np.testing.assert_allclose(detector.score_samples(X), -errors, rtol=1e-5)


class DividedByAnInteger(OfManyTypes):
    def compute_from(self, response):
        return keras.ops.sum(self.features(response), axis=1) / self.count_


@pytest.mark.parametrize("is_part", [False, True])
def test_operators_of_floats_and_integers_are_explained_before_training(is_part, trainings):
    score = DividedByAnInteger()
    if is_part:
        score = CombinedScore([("own", score), ("error", SquaredError())])
    message = r"DividedByAnInteger\.count_.*keras\.ops.*float64 in fit.*Received: "
    with pytest.raises(TypeError, match=message):
        tiny(anomaly_score=score).fit(X)
    assert not trainings


def test_keras_model_for_an_architecture_is_refused_with_advice():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(5)])
    with pytest.raises(TypeError, match=r"def build\(input_shape, latent_dim\)"):
        tiny(architecture=model).fit(X)
