"""The detector, and all that is Keras.

Architectures, anomaly scores, the network and its training have a folder each.
"""

# Imports `thresholds`, `metrics`, `maps` and `_base`. The deployment writes and reads what is here.

from sklearn_ae.autoencoder.detector import AutoencoderAnomalyDetector

__all__ = ["AutoencoderAnomalyDetector"]


def __dir__():
    return sorted(__all__)
