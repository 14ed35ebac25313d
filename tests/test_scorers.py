"""anomaly_scorer judges any outlier detector, with anomalies as the positive class."""

import copy
import itertools
import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from sklearn_ae import FixedThresholdDetector, NormalsOnly
from sklearn_ae.metrics import anomaly_scorer

FOLDS = StratifiedKFold(n_splits=2, shuffle=True, random_state=0)
RANKING = [
    ("average_precision", {}),
    ("precision_at_k", {"k": 4}),
    ("recall_at_false_alarm_rate", {"false_alarm_rate": 0.1}),
    ("roc_auc", {}),
    ("roc_auc", {"max_fpr": 0.1}),
]
DECISIONS = [
    ("balanced_accuracy", {}),
    ("f1", {}),
    ("matthews_corrcoef", {}),
    ("neg_cost", {"cost_ratio": 10}),
    ("precision", {}),
    ("recall", {}),
]
DETECTORS = [
    IsolationForest(n_estimators=20, contamination=0.2, random_state=0),
    LocalOutlierFactor(n_neighbors=5, novelty=True),
    OneClassSVM(nu=0.05),
    EllipticEnvelope(contamination=0.2, random_state=0),
]


class Given(OutlierMixin, BaseEstimator):
    """Detector whose anomaly scores are the rows times a sign; above 0 is an anomaly."""

    def __init__(self, sign=1):
        self.sign = sign

    def fit(self, X, y=None):
        return self

    def score_samples(self, X):
        return -self.sign * np.asarray(X, dtype=float)

    def predict(self, X):
        return np.where(self.score_samples(X) < 0, -1, 1)


class DecisionsOnly(OutlierMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def decision_function(self, X):
        return -np.asarray(X, dtype=float)


@pytest.fixture
def labeled_rows():
    X = np.random.default_rng(0).normal(size=(80, 2))
    # Two of the ten anomalies are hard to tell.
    X[16::8] += 3
    return X, (np.arange(80) % 8 == 0).astype(int)


def score(name, y, anomaly_scores, **options):
    return anomaly_scorer(name, **options)(Given(), anomaly_scores, y)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: type(detector).__name__)
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_figures_are_those_of_scikit_learn(labeled_rows, detector, in_pipeline):
    X, y = labeled_rows
    estimator = make_pipeline(StandardScaler(), detector) if in_pipeline else clone(detector)
    estimator.fit(X[y == 0])
    scores, flagged = -estimator.score_samples(X), estimator.predict(X) == -1
    missed, alarms = np.sum(~flagged[y == 1]), np.sum(flagged[y == 0])
    expected = {
        "average_precision": average_precision_score(y, scores),
        "roc_auc": roc_auc_score(y, scores),
        "balanced_accuracy": balanced_accuracy_score(y, flagged),
        "f1": f1_score(y, flagged),
        "matthews_corrcoef": matthews_corrcoef(y, flagged),
        "precision": precision_score(y, flagged),
        "recall": recall_score(y, flagged),
    }
    for name, value in expected.items():
        assert anomaly_scorer(name)(estimator, X, y) == pytest.approx(value, rel=1e-12), name
    partial = anomaly_scorer("roc_auc", max_fpr=0.1)(estimator, X, y)
    assert partial == pytest.approx(roc_auc_score(y, scores, max_fpr=0.1), rel=1e-12)
    cost = anomaly_scorer("neg_cost", cost_ratio=10)(estimator, X, y)
    assert cost == pytest.approx(-(10 * missed + alarms) / 80)
    # The other way round, each would be less.
    assert expected["roc_auc"] > 0.5
    assert expected["recall"] > 0


@pytest.mark.parametrize(("name", "options"), RANKING + DECISIONS)
def test_every_convention_of_labels_gives_one_figure(labeled_rows, name, options):
    X, y = labeled_rows
    forest = DETECTORS[0].fit(X[y == 0])
    scorer = anomaly_scorer(name, **options)
    value = scorer(forest, X, y)
    assert isinstance(value, float)
    assert scorer(forest, X, y == 1) == value
    assert scorer(forest, X, np.where(y == 1, -1, 1)) == value
    named = anomaly_scorer(name, pos_label="crack", **options)
    assert named(forest, X, np.where(y == 1, "crack", "good")) == value
    # The anomaly is the positive class: swapping the labels gives another figure.
    assert anomaly_scorer(name, pos_label=0, **options)(forest, X, y) != value


def brute_force_recall(y, scores, rate):
    """Try every threshold that tells scores apart."""
    recalls = [0.0]
    for threshold in [-np.inf, *scores]:
        flagged = scores > threshold
        if np.sum(flagged[~y]) <= rate * np.sum(~y) + 1e-9:
            recalls.append(np.mean(flagged[y]))
    return max(recalls)


@pytest.mark.parametrize("n_values", [2, 5, 1000])
@pytest.mark.parametrize("rate", [0, 0.1, 1 - 0.9, 0.3, 0.9])
def test_recall_at_false_alarm_rate_is_exact_with_ties(n_values, rate):
    generator = np.random.default_rng(0)
    y = np.repeat([True, False], [10, 20])
    for _ in range(20):
        scores = generator.integers(n_values, size=30) + 0.5 * y * n_values
        value = score("recall_at_false_alarm_rate", y, scores, false_alarm_rate=rate)
        assert value == pytest.approx(brute_force_recall(y, scores, rate))


def test_recall_at_false_alarm_rate_of_equal_scores_is_all_or_nothing():
    y, scores = np.array([1, 1, 0, 0]), np.ones(4)
    for rate, expected in [(0, 0), (0.5, 0), (0.99, 0)]:
        value = score("recall_at_false_alarm_rate", y, scores, false_alarm_rate=rate)
        assert value == expected
    assert score("recall_at_false_alarm_rate", y, y, false_alarm_rate=0) == 1


def test_recall_at_false_alarm_rate_sees_thresholds_on_straight_parts_of_the_curve():
    # Each threshold finds one more anomaly and flags one more normal sample.
    y, scores = [0, 1] * 4, np.repeat([4.0, 3, 2, 1], 2)
    for rate in [0.25, 0.5, 0.75]:
        value = score("recall_at_false_alarm_rate", y, scores, false_alarm_rate=rate)
        assert value == rate


@pytest.mark.parametrize("k", [1, 2, 3, 5, 6])
def test_precision_at_k_is_the_mean_over_orders_of_equal_scores(k):
    y = np.array([1, 0, 1, 0, 0, 1])
    scores = np.array([3.0, 2, 2, 2, 1, 1])
    orders = itertools.permutations(range(6))
    rankings = [order for order in orders if np.all(np.diff(scores[list(order)]) <= 0)]
    expected = np.mean([np.mean(y[list(order[:k])]) for order in rankings])
    assert score("precision_at_k", y, scores, k=k) == pytest.approx(expected)


def test_precision_at_k_needs_k_samples():
    with pytest.raises(ValueError, match=r"k must be at most.*test fold.*k=7, and 6 samples"):
        score("precision_at_k", [0, 1, 0, 0, 0, 0], np.arange(6), k=7)


@pytest.mark.parametrize(("name", "options"), RANKING)
def test_scores_that_are_missing_are_refused(name, options):
    with pytest.raises(ValueError, match="NaN"):
        score(name, [0, 1, 0, 0, 1], [0.1, np.nan, 0.2, np.nan, 0.3], **options)


def test_nothing_flagged_is_a_zero_without_a_warning(recwarn):
    for name in ["precision", "f1", "recall", "matthews_corrcoef"]:
        assert score(name, [0, 0, 1], [-3.0, -2.0, -1.0]) == 0
    assert score("neg_cost", [0, 0, 1], [-3.0, -2.0, -1.0], cost_ratio=6) == -2
    assert not recwarn.list


def test_decision_function_serves_where_there_are_no_scores():
    y, scores = [0, 1, 0, 1], [0.1, 0.5, 0.6, 0.9]
    value = anomaly_scorer("roc_auc")(DecisionsOnly(), scores, y)
    assert value == roc_auc_score(y, scores)


def test_density_models_rank_too(labeled_rows):
    X, y = labeled_rows
    mixture = GaussianMixture(random_state=0).fit(X[y == 0])
    assert anomaly_scorer("roc_auc")(mixture, X, y) > 0.5
    with pytest.raises(TypeError, match=r"predict returns -1 .* predictions 0 .*GaussianMixture"):
        anomaly_scorer("f1")(mixture, X, y)


@pytest.mark.parametrize("name", ["roc_auc", "f1"])
def test_refuses_classifiers(labeled_rows, name):
    classifier = LogisticRegression().fit(*labeled_rows)
    with pytest.raises(TypeError, match=r"must be an outlier detector.*LogisticRegression"):
        anomaly_scorer(name)(classifier, *labeled_rows)


@pytest.mark.parametrize("labels", [(0, 1), (1, -1), (False, True)])
@pytest.mark.parametrize(("name", "options"), RANKING + DECISIONS)
def test_grid_search_prefers_the_better_detector(labels, name, options):
    is_anomaly = np.arange(80) % 8 == 0
    X = np.random.default_rng(0).normal(size=80) + np.where(is_anomaly, 1.5, -1.5)
    y = np.where(is_anomaly, labels[1], labels[0])
    search = GridSearchCV(
        NormalsOnly(Given()),
        {"estimator__sign": [-1, 1]},
        scoring=anomaly_scorer(name, **options),
        cv=FOLDS,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_ == {"estimator__sign": 1}
    # A search is scored as what it found.
    assert search.score(X, y) == anomaly_scorer(name, **options)(search.best_estimator_, X, y)
    assert anomaly_scorer(name, **options)(search, X, y) == search.score(X, y)


def test_several_metrics_at_once(labeled_rows):
    X, y = labeled_rows
    scoring = {f"{name}{i}": anomaly_scorer(name, **kw) for i, (name, kw) in enumerate(RANKING)}
    scoring |= {name: anomaly_scorer(name, **options) for name, options in DECISIONS}
    detector = NormalsOnly(DETECTORS[0])
    results = cross_validate(
        detector, X, y, scoring=scoring, cv=FOLDS, error_score="raise", return_estimator=True
    )
    for fold, (_, test) in enumerate(FOLDS.split(X, y)):
        for name, scorer in scoring.items():
            expected = scorer(results["estimator"][fold], X[test], y[test])
            assert results[f"test_{name}"][fold] == expected
    search = GridSearchCV(detector, {}, scoring=scoring, refit="f1", cv=FOLDS).fit(X, y)
    assert search.cv_results_["mean_test_f1"][0] == pytest.approx(np.mean(results["test_f1"]))


def test_metadata_routing(labeled_rows):
    X, y = labeled_rows
    with sklearn.config_context(enable_metadata_routing=True):
        results = cross_validate(
            NormalsOnly(DETECTORS[0]),
            X,
            y,
            scoring={"auc": anomaly_scorer("roc_auc"), "f1": anomaly_scorer("f1")},
            cv=FOLDS,
            error_score="raise",
        )
    assert np.all(results["test_auc"] > 0.5)


def test_pos_label_of_the_estimator_is_used(labeled_rows):
    X, y = labeled_rows
    # Here the convention would take the normal samples for anomalies.
    y = 1 - y
    detector = NormalsOnly(DETECTORS[0], pos_label=0)
    pipeline = make_pipeline(StandardScaler(), detector)
    search = GridSearchCV(pipeline, {}, scoring=anomaly_scorer("roc_auc"), cv=FOLDS)
    for estimator in [detector, pipeline, search]:
        estimator.fit(X, y)
        assert anomaly_scorer("roc_auc")(estimator, X, y) > 0.5
        assert anomaly_scorer("roc_auc", pos_label=0)(estimator, X, y) > 0.5
        # What the estimator leaves out of the training cannot be what the scorer takes for normal.
        with pytest.raises(ValueError, match=r"pos_label must be one .*pos_label=\['0', '1'\]"):
            anomaly_scorer("roc_auc", pos_label=1)(estimator, X, y)


@pytest.mark.parametrize(
    "wrap",
    [
        FrozenEstimator,
        lambda fitted: make_pipeline("passthrough", FrozenEstimator(fitted)),
        lambda fitted: FixedThresholdDetector(FrozenEstimator(fitted), threshold=0.6),
        lambda fitted: GridSearchCV(
            Pipeline([("detector", "passthrough")]),
            {"detector": [fitted]},
            scoring=anomaly_scorer("roc_auc"),
            cv=FOLDS,
        ),
        lambda fitted: GridSearchCV(
            NormalsOnly(fitted.estimator, pos_label=1),
            {"pos_label": [0]},
            scoring=anomaly_scorer("roc_auc"),
            cv=FOLDS,
        ),
    ],
    ids=["frozen", "frozen step", "frozen inside", "search over detectors", "search over labels"],
)
def test_pos_label_is_found_in_frozen_estimators_and_in_what_a_search_found(labeled_rows, wrap):
    X, y = labeled_rows
    # By convention, the label 1 would be the anomaly, and each figure that of its opposite.
    fitted = NormalsOnly(DETECTORS[0], pos_label=0).fit(X, 1 - y)
    estimator = wrap(fitted).fit(X, 1 - y)
    assert anomaly_scorer("roc_auc")(estimator, X, 1 - y) > 0.8
    with pytest.raises(ValueError, match="pos_label must be one label of an anomaly"):
        anomaly_scorer("roc_auc", pos_label=1)(estimator, X, 1 - y)


def test_search_refuses_a_scorer_that_contradicts_the_detector(labeled_rows):
    X, y = labeled_rows
    search = GridSearchCV(
        NormalsOnly(DETECTORS[0], pos_label=1),
        {},
        scoring=anomaly_scorer("roc_auc", pos_label=0),
        cv=FOLDS,
        error_score="raise",
    )
    with pytest.raises(ValueError, match="pos_label must be one label"):
        search.fit(X, y)


def test_several_pos_labels_of_the_estimator_are_an_error(labeled_rows):
    X, y = labeled_rows
    inner = NormalsOnly(DETECTORS[0], pos_label=0)
    detector = FixedThresholdDetector(inner, threshold=0.5, pos_label=1).fit(X, y)
    with pytest.raises(ValueError, match=r"several labels, pos_label=\['0', '1'\]"):
        anomaly_scorer("f1")(detector, X, y)


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("anomaly_scorer('roc_auc')", "roc_auc", {}),
        ("anomaly_scorer('roc_auc', max_fpr=0.1)", "roc_auc", {"max_fpr": 0.1}),
        (
            "anomaly_scorer('precision_at_k', pos_label='crack', k=10)",
            "precision_at_k",
            {"pos_label": "crack", "k": 10},
        ),
    ],
)
def test_prints_as_the_call_that_makes_it(text, name, options):
    assert repr(anomaly_scorer(name, **options)) == text


def test_copies_score_alike(labeled_rows):
    X, y = labeled_rows
    forest = DETECTORS[0].fit(X)
    scorer = anomaly_scorer("neg_cost", pos_label=1, cost_ratio=3)
    duplicates = [pickle.loads(pickle.dumps(scorer)), copy.deepcopy(scorer)]
    duplicates.append(clone(GridSearchCV(forest, {}, scoring=scorer)).scoring)
    for duplicate in duplicates:
        assert repr(duplicate) == repr(scorer)
        assert duplicate(forest, X, y) == scorer(forest, X, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "y must be labels"),
        (
            [0, 0, 0],
            r"both anomalies and normal samples: of one class, f1 is not defined.*StratifiedKFold",
        ),
        ([-1, -1, -1], "Received: 3 anomalies among 3"),
        ([1, 1, 1], "y is ambiguous"),
        (["good", "crack", "good"], "pos_label"),
        ([0, 1, 2], "pos_label"),
        ([0, 1, np.nan], "missing"),
        ([0, 1], "inconsistent numbers of samples"),
    ],
)
def test_refuses_labels(y, message):
    with pytest.raises(ValueError, match=message):
        anomaly_scorer("f1")(Given(), np.zeros(3), y)


def test_a_search_without_labels_says_so():
    search = GridSearchCV(Given(), {}, scoring=anomaly_scorer("f1"), cv=2, error_score="raise")
    with pytest.raises(ValueError, match="y must be labels"):
        search.fit(np.arange(4))


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("auc", {}, ValueError, r"average_precision, balanced_accuracy, .*, roc_auc\..*'auc'"),
        (None, {}, ValueError, "name must be a metric"),
        ("roc_auc", {"k": 3}, TypeError, r"'roc_auc'\) takes max_fpr .*Received: k=3"),
        ("f1", {"pos_label": [0]}, ValueError, r"pos_label must be one label.*pos_label=\[0\]"),
        ("f1", {"pos_label": np.nan}, ValueError, "pos_label must be one label"),
        ("f1", {"beta": 2}, TypeError, r"'f1'\) takes no option .*Received: beta=2"),
        ("precision_at_k", {}, TypeError, "needs k, an int"),
        ("neg_cost", {}, TypeError, "needs cost_ratio, a float"),
        ("recall_at_false_alarm_rate", {}, TypeError, "needs false_alarm_rate"),
        ("precision_at_k", {"k": 0}, ValueError, r"k must be an int .*Received: k=0"),
        ("precision_at_k", {"k": 2.5}, ValueError, "k must be an int"),
        ("roc_auc", {"max_fpr": 0}, ValueError, "max_fpr must be a float"),
        ("roc_auc", {"max_fpr": 1.1}, ValueError, "max_fpr must be a float"),
        ("neg_cost", {"cost_ratio": np.nan}, ValueError, "cost_ratio must be a float"),
        ("neg_cost", {"cost_ratio": -1}, ValueError, "cost_ratio must be a float"),
        ("recall_at_false_alarm_rate", {"false_alarm_rate": 1}, ValueError, "false_alarm_rate"),
    ],
)
def test_refuses_names_and_options(name, options, error, message):
    with pytest.raises(error, match=message):
        anomaly_scorer(name, **options)
