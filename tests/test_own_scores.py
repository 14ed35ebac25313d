"""Anomaly scores of the user's own, and what is refused before anything is trained."""

import keras
import numpy as np
import pytest
from tiny_networks import tiny

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


def test_keras_model_for_an_architecture_is_refused_with_advice():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(5)])
    with pytest.raises(TypeError, match=r"def build\(input_shape, latent_dim\)"):
        tiny(architecture=model).fit(X)
