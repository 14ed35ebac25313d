"""No fit inside a search gets a labeled anomaly, and a grid over thresholds fits nothing."""

import numpy as np
import pytest
from recording import Recorder
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    LeaveOneGroupOut,
    RandomizedSearchCV,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_ae import FixedThresholdDetector, NormalsOnly, TunedThresholdDetectorCV
from sklearn_ae.metrics import anomaly_scorer

SHUFFLED = StratifiedKFold(n_splits=3, shuffle=True, random_state=0)
GROUPED = StratifiedGroupKFold(n_splits=3, shuffle=True, random_state=0)
N_ROWS = 90
# Sorted by label, so that unshuffled folds would hold one class.
IS_ANOMALY = np.arange(N_ROWS) >= 72
# Row numbers, which tell what reached a fit: those from 72 on are anomalies.
X = np.arange(float(N_ROWS))[:, np.newaxis]
GROUPS = np.arange(N_ROWS) % 9


@pytest.fixture(autouse=True)
def fits(monkeypatch):
    """What Recorder was fitted to."""
    begun = []
    monkeypatch.setattr(Recorder, "fits", begun)
    return begun


def count_anomalies(fits):
    return [int(np.sum(IS_ANOMALY[np.ravel(rows).astype(int)])) for rows in fits]


def in_pipeline(detector):
    return make_pipeline(FunctionTransformer(), detector)


WRAPPED = {
    "NormalsOnly": (NormalsOnly, "estimator__scale"),
    "NormalsOnly of a pipeline": (
        lambda detector, **kw: NormalsOnly(in_pipeline(detector), **kw),
        "estimator__recorder__scale",
    ),
    "pipeline of NormalsOnly": (
        lambda detector, **kw: in_pipeline(NormalsOnly(detector, **kw)),
        "normalsonly__estimator__scale",
    ),
    "FixedThresholdDetector of NormalsOnly": (
        lambda detector, **kw: FixedThresholdDetector(
            NormalsOnly(detector, **kw), threshold=71.5, **kw
        ),
        "estimator__estimator__scale",
    ),
    "NormalsOnly of FixedThresholdDetector": (
        lambda detector, **kw: NormalsOnly(FixedThresholdDetector(detector, threshold=71.5), **kw),
        "estimator__estimator__scale",
    ),
}


@pytest.mark.parametrize(("wrap", "parameter"), WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize("labels", [(1, -1), (0, 1), (False, True), ("good", "crack")])
@pytest.mark.parametrize(
    ("cv", "groups"), [(SHUFFLED, None), (GROUPED, GROUPS)], ids=["rows", "groups"]
)
def test_grid_search_fits_to_normal_rows_only(fits, wrap, parameter, labels, cv, groups):
    keywords = {"pos_label": "crack"} if "crack" in labels else {}
    y = np.where(IS_ANOMALY, labels[1], labels[0])
    search = GridSearchCV(
        wrap(Recorder(), **keywords), {parameter: [1, -1]}, cv=cv, error_score="raise"
    ).fit(X, y, groups=groups)
    assert len(fits) == 2 * 3 + 1
    assert count_anomalies(fits) == [0] * 7
    # No normal row is lost: of each training part all of them, and in the refit of all rows.
    for rows, (train, _) in zip(fits, [*cv.split(X, y, groups)] * 2, strict=False):
        np.testing.assert_array_equal(rows, X[train][~IS_ANOMALY[train]])
    np.testing.assert_array_equal(fits[-1], X[~IS_ANOMALY])
    # Anomalies serve the choice nevertheless.
    assert search.best_params_ == {parameter: 1}
    assert search.score(X, y) > 0.5


def test_without_the_wrapper_anomalies_are_learned(fits):
    class Unlabeled(Recorder):
        def fit(self, X, y=None):
            return super().fit(X)

    y = np.where(IS_ANOMALY, -1, 1)
    GridSearchCV(Unlabeled(), {}, cv=SHUFFLED, scoring=anomaly_scorer("roc_auc")).fit(X, y)
    assert count_anomalies(fits) == [12, 12, 12, 18]


@pytest.mark.parametrize("scoring", [None, "anomaly", "several"])
@pytest.mark.parametrize("search_class", [GridSearchCV, RandomizedSearchCV])
def test_other_searches_and_scorings(fits, scoring, search_class):
    keywords = {"n_iter": 2} if search_class is RandomizedSearchCV else {}
    if scoring == "anomaly":
        keywords["scoring"] = anomaly_scorer("average_precision")
    elif scoring == "several":
        keywords["scoring"] = {name: anomaly_scorer(name) for name in ["roc_auc", "f1"]}
        keywords["refit"] = "roc_auc"
    search = search_class(
        NormalsOnly(Recorder()),
        {"estimator__scale": [-1, 1]},
        cv=SHUFFLED,
        error_score="raise",
        **keywords,
    ).fit(X, IS_ANOMALY)
    assert count_anomalies(fits) == [0] * 7
    assert search.best_params_ == {"estimator__scale": 1}


def test_cross_validation_fits_to_normal_rows_only(fits):
    y = np.where(IS_ANOMALY, -1, 1)
    cross_validate(NormalsOnly(Recorder()), X, y, cv=SHUFFLED, error_score="raise")
    predictions = cross_val_predict(NormalsOnly(Recorder()), X, y, cv=SHUFFLED)
    assert count_anomalies(fits) == [0] * 6
    assert set(predictions) == {-1, 1}


def test_tuned_threshold_in_a_grid_search_fits_to_normal_rows_only(fits):
    search = GridSearchCV(
        TunedThresholdDetectorCV(Recorder(), cv=2, random_state=0),
        {"estimator__scale": [-1, 1]},
        cv=GROUPED,
        error_score="raise",
    ).fit(X, IS_ANOMALY, groups=GROUPS)
    assert count_anomalies(fits) == [0] * (2 * 3 + 1) * 3
    assert search.best_estimator_.best_threshold_ == 71.5


def mean_score(estimator, X):
    return np.mean(estimator.score_samples(X))


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored by KFold")
@pytest.mark.parametrize("cv", [KFold(3, shuffle=True, random_state=0), LeaveOneGroupOut()])
def test_without_labels_every_row_is_normal(fits, cv):
    GridSearchCV(
        NormalsOnly(Recorder()),
        {"estimator__scale": [1, 2]},
        scoring=mean_score,
        cv=cv,
        error_score="raise",
    ).fit(X, groups=GROUPS)
    splits = [*cv.split(X, groups=GROUPS)] * 2
    assert len(fits) == len(splits) + 1
    for rows, (train, _) in zip(fits, splits, strict=False):
        np.testing.assert_array_equal(rows, X[train])
    np.testing.assert_array_equal(fits[-1], X)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda fitted: FixedThresholdDetector(FrozenEstimator(fitted), threshold=0),
        lambda fitted: FixedThresholdDetector(NormalsOnly(FrozenEstimator(fitted)), threshold=0),
        lambda fitted: FixedThresholdDetector(
            FrozenEstimator(NormalsOnly(fitted).fit(X)), threshold=0
        ),
    ],
    ids=["frozen", "frozen inside", "frozen outside"],
)
def test_threshold_grid_of_a_frozen_detector_fits_nothing(fits, wrap):
    detector = wrap(Recorder().fit(X[:10]))
    n_fits = len(fits)
    search = GridSearchCV(
        detector,
        {"threshold": np.linspace(0, 89, 90)},
        cv=SHUFFLED,
        scoring=anomaly_scorer("f1"),
        error_score="raise",
    ).fit(X, IS_ANOMALY)
    assert len(fits) == n_fits
    assert search.best_params_ == {"threshold": 71}
    assert search.best_score_ == 1


@pytest.mark.parametrize(("y", "n_normals"), [(np.arange(9) > 1, 1), (np.ones(9, dtype=bool), 0)])
def test_too_few_normal_rows_are_an_error_before_any_fit(fits, y, n_normals):
    search = GridSearchCV(
        NormalsOnly(Recorder()), {}, cv=KFold(2, shuffle=True, random_state=0), error_score="raise"
    )
    with pytest.raises(ValueError, match=rf"two samples as normal.*Received: {n_normals} normal"):
        search.fit(X[:9], y)
    assert fits == []


def test_anomaly_labels_of_a_group_left_out(fits):
    # The anomalies of one fold are all of one group: other folds have none to test on.
    groups = np.where(IS_ANOMALY, 9, GROUPS)
    search = GridSearchCV(NormalsOnly(Recorder()), {}, cv=LeaveOneGroupOut(), error_score="raise")
    with pytest.raises(ValueError, match=r"both anomalies and normal.*0 anomalies among"):
        search.fit(X, IS_ANOMALY, groups=groups)
    assert count_anomalies(fits) == [0]


# Among 0 and 1, the convention would take 1 for the anomaly, so the good rows.
GOOD_IS_ONE = np.where(IS_ANOMALY, 0, 1)


def test_pos_label_of_an_inner_wrapper_is_that_of_the_outer(fits):
    """Read by convention, the worst threshold would be the best."""
    detector = FixedThresholdDetector(NormalsOnly(Recorder(), pos_label=0), threshold=71.5)
    search = GridSearchCV(
        detector, {"threshold": [10.0, 71.5, 1000.0]}, cv=SHUFFLED, error_score="raise"
    ).fit(X, GOOD_IS_ONE)
    assert search.best_params_ == {"threshold": 71.5}
    assert search.best_score_ == search.score(X, GOOD_IS_ONE) == 1
    assert count_anomalies(fits) == [0] * len(fits)


def test_threshold_is_tuned_by_the_pos_label_of_a_frozen_detector(fits):
    frozen = FrozenEstimator(NormalsOnly(Recorder(), pos_label=0).fit(X, GOOD_IS_ONE))
    detector = TunedThresholdDetectorCV(frozen, random_state=0).fit(X, GOOD_IS_ONE)
    assert detector.best_threshold_ == 71.5
    assert detector.score(X, GOOD_IS_ONE) == 1
    assert count_anomalies(fits) == [0]


@pytest.mark.parametrize("wrap", [TunedThresholdDetectorCV, NormalsOnly])
def test_outer_wrapper_never_learns_what_an_inner_one_calls_an_anomaly(fits, wrap):
    detector = wrap(NormalsOnly(Recorder(), pos_label=0)).fit(X, GOOD_IS_ONE)
    assert len(fits) > 0
    assert count_anomalies(fits) == [0] * len(fits)
    assert max(map(len, fits)) == np.sum(~IS_ANOMALY)
    if wrap is TunedThresholdDetectorCV:
        assert detector.score(X, GOOD_IS_ONE) == 1


@pytest.mark.parametrize("wrap", [TunedThresholdDetectorCV, NormalsOnly])
def test_wrappers_that_name_different_labels_are_refused(fits, wrap):
    with pytest.raises(ValueError, match=r"pos_label must be one label .*several labels"):
        wrap(NormalsOnly(Recorder(), pos_label=0), pos_label=1).fit(X, GOOD_IS_ONE)
    assert fits == []


def test_scorer_that_reads_the_labels_otherwise_is_refused(fits):
    scoring = anomaly_scorer("f1", pos_label=0)
    with pytest.raises(ValueError, match="scoring must take the same samples for anomalies"):
        TunedThresholdDetectorCV(Recorder(), scoring=scoring).fit(X, GOOD_IS_ONE)
    assert fits == []
    agreeing = TunedThresholdDetectorCV(Recorder(), scoring=scoring, pos_label=0)
    assert agreeing.fit(X, GOOD_IS_ONE).best_score_ == 1
