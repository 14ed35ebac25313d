"""Which threshold TunedThresholdDetectorCV chooses, under which objective."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from recording import Recorder, rising_rows
from sklearn.metrics import balanced_accuracy_score, make_scorer
from sklearn.model_selection import (
    StratifiedKFold,
)

from sklearn_ae import TunedThresholdDetectorCV
from sklearn_ae.metrics import anomaly_scorer, synthetic_anomaly_scorer

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


def fold_scores(X, y, thresholds, metric):
    """Mean over the folds of a metric at each threshold, for a detector that needs no fit."""
    return np.mean(
        [
            [metric(y[test] == 1, X[test, 0] > threshold) for threshold in thresholds]
            for _, test in FOLDS.split(X, y)
        ],
        axis=0,
    )


@pytest.mark.parametrize(
    "scoring",
    [
        "balanced_accuracy",
        anomaly_scorer("balanced_accuracy"),
        make_scorer(lambda y, predicted: balanced_accuracy_score(y == 1, predicted == -1)),
        lambda estimator, X, y: balanced_accuracy_score(y == 1, estimator.predict(X) == -1),
    ],
    ids=["name", "anomaly_scorer", "make_scorer", "function"],
)
def test_score_of_a_threshold_is_the_mean_over_folds(labeled_rows, scoring):
    X, y = labeled_rows
    thresholds = [10.0, 39.5, 50.5, 52.5, 58.5]
    detector = TunedThresholdDetectorCV(
        Recorder(), scoring=scoring, thresholds=thresholds, cv=FOLDS
    ).fit(X, y)
    expected = fold_scores(X, y, thresholds, balanced_accuracy_score)
    assert_array_equal(detector.cv_results_["thresholds"], thresholds)
    assert_allclose(detector.cv_results_["scores"], expected)
    assert detector.best_threshold_ == thresholds[np.argmax(expected)]
    assert detector.best_score_ == np.max(detector.cv_results_["scores"])
    for label, name in [(0, "false_alarm_rates"), (1, "recalls")]:
        shares = [np.mean(X[y == label, 0] > threshold) for threshold in thresholds]
        assert_allclose(detector.cv_results_[name], shares)
    assert np.all(detector.cv_results_["std_scores"] >= 0)
    assert np.any(detector.cv_results_["std_scores"] > 0)


def test_scorer_gets_the_rows_and_labels_of_a_fold(labeled_rows):
    X, y = labeled_rows
    seen = []

    def scoring(estimator, X_test, y_test):
        seen.append((X_test, y_test, estimator.predict(X_test)))
        return 0.0

    y = np.where(y == 1, "crack", "good")
    detector = TunedThresholdDetectorCV(
        Recorder(), scoring=scoring, thresholds=[20.0], cv=FOLDS, pos_label="crack"
    )
    detector.fit(pd.DataFrame(X), pd.Series(y))
    for (X_test, y_test, predictions), (_, test) in zip(seen, FOLDS.split(X, y), strict=True):
        assert_array_equal(X_test, X[test])
        assert_array_equal(y_test, y[test])
        assert_array_equal(predictions, np.where(X[test, 0] > 20, -1, 1))


def test_scorer_is_called_once_for_equal_predictions(labeled_rows):
    X, y = labeled_rows
    calls = []

    def scoring(estimator, X, y):
        calls.append(estimator.predict(X))
        return 0.0

    # Row 58 is in one fold, which sees thresholds on both of its sides.
    TunedThresholdDetectorCV(
        Recorder(), scoring=scoring, thresholds=np.linspace(57.1, 58.9, 50), cv=FOLDS
    ).fit(X, y)
    assert len(calls) == 3


# The lowest anomaly is 40, then 51; the highest normal row is 53, then 50.
@pytest.mark.parametrize(
    ("scoring", "threshold"),
    [
        (anomaly_scorer("neg_cost", cost_ratio=100), 39.5),
        (anomaly_scorer("neg_cost", cost_ratio=1), 50.5),
        (anomaly_scorer("neg_cost", cost_ratio=0.1), 53.5),
        # Of all thresholds that find each anomaly, and of all without a false alarm:
        ("recall", 39.5),
        ("precision", 53.5),
    ],
)
def test_objectives_choose_other_thresholds(labeled_rows, scoring, threshold):
    X, y = labeled_rows
    detector = TunedThresholdDetectorCV(Recorder(), scoring=scoring, cv=FOLDS).fit(X, y)
    assert detector.best_threshold_ == threshold


# Of 51 normal samples, eleven are above the lowest anomaly: 41 to 50 and 53.
@pytest.mark.parametrize(
    ("limit", "threshold", "recall"),
    [
        (0, 53.5, 6 / 9),
        (1 / 51, 50.5, 8 / 9),
        (10 / 51, 50.5, 8 / 9),
        # 0.215686... in floating point, a little less than the eleven that it means.
        (11 / 51 - 1e-12, 39.5, 1),
    ],
)
def test_best_recall_at_a_false_alarm_rate(labeled_rows, limit, threshold, recall):
    X, y = labeled_rows
    detector = TunedThresholdDetectorCV(
        Recorder(), scoring="recall", max_false_alarm_rate=limit
    ).fit(X, y)
    assert detector.best_threshold_ == threshold
    flagged = detector.predict(X) == -1
    assert np.mean(flagged[y == 1]) == pytest.approx(recall)
    assert np.mean(flagged[y == 0]) <= limit + 1e-9
    chosen = detector.cv_results_["thresholds"] == threshold
    assert detector.cv_results_["recalls"][chosen] == pytest.approx(recall)
    # The limit does not hide the other thresholds.
    assert np.max(detector.cv_results_["false_alarm_rates"]) > limit


def test_no_threshold_within_the_false_alarm_rate(labeled_rows):
    detector = TunedThresholdDetectorCV(
        Recorder(), thresholds=[1, 20], max_false_alarm_rate=0.1, random_state=0
    )
    with pytest.raises(ValueError, match=r"thresholds must .* larger ones.*rates down to 0\.5882"):
        detector.fit(*labeled_rows)


def test_few_anomalies_and_huge_scores_leave_no_gaps():
    # Thresholds spread evenly from the lowest to the highest score would all be above 10,000.
    X = np.concatenate([np.arange(1000.0), [1001.5, 1002.5, 1003.5, 1e6]])[:, np.newaxis]
    y = X[:, 0] > 1000
    detector = TunedThresholdDetectorCV(Recorder(), thresholds=20, cv=2, random_state=0).fit(X, y)
    thresholds = detector.cv_results_["thresholds"]
    assert len(thresholds) <= 20
    assert np.all(np.diff(thresholds) > 0)
    # Between 999 and 1001.5, where no sample is.
    assert detector.best_threshold_ == 1000.25
    assert detector.best_score_ == 1
    below = thresholds[thresholds < 1000]
    assert len(below) >= 5
    assert np.max(np.diff(below)) <= 250


@pytest.mark.parametrize("n_thresholds", [2, 3, 10, 50])
def test_int_thresholds_are_at_most_so_many(n_thresholds):
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(200, 1)), generator.random(200) < 0.3
    detector = TunedThresholdDetectorCV(Recorder(), thresholds=n_thresholds, random_state=0).fit(
        X, y
    )
    thresholds = detector.cv_results_["thresholds"]
    assert n_thresholds / 2 <= len(thresholds) <= n_thresholds
    # No threshold is the score of a sample, but for the highest of all.
    assert_array_equal(np.intersect1d(thresholds, X), [X.max()])


def test_all_thresholds_are_tried_if_there_are_few_scores(labeled_rows):
    X, y = labeled_rows
    detector = TunedThresholdDetectorCV(Recorder(), thresholds=60, random_state=0).fit(X, y)
    expected = np.append(np.arange(0.5, 59), 59)
    assert_array_equal(detector.cv_results_["thresholds"], expected)


def test_threshold_without_a_score_is_not_chosen(labeled_rows):
    X, y = labeled_rows

    def precision(estimator, X, y):
        flagged = estimator.predict(X) == -1
        return np.mean(y[flagged]) if np.any(flagged) else np.nan

    detector = TunedThresholdDetectorCV(
        Recorder(), scoring=precision, thresholds=[39.5, 53.5, 70.0], cv=FOLDS
    ).fit(X, y)
    assert detector.best_threshold_ == 53.5
    assert detector.best_score_ == 1
    with pytest.raises(ValueError, match="and 0 finite scores"):
        detector.set_params(thresholds=[70.0]).fit(X, y)


def test_middle_of_equally_good_thresholds_is_chosen():
    X = np.array([[1.0], [2], [3], [4], [21], [22], [23], [24]])
    y = np.repeat([1, -1], 4)
    detector = TunedThresholdDetectorCV(Recorder(), thresholds=np.arange(5, 20), cv=2)
    assert detector.fit(X, y).best_threshold_ == 12


@pytest.mark.parametrize("labels", [(0, 1), (1, -1), (False, True), ("good", "crack")])
def test_every_convention_of_labels_gives_one_threshold(labeled_rows, labels):
    X, y = labeled_rows
    pos_label = "crack" if "crack" in labels else None
    detector = TunedThresholdDetectorCV(Recorder(), pos_label=pos_label, random_state=0)
    detector.fit(X, np.where(y == 1, labels[1], labels[0]))
    assert detector.best_threshold_ == 50.5
    assert (
        detector.score(X, np.where(y == 1, labels[1], labels[0])) == detector.score(X, y == 1)
        if (pos_label is None)
        else True
    )


def test_scorer_reads_the_pos_label_of_the_detector(labeled_rows):
    X, y = labeled_rows
    # By convention, the label 1 would be the anomaly.
    detector = TunedThresholdDetectorCV(
        Recorder(), scoring=anomaly_scorer("f1"), pos_label=0, random_state=0
    ).fit(X, 1 - y)
    expected = TunedThresholdDetectorCV(Recorder(), scoring="f1", random_state=0).fit(X, y)
    assert detector.best_score_ == expected.best_score_


def test_scorers_that_look_past_the_threshold_fail(labeled_rows):
    detector = TunedThresholdDetectorCV(
        Recorder(),
        scoring=make_scorer(balanced_accuracy_score, response_method="decision_function"),
    )
    with pytest.raises(AttributeError, match="decision_function"):
        detector.fit(*labeled_rows)


@pytest.mark.parametrize(
    "scoring",
    [
        synthetic_anomaly_scorer(metric="f1"),
        lambda estimator, X, y: np.mean(estimator.predict(X[y == 1]) == -1),
    ],
    ids=["synthetic", "some rows"],
)
def test_scorers_that_judge_other_rows_than_those_of_the_fold_fail(labeled_rows, scoring):
    """All thresholds would be compared by the predictions of other rows."""
    X, y = labeled_rows
    X = np.hstack([X, X[::-1]])
    with pytest.raises(ValueError, match=r"scoring must judge .* of a fold of 12"):
        TunedThresholdDetectorCV(Recorder(), scoring=scoring).fit(X, y)


@pytest.mark.parametrize("scale", [0, np.nan])
def test_refuses_scores_that_tell_nothing(labeled_rows, scale):
    message = "estimator must give different scores" if scale == 0 else "60 scores that are NaN"
    message = message.replace("60", "12")
    with pytest.raises(ValueError, match=message):
        TunedThresholdDetectorCV(Recorder(scale=scale)).fit(*labeled_rows)
