"""The command ``sklearn-ae``: detectors of defects in folders of images, from a shell."""

from sklearn_ae.deployment.cli._main import main
from sklearn_ae.deployment.cli._starting import start_tensorflow

__all__ = ["main", "start_tensorflow"]


def __dir__():
    return sorted(__all__)
