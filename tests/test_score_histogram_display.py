"""ScoreHistogramDisplay draws the scores of any outlier detector, and its threshold."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from sklearn_ae import NormalsOnly
from sklearn_ae.inspection import ScoreHistogramDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def labeled_rows():
    generator = np.random.default_rng(0)
    X = np.concatenate([generator.normal(size=(40, 3)), generator.normal(5, 1, size=(10, 3))])
    return X, np.repeat([1, -1], [40, 10])


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_common_bins_hold_the_samples_of_each_class():
    y = np.repeat([1, -1], [5, 3])
    scores = np.array([0.0, 0.1, 0.1, 0.3, 0.6, 0.6, 0.9, 1.0])
    display = ScoreHistogramDisplay.from_predictions(y, scores, bins=4)
    normal = display.normal_histogram_.get_data()
    anomaly = display.anomaly_histogram_.get_data()
    for data in [normal, anomaly]:
        np.testing.assert_allclose(data.edges, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_array_equal(normal.values, [3, 1, 1, 0])
    np.testing.assert_array_equal(anomaly.values, [0, 0, 1, 2])
    assert legend_texts(display.ax_) == ["normal (n=5)", "anomaly (n=3)"]
    assert display.threshold_line_ is None
    assert display.ax_.get_xlabel() == "Anomaly score"
    assert display.ax_.get_ylabel() == "Number of samples"


def test_density_gives_each_class_an_area_of_one(labeled_rows):
    X, y = labeled_rows
    display = ScoreHistogramDisplay.from_predictions(y, X[:, 0], density=True)
    for histogram in [display.normal_histogram_, display.anomaly_histogram_]:
        data = histogram.get_data()
        assert np.sum(data.values * np.diff(data.edges)) == pytest.approx(1)
    assert display.ax_.get_ylabel() == "Density"


def test_threshold_is_drawn_and_labeled():
    display = ScoreHistogramDisplay.from_predictions([1, -1], [0.2, 0.9], threshold=0.5)
    assert display.threshold_line_.get_xdata() == [0.5, 0.5]
    assert legend_texts(display.ax_)[-1] == "threshold = 0.5"


def test_threshold_outside_of_the_scores_is_in_the_picture():
    display = ScoreHistogramDisplay.from_predictions([1, -1], [0.2, 0.9], threshold=20)
    assert display.ax_.get_xlim()[1] > 20


def test_without_labels_one_histogram_holds_all_samples(labeled_rows):
    X, _ = labeled_rows
    display = ScoreHistogramDisplay.from_predictions(None, X[:, 0])
    assert np.sum(display.normal_histogram_.get_data().values) == len(X)
    assert display.anomaly_histogram_ is None
    assert legend_texts(display.ax_) == ["all samples (n=50)"]


def test_one_class_alone_is_drawn_alone():
    display = ScoreHistogramDisplay.from_predictions([-1, -1], [0.2, 0.9])
    assert display.normal_histogram_ is None
    assert legend_texts(display.ax_) == ["anomaly (n=2)"]


def test_pos_label_names_the_anomaly():
    y = ["good", "good", "crack"]
    display = ScoreHistogramDisplay.from_predictions(y, [0.1, 0.2, 0.9], pos_label="crack")
    assert legend_texts(display.ax_) == ["normal (n=2)", "anomaly (n=1)"]
    with pytest.raises(ValueError, match="pos_label"):
        ScoreHistogramDisplay.from_predictions(y, [0.1, 0.2, 0.9])


def test_bins_are_logarithmic_on_a_logarithmic_axis():
    scores = np.geomspace(5, 50, 200)
    _, ax = plt.subplots()
    ax.set_xscale("log")
    display = ScoreHistogramDisplay.from_predictions(None, scores, ax=ax, bins=10)
    values, edges, _ = display.normal_histogram_.get_data()
    np.testing.assert_allclose(edges[1:] / edges[:-1], 10**0.1)
    # 10 ** log10 rounds 5 up and 50 down: neither score is lost.
    assert np.sum(values) == 200
    with pytest.raises(ValueError, match="anomaly_scores must be positive on a logarithmic"):
        ScoreHistogramDisplay.from_predictions(None, [0.0, 1.0], ax=ax)


def test_heavy_tails_and_equal_scores_are_drawn():
    for scores in [[0.1, 0.2, 0.2, 1e12], [0.5, 0.5]]:
        display = ScoreHistogramDisplay.from_predictions(None, scores)
        assert np.sum(display.normal_histogram_.get_data().values) == len(scores)


def test_styles_are_passed_on():
    display = ScoreHistogramDisplay.from_predictions(
        [1, -1],
        [0.2, 0.9],
        threshold=0.5,
        normal_kwargs={"alpha": 0.1},
        anomaly_kwargs={"fc": "red"},
        threshold_kwargs={"c": "green", "label": "limit"},
    )
    assert display.normal_histogram_.get_alpha() == 0.1
    assert display.anomaly_histogram_.get_facecolor()[:3] == (1, 0, 0)
    assert display.threshold_line_.get_color() == "green"
    assert legend_texts(display.ax_)[-1] == "limit"


@pytest.mark.parametrize(
    "detector",
    [
        IsolationForest(n_estimators=5, contamination=0.2, random_state=0),
        LocalOutlierFactor(n_neighbors=5, novelty=True),
        OneClassSVM(nu=0.2),
    ],
)
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_scores_and_threshold_of_any_detector(labeled_rows, detector, in_pipeline):
    X, y = labeled_rows
    estimator = make_pipeline(StandardScaler(), detector) if in_pipeline else detector
    display = ScoreHistogramDisplay.from_estimator(estimator.fit(X[:40]), X, y)
    np.testing.assert_array_equal(display.anomaly_scores, -estimator.score_samples(X))
    assert display.threshold == pytest.approx(-float(np.ravel(detector.offset_)[0]), rel=1e-12)
    assert display.threshold_line_.get_xdata()[0] == display.threshold
    above = display.anomaly_scores > display.threshold
    np.testing.assert_array_equal(above, estimator.predict(X) == -1)


def test_pos_label_of_the_detector_is_used(labeled_rows):
    X, y = labeled_rows
    # By convention, the label 1 would be the anomaly.
    y = np.where(y == -1, 0, 1)
    detector = NormalsOnly(OneClassSVM(nu=0.2), pos_label=0).fit(X, y)
    display = ScoreHistogramDisplay.from_estimator(detector, X, y)
    assert legend_texts(display.ax_)[:2] == ["normal (n=40)", "anomaly (n=10)"]


def test_threshold_of_a_search(labeled_rows):
    X, y = labeled_rows
    forest = IsolationForest(n_estimators=5, random_state=0)
    search = GridSearchCV(forest, {"max_samples": [8]}, scoring=lambda *_: 0.0, cv=2).fit(X, y)
    display = ScoreHistogramDisplay.from_estimator(search, X, y)
    assert display.threshold == pytest.approx(-search.best_estimator_.offset_)


def test_threshold_survives_scores_of_another_magnitude():
    class Detector:
        def score_samples(self, X):
            return -X[:, 0]

        def decision_function(self, X):
            return self.score_samples(X) + 0.5

    display = ScoreHistogramDisplay.from_estimator(Detector(), np.array([[1e20], [0.25]]))
    assert display.threshold == 0.5


def test_estimator_without_a_threshold(labeled_rows):
    X, y = labeled_rows
    display = ScoreHistogramDisplay.from_estimator(GaussianMixture().fit(X), X, y)
    assert display.threshold is None


def test_data_frames_keep_their_column_names(labeled_rows, recwarn):
    X, y = labeled_rows
    X = pd.DataFrame(X, columns=list("abc"))
    forest = IsolationForest(n_estimators=2, random_state=0).fit(X)
    ScoreHistogramDisplay.from_estimator(forest, X, pd.Series(y))
    assert not [warning for warning in recwarn if "feature names" in str(warning.message)]


@pytest.mark.parametrize(
    ("y", "scores", "keywords", "message"),
    [
        ([1, -1], [0.1, 0.2, 0.3], {}, "inconsistent numbers of samples"),
        ([1, -1], [[0.1], [0.2]], {}, "anomaly_scores must have one dimension"),
        (None, [], {}, "anomaly_scores must have one dimension and at least one"),
        ([1, -1], [0.1, np.nan], {}, "anomaly_scores contains NaN"),
        ([1, -1], [0.1, 0.2], {"threshold": np.nan}, "threshold must be a finite number"),
        ([1, -1], [0.1, 0.2], {"threshold": "auto"}, "threshold must be a finite number"),
        ([1, -1], [0.1, 0.2], {"bins": 0}, "bins must be a positive integer"),
        ([1, -1], [0.1, 0.2], {"bins": 2.5}, "bins must be a positive integer"),
    ],
)
def test_refuses_what_cannot_be_drawn(y, scores, keywords, message):
    with pytest.raises(ValueError, match=message):
        ScoreHistogramDisplay.from_predictions(y, scores, **keywords)


def test_refuses_an_unfitted_detector(labeled_rows):
    with pytest.raises(NotFittedError):
        ScoreHistogramDisplay.from_estimator(IsolationForest(), labeled_rows[0])


def test_refuses_an_estimator_without_scores(labeled_rows):
    detector = LocalOutlierFactor(novelty=False)
    with pytest.raises(TypeError, match=r"score_samples.*from_predictions.*LocalOutlierFactor"):
        ScoreHistogramDisplay.from_estimator(detector, labeled_rows[0])
