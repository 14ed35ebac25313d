"""What ConformalDetector refuses, and what it answers to scores that say little."""

import warnings

import numpy as np
import pytest
from calibrating import calibrated, column
from numpy.testing import assert_array_equal
from recording import Recorder, rising_rows
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ae import ConformalDetector, FixedThresholdDetector, NormalsOnly


@pytest.fixture(autouse=True)
def fits(monkeypatch):
    """What Recorder was fitted to."""
    begun = []
    monkeypatch.setattr(Recorder, "fits", begun)
    return begun


@pytest.fixture
def cloud():
    return np.random.default_rng(0).normal(size=(400, 2))


@pytest.mark.parametrize(
    ("rate", "confidence", "n_needed"),
    [
        (0.05, None, 19),
        (0.01, None, 99),
        (0.005, None, 199),
        (0.07, None, 14),
        (0.5, None, 1),
        (1 - 0.9, None, 9),  # 1 / (1 - 0.9) is more than 10 in floating point
        (0.099999, None, 10),
        (0.2, 0.67232, 5),  # 1 - 0.8 ** 5; the ratio of logarithms is more than 5
        (0.05, 0.95, 59),
        (0.01, 0.95, 299),
        (0.005, 0.95, 598),
    ],
)
def test_too_few_rows_are_refused_before_any_fit(rate, confidence, n_needed, fits):
    keywords = {"false_alarm_rate": rate, "confidence": confidence}
    X = column(range(2 * n_needed))
    for calibration_size in (n_needed, 0.5):
        detector = ConformalDetector(Recorder(), calibration_size=calibration_size, **keywords)
        assert len(detector.fit(X).calibration_scores_) == n_needed
    if n_needed == 1:
        return
    fits.clear()
    message = rf"={confidence} needs {n_needed} calibration rows.*{n_needed - 1} calibration rows"
    with pytest.raises(ValueError, match=message):
        ConformalDetector(Recorder(), calibration_size=n_needed - 1, **keywords).fit(X)
    with pytest.raises(ValueError, match=message):
        ConformalDetector(Recorder(), **keywords, calibration_size=0.5).fit(X[2:])
    assert fits == []
    with pytest.raises(ValueError, match=message):
        calibrated(range(n_needed - 1), **keywords)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"false_alarm_rate": 0}, ValueError, "'false_alarm_rate' parameter of ConformalDetector"),
        ({"false_alarm_rate": 1}, ValueError, "'false_alarm_rate' parameter of ConformalDetector"),
        ({"false_alarm_rate": np.nan}, ValueError, "'false_alarm_rate' parameter"),
        ({"confidence": 0.0}, ValueError, "'confidence' parameter of ConformalDetector"),
        ({"confidence": 95}, ValueError, "'confidence' parameter of ConformalDetector"),
        ({"calibration_size": 0}, ValueError, "'calibration_size' parameter"),
        ({"calibration_size": 1.0}, ValueError, "'calibration_size' parameter"),
        ({"calibration_size": 100}, ValueError, r"must leave rows .*=100 of n_samples=100 rows"),
        ({"calibration_size": 0.999}, ValueError, r"must leave rows to fit to.*=0.999 of"),
        ({"calibration_size": True}, ValueError, "calibration_size must be .*=True"),
        ({"calibration_size": np.True_}, ValueError, "calibration_size.*True"),
        ({"false_alarm_rate": 1e-320}, ValueError, r"needs \d{19} calibration rows at least"),
        ({"false_alarm_rate": 1e-320, "confidence": 0.9}, ValueError, r"needs \d{19} calib"),
        ({"estimator": LocalOutlierFactor()}, TypeError, "LocalOutlierFactor"),
        ({"estimator": LogisticRegression()}, TypeError, "must be an outlier detector"),
        ({"estimator": StandardScaler()}, TypeError, "of type StandardScaler"),
        ({"estimator": "iforest"}, ValueError, "'estimator' parameter of ConformalDetector"),
    ],
)
def test_refuses_before_any_fit(parameters, error, message, fits):
    parameters = {"estimator": Recorder(fails=True)} | parameters
    with pytest.raises(error, match=message):
        ConformalDetector(**parameters).fit(column(range(100)))
    assert fits == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_calibration_scores_must_be_finite(bad):
    with pytest.raises(ValueError, match=r"finite scores. Received: 1 scores.*of 20"):
        calibrated([bad, *range(19)])


def test_scores_that_are_nan_are_no_normal_samples():
    detector = calibrated(range(19))
    X = column([0, np.nan, np.nan])
    for method in ("predict", "decision_function", "score_samples", "p_values", "discoveries"):
        with pytest.raises(ValueError, match=r"Received: 2 scores that are NaN, of 3"):
            getattr(detector, method)(X)
    # Infinite ones are beyond all others.
    infinite = column([-np.inf, np.inf])
    assert_array_equal(detector.predict(infinite), [-1, 1])
    assert_array_equal(detector.p_values(infinite), [1 / 20, 1])


class WrongShape(Recorder):
    """A detector whose scores are not one for each row."""

    def __init__(self, change=None):
        self.change = change

    fails, scale = False, 1

    def score_samples(self, X):
        return self.change(super().score_samples(X))


@pytest.mark.parametrize(
    ("change", "shape"),
    [
        (lambda scores: scores[1:], r"\(29,\)"),
        (lambda scores: scores[:, np.newaxis], r"\(30, 1\)"),
        (lambda scores: np.stack([scores, scores], axis=1), r"\(30, 2\)"),
        (lambda scores: 1.0, r"\(\)"),
    ],
    ids=["one missing", "column", "two columns", "number"],
)
def test_scores_must_be_one_for_each_row(change, shape):
    detector = ConformalDetector(WrongShape(change), random_state=0)
    message = rf"score_samples of the.* shape \(30,\). Received: .* shape {shape} .*WrongShape"
    with pytest.raises(ValueError, match=message):
        detector.fit(column(range(100)))
    assert not hasattr(detector, "estimator_")


@pytest.mark.parametrize(
    "estimator",
    [
        NormalsOnly(Recorder()),
        make_pipeline(StandardScaler(), NormalsOnly(Recorder())),
        FixedThresholdDetector(NormalsOnly(Recorder()), threshold=1),
        FrozenEstimator(NormalsOnly(Recorder())),
        GridSearchCV(NormalsOnly(Recorder()), {"estimator__scale": [1]}),
    ],
    ids=["outermost", "in a pipeline", "in a wrapper", "frozen", "in a search"],
)
def test_labels_must_not_be_lost_on_the_way_to_normals_only(estimator, fits):
    X, y = rising_rows()
    detector = ConformalDetector(estimator)
    with pytest.raises(ValueError, match=r"write NormalsOnly\(ConformalDetector\(detector\)\)"):
        detector.fit(X, y)
    assert fits == []
    if not isinstance(estimator, FrozenEstimator | GridSearchCV):  # these need more than X
        assert (
            len(detector.set_params(calibration_size=20).fit(X[y == 0]).calibration_scores_) == 20
        )


def test_scores_that_are_close_give_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert calibrated(1e-9 * np.arange(39)).offset_ == 1e-9


def test_equal_scores_give_a_warning_and_flag_what_is_lower():
    with pytest.warns(UserWarning, match="All 39 calibration rows have the score 7. Only samples"):
        detector = calibrated([7] * 39)
    X = column([6, 7, 8])
    assert_array_equal(detector.predict(X), [-1, 1, 1])
    assert_array_equal(detector.p_values(X), [1 / 40, 1, 1])


@pytest.mark.parametrize("fdr", [0, 1, -0.1, np.nan, None, "0.1"])
def test_discoveries_refuse_other_rates(fdr):
    with pytest.raises(ValueError, match=r"fdr must be a number in \(0, 1\). Received"):
        calibrated(range(19)).discoveries(column([0]), fdr=fdr)


def test_failed_fit_leaves_the_detector_as_it_was(cloud):
    detector = ConformalDetector(Recorder(), random_state=0).fit(cloud)
    before = dict(vars(detector))
    for estimator in (Recorder(fails=True), Recorder(scale=np.nan)):
        with pytest.raises((RuntimeError, ValueError), match=r"no fit|finite"):
            detector.set_params(estimator=estimator).fit(cloud)
        after = vars(detector) | {"estimator": before["estimator"]}
        assert all(after[name] is before[name] for name in before)


@pytest.mark.parametrize("number", [np.float16, np.float32])
def test_numbers_of_numpy_are_read_as_numbers(cloud, number):
    detector = ConformalDetector(
        IsolationForest(n_estimators=2, random_state=0),
        false_alarm_rate=number(0.25),
        calibration_size=number(0.5),
        random_state=0,
    ).fit(cloud)
    assert detector.calibration_report().rank == (len(detector.calibration_scores_) + 1) // 4


def test_no_rows_are_said_to_be_none(cloud):
    with pytest.raises(ValueError, match="n_samples=0"):
        ConformalDetector(IsolationForest()).fit(cloud[:0])


class Foreign:
    """A detector as those of PyOD are: no estimator of scikit-learn, and high for anomalies."""

    def fit(self, X, y=None):
        raise AssertionError("a training began")

    def decision_function(self, X):
        return np.abs(X).sum(axis=1)

    def get_params(self, deep=True):
        return {}


def test_detectors_that_are_none_of_scikit_learn_are_refused_before_training(cloud):
    with pytest.raises(TypeError, match=r"BaseEstimator.*PyOD.*type Foreign"):
        ConformalDetector(Foreign()).fit(cloud)
