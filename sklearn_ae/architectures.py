"""Architectures: parameter objects that build an encoder and a decoder.

An architecture has `build(input_shape, latent_dim) -> (encoder, decoder)`, two Keras models. The
encoder maps scaled inputs of `input_shape` to codes of `latent_dim` numbers, the decoder maps codes
back to `input_shape`. Its last layer is linear: the detector adds the output activation that its
loss asks for, and sets the seeds.

An architecture may have `build_features(input_shape) -> model` too, a Keras model from scaled
images to feature maps. It is not trained: `build` is called with the shape of the features of one
position, and the autoencoder learns and scores those.
"""

from sklearn_ae.autoencoder.architectures import (
    ConvAutoencoder,
    ConvDenseAutoencoder,
    DenseAutoencoder,
    FeatureAutoencoder,
)

__all__ = ["ConvAutoencoder", "ConvDenseAutoencoder", "DenseAutoencoder", "FeatureAutoencoder"]


def __dir__():
    return sorted(__all__)
