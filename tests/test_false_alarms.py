"""New normal samples are flagged at the rate asked for, by scores that are fitted too."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.covariance import LedoitWolf
from tiny_networks import tiny

from sklearn_ae.autoencoder.scores.whitening import leave_one_out_distances
from sklearn_ae.scores import CombinedScore, LatentDistance, NeighborDistance, WhitenedError


def factors(n_samples, n_features, seed):
    """Return five factors and noise: training samples and 2,000 new ones."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(5, n_features))
    X = rng.normal(size=(n_samples + 2000, 5)) @ weights
    X += 0.3 * rng.normal(size=X.shape)
    return X[:n_samples], X[n_samples:]


def flagged(score, n_samples, n_features, seed, **parameters):
    X, new = factors(n_samples, n_features, seed)
    detector = tiny(anomaly_score=score, random_state=seed, **parameters).fit(X)
    return np.mean(detector.predict(new) == -1)


@pytest.mark.parametrize("score", ["auto", "whitened_error", "code_difference", "squared_error"])
@pytest.mark.parametrize(("n_samples", "n_features"), [(400, 60), (400, 8)])
def test_rate_of_new_samples_is_the_one_asked_for(score, n_samples, n_features):
    """Of 40 held-out samples with 60 columns, two thirds of new ones used to be flagged."""
    rates = [flagged(score, n_samples, n_features, seed) for seed in range(6)]
    # 2 / 41, with a standard deviation of 0.033 in one fit.
    assert 0.01 < np.mean(rates) < 0.05 + 0.01 + 2 * 0.033 / np.sqrt(6)


class DistanceFromHeldOut(BaseEstimator):
    """A score of 0 for each sample that it is fitted to, and without `leave_one_out`."""

    def features(self, response):
        return response.inputs

    def fit(self, features):
        self.references_ = features
        return self

    def compute_from(self, response):
        from keras import ops

        differences = ops.expand_dims(response.inputs, 1) - self.references_
        return ops.min(ops.sum(ops.square(differences), axis=2), axis=1)


def test_custom_score_sets_no_threshold_by_samples_that_it_is_fitted_to():
    X, new = factors(400, 8, 0)
    detector = tiny(anomaly_score=DistanceFromHeldOut()).fit(X)
    held_out = detector.validation_indices_
    assert_allclose(detector.score_samples(X[held_out]), 0, atol=1e-6)
    assert detector.validation_scores_.max() < -0.01
    # The score in use is fitted to all of them.
    assert len(detector.anomaly_score_.references_) == len(held_out)
    assert 0 < np.mean(detector.predict(new) == -1) < 0.2


def test_neighbors_of_a_sample_are_others_where_nothing_is_held_out():
    X, new = factors(60, 8, 0)
    with pytest.warns(UserWarning, match="No row is held out"):
        detector = tiny(anomaly_score=NeighborDistance(n_neighbors=1), validation_fraction=0).fit(X)
    assert detector.validation_scores_.max() < 0
    assert np.mean(detector.predict(new) == -1) < 0.2


@pytest.mark.parametrize("shape", [(30, 4), (30, 50), (200, 30)])
def test_distances_without_a_sample_are_those_of_a_covariance_without_it(shape):
    values = np.random.default_rng(0).normal(size=shape) * np.linspace(1, 5, shape[1])
    shrinkage = LedoitWolf().fit(values).shrinkage_
    level = np.trace(np.cov(values, rowvar=False, bias=True)) / shape[1]
    expected = []
    for i, row in enumerate(values):
        others = np.delete(values, i, axis=0)
        covariance = (1 - shrinkage) * np.cov(others, rowvar=False, bias=True)
        covariance += shrinkage * level * np.eye(shape[1])
        difference = row - others.mean(axis=0)
        expected.append(np.sqrt(difference @ np.linalg.solve(covariance, difference)))
    assert_allclose(leave_one_out_distances(values), expected, rtol=1e-8)


@pytest.mark.parametrize(
    "values", [np.ones((5, 3)), np.eye(4), np.vstack([np.zeros((9, 3)), np.full((1, 3), 1e6)])]
)
def test_distances_without_a_sample_are_finite(values):
    distances = leave_one_out_distances(np.array(values, dtype=float))
    assert np.isfinite(distances).all()
    assert (distances >= 0).all()


def test_scores_that_are_not_fitted_to_held_out_samples_are_what_they_were():
    X, _ = factors(300, 8, 0)
    for score in ("squared_error", "neighbor_distance", LatentDistance()):
        detector = tiny(anomaly_score=score).fit(X)
        held_out = detector.validation_indices_
        assert_allclose(detector.validation_scores_, detector.score_samples(X)[held_out], rtol=1e-5)


def test_fitted_score_uses_all_held_out_samples():
    X, _ = factors(300, 8, 0)
    score = CombinedScore([("error", WhitenedError())])
    detector = tiny(anomaly_score=score).fit(X)
    held_out = X[detector.validation_indices_]
    errors = held_out - detector.reconstruct(held_out)
    scale = np.sqrt(np.var(np.delete(X, detector.validation_indices_, axis=0), axis=0))
    part = dict(detector.anomaly_score_.scores_)["error"]
    assert_allclose(part.mean_, (errors / scale).mean(axis=0), rtol=1e-3, atol=1e-4)
    again = tiny(anomaly_score=score).fit(X)
    assert_array_equal(again.validation_scores_, detector.validation_scores_)
