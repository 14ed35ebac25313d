"""From error maps to defects.

Maps are smoothed, get a threshold with a stated false-alarm rate, and give regions.

A map is an array of shape (height, width) that says how abnormal each pixel of an image is, such as
one of :meth:`~.AutoencoderAnomalyDetector.anomaly_map`. Maps of one size come as an array
of shape (n, height, width), maps of different sizes as a list.
"""

# Imports `_base` alone. The metrics, the autoencoder and the displays use it.

from sklearn_ae.maps._regions import Region, calibrate, regions, smooth

__all__ = ["Region", "calibrate", "regions", "smooth"]


def __dir__():
    return sorted(__all__)
