"""TunedThresholdDetectorCV around any outlier detector: its fits, its nesting, bad input."""

import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from recording import Recorder, rising_rows
from sklearn.base import clone, is_outlier_detector
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_ae import (
    AutoencoderAnomalyDetector,
    DenseAutoencoder,
    FixedThresholdDetector,
    NormalsOnly,
    TunedThresholdDetectorCV,
)
from sklearn_ae.metrics import anomaly_scorer

FOLDS = StratifiedKFold(n_splits=2, shuffle=True, random_state=0)


@pytest.fixture(autouse=True)
def fits(monkeypatch):
    """What Recorder was fitted to."""
    begun = []
    monkeypatch.setattr(Recorder, "fits", begun)
    return begun


@pytest.fixture
def labeled_rows():
    return rising_rows()


@pytest.fixture
def clouds():
    X = np.random.default_rng(0).normal(size=(120, 2))
    X[::6] += 6
    return X, np.where(np.arange(120) % 6 == 0, -1, 1)


# These checks label samples with any two of 0, 1, 2 and 3, so pos_label must name one; one of them
# labels three samples as normal, hence the number of folds. No check is left out.
@pytest.mark.filterwarnings("ignore:A threshold cannot be tuned without labels")
@parametrize_with_checks([TunedThresholdDetectorCV(OneClassSVM(), pos_label=1, cv=3)])
def test_check_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("n_thresholds", [1, 100, [3.0, 20.0, 48.0]])
@pytest.mark.parametrize("n_folds", [2, 3])
def test_one_fit_a_fold_and_a_refit_on_normals_only(labeled_rows, fits, n_thresholds, n_folds):
    X, y = labeled_rows
    TunedThresholdDetectorCV(Recorder(), thresholds=n_thresholds, cv=n_folds).fit(X, y)
    assert len(fits) == n_folds + 1
    normal = set(X[y == 0, 0])
    for rows in fits:
        assert set(rows[:, 0]) <= normal
    # Each fold leaves other normal samples out, and the refit none.
    left_out = [normal - set(rows[:, 0]) for rows in fits]
    assert set.union(*left_out[:-1]) == normal
    assert sum(map(len, left_out)) == len(normal)
    assert left_out[-1] == set()


@pytest.mark.parametrize(
    "inner",
    [
        IsolationForest(n_estimators=10, random_state=0),
        LocalOutlierFactor(n_neighbors=10, novelty=True),
        OneClassSVM(gamma=0.1),
        EllipticEnvelope(random_state=0),
        make_pipeline(StandardScaler(), OneClassSVM(gamma=0.1)),
    ],
    ids=lambda inner: type(inner).__name__,
)
def test_any_outlier_detector(clouds, inner):
    X, y = clouds
    detector = TunedThresholdDetectorCV(inner, random_state=0).fit(X, y)
    assert detector.score(X, y) > 0.95
    expected = clone(inner).fit(X[y == 1])
    assert_array_equal(detector.score_samples(X), expected.score_samples(X))
    assert detector.offset_ == -detector.best_threshold_
    assert_array_equal(detector.decision_function(X), detector.score_samples(X) - detector.offset_)
    flagged = -detector.score_samples(X) > detector.best_threshold_
    assert_array_equal(detector.predict(X), np.where(flagged, -1, 1))
    assert is_outlier_detector(detector)
    assert detector.n_features_in_ == 2
    # The threshold is that of the display's and of every other tool's formula, too.
    fixed = FixedThresholdDetector(
        FrozenEstimator(detector.estimator_), threshold=detector.best_threshold_
    )
    assert_array_equal(fixed.predict(X), detector.predict(X))


@pytest.mark.parametrize(
    "inner",
    [
        IsolationForest(n_estimators=10, contamination=0.2, random_state=0),
        LocalOutlierFactor(n_neighbors=10, novelty=True, contamination=0.2),
        OneClassSVM(gamma=0.1, nu=0.3),
        EllipticEnvelope(contamination=0.2, random_state=0),
    ],
    ids=lambda inner: type(inner).__name__,
)
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_without_labels_the_inner_threshold_stays(clouds, inner, in_pipeline):
    X, _ = clouds
    offset = float(np.ravel(clone(inner).fit(X).offset_)[0])
    inner = make_pipeline("passthrough", inner) if in_pipeline else inner
    detector = TunedThresholdDetectorCV(inner)
    with pytest.warns(UserWarning, match="cannot be tuned without labels"):
        detector.fit(X)
    assert detector.offset_ == offset
    assert_array_equal(detector.predict(X), clone(inner).fit(X).predict(X))
    assert detector.best_score_ is None
    assert not hasattr(detector, "cv_results_")


@pytest.mark.parametrize("convert", [np.ndarray.tolist, pd.DataFrame, sp.csr_matrix, sp.coo_array])
def test_containers_without_labels(clouds, convert):
    X = convert(clouds[0])
    with pytest.warns(UserWarning, match="cannot be tuned without labels"):
        detector = TunedThresholdDetectorCV(OneClassSVM(gamma=0.1)).fit(X)
    expected = OneClassSVM(gamma=0.1).fit(X)
    assert detector.offset_ == pytest.approx(expected.offset_[0], rel=1e-12)


def test_without_labels_or_a_threshold(clouds):
    with pytest.raises(ValueError, match=r"y must be labels.*GaussianMixture"):
        TunedThresholdDetectorCV(GaussianMixture()).fit(clouds[0])


def test_frozen_detector_is_never_fitted_again(labeled_rows, fits):
    X, y = labeled_rows
    fitted = Recorder().fit(X[:5])
    detector = TunedThresholdDetectorCV(FrozenEstimator(fitted), cv=FOLDS).fit(X, y)
    assert len(fits) == 1
    assert detector.best_threshold_ == 50.5
    assert detector.estimator_.estimator is fitted


def test_single_split_without_refit_is_one_fit(labeled_rows, fits):
    X, y = labeled_rows
    detector = TunedThresholdDetectorCV(Recorder(), cv=0.4, refit=False, random_state=0).fit(X, y)
    assert len(fits) == 1
    assert 0 < len(fits[0]) < np.sum(y == 0)
    assert detector.score(X, y) > 0.9
    with pytest.raises(ValueError, match=r"refit must be True with several folds.*5 folds"):
        detector.set_params(cv=None).fit(X, y)
    assert len(fits) == 1


def test_groups_stay_together(labeled_rows, fits):
    X, y = labeled_rows
    groups = np.arange(60) // 5
    splits = list(StratifiedGroupKFold(3, shuffle=True, random_state=0).split(X, y, groups))
    TunedThresholdDetectorCV(Recorder(), cv=splits).fit(X, y)
    assert len(fits) == 4
    for rows, (train, _) in zip(fits, splits, strict=False):
        assert_array_equal(rows, X[train][y[train] == 0])


def test_splitter_is_given_labels_of_two_kinds(labeled_rows):
    X, y = labeled_rows
    # Stratified by these, a fold could lack an anomaly.
    kinds = np.array(["good", "dusty"])[np.arange(60) % 2]
    kinds[y == 1] = "crack"
    detector = TunedThresholdDetectorCV(Recorder(), cv=FOLDS, pos_label="crack").fit(X, kinds)
    expected = TunedThresholdDetectorCV(Recorder(), cv=FOLDS).fit(X, y)
    assert detector.best_score_ == expected.best_score_


def test_random_state_chooses_the_folds(labeled_rows, fits):
    X, y = labeled_rows
    for seed in [0, 0, 1]:
        TunedThresholdDetectorCV(Recorder(), random_state=seed).fit(X, y)
    first, again, other = fits[:6], fits[6:12], fits[12:]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize(
    "convert",
    [
        lambda X: X.tolist(),
        lambda X: X.reshape(60, 1, 1, 1),
        lambda X: pd.DataFrame(X, columns=["a"], index=np.arange(60) // 2),
    ],
    ids=["list", "images", "frame"],
)
def test_containers(labeled_rows, convert):
    X, y = labeled_rows
    detector = TunedThresholdDetectorCV(Recorder(), cv=FOLDS).fit(convert(X), y.tolist())
    assert detector.best_threshold_ == 50.5
    assert detector.score(convert(X), y) > 0.8


def test_sparse_rows_and_feature_names(clouds):
    X, y = clouds
    inner = OneClassSVM(gamma=0.1)
    dense = TunedThresholdDetectorCV(inner, random_state=0).fit(X, y)
    sparse = clone(dense).fit(sp.csr_matrix(X), y)
    assert_allclose(sparse.decision_function(sp.csr_matrix(X)), dense.decision_function(X))
    frame = pd.DataFrame(X, columns=["a", "b"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        named = clone(dense).fit(frame, y)
        named.predict(frame)
    assert_array_equal(named.feature_names_in_, ["a", "b"])


def test_nests_in_a_grid_search_and_a_pipeline(labeled_rows, fits):
    X, y = labeled_rows
    search = GridSearchCV(
        make_pipeline(StandardScaler(), TunedThresholdDetectorCV(Recorder(), cv=2)),
        {"tunedthresholddetectorcv__estimator__scale": [-1, 1]},
        scoring=anomaly_scorer("balanced_accuracy"),
        cv=FOLDS,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_ == {"tunedthresholddetectorcv__estimator__scale": 1}
    assert search.score(X, y) > 0.9
    # Two candidates in two folds, and the refit, of three fits each.
    assert len(fits) == 5 * 3
    scores = cross_val_score(
        TunedThresholdDetectorCV(Recorder(), cv=2), X, y, cv=FOLDS, error_score="raise"
    )
    assert np.all(scores > 0.8)


def test_folds_are_fitted_by_worker_processes(labeled_rows, fits):
    with joblib.parallel_config("loky"):
        TunedThresholdDetectorCV(Recorder(), cv=2, n_jobs=2).fit(*labeled_rows)
    # Of the three fits, this process did only that to all normal rows.
    assert len(fits) == 1


def test_parallel_folds_give_the_same(clouds):
    X, y = clouds
    serial = TunedThresholdDetectorCV(
        IsolationForest(n_estimators=5, random_state=0), random_state=0
    )
    parallel = clone(serial).set_params(n_jobs=2).fit(X, y)
    serial.fit(X, y)
    for name, values in serial.cv_results_.items():
        assert_array_equal(parallel.cv_results_[name], values)


def test_copies(clouds):
    X, y = clouds
    detector = TunedThresholdDetectorCV(
        OneClassSVM(gamma=0.1), scoring=anomaly_scorer("f1"), thresholds=[-2.0, -1.0], cv=FOLDS
    ).fit(X, y)
    restored = pickle.loads(pickle.dumps(detector))
    assert_array_equal(restored.decision_function(X), detector.decision_function(X))
    unfitted = clone(detector)
    assert unfitted.get_params()["estimator__gamma"] == 0.1
    with pytest.raises(NotFittedError):
        unfitted.predict(X)
    assert not hasattr(unfitted, "offset_")
    assert unfitted.fit(X, y).best_threshold_ == detector.best_threshold_


def test_results_are_kept_unless_they_are_not_wanted(labeled_rows):
    X, y = labeled_rows
    detector = TunedThresholdDetectorCV(Recorder()).fit(X, y)
    assert set(detector.cv_results_) == {
        "false_alarm_rates",
        "recalls",
        "scores",
        "std_scores",
        "thresholds",
    }
    assert len({len(values) for values in detector.cv_results_.values()}) == 1
    assert not hasattr(detector.set_params(store_cv_results=False).fit(X, y), "cv_results_")


def test_metadata_routing(clouds):
    X, y = clouds
    with sklearn.config_context(enable_metadata_routing=True):
        scores = cross_val_score(
            TunedThresholdDetectorCV(OneClassSVM(gamma=0.1)), X, y, cv=FOLDS, error_score="raise"
        )
    assert np.all(scores > 0.9)


SORTED = KFold(2)


@pytest.mark.parametrize(
    ("y", "keywords", "message"),
    [
        ([0] * 12, {}, r"both anomalies and normal samples: of one class, the best threshold"),
        ([-1] * 12, {}, "12 anomalies among 12 labels"),
        ([1] * 12, {}, "y is ambiguous"),
        ([0, 1, 2] * 4, {}, "pos_label"),
        (["good", "bad"] * 6, {}, "pos_label"),
        ([0, 1, np.nan] * 4, {}, "4 missing labels"),
        ([0, 1], {}, "inconsistent numbers of samples"),
        ([0] * 8 + [1] * 4, {}, r"cv must be at most the number of anomalies.* 5 folds, 4 anom"),
        ([1] * 2 + [-1] * 10, {"cv": 3}, "cv=3, which is 3 folds, 10 anomalies and 2 normal"),
        (
            [0] * 6 + [1] * 6,
            {"cv": SORTED},
            r"a fold of 0 normal samples to fit to, and 0",
        ),
        ([1] * 9 + [0] * 3, {"cv": 2}, r"Each fold of cv .* a fold of 1 normal samples to fit to"),
        ([0, 1] * 6, {"cv": []}, "cv must have at least one split"),
        ([0, 1] * 6, {"cv": GroupKFold(2)}, "'groups' parameter should not be None"),
        ([0, 1] * 6, {"cv": 1.5}, "'cv' parameter of TunedThresholdDetectorCV must be"),
        ([0, 1] * 6, {"thresholds": []}, r"ascending order, each once.*thresholds=\[\]"),
        ([0, 1] * 6, {"thresholds": [2, 1]}, "thresholds must be"),
        ([0, 1] * 6, {"thresholds": [1, 1, 2]}, "thresholds must be"),
        ([0, 1] * 6, {"thresholds": [1, np.nan]}, "thresholds must be"),
        ([0, 1] * 6, {"thresholds": [[1, 2]]}, "thresholds must be"),
        ([0, 1] * 6, {"thresholds": [[1], [1, 2]]}, "thresholds must be"),
        ([0, 1] * 6, {"thresholds": ["low", "high"]}, "thresholds must be"),
        ([0, 1] * 6, {"thresholds": 0}, "'thresholds' parameter of TunedThresholdDetectorCV"),
        ([0, 1] * 6, {"thresholds": None}, "'thresholds' parameter of TunedThresholdDetectorCV"),
        ([0, 1] * 6, {"scoring": "roc_auc"}, "'scoring' parameter of TunedThresholdDetectorCV"),
        ([0, 1] * 6, {"scoring": None}, "'scoring' parameter of TunedThresholdDetectorCV"),
        (
            [0, 1] * 6,
            {"scoring": anomaly_scorer("roc_auc")},
            r"scoring must judge predictions.*Received: scoring=anomaly_scorer\('roc_auc'\)",
        ),
        ([0, 1] * 6, {"max_false_alarm_rate": 1}, "'max_false_alarm_rate' parameter of"),
        ([0, 1] * 6, {"max_false_alarm_rate": -0.1}, "'max_false_alarm_rate' parameter of"),
        (
            [0, 1] * 6,
            {"estimator": LocalOutlierFactor()},
            "'estimator' parameter of TunedThresholdDetectorCV must be",
        ),
        (None, {"thresholds": [2, 1]}, "thresholds must be"),
    ],
)
def test_refuses_before_any_fit(y, keywords, message, fits):
    parameters = {"estimator": Recorder(fails=True)} | keywords
    with pytest.raises(ValueError, match=message):
        TunedThresholdDetectorCV(**parameters).fit(np.arange(12.0)[:, np.newaxis], y)
    assert fits == []


def test_failed_fit_leaves_the_detector_as_it_was(labeled_rows):
    X, y = labeled_rows
    detector = TunedThresholdDetectorCV(Recorder(), cv=FOLDS).fit(X, y)
    before = dict(vars(detector))
    with pytest.raises(RuntimeError, match="no fit"):
        detector.set_params(estimator=Recorder(fails=True)).fit(X, y)
    for name in ["estimator_", "best_threshold_", "best_score_", "cv_results_"]:
        assert vars(detector)[name] is before[name]


def test_autoencoder(clouds):
    X, y = clouds
    network = AutoencoderAnomalyDetector(
        architecture=DenseAutoencoder(units=(4,)), latent_dim=1, epochs=2, random_state=0
    )
    detector = TunedThresholdDetectorCV(NormalsOnly(network), cv=2, random_state=0).fit(X, y)
    assert detector.score(X, y) > 0.9


@pytest.mark.parametrize("score", [{"f1": 0.5}, np.array([0.5]), "0.5"])
def test_scorers_of_anything_but_one_number_are_refused(labeled_rows, score):
    X, y = labeled_rows
    detector = TunedThresholdDetectorCV(Recorder(), scoring=lambda estimator, X, y: score, cv=FOLDS)
    with pytest.raises(TypeError, match=f"scorer that returns one number.*{type(score).__name__}"):
        detector.fit(X, y)
