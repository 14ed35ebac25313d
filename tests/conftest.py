"""Fixtures that several test files share."""

import os
from pathlib import Path

import pytest

# Before anything imports matplotlib or TensorFlow: no windows, no start-up messages.
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Before anything imports SciPy: without it, scikit-learn skips one of its checks of estimators.
os.environ["SCIPY_ARRAY_API"] = "1"

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_dir():
    """The folder of the data sets that are too large, or not ours, to ship."""
    folder = Path(os.environ.get("SKLEARN_AE_DATA", REPOSITORY.parent / "shared" / "data"))
    if folder.is_dir():
        return folder
    message = (
        f"No test data at {folder}: set the environment variable SKLEARN_AE_DATA to a folder "
        "with mnist.npz and the other files that the tests name."
    )
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
