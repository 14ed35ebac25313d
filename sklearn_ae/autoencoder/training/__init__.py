"""How a network is trained and its score fitted: one call of Keras's `fit` a training.

Imports `network`, `architectures` and `scores`. The detector calls `fitting`, inside of functions.
"""

import sklearn_ae.autoencoder.network  # noqa: F401  which checks the backend of Keras
