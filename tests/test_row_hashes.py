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
from sklearn.preprocessing import MaxAbsScaler, Normalizer, StandardScaler
from tiny_networks import tiny, tiny_conv

from sklearn_ae import ConformalDetector, FixedThresholdDetector, NormalsOnly
from sklearn_ae.autoencoder.row_hashes import compare_rows, remember_rows


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
        # They chose the best epoch.
        (np.concatenate([new, old[detector.validation_indices_]]), (10, 70)),
        (np.concatenate([new, old[:3]]), (3, 63)),
    ]:
        with pytest.raises(ValueError, match=message.format(*counts)):
            calibrate(detector, X)
    with pytest.raises(ValueError, match=r"of 61 rows that it was fitted to, 20\.$"):
        calibrate(detector, np.concatenate([new[:20], old[:1], new[20:]]))


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
def test_images_are_recognized_in_any_type_and_shape(convert):
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


def frozen_pipeline(X, front):
    """A fitted pipeline, each step of which is frozen."""
    pipeline = make_pipeline(front, "passthrough", tiny()).fit(X)
    return make_pipeline(FrozenEstimator(pipeline[0]), "passthrough", FrozenEstimator(pipeline[-1]))


@pytest.mark.parametrize(
    "enclose",
    [
        lambda X: NormalsOnly(FrozenEstimator(tiny().fit(X))),
        lambda X: FixedThresholdDetector(FrozenEstimator(tiny().fit(X)), threshold=1),
        lambda X: NormalsOnly(
            FixedThresholdDetector(FrozenEstimator(NormalsOnly(tiny()).fit(X)), threshold=1)
        ),
        lambda X: frozen_pipeline(X, StandardScaler()),
        lambda X: NormalsOnly(FrozenEstimator(make_pipeline(StandardScaler(), tiny()).fit(X))),
        lambda X: make_pipeline("passthrough", FrozenEstimator(tiny().fit(X))),
        lambda X: FrozenEstimator(
            make_pipeline(
                StandardScaler(), None, make_pipeline(MaxAbsScaler(), Normalizer(), tiny())
            ).fit(X)
        ),
    ],
    ids=[
        "normals",
        "threshold",
        "both",
        "frozen steps",
        "pipeline in wrapper",
        "last step",
        "several transformers",
    ],
)
def test_frozen_detectors_are_found_at_any_depth(rows, enclose):
    old, new = rows
    detector = ConformalDetector(enclose(old), calibration_size=0.5, random_state=0)
    n_calibration = 100 if isinstance(detector.estimator, FrozenEstimator) else 50
    with pytest.raises(ValueError, match=f"{n_calibration} of {n_calibration} rows"):
        detector.fit(old)
    assert not hasattr(detector, "estimator_")
    detector.fit(new)
    # Rows are counted in X, of which all or half calibrate.
    mixed = np.concatenate([new, old[:5]])
    with pytest.raises(ValueError, match=r"Received: \d of (65|33) rows.* 6\d") as error:
        detector.fit(mixed)
    named = str(error.value).rsplit("fitted to, ", 1)[1]
    assert set(map(int, named.removesuffix(".").split(", "))) <= set(range(60, 65))


def test_detectors_that_are_not_frozen_may_get_equal_rows(rows):
    X = np.concatenate([rows[0], rows[0][:1]])
    detector = ConformalDetector(NormalsOnly(tiny()), calibration_size=50, random_state=0)
    calibration = detector.fit(X).calibration_indices_
    assert np.isin([0, 100], calibration).sum() == 1


def test_of_other_detectors_nothing_is_known(rows):
    forest = IsolationForest(n_estimators=5, random_state=0).fit(rows[0])
    assert len(calibrate(forest, rows[0]).calibration_scores_) == 100


def test_data_frames(rows):
    old, new = (pd.DataFrame(X, columns=list("abcdef")) for X in rows)
    detector = tiny().fit(old)
    with pytest.raises(ValueError, match="100 of 100 rows"):
        calibrate(detector, old)
    assert len(calibrate(detector, new).calibration_scores_) == 60


def test_rows_are_recognized_by_their_values_only():
    X = np.random.default_rng(0).integers(0, 100, size=(30, 4))
    memory = remember_rows(X)
    for same in (
        *(X.astype(dtype) for dtype in ("u1", "i2", ">i4", "f2", ">f4", "f8")),
        X.reshape(30, 2, 2),
        np.asfortranarray(X),
        np.repeat(X, 2, axis=0)[::2],
        X[::-1],
        X[:1],
    ):
        assert compare_rows(same, memory)[0].all()
    for other in (X[:, ::-1], X + np.eye(1, 4), np.nextafter(X, 200)):
        assert not compare_rows(other, memory)[0].any()
    assert compare_rows(np.array([[-0.0, 5]]), remember_rows(np.array([[0, 5], [3, 4]])))[0].all()


def test_hashes_are_those_of_other_processes_and_machines():
    # Computed once; pickles must find their rows everywhere.
    hashes = remember_rows(np.array([[1, 2, 3], [3, 2, 5]]))
    assert hashes.tolist() == [10632583973184369159, 11930646310957655991]


def test_chunks(monkeypatch):
    X = np.random.default_rng(0).normal(size=(50, 3))
    expected = remember_rows(X)
    monkeypatch.setattr("sklearn_ae.autoencoder.row_hashes._VALUES_PER_CHUNK", 7)
    assert_array_equal(remember_rows(X), expected)
    assert_array_equal(remember_rows(list(X)), expected)


def test_rows_that_are_equal_by_nature_give_a_warning():
    """A table of three discrete features, some values of which are rare."""
    old, new = np.random.default_rng(0).geometric(0.3, size=(2, 100, 3))
    n_equal = np.sum([np.any(np.all(old == row, axis=1)) for row in new])
    assert n_equal > 10
    detector = tiny().fit(old)
    with pytest.warns(UserWarning, match=f"{n_equal} of 100 calibration rows equal rows that"):
        assert len(calibrate(detector, new).calibration_scores_) == 100


@pytest.mark.parametrize("n_pairs", [3, 4])
@pytest.mark.parametrize("are_pairs_old", [True, False])
def test_more_equal_rows_than_repeat_are_an_error(rows, detector, n_pairs, are_pairs_old):
    old, new = (X.copy() for X in rows)
    repeated = old if are_pairs_old else new
    repeated[-n_pairs:] = repeated[-2 * n_pairs : -n_pairs]
    if are_pairs_old:
        detector = tiny().fit(old)
    new[:7] = old[:7]
    if 2 * n_pairs < 7:
        with pytest.raises(ValueError, match="7 of 60 rows"):
            calibrate(detector, new)
    else:
        with pytest.warns(UserWarning, match="7 of 60 calibration rows.*8 rows repeat"):
            calibrate(detector, new)
