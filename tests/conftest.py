"""Fixtures that several test files share."""

import copy
import os
from pathlib import Path

import numpy as np
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


@pytest.fixture
def trainings(monkeypatch):
    """The trainings that were begun, none of which takes place."""
    begun = []

    def begin(*args, **kwargs):
        begun.append(args)
        raise RuntimeError("a training began")

    monkeypatch.setattr("sklearn_ae.autoencoder.training.keras_fit.train", begin)
    return begun


@pytest.fixture
def trainings_done(monkeypatch):
    """The trainings that took place in this process."""
    from sklearn_ae.autoencoder.training import keras_fit

    done = []
    train = keras_fit.train

    def counting(*args, **kwargs):
        done.append(args)
        return train(*args, **kwargs)

    monkeypatch.setattr(keras_fit, "train", counting)
    return done


@pytest.fixture(scope="session")
def fitted_detector():
    """A detector of rows of six features. Tests change copies of it only."""
    from tiny_networks import tiny

    return tiny().fit(np.random.default_rng(0).normal(size=(40, 6)))


@pytest.fixture(params=["unfitted", "fitted"])
def refuses(request, fitted_detector, trainings):
    """Check that a fit is refused without a training, and that nothing of the detector changes."""
    from tiny_networks import tiny

    def check(parameters, X, error, message):
        is_fitted = request.param == "fitted"
        detector = copy.copy(fitted_detector) if is_fitted else tiny()
        detector.set_params(**parameters)
        before = dict(vars(detector))
        with pytest.raises(error, match=message):
            detector.fit(X)
        assert trainings == []
        after = vars(detector)
        assert list(after) == list(before)
        assert all(after[name] is before[name] for name in before)
        assert hasattr(detector, "offset_") == is_fitted

    return check
