"""Data sets, and synthetic anomalies."""

# Imports `_base` alone. The metrics, the inspection and the command line use it.

from sklearn_ae.datasets._fetching import fetch_fashion_mnist, fetch_mnist, load_mnist_one_zero
from sklearn_ae.datasets._images import load_images
from sklearn_ae.datasets._synthetic import make_anomalies

__all__ = [
    "fetch_fashion_mnist",
    "fetch_mnist",
    "load_images",
    "load_mnist_one_zero",
    "make_anomalies",
]


def __dir__():
    return sorted(__all__)
