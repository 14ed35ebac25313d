"""ConformalDetector around any outlier detector: p-values and labels."""

import pickle
import warnings
from fractions import Fraction
from math import comb

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from calibrating import calibrated, column
from numpy.testing import assert_array_equal
from recording import Recorder, rising_rows
from scipy.stats import beta, binom
from sklearn.base import BaseEstimator, OutlierMixin, clone, is_outlier_detector
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version
from tiny_networks import tiny, tiny_conv

import sklearn_ae
from sklearn_ae import ConformalDetector, NormalsOnly
from sklearn_ae.thresholds import CalibrationReport

# As in test_sklearn_compat.py: scikit-learn 1.6 scores with labels {1, 2}.
EXPECTED_FAILURES = {}
if parse_version(sklearn.__version__) < parse_version("1.7"):
    EXPECTED_FAILURES["check_pipeline_consistency"] = "labels {1, 2} need a pos_label"


@pytest.fixture(autouse=True)
def fits(monkeypatch):
    """What Recorder was fitted to."""
    begun = []
    monkeypatch.setattr(Recorder, "fits", begun)
    return begun


@pytest.fixture
def cloud():
    return np.random.default_rng(0).normal(size=(400, 2))


# The checks fit too few rows for lower rates.
@parametrize_with_checks(
    [
        ConformalDetector(inner, false_alarm_rate=0.5)
        for inner in (OneClassSVM(), IsolationForest(n_estimators=5, random_state=0))
    ],
    expected_failed_checks=lambda _: EXPECTED_FAILURES,
)
def test_check_estimator(estimator, check):
    check(estimator)


def test_public_names():
    assert sklearn_ae.ConformalDetector is sklearn_ae.thresholds.ConformalDetector
    assert list(ConformalDetector(OneClassSVM()).get_params(deep=False)) == [
        "calibration_size",
        "confidence",
        "estimator",
        "false_alarm_rate",
        "random_state",
    ]


@pytest.mark.parametrize(
    ("n_rows", "rate", "rank"),
    [
        (19, 0.05, 1),
        (20, 0.14, 2),  # of 2.94
        (38, 0.05, 1),
        (39, 0.05, 2),
        (99, 0.29, 29),  # 0.29 * 100 is less than 29 in floating point
        (9, 1 - 0.9, 1),  # and so is this less than 0.1
        (1, 0.5, 1),
        (2000, 0.01, 20),
        (10, 1 - 1e-12, 10),
    ],
)
def test_offset_without_confidence(n_rows, rate, rank):
    scores = np.random.default_rng(0).permutation(np.arange(1.0, n_rows + 1))
    detector = calibrated(scores, false_alarm_rate=rate)
    assert detector.offset_ == rank
    assert detector.calibration_report().rank == rank


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.999])
@pytest.mark.parametrize("n_rows", [700, 1001])
def test_offset_with_confidence(n_rows, rate, confidence):
    # P(Beta(k, n + 1 - k) <= rate) = P(Binomial(n, rate) >= k): tried for every k.
    ranks = np.arange(1, n_rows + 1)
    rank = ranks[binom.sf(ranks - 1, n_rows, rate) >= confidence].max()
    detector = calibrated(np.arange(1.0, n_rows + 1), false_alarm_rate=rate, confidence=confidence)
    assert detector.offset_ == rank


def test_confidence_that_is_met_exactly():
    # Both scores are at least the median with probability 1/4.
    assert calibrated([1, 2], false_alarm_rate=0.5, confidence=0.75).offset_ == 1
    # P(Binomial(5, 1/2) >= 1) = 31/32.
    assert calibrated(range(5), false_alarm_rate=0.5, confidence=31 / 32).offset_ == 0


@pytest.mark.parametrize("n_rows", [15, 39])
def test_confidence_that_is_met_but_for_a_rounding_error(n_rows):
    """Exact probabilities, some of which SciPy finds a little smaller."""
    scores = np.arange(1.0, n_rows + 1)
    for rank in range(1, n_rows + 1):
        n_outcomes = sum(comb(n_rows, i) for i in range(rank, n_rows + 1))
        confidence = n_outcomes / 2**n_rows  # P(Binomial(n, 1/2) >= rank)
        assert calibrated(scores, false_alarm_rate=0.5, confidence=confidence).offset_ == rank


def test_p_values_count_calibration_scores_at_most_as_high():
    detector = calibrated([3, 1, 2, 2], false_alarm_rate=0.4)
    X = column([0, 1, 1.5, 2, 2.5, 3, 4])
    assert_array_equal(detector.p_values(X), np.array([1, 2, 2, 4, 4, 5, 5]) / 5)
    assert_array_equal(detector.calibration_scores_, [1, 2, 2, 3])
    assert detector.calibration_scores_.dtype == detector.p_values(X).dtype == np.float64
    assert detector.offset_ == 2
    # A score that equals the threshold is normal.
    assert_array_equal(detector.predict(X), [-1, -1, -1, 1, 1, 1, 1])


@pytest.mark.parametrize("n_values", [2, 3, 10, 10**6], ids=lambda n: f"{n}_values")
@pytest.mark.parametrize("n_rows", [19, 20, 59, 200])
@pytest.mark.parametrize("confidence", [None, 0.9])
def test_labels_follow_from_p_values(n_values, n_rows, confidence):
    """With ties and without: a row is flagged if and only if its p-value is at most k/(n+1)."""
    rng = np.random.default_rng(n_rows)
    for rate in (0.12, 0.25, 0.5, 0.77):
        detector = calibrated(
            rng.integers(n_values, size=n_rows).astype(float),
            false_alarm_rate=rate,
            confidence=confidence,
        )
        X = column(rng.integers(-1, n_values + 1, size=500))
        flagged = detector.predict(X) == -1
        report = detector.calibration_report()
        assert_array_equal(flagged, detector.p_values(X) <= report.expected_rate)
        assert_array_equal(flagged, detector.decision_function(X) < 0)
        if confidence is None:
            limit = Fraction(str(rate))
            assert_array_equal(
                flagged,
                [
                    Fraction(round(p * (n_rows + 1)), n_rows + 1) <= limit
                    for p in detector.p_values(X)
                ],
            )


@pytest.mark.parametrize(
    "inner",
    [
        IsolationForest(n_estimators=20, random_state=0),
        LocalOutlierFactor(n_neighbors=10, novelty=True),
        OneClassSVM(gamma=0.1),
        EllipticEnvelope(random_state=0),
        make_pipeline(StandardScaler(), OneClassSVM(gamma=0.1)),
        tiny(epochs=2),
    ],
    ids=lambda inner: type(inner).__name__,
)
def test_any_outlier_detector(cloud, inner):
    detector = ConformalDetector(inner, calibration_size=0.5, random_state=0).fit(cloud)
    new = np.random.default_rng(1).normal(size=(2000, 2))
    # The rate of one calibration of 200 rows follows Beta(10, 191): 0.05 +- 0.015.
    assert 0.01 < np.mean(detector.predict(new) == -1) < 0.1
    assert_array_equal(detector.predict([[9.0, -9.0], [0.0, 0.0]]), [-1, 1])
    calibration = detector.calibration_indices_
    assert len(set(calibration)) == 200
    training = np.setdiff1d(np.arange(400), calibration)
    expected = clone(inner).fit(cloud[training])
    assert_array_equal(detector.score_samples(new), expected.score_samples(new))
    scores = detector.score_samples(cloud)[calibration]
    np.testing.assert_allclose(detector.calibration_scores_, scores, rtol=1e-5)
    assert_array_equal(
        detector.decision_function(new), detector.score_samples(new) - detector.offset_
    )
    assert is_outlier_detector(detector)
    assert detector.n_features_in_ == 2


class OnlyDecisions(OutlierMixin, BaseEstimator):
    """A detector without `score_samples`, as those of some other packages are."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def decision_function(self, X):
        return np.asarray(X, dtype=np.float32)[:, 0]


def test_detector_with_a_decision_function_only(cloud):
    detector = ConformalDetector(OnlyDecisions(), random_state=0).fit(cloud)
    assert detector.score_samples(cloud).dtype == np.float64
    assert_array_equal(detector.score_samples(cloud), cloud[:, 0].astype(np.float32))
    assert_array_equal(detector.predict(cloud) == -1, cloud[:, 0] < detector.offset_)


def test_frozen_detector_is_calibrated_with_all_rows(fits):
    fitted = Recorder().fit(column([0]))
    detector = ConformalDetector(FrozenEstimator(fitted), calibration_size=0.1)
    detector.fit(column(range(19)), ["ignored"])
    assert len(fits) == 1
    assert detector.estimator_.estimator is fitted
    assert_array_equal(detector.calibration_indices_, np.arange(19)[::-1])
    assert detector.offset_ == -18


@pytest.mark.parametrize(
    "unfitted",
    [IsolationForest(), tiny(), NormalsOnly(tiny()), make_pipeline(StandardScaler(), tiny())],
    ids=["forest", "network", "wrapped", "pipeline"],
)
def test_frozen_detector_must_be_fitted(cloud, unfitted):
    with pytest.raises(NotFittedError):
        ConformalDetector(FrozenEstimator(unfitted)).fit(cloud)


def test_training_and_calibration_rows_are_apart(fits):
    X = column(np.random.default_rng(0).permutation(100))
    y = np.where(X[:, 0] > 90, -1, 1)  # ignored, and not handed on: Recorder would not take it
    detector = ConformalDetector(Recorder(scale=-1), random_state=0).fit(X, y)
    (training,) = fits
    assert len(training) == 70
    assert set(training[:, 0]).isdisjoint(detector.calibration_scores_)
    assert_array_equal(X[detector.calibration_indices_, 0], detector.calibration_scores_)
    again = clone(detector).fit(X)
    other = clone(detector).set_params(random_state=1).fit(X)
    assert_array_equal(again.calibration_indices_, detector.calibration_indices_)
    assert set(other.calibration_indices_) != set(detector.calibration_indices_)
    assert len(clone(detector).set_params(calibration_size=25).fit(X).calibration_scores_) == 25


def test_discoveries_are_those_of_benjamini_and_hochberg():
    detector = calibrated(range(1, 20))
    # p-values 1/20, 1/20, 8/20 and 1: with 0.1, both of the first two, at 2/4 of 0.1.
    X = column([0, 0, 7, 20])
    assert_array_equal(detector.discoveries(X), [True, True, False, False])
    assert_array_equal(detector.discoveries(X[1:], fdr=0.14), [False] * 3)
    assert_array_equal(detector.discoveries(X[1:], fdr=0.15), [True, False, False])
    assert_array_equal(detector.discoveries(column([20, 20])), [False, False])


def test_report():
    report = calibrated(range(1, 60), confidence=0.95).calibration_report()
    assert isinstance(report, CalibrationReport)
    assert (report.n_calibration, report.rank, report.offset, report.threshold) == (59, 1, 1, -1)
    assert report.expected_rate == 1 / 60
    assert report.certified_level == pytest.approx(1 - 0.95**59)
    # Beta(1, n) has the distribution function 1 - (1 - x)^n.
    expected = [1 - (1 - q) ** (1 / 59) for q in (0.025, 0.975)]
    assert report.interval == pytest.approx(expected)
    lines = str(report).splitlines()
    assert lines[2].split() == ["calibration", "rows,", "n", "59"]
    assert len({line.rindex("  ") for line in lines}) == 1


@pytest.mark.parametrize(("confidence", "rank"), [(0.8, 3), (0.99, 1)])
def test_interval_of_the_report_has_the_confidence_asked_for(confidence, rank):
    report = calibrated(range(1, 101), confidence=confidence).calibration_report()
    assert report.rank == rank
    tail = (1 - confidence) / 2
    law = beta(rank, 101 - rank)
    assert report.interval == pytest.approx((law.ppf(tail), law.isf(tail)))
    low, high = report.interval
    line = f"central {confidence} interval of the true rate"
    (found,) = (text for text in str(report).splitlines() if text.startswith(line))
    assert found.removeprefix(line).strip() == f"{low:.4g} to {high:.4g}"


def test_rows_of_equal_scores_keep_their_order():
    detector = calibrated(np.tile([2, 1], 200))
    expected = np.concatenate([np.arange(1, 400, 2), np.arange(0, 400, 2)])
    assert_array_equal(detector.calibration_indices_, expected)


def test_report_is_that_of_the_fit():
    detector = calibrated(range(19))
    text = str(detector.calibration_report())
    assert str(detector.set_params(false_alarm_rate=0.5).calibration_report()) == text
    assert "0.05" in text
    assert "none" in text


@pytest.mark.parametrize(
    "convert",
    [
        lambda X: X.tolist(),
        lambda X: X.reshape(60, 1, 1, 1),
        lambda X: pd.DataFrame(X, columns=["a"], index=np.arange(60) // 2),
    ],
    ids=["list", "images", "frame"],
)
def test_containers(convert):
    X, _ = rising_rows()
    expected = ConformalDetector(Recorder(), false_alarm_rate=0.2, random_state=0).fit(X)
    detector = clone(expected).fit(convert(X))
    assert_array_equal(detector.p_values(convert(X)), expected.p_values(X))


def test_sparse_rows_and_feature_names(cloud):
    dense = ConformalDetector(OneClassSVM(gamma=0.1), random_state=0).fit(cloud)
    sparse = clone(dense).fit(sp.csr_matrix(cloud))
    assert_array_equal(sparse.calibration_indices_, dense.calibration_indices_)
    frame = pd.DataFrame(cloud, columns=["a", "b"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        named = clone(dense).fit(frame)
        assert_array_equal(named.p_values(frame), dense.p_values(cloud))
    assert_array_equal(named.feature_names_in_, ["a", "b"])


def test_autoencoder_of_images():
    X = np.random.default_rng(0).integers(0, 256, size=(80, 8, 8), dtype=np.uint8)
    detector = ConformalDetector(tiny_conv(), random_state=0).fit(X)
    assert detector.estimator_.input_shape_ == (8, 8, 1)
    assert detector.p_values(X).shape == (80,)
    assert detector.p_values(X).min() == 1 / 25


def test_score_reads_the_label_conventions(cloud):
    detector = ConformalDetector(OneClassSVM(gamma=0.1), random_state=0).fit(cloud)
    X = np.concatenate([cloud, cloud[:20] + 9])
    y = np.repeat([0, 1], [400, 20])
    found = detector.predict(X) == -1
    expected = (found[y == 1].mean() + (~found[y == 0]).mean()) / 2
    for labels in (y, y == 1, np.where(y == 1, -1, 1)):
        assert detector.score(X, labels) == pytest.approx(expected)
    with pytest.raises(ValueError, match="name that of an anomaly with pos_label"):
        detector.score(X, np.where(y == 1, "bad", "good"))


def test_copies(cloud):
    detector = ConformalDetector(OneClassSVM(gamma=0.1), random_state=0).fit(cloud)
    restored = pickle.loads(pickle.dumps(detector))
    assert_array_equal(restored.p_values(cloud), detector.p_values(cloud))
    assert restored.calibration_report() == detector.calibration_report()
    unfitted = clone(detector)
    assert unfitted.get_params()["estimator__gamma"] == 0.1
    for method in ("predict", "p_values", "discoveries", "score_samples"):
        with pytest.raises(NotFittedError):
            getattr(unfitted, method)(cloud)
    with pytest.raises(NotFittedError):
        unfitted.calibration_report()
