"""DetectionCurveDisplay draws ROC and precision–recall curves of any outlier detector."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_score, recall_score, roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from sklearn_ae import NormalsOnly, TunedThresholdDetectorCV
from sklearn_ae.inspection import DetectionCurveDisplay

FOLDS = StratifiedKFold(n_splits=2, shuffle=True, random_state=0)
KINDS = ["roc", "precision_recall"]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def labeled_rows():
    generator = np.random.default_rng(0)
    X = np.concatenate([generator.normal(size=(60, 2)), generator.normal(2, 1, size=(12, 2))])
    return X, np.repeat([1, -1], [60, 12])


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_roc_curve_of_known_scores():
    display = DetectionCurveDisplay.from_predictions([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9])
    # Above 0.9, 0.6, 0.4 and 0.1: half of the anomalies are found without a false alarm.
    points = {(float(x), float(y)) for x, y in display.curve_.get_xydata()}
    assert points == {(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)}
    assert display.area == 0.75
    assert legend_texts(display.ax_) == ["AUC = 0.75", "chance"]
    assert display.ax_.get_xlabel() == "False-alarm rate"
    assert display.ax_.get_ylabel() == "Recall"
    assert display.operating_point_ is None
    x, y = display.chance_line_.get_data()
    np.testing.assert_array_equal(x, y)


def test_precision_recall_curve_of_known_scores():
    display = DetectionCurveDisplay.from_predictions(
        [0, 1, 0, 1, 0], [0.1, 0.4, 0.6, 0.9, 0.2], kind="precision_recall"
    )
    points = {(float(x), round(float(y), 9)) for x, y in display.curve_.get_xydata()}
    assert {(0, 1), (0.5, 1), (0.5, 0.5), (1, round(2 / 3, 9))} <= points
    assert display.area == pytest.approx((1 + 2 / 3) / 2)
    assert legend_texts(display.ax_) == ["AP = 0.833", "chance"]
    # Who guesses has the anomalies' share as precision.
    assert set(display.chance_line_.get_ydata()) == {2 / 5}


@pytest.mark.parametrize(
    "detector",
    [
        IsolationForest(n_estimators=5, contamination=0.2, random_state=0),
        LocalOutlierFactor(n_neighbors=5, novelty=True, contamination=0.2),
        OneClassSVM(nu=0.2),
        EllipticEnvelope(contamination=0.2, random_state=0),
        make_pipeline(StandardScaler(), OneClassSVM(nu=0.2)),
        NormalsOnly(OneClassSVM(nu=0.2)),
        TunedThresholdDetectorCV(OneClassSVM(nu=0.2), random_state=0),
        GridSearchCV(NormalsOnly(OneClassSVM()), {"estimator__nu": [0.2]}, cv=FOLDS),
    ],
    ids=lambda detector: type(detector).__name__,
)
@pytest.mark.parametrize("kind", KINDS)
def test_any_outlier_detector_and_its_threshold(labeled_rows, detector, kind):
    X, y = labeled_rows
    detector.fit(X, y)
    display = DetectionCurveDisplay.from_estimator(detector, X, y, kind=kind)
    area = {"roc": roc_auc_score, "precision_recall": average_precision_score}[kind]
    assert display.area == pytest.approx(area(y == -1, -detector.score_samples(X)))
    flagged = detector.predict(X) == -1
    recall = recall_score(y == -1, flagged)
    expected = (np.mean(flagged[y == 1]), recall)
    if kind == "precision_recall":
        expected = (recall, precision_score(y == -1, flagged))
    assert display.operating_point == pytest.approx(expected)
    assert display.operating_point_.get_xydata()[0].tolist() == list(display.operating_point)
    label = f"{type(detector).__name__} ({'AUC' if kind == 'roc' else 'AP'} = {display.area:.3g})"
    assert legend_texts(display.ax_)[0] == label


def test_pos_label_of_the_detector_is_used(labeled_rows):
    X, y = labeled_rows
    y = np.where(y == -1, 0, 1)
    # By convention, the label 1 would be the anomaly, and the curve turned round.
    detector = NormalsOnly(OneClassSVM(), pos_label=0).fit(X, y)
    display = DetectionCurveDisplay.from_estimator(detector, X, y)
    assert display.area == roc_auc_score(y == 0, -detector.score_samples(X)) > 0.5
    with pytest.raises(ValueError, match="pos_label must be one label of an anomaly"):
        DetectionCurveDisplay.from_estimator(detector, X, y, pos_label=1)


def test_detectors_without_a_threshold_or_scores(labeled_rows):
    X, y = labeled_rows
    display = DetectionCurveDisplay.from_estimator(GaussianMixture().fit(X[y == 1]), X, y)
    assert display.area > 0.8
    assert display.threshold is None

    class DecisionsOnly:
        def decision_function(self, X):
            return 1 - X[:, 0]

    display = DetectionCurveDisplay.from_estimator(DecisionsOnly(), X, y)
    assert display.threshold == 0
    assert display.operating_point[1] == np.mean(X[y == -1, 0] > 1)


@pytest.mark.parametrize("kind", KINDS)
def test_anomalies_are_positive_under_every_convention(kind):
    scores = [0.1, 0.4, 0.6, 0.9, 0.2]
    expected = DetectionCurveDisplay.from_predictions([0, 1, 0, 1, 0], scores, kind=kind)
    for y, pos_label in [
        ([1, -1, 1, -1, 1], None),
        ([False, True, False, True, False], None),
        (["good", "crack", "dust", "crack", "good"], "crack"),
    ]:
        display = DetectionCurveDisplay.from_predictions(y, scores, kind=kind, pos_label=pos_label)
        np.testing.assert_array_equal(display.curve_.get_xydata(), expected.curve_.get_xydata())


def test_curves_share_axes_and_one_line_of_chance():
    y, scores = [0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9]
    first = DetectionCurveDisplay.from_predictions(y, scores, name="first")
    second = DetectionCurveDisplay.from_predictions(y, [1, 2, 3, 4], name="other", ax=first.ax_)
    assert second.chance_line_ is None
    assert legend_texts(first.ax_) == ["first (AUC = 0.75)", "chance", "other (AUC = 0.75)"]
    assert first.curve_.get_color() != second.curve_.get_color()


def test_logarithmic_axis_is_kept():
    _, ax = plt.subplots()
    ax.set_xscale("log")
    display = DetectionCurveDisplay.from_predictions([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9], ax=ax)
    display.figure_.canvas.draw()
    assert ax.get_xlim()[0] > 0


def test_threshold_above_all_scores_is_where_the_curve_begins():
    for kind, point in [("roc", (0, 0)), ("precision_recall", (0, 1))]:
        display = DetectionCurveDisplay.from_predictions([0, 1], [0.1, 0.4], kind=kind, threshold=9)
        assert display.operating_point == point


def test_styles_are_passed_on():
    display = DetectionCurveDisplay.from_predictions(
        [0, 1, 0, 1],
        [0.1, 0.4, 0.6, 0.9],
        threshold=0.5,
        curve_kwargs={"c": "red", "label": "mine"},
        chance_kwargs={"ls": "-"},
        threshold_kwargs={"marker": "x"},
    )
    assert display.curve_.get_color() == "red"
    assert display.operating_point_.get_color() == "red"
    assert display.operating_point_.get_marker() == "x"
    assert display.chance_line_.get_linestyle() == "-"
    assert legend_texts(display.ax_)[0] == "mine"


@pytest.mark.parametrize(
    ("y", "scores", "keywords", "message"),
    [
        ([1, -1], [0.1, 0.2, 0.3], {}, "inconsistent numbers of samples"),
        ([1, -1], [0.1, np.nan], {}, "anomaly_scores contains NaN"),
        ([0, 0], [0.1, 0.2], {}, "both anomalies and normal samples: of one class, the curve"),
        ([1, 1], [0.1, 0.2], {}, "ambiguous"),
        (["a", "b"], [0.1, 0.2], {}, "pos_label"),
        ([1, -1], [0.1, 0.2], {"threshold": np.nan}, "threshold must be a finite number"),
        ([1, -1], [0.1, 0.2], {"kind": "det"}, "kind must be 'roc' or .*Received: kind='det'"),
    ],
)
def test_refuses_what_cannot_be_drawn(y, scores, keywords, message):
    with pytest.raises(ValueError, match=message):
        DetectionCurveDisplay.from_predictions(y, scores, **keywords)


def test_refuses_other_estimators(labeled_rows):
    X, y = labeled_rows
    with pytest.raises(NotFittedError):
        DetectionCurveDisplay.from_estimator(IsolationForest(), X, y)
    for estimator in [LogisticRegression().fit(X, y), LocalOutlierFactor().fit(X)]:
        with pytest.raises(TypeError, match=rf"outlier detector.*{type(estimator).__name__}"):
            DetectionCurveDisplay.from_estimator(estimator, X, y)
