"""The Keras side of the detector: a network as one graph from raw samples to outputs.

Modules here and in `training` import Keras at their top, so that other rooms import them in
functions alone. Imports `architectures` and `scores`, and the rooms below the autoencoder.
"""

from sklearn_ae._base.keras_environment import import_keras, take_share_of_cores

import_keras()
# TensorFlow fixes its number of threads with the first thing it does, such as building a model.
take_share_of_cores()
