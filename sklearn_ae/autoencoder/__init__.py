"""The detector, and all that is Keras: architectures, anomaly scores, the network, the training.

Imports `thresholds`, `metrics`, `maps` and `_base`. The deployment writes and reads what is here.
"""

from sklearn_ae.autoencoder.detector import AutoencoderAnomalyDetector

__all__ = ["AutoencoderAnomalyDetector"]


def __dir__():
    return sorted(__all__)
