"""Displays find the detector inside of wrappers, searches and pipelines."""

import matplotlib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tiny_networks import tiny_conv

from sklearn_ae import FixedThresholdDetector, NormalsOnly
from sklearn_ae.inspection import AnomalyMapDisplay, LossCurveDisplay, ReconstructionDisplay

matplotlib.use("Agg")

IMAGES = np.random.default_rng(0).random((40, 8, 8))


def invert(images):
    return 1 - np.asarray(images)


WRAPPERS = {
    "frozen": lambda detector: FrozenEstimator(detector.fit(IMAGES)),
    "fixed": lambda detector: FixedThresholdDetector(detector, threshold=1.0),
    "search": lambda detector: GridSearchCV(detector, {}, scoring=lambda *_: 0.0, cv=2),
    "pipeline": lambda detector: make_pipeline(FunctionTransformer(invert), detector),
    "pipeline in a wrapper": lambda detector: NormalsOnly(
        make_pipeline(FunctionTransformer(invert), detector)
    ),
}


@pytest.fixture(params=WRAPPERS)
def wrapped(request):
    """A fitted estimator, the detector in it, and the images as that sees them."""
    estimator = WRAPPERS[request.param](tiny_conv()).fit(IMAGES, None)
    inner = estimator
    while not hasattr(inner, "reconstruct"):
        for name in ("best_estimator_", "estimator_", "estimator", "steps"):
            if hasattr(inner, name):
                inner = getattr(inner, name)
                inner = inner[-1][1] if name == "steps" else inner
                break
    return estimator, inner, invert(IMAGES) if "pipeline" in request.param else IMAGES


def test_loss_curves(wrapped):
    estimator, detector, _ = wrapped
    assert LossCurveDisplay.from_estimator(estimator).loss == detector.history_["loss"]


def test_reconstructions(wrapped):
    estimator, detector, seen = wrapped
    display = ReconstructionDisplay.from_estimator(estimator, IMAGES, n_samples=4)
    assert_array_equal(display.X, seen[:4])
    np.testing.assert_allclose(display.X_reconstructed, detector.reconstruct(seen[:4]), rtol=1e-6)


def test_maps(wrapped):
    estimator, detector, seen = wrapped
    display = AnomalyMapDisplay.from_estimator(estimator, IMAGES, n_samples=3)
    np.testing.assert_allclose(
        display.anomaly_scores, np.sort(-estimator.score_samples(IMAGES))[:-4:-1], rtol=1e-6
    )
    assert_array_equal(display.X, seen[display.indices])
    np.testing.assert_allclose(display.maps, detector.anomaly_map(seen[display.indices]), rtol=1e-6)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (LossCurveDisplay.from_estimator, "history_; for others.*from_history"),
        (lambda e: ReconstructionDisplay.from_estimator(e, IMAGES), "reconstruct; for others"),
        (lambda e: AnomalyMapDisplay.from_estimator(e, IMAGES), "anomaly_map; for others"),
    ],
)
def test_other_detectors_are_refused(draw, message):
    forest = IsolationForest(n_estimators=2).fit(IMAGES.reshape(40, -1))
    estimator = FrozenEstimator(FixedThresholdDetector(FrozenEstimator(forest), threshold=0.5))
    with pytest.raises(TypeError, match=message):
        draw(estimator)
