"""The command ``sklearn-ae``: detectors of defects in folders of images, from a shell."""

from sklearn_ae.deployment.cli._main import main

__all__ = ["main"]
