"""Detectors that train in a moment, for tests of what is around the training."""

import keras

from sklearn_ae import AutoencoderAnomalyDetector, ConvAutoencoder, DenseAutoencoder


def tiny(**parameters):
    defaults = {
        "architecture": DenseAutoencoder(units=(4,)),
        "latent_dim": 2,
        "anomaly_score": "absolute_error",
        "epochs": 1,
        "random_state": 0,
    }
    return AutoencoderAnomalyDetector(**(defaults | parameters))


def tiny_conv(**parameters):
    return tiny(**({"architecture": ConvAutoencoder(filters=(2,))} | parameters))


def two_models(input_shape, latent_dim, *, n_codes=None, n_outputs=None, activation=None):
    """Build an encoder and a decoder of rows, right ones unless numbers are given."""
    n_codes = latent_dim if n_codes is None else n_codes
    n_outputs = input_shape[0] if n_outputs is None else n_outputs
    encoder = keras.Sequential([keras.Input(input_shape), keras.layers.Dense(n_codes)])
    decoder = keras.Sequential(
        [keras.Input((n_codes,)), keras.layers.Dense(n_outputs, activation=activation)]
    )
    return encoder, decoder


def one_model(input_shape, latent_dim):
    """Build a model from input to reconstruction, which has no code."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Dense(latent_dim, activation="relu"),
            keras.layers.Dense(input_shape[0]),
        ]
    )
