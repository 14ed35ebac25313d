"""Small data and detectors that the tests of training share."""

import numpy as np

from sklearn_ae import AutoencoderAnomalyDetector, ConvAutoencoder, DenseAutoencoder

X = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
IMAGES = np.random.default_rng(0).integers(0, 256, size=(40, 9, 8), dtype=np.uint8)


def small(**parameters):
    defaults = {
        "architecture": DenseAutoencoder(units=(8,)),
        "latent_dim": 2,
        "anomaly_score": "absolute_error",
        "epochs": 2,
        "batch_size": 16,
        "random_state": 0,
    }
    return AutoencoderAnomalyDetector(**(defaults | parameters))


def small_conv(**parameters):
    return small(architecture=ConvAutoencoder(filters=(2,)), **parameters)


def weights_of(detector):
    return [*detector.encoder_.get_weights(), *detector.decoder_.get_weights()]


def assert_equal_to_the_bit(one, other, data):
    for weight, other_weight in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(weight, other_weight)
    assert one.history_ == other.history_
    assert one.offset_ == other.offset_
    np.testing.assert_array_equal(one.score_samples(data), other.score_samples(data))
