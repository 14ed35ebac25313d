"""ConformalDetector inside of NormalsOnly, searches, pipelines and other thresholds."""

import numpy as np
import pytest
from calibrating import column
from numpy.testing import assert_array_equal
from recording import Recorder, rising_rows
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from sklearn_ae import ConformalDetector, FixedThresholdDetector, NormalsOnly

FOLDS = StratifiedKFold(n_splits=2, shuffle=True, random_state=0)


@pytest.fixture(autouse=True)
def fits(monkeypatch):
    """What Recorder was fitted to."""
    begun = []
    monkeypatch.setattr(Recorder, "fits", begun)
    return begun


@pytest.fixture
def cloud():
    return np.random.default_rng(0).normal(size=(400, 2))


def test_labeled_anomalies_neither_train_nor_calibrate(fits):
    X, y = rising_rows()
    detector = NormalsOnly(ConformalDetector(Recorder(), false_alarm_rate=0.1)).fit(X, y)
    inner = detector.estimator_
    seen = np.concatenate([fits[0][:, 0], -inner.calibration_scores_])
    assert set(seen) == set(X[y == 0, 0])
    # Its rows are those that NormalsOnly kept.
    normals = X[y == 0, 0]
    assert_array_equal(normals[inner.calibration_indices_], -inner.calibration_scores_)
    assert detector.offset_ == inner.offset_
    assert_array_equal(detector.predict(X), inner.predict(X))
    assert detector.score(X, y) > 0.8
    # What the calibration offers is within reach.
    assert_array_equal(detector.p_values(X), inner.p_values(X))
    for fdr in (0.1, 0.5):
        assert_array_equal(detector.discoveries(X, fdr=fdr), inner.discoveries(X, fdr=fdr))
    assert detector.discoveries(X[y == 1], fdr=0.5).any()
    assert detector.calibration_report() == inner.calibration_report()


def test_normals_only_has_p_values_only_of_a_calibrated_detector():
    unfitted = NormalsOnly(ConformalDetector(Recorder()))
    for name in ("p_values", "discoveries", "calibration_report"):
        assert hasattr(unfitted, name)
        assert not hasattr(NormalsOnly(Recorder()), name)
        assert not hasattr(FixedThresholdDetector(unfitted, threshold=1), name)
    for method in ("p_values", "discoveries"):
        with pytest.raises(NotFittedError):
            getattr(unfitted, method)(column([0]))
    with pytest.raises(NotFittedError):
        unfitted.calibration_report()


def test_nests_in_a_grid_search_a_pipeline_and_another_threshold(cloud):
    X = np.concatenate([cloud[:100], cloud[:20] + 6])
    y = np.repeat([1, -1], [100, 20])
    search = GridSearchCV(
        NormalsOnly(
            make_pipeline(StandardScaler(), ConformalDetector(OneClassSVM(), random_state=0))
        ),
        {
            "estimator__conformaldetector__false_alarm_rate": [0.1, 0.5],
            "estimator__conformaldetector__estimator__gamma": [0.1],
        },
        cv=FOLDS,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_["estimator__conformaldetector__false_alarm_rate"] == 0.1
    assert search.score(X, y) > 0.8
    pipeline = search.best_estimator_.estimator_
    fixed = FixedThresholdDetector(FrozenEstimator(pipeline), threshold=-pipeline[-1].offset_)
    assert_array_equal(fixed.predict(X), pipeline.predict(X))
