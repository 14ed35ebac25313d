"""Detectors remember the rows that they were fitted to, and calibration refuses these."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tiny_networks import tiny, tiny_conv

from sklearn_ae import ConformalDetector, FixedThresholdDetector, NormalsOnly
from sklearn_ae._row_hashes import find_rows_fitted_to, hash_rows, remember_rows


@pytest.fixture(scope="module")
def rows():
    """Rows to fit to, and new ones."""
    X = np.random.default_rng(0).normal(size=(160, 6))
    return X[:100], X[100:]


@pytest.fixture(scope="module")
def detector(rows):
    return tiny().fit(rows[0])


def calibrate(fitted, X):
    return ConformalDetector(FrozenEstimator(fitted)).fit(X)


def test_rows_of_the_fit_are_refused_and_counted(rows, detector):
    old, new = rows
    assert len(calibrate(detector, new).calibration_scores_) == 60
    message = r"X must be rows that the frozen detector was not fitted to.*Received: {} of {} rows"
    for X, counts in [
        (old, (100, 100)),
        (old[detector.validation_indices_[[0] * 20]], (20, 20)),  # they chose the best epoch
        (np.concatenate([new, old[:3]]), (3, 63)),
    ]:
        with pytest.raises(ValueError, match=message.format(*counts)):
            calibrate(detector, X)
    with pytest.raises(ValueError, match=r"of 62 rows that it was fitted to, 20\.$"):
        calibrate(detector, np.concatenate([new[:20], old[:1], new[19:]]))


def test_memory_survives_copies(rows, detector):
    restored = pickle.loads(pickle.dumps(detector))
    with pytest.raises(ValueError, match="100 of 100 rows"):
        calibrate(restored, rows[0])


def test_the_last_fit_counts_unless_it_goes_on(rows):
    old, new = rows
    detector = tiny().fit(old).fit(new)
    assert len(calibrate(detector, old).calibration_scores_) == 100
    detector.set_params(warm_start=True).fit(old)
    for X in rows:
        with pytest.raises(ValueError, match=f"{len(X)} of {len(X)} rows"):
            calibrate(detector, X)
    # Rows that were fitted to twice are no rows that repeat by nature.
    detector.fit(old)
    with pytest.raises(ValueError, match="1 of 21 rows"):
        calibrate(
            detector, np.concatenate([old[:1], np.random.default_rng(1).normal(size=(20, 6))])
        )


def test_failed_fit_keeps_the_memory(rows):
    old, new = rows
    detector = tiny().fit(old)
    with pytest.raises(ValueError, match="loss"):
        detector.set_params(loss="no such loss").fit(new)
    assert len(calibrate(detector, new).calibration_scores_) == 60


@pytest.mark.parametrize("convert", [np.float32, np.float64, lambda X: X[..., np.newaxis]])
def test_images_are_recognised_in_any_type_and_shape(convert):
    X = np.random.default_rng(0).integers(1, 256, size=(60, 8, 8), dtype=np.uint8)
    detector = tiny_conv().fit(X[:40])
    with pytest.raises(ValueError, match="40 of 40 rows"):
        calibrate(detector, convert(X[:40]))
    assert len(calibrate(detector, convert(X[40:])).calibration_scores_) == 20


def search_of(X):
    search = GridSearchCV(
        NormalsOnly(make_pipeline(StandardScaler(), tiny())),
        {"estimator__autoencoderanomalydetector__threshold": [1.0]},
        cv=StratifiedKFold(2),
        error_score="raise",
    )
    return search.fit(X, np.where(np.arange(len(X)) % 5 == 0, -1, 1))


@pytest.mark.parametrize(
    ("fit", "n_fitted"),
    [
        (lambda X: make_pipeline(StandardScaler(), "passthrough", tiny()).fit(X), 100),
        (lambda X: NormalsOnly(tiny()).fit(X), 100),
        (lambda X: FixedThresholdDetector(FrozenEstimator(tiny().fit(X)), threshold=1), 100),
        (lambda X: ConformalDetector(tiny(), random_state=0).fit(X), 70),
        (search_of, 80),
    ],
    ids=["pipeline", "normals", "threshold", "calibrated", "search"],
)
def test_wrappers_and_pipelines_are_looked_into(rows, fit, n_fitted):
    old, new = rows
    fitted = fit(old)
    with pytest.raises(ValueError, match=f"{n_fitted} of 100 rows"):
        calibrate(fitted, old)
    assert len(calibrate(fitted, new).calibration_scores_) == 60


def test_of_other_detectors_nothing_is_known(rows):
    forest = IsolationForest(n_estimators=5, random_state=0).fit(rows[0])
    assert len(calibrate(forest, rows[0]).calibration_scores_) == 100


def test_data_frames(rows):
    old, new = (pd.DataFrame(X, columns=list("abcdef")) for X in rows)
    detector = tiny().fit(old)
    with pytest.raises(ValueError, match="100 of 100 rows"):
        calibrate(detector, old)
    assert len(calibrate(detector, new).calibration_scores_) == 60


def test_hash_depends_on_the_values_only():
    X = np.arange(24).reshape(6, 4)
    expected = hash_rows(X)
    assert expected.dtype == np.uint64
    assert len(set(expected)) == 6
    for same in (
        *(X.astype(dtype) for dtype in ("u1", "i2", ">i4", "f2", ">f4", "f8")),
        X.reshape(6, 2, 2),
        np.asfortranarray(X),
        np.repeat(X, 2, axis=0)[::2],
    ):
        assert_array_equal(hash_rows(same), expected)
    assert_array_equal(hash_rows(np.array([[-0.0]])), hash_rows(np.array([[0]])))
    assert hash_rows(X[:, ::-1])[0] not in expected


def test_hashes_are_those_of_other_processes_and_machines():
    # Computed once; pickles must find their rows everywhere.
    assert hash_rows(np.array([[1, 2, 3]])).tolist() == [10632583973184369159]


def test_chunks(monkeypatch):
    X = np.random.default_rng(0).normal(size=(50, 3))
    expected = hash_rows(X)
    monkeypatch.setattr("sklearn_ae._row_hashes._VALUES_PER_CHUNK", 7)
    assert_array_equal(hash_rows(X), expected)


def table(rng, n_rows):
    """Draw rows of three discrete features, some values of which are rare."""
    return rng.geometric(0.3, size=(n_rows, 3))


@pytest.mark.parametrize(("n_old", "n_new"), [(100, 2000), (1000, 50), (2000, 2000)])
def test_rows_that_are_equal_by_nature_are_no_rows_of_the_fit(n_old, n_new):
    rng = np.random.default_rng(0)
    for _ in range(100):
        memory = remember_rows(table(rng, n_old))
        new = table(rng, n_new)
        assert np.isin(hash_rows(new), memory).mean() > 0.1
        assert not find_rows_fitted_to(new, memory).any()


def test_rows_of_the_fit_stand_out_among_rows_that_are_equal_by_nature():
    rng = np.random.default_rng(0)
    old = table(rng, 1000)
    memory = remember_rows(old)
    assert find_rows_fitted_to(old, memory).all()
    mixed = np.concatenate([old[:500], table(rng, 500)])
    assert find_rows_fitted_to(mixed, memory)[:500].all()
