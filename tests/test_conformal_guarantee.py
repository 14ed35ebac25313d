"""What ConformalDetector guarantees, by simulation of many calibrations.

The scores are drawn from laws that are known, so the false-alarm rate of each calibration is
computed, not estimated: the only error left is that of a mean of 1,000 calibrations.
"""

import numpy as np
import pytest
from calibrating import frozen
from scipy.stats import beta, binomtest, norm
from sklearn import config_context
from sklearn.frozen import FrozenEstimator

from sklearn_ae import ConformalDetector

N_CALIBRATIONS = 1000


def detectors(draw, n_rows, seed=0, **parameters):
    """Calibrate again and again."""
    rng = np.random.default_rng(seed)
    detector = ConformalDetector(frozen(), **parameters)
    for _ in range(N_CALIBRATIONS):
        with config_context(skip_parameter_validation=True):  # a third of the time
            detector.fit(draw(rng, n_rows)[:, np.newaxis])
        yield detector


def uniform(rng, size):
    return rng.uniform(size=size)


def tied(n_values):
    """Draw values 0, 1/n, ..., (n-1)/n with equal probability, so that P(score < t) is t there."""

    def draw(rng, size):
        return rng.integers(n_values, size=size) / n_values

    return draw


def rates(draw, n_rows, **parameters):
    """Return the false-alarm rate of each calibration: P(score < offset_)."""
    return np.array([d.offset_ for d in detectors(draw, n_rows, **parameters)])


def four_errors(values):
    return 4 * np.std(values) / np.sqrt(len(values))


LAWS = {"continuous": uniform, "ties": tied(50), "many ties": tied(7)}


@pytest.mark.filterwarnings("ignore:All .* calibration rows have the score")
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(
    ("n_rows", "rate"), [(20, 0.05), (20, 0.14), (39, 0.1), (200, 0.05), (2000, 0.01)]
)
def test_mean_false_alarm_rate(law, n_rows, rate):
    found = rates(LAWS[law], n_rows, false_alarm_rate=rate)
    assert found.mean() <= rate + four_errors(found)
    if law == "continuous":
        assert found.mean() >= rate - 1 / (n_rows + 1) - four_errors(found)
        # The mean of Beta(k, n + 1 - k); off by one order statistic, it is off by 1 / (n + 1).
        expected = np.floor(rate * (n_rows + 1) + 1e-9) / (n_rows + 1)
        assert abs(found.mean() - expected) <= four_errors(found)


@pytest.mark.filterwarnings("ignore:All .* calibration rows have the score")
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(
    ("n_rows", "rate", "confidence"),
    [(20, 0.2, 0.95), (59, 0.05, 0.95), (100, 0.1, 0.8), (299, 0.01, 0.95), (2000, 0.05, 0.99)],
)
def test_certified_false_alarm_rate(law, n_rows, rate, confidence):
    found = rates(LAWS[law], n_rows, false_alarm_rate=rate, confidence=confidence)
    n_exceeded = int(np.sum(found > rate + 1e-12))
    test = binomtest(n_exceeded, len(found), 1 - confidence, alternative="greater")
    assert test.pvalue > 0.01
    if law == "continuous":
        # Not more careful than need be: with the next order statistic, too many would exceed it.
        levels = beta.cdf(rate, np.arange(1, n_rows + 1), np.arange(n_rows, 0, -1))
        level = levels[levels >= confidence].min()
        assert binomtest(n_exceeded, len(found), 1 - level).pvalue > 0.001


@pytest.mark.parametrize("n_rows", [20, 99, 2000])
def test_report_tells_the_law_of_the_rate(n_rows):
    drawn = list(
        (d.offset_, d.calibration_report())
        for d in detectors(uniform, n_rows, confidence=None, false_alarm_rate=0.1)
    )
    found = np.array([rate for rate, _ in drawn])
    report = drawn[0][1]
    low, high = report.interval
    assert abs(found.mean() - report.expected_rate) <= four_errors(found)
    for event, probability in [
        (found < low, 0.025),
        (found > high, 0.025),
        (found <= 0.1, report.certified_level),
    ]:
        assert binomtest(int(event.sum()), len(found), probability).pvalue > 0.001


N_BATCH = 20


@pytest.mark.filterwarnings("ignore:All .* calibration rows have the score")
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(
    ("n_rows", "fdr", "n_anomalies"), [(20, 0.2, 5), (99, 0.2, 5), (199, 0.1, 5), (1999, 0.05, 1)]
)
def test_false_discovery_rate(law, n_rows, fdr, n_anomalies):
    """Batches of normal rows and a few anomalies, which score lower but not apart."""
    rng = np.random.default_rng(1)
    is_normal = np.arange(N_BATCH) >= n_anomalies
    false_shares, recalls = [], []
    for detector in detectors(LAWS[law], n_rows):
        scores = LAWS[law](rng, N_BATCH) / np.where(is_normal, 1, 20)
        found = detector.discoveries(scores[:, np.newaxis], fdr=fdr)
        false_shares.append(found[is_normal].sum() / max(1, found.sum()))
        recalls.append(found[~is_normal].mean())
    assert np.mean(false_shares) <= fdr + four_errors(false_shares)
    if law == "continuous" and (n_rows + 1) * fdr % N_BATCH == 0:
        # Exactly fdr times the share of normal rows, as (n + 1) * fdr / 20 is an integer: no
        # p-value is lost between those that there are and what they are compared with.
        expected = fdr * is_normal.mean()
        assert np.mean(false_shares) == pytest.approx(expected, abs=four_errors(false_shares))
        assert np.mean(recalls) > 0.01


@pytest.mark.filterwarnings("ignore:All .* calibration rows have the score")
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n_rows", [20, 50, 200, 2000])
def test_p_values_of_normals_are_valid_at_each_level(n_rows, law):
    levels = np.array([0.02, 0.1, 0.5, 0.9])
    rng = np.random.default_rng(2)
    below = np.array(
        [
            d.p_values(LAWS[law](rng, 20)[:, np.newaxis]) <= levels[:, np.newaxis]
            for d in detectors(LAWS[law], n_rows)
        ]
    ).mean(axis=2)
    exact = np.floor(levels * (n_rows + 1) + 1e-9) / (n_rows + 1)
    for column, expected in zip(below.T, exact, strict=True):
        assert column.mean() <= expected + four_errors(column)
        if law == "continuous":
            # An error of one calibration score would show where there are few.
            assert abs(column.mean() - expected) <= four_errors(column)


def contaminated(share):
    """Normal rows score N(0, 1), anomalies N(-3, 1)."""

    def draw(rng, size):
        return rng.normal(size=size) - 3 * (rng.uniform(size=size) < share)

    return draw


def test_contaminated_calibration_is_careful_and_loses_power():
    rates_and_powers = []
    for share in (0, 0.02, 0.05, 0.1):
        offsets = np.array([d.offset_ for d in detectors(contaminated(share), 200)])
        rates_and_powers.append((norm.cdf(offsets).mean(), norm.cdf(offsets + 3).mean()))
    found, powers = np.transpose(rates_and_powers)
    assert np.all(np.diff(found) < 0)
    assert np.all(np.diff(powers) < 0)
    assert found[0] == pytest.approx(10 / 201, abs=0.003)
    assert found[2] < 0.02
    assert powers[0] > 0.88
    assert powers[2] < 0.75


def calibrate_again(detector, X, dropped):
    kept = np.delete(X, dropped, axis=0)
    return ConformalDetector(FrozenEstimator(detector.estimator_)).fit(kept)


def test_dropping_anomalies_among_the_most_abnormal_rows_restores_the_rate():
    rng = np.random.default_rng(0)
    offsets = []
    for _ in range(N_CALIBRATIONS):
        is_anomaly = np.arange(210) < 10
        X = (rng.normal(size=210) - 3 * is_anomaly)[:, np.newaxis]
        detector = ConformalDetector(frozen()).fit(X)
        # A person looks at the first thirty, and knows an anomaly.
        top = detector.calibration_indices_[:30]
        offsets.append(calibrate_again(detector, X, top[is_anomaly[top]]).offset_)
    found = norm.cdf(offsets)
    assert abs(found.mean() - 10 / 201) <= 0.001 + four_errors(found)


@pytest.mark.parametrize("n_dropped", [1, 5])
def test_dropping_normal_rows_costs_what_is_stated(n_dropped):
    rng = np.random.default_rng(0)
    found = []
    for _ in range(N_CALIBRATIONS):
        X = rng.uniform(size=(200, 1))
        detector = ConformalDetector(frozen()).fit(X)
        again = calibrate_again(detector, X, detector.calibration_indices_[:n_dropped])
        found.append(again.offset_)
    rank = again.calibration_report().rank
    n_left = 200 - n_dropped
    stated = (rank + n_dropped) / (n_left + n_dropped + 1)
    assert abs(np.mean(found) - stated) <= four_errors(found)


@pytest.mark.parametrize(("n_rows", "share"), [(100, 0.2), (500, 0.1)])
def test_anomalies_that_score_high_raise_the_rate_to_the_stated_bound(n_rows, share):
    def draw(rng, size):
        return rng.uniform(size=size) + 2 * (rng.uniform(size=size) < share)

    found = rates(draw, n_rows, false_alarm_rate=0.1)
    assert found.mean() > 0.1 + four_errors(found)
    assert found.mean() <= 0.1 / (1 - share) + four_errors(found)
    # The bound is not too careful: k / (n + 1) is all that it is away from what is exact.
    rank = np.floor(0.1 * (n_rows + 1) + 1e-9)
    exact = rank / (n_rows + 1) / (1 - share)
    assert abs(found.mean() - exact) <= four_errors(found)


@pytest.mark.parametrize(("n_left", "rate", "n_dropped"), [(200, 0.05, 1), (200, 0.1, 5)])
def test_dropping_normal_rows_costs_the_confidence_that_is_stated(n_left, rate, n_dropped):
    rng = np.random.default_rng(0)
    keywords = {"false_alarm_rate": rate, "confidence": 0.95}
    n_kept_to = 0
    for _ in range(N_CALIBRATIONS):
        X = np.sort(rng.uniform(size=n_left + n_dropped))[n_dropped:, np.newaxis]
        detector = ConformalDetector(frozen(), **keywords).fit(X)
        n_kept_to += detector.offset_ <= rate
    report = detector.calibration_report()
    stated = beta.cdf(rate, report.rank + n_dropped, n_left + 1 - report.rank)
    assert stated < report.certified_level - 0.02
    assert binomtest(n_kept_to, N_CALIBRATIONS, stated).pvalue > 0.001
