"""From the scores of held-out normal rows to a threshold, and what it means for labels."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from tiny_networks import tiny

from sklearn_ae import FixedThresholdDetector
from sklearn_ae._base.holdout import MIN_ROWS_TO_HOLD_OUT, hold_out, offset_at_false_alarm_rate
from sklearn_ae._base.order_statistics import threshold_rank

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(200, 4))
ANOMALIES = 20 + GENERATOR.normal(size=(50, 4))


@pytest.fixture(scope="module")
def fitted():
    return tiny(validation_fraction=0.4).fit(ROWS)


# The rate


def rank_of(rate, n):
    """Return the largest k whose expected rate of new rows, k / (n + 1), is at most the rate."""
    rate = Fraction(str(rate))
    return max(k for k in range(n + 1) if Fraction(k, n + 1) <= rate)


# 0.29 * 100 and 0.57 * 100 are just below 29 and 57 in floating point, 0.07 * 100 just above 7:
# of 99 rows, they are the ranks.
RATES = [
    0.001,
    0.01,
    0.05,
    0.07,
    0.1,
    0.28,
    0.29,
    0.3,
    0.5,
    0.55,
    0.57,
    0.58,
    0.7,
    0.9,
    0.95,
    0.999,
]


@pytest.mark.parametrize("rate", RATES)
def test_offset_is_the_definition(rate):
    for n in [*range(1, 61), 99, 100, 101, 200, 1000]:
        rank = rank_of(rate, n)
        scores = GENERATOR.permutation(n).astype(float)
        offset = offset_at_false_alarm_rate(scores, rate)
        assert type(offset) is float
        # The smallest, with a warning of the fit, where the rows are too few for any.
        assert offset == sorted(scores)[max(rank, 1) - 1]
        assert threshold_rank(n, rate) == rank


@pytest.mark.parametrize("n", [19, 20, 30, 80, 200])
def test_rate_of_new_rows_is_the_one_asked_for_on_average(n):
    """The (⌊rate · n⌋ + 1)-th smallest of 20 scores is passed by .095 of new ones."""
    draws = np.random.default_rng(0).normal(size=(20_000, n + 1))
    offsets = [offset_at_false_alarm_rate(row, 0.05) for row in draws[:, :-1]]
    flagged = np.mean(draws[:, -1] < offsets)
    error = 3 * np.sqrt(0.05 / len(draws))
    assert flagged <= 0.05 + error
    assert flagged >= 0.05 - 1 / (n + 1) - error


@pytest.mark.parametrize(
    ("share", "n_rows", "n_held_out"),
    [(0.1, 100, 10), (0.1, 101, 11), (0.07, 100, 7), (0.29, 100, 29), (1e-12, 100, 1)],
)
def test_held_out_rows_are_the_share_rounded_up(share, n_rows, n_held_out):
    """0.07 · 100 is above 7 in floating point, and 0.29 · 100 below 29."""
    training, held_out = hold_out(n_rows, share, np.random.RandomState(0))
    assert (len(training), len(held_out)) == (n_rows - n_held_out, n_held_out)


def test_too_few_held_out_rows_warn_of_what_they_can_show():
    with pytest.warns(UserWarning, match="18 held-out samples cannot show false_alarm_rate=0.05"):
        detector = tiny(validation_fraction=0.09).fit(ROWS)
    assert detector.offset_ == detector.validation_scores_.min()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tiny(validation_fraction=0.095).fit(ROWS)
        tiny(validation_fraction=0.09, threshold=3).fit(ROWS)
        tiny(validation_fraction=0.09, false_alarm_rate=0.06).fit(ROWS)


@pytest.mark.parametrize("rate", [1e-300, 1e-12, 1 - 1e-9, 1 - 1e-12, np.nextafter(1, 0)])
def test_extreme_rates(rate):
    for n in (1, 20, 1000):
        scores = GENERATOR.permutation(n).astype(float)
        offset = offset_at_false_alarm_rate(scores, rate)
        assert offset == (0 if rate < 0.5 else n - 1)
        assert threshold_rank(n, rate) == (0 if rate < 0.5 else n)


def test_ties_flag_fewer_rows():
    scores = np.array([-2.0, -1, -1, -1, -1, 0, 0, 0, 0, 0])
    assert offset_at_false_alarm_rate(scores, 0.4) == -1
    assert offset_at_false_alarm_rate(np.zeros(10), 0.4) == 0


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.25, 0.29, 0.5, 0.9])
def test_share_of_held_out_rows_that_are_flagged(fitted, rate):
    detector = clone(fitted).set_params(false_alarm_rate=rate).fit(ROWS)
    assert len(detector.validation_scores_) == 80
    n_flagged = np.sum(detector.predict(ROWS[detector.validation_indices_]) == -1)
    assert n_flagged == max(rank_of(rate, 80), 1) - 1
    # The rate moves the threshold alone.
    assert_array_equal(detector.score_samples(ROWS), fitted.score_samples(ROWS))


# The threshold


def test_threshold_wins_over_the_rate(fitted):
    scores = [
        tiny(validation_fraction=0.4, threshold=3, false_alarm_rate=rate).fit(ROWS).offset_
        for rate in (0.01, 0.9)
    ]
    assert scores == [-3.0, -3.0]


def test_rows_above_the_threshold_are_anomalies(fitted):
    scores = fitted.score_samples(ROWS)
    threshold = -np.sort(scores)[50]
    detector = clone(fitted).set_params(threshold=threshold).fit(ROWS)
    assert_array_equal(detector.predict(ROWS), np.where(-scores > threshold, -1, 1))
    # The row whose score is the threshold is normal.
    assert np.sum(detector.predict(ROWS) == -1) == 50
    assert_array_equal(detector.decision_function(ROWS), scores + threshold)


@pytest.mark.parametrize("threshold", [0, -1, 1e6, np.float32(2.5), np.int64(2)])
def test_any_number_is_a_threshold(fitted, threshold):
    detector = clone(fitted).set_params(threshold=threshold).fit(ROWS)
    assert type(detector.offset_) is float
    assert detector.offset_ == -threshold
    n_flagged = np.sum(detector.predict(ROWS) == -1)
    assert n_flagged == np.sum(-fitted.score_samples(ROWS) > threshold)


def test_another_threshold_needs_no_other_fit(fitted, trainings):
    X = np.vstack([ROWS, ANOMALIES])
    for threshold in np.quantile(-fitted.score_samples(ROWS), [0.1, 0.5, 0.99]):
        again = FixedThresholdDetector(FrozenEstimator(fitted), threshold=threshold)
        labels, decisions = again.predict(X), again.decision_function(X)
        fitted_again = again.fit(ROWS).predict(X)
        assert trainings == []
        assert_array_equal(labels, fitted_again)
        assert_array_equal(decisions, fitted.score_samples(X) + threshold)
        assert set(labels) == {-1, 1}


def test_another_threshold_equals_a_refit(fitted):
    X = np.vstack([ROWS, ANOMALIES])
    for threshold in np.quantile(-fitted.score_samples(ROWS), [0.2, 0.9]):
        refit = clone(fitted).set_params(threshold=threshold).fit(ROWS)
        again = FixedThresholdDetector(FrozenEstimator(fitted), threshold=threshold)
        assert_array_equal(again.predict(X), refit.predict(X))
        assert_array_equal(again.decision_function(X), refit.decision_function(X))
        assert again.offset_ == refit.offset_


def test_decisions_are_scores_less_the_offset(fitted):
    X = np.vstack([ROWS, ANOMALIES])
    scores = fitted.score_samples(X)
    assert_array_equal(fitted.decision_function(X), scores - fitted.offset_)
    assert_array_equal(fitted.predict(X) == -1, scores < fitted.offset_)
    assert_array_equal(fitted.fit_predict(ROWS), fitted.predict(ROWS))


# Held-out rows


@pytest.mark.parametrize(
    ("n", "fraction", "n_held_out"),
    [(20, 0.1, 2), (20, 0.05, 1), (20, 1e-9, 1), (40, 0.1, 4), (41, 0.1, 5), (100, 0.29, 29)],
)
def test_held_out_rows(n, fraction, n_held_out):
    training, held_out = hold_out(n, fraction, np.random.RandomState(0))
    assert len(held_out) == n_held_out
    assert_array_equal(np.sort(np.concatenate([training, held_out])), np.arange(n))
    assert_array_equal(training, np.sort(training))
    assert_array_equal(held_out, np.sort(held_out))
    again, _ = hold_out(n, fraction, np.random.RandomState(0))
    assert_array_equal(again, training)
    other, _ = hold_out(n, fraction, np.random.RandomState(1))
    assert n_held_out == 1 or not np.array_equal(other, training)


def test_scores_of_training_and_held_out_rows_are_in_the_order_of_X(fitted):
    scores = fitted.score_samples(ROWS)
    held_out = fitted.validation_indices_
    assert len(held_out) == 80
    assert_array_equal(fitted.validation_scores_, scores[held_out])
    assert_array_equal(fitted.training_scores_, np.delete(scores, held_out))


def no_row_is_held_out(reason):
    return pytest.warns(UserWarning, match=f"No row is held out, for {reason}.*false_alarm_rate")


@pytest.mark.parametrize(
    ("n", "fraction", "reason"),
    [
        (40, 0, "validation_fraction=0"),
        (19, 0, "validation_fraction=0"),
        (19, 0.1, "X has fewer than 20 rows, 19"),
        (2, 0.5, "X has fewer than 20 rows, 2"),
    ],
)
def test_all_rows_serve_for_both_where_none_is_held_out(n, fraction, reason):
    with no_row_is_held_out(reason):
        detector = tiny(validation_fraction=fraction, false_alarm_rate=0.3).fit(ROWS[:n])
    scores = detector.score_samples(ROWS[:n])
    assert_array_equal(detector.validation_indices_, np.arange(n))
    assert_array_equal(detector.validation_scores_, scores)
    assert_array_equal(detector.training_scores_, scores)
    assert np.sum(scores < detector.offset_) == max(rank_of(0.3, n), 1) - 1


def test_no_warning_from_the_documented_number_of_rows():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector = tiny(false_alarm_rate=0.4).fit(ROWS[:MIN_ROWS_TO_HOLD_OUT])
    assert len(detector.validation_indices_) == 2
    assert f"fewer than {MIN_ROWS_TO_HOLD_OUT} rows" in type(detector).__doc__


# The score


LABELS = np.repeat([1, -1], [200, 50])


@pytest.mark.parametrize(
    "y",
    [
        LABELS,
        LABELS.tolist(),
        LABELS.astype(float),
        (LABELS == -1).astype(int),
        LABELS == -1,
        LABELS.astype(object),
    ],
    ids=["±1", "list", "floats", "0 and 1", "booleans", "objects"],
)
def test_score_is_the_balanced_accuracy_under_any_convention(fitted, y):
    X = np.vstack([ROWS, ANOMALIES])
    recognized = fitted.predict(X) == LABELS
    expected = (recognized[:200].mean() + recognized[200:].mean()) / 2
    assert 0.5 < expected < 1
    assert fitted.score(X, y) == pytest.approx(expected)
    assert type(fitted.score(X, y)) is float


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "score needs labels: pass y. Without labels.*score_samples.*Received: y=None"),
        (np.ones(250), "ambiguous where all labels are 1"),
        (-np.ones(250), "both anomalies and normal samples.*250 anomalies among 250"),
        (np.zeros(250), "both anomalies and normal samples.*0 anomalies among 250"),
        (LABELS + 1, "y must hold -1.*Received: labels 2, 0"),
        (np.where(LABELS == 1, "good", "bad"), "y must hold -1.*Received: labels 'good', 'bad'"),
        (np.where(LABELS == 1, 1, np.nan), "50 missing labels"),
        (LABELS[:-1], "inconsistent numbers of samples"),
    ],
)
def test_score_refuses_labels_that_it_would_have_to_guess(fitted, y, message):
    with pytest.raises(ValueError, match=message):
        fitted.score(np.vstack([ROWS, ANOMALIES]), y)
