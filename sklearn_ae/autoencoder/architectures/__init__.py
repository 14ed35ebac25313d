"""Architectures: parameter objects that build an encoder and a decoder, one a file.

Imports `_base` alone, and Keras inside of functions. The network is built from what these return.
"""

from sklearn_ae.autoencoder.architectures.choosing import (
    builder_of,
    has_features,
    resolve_architecture,
    resolve_latent_dim,
)
from sklearn_ae.autoencoder.architectures.conv import ConvAutoencoder
from sklearn_ae.autoencoder.architectures.conv_dense import ConvDenseAutoencoder
from sklearn_ae.autoencoder.architectures.dense import DenseAutoencoder
from sklearn_ae.autoencoder.architectures.feature_autoencoder import FeatureAutoencoder

# All that files may hold and the command line offers, by the names that it has there.
ARCHITECTURES = {
    "conv": ConvAutoencoder,
    "conv-dense": ConvDenseAutoencoder,
    "dense": DenseAutoencoder,
    "features": FeatureAutoencoder,
}

__all__ = [
    "ARCHITECTURES",
    "ConvAutoencoder",
    "ConvDenseAutoencoder",
    "DenseAutoencoder",
    "FeatureAutoencoder",
    "builder_of",
    "has_features",
    "resolve_architecture",
    "resolve_latent_dim",
]
