"""Small data and detectors that the tests of `memory` share."""

import numpy as np

from sklearn_ae import AutoencoderAnomalyDetector, DenseAutoencoder

X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
Y = np.where(np.arange(60) % 5 == 0, -1, 1)


def small(memory, **parameters):
    defaults = {
        "architecture": DenseAutoencoder(units=(8,)),
        "latent_dim": 2,
        "epochs": 2,
        "memory": memory,
        "random_state": 0,
    }
    return AutoencoderAnomalyDetector(**(defaults | parameters))


def assert_equal_fits(one, other):
    assert one.history_ == other.history_
    assert one.best_epoch_ == other.best_epoch_
    for weight, other_weight in zip(
        one.model_.get_weights(), other.model_.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, other_weight)
    np.testing.assert_array_equal(one.score_samples(X), other.score_samples(X))
    np.testing.assert_array_equal(one.validation_scores_, other.validation_scores_)
