"""ThresholdCurveDisplay and GridHeatmapDisplay draw what a search found."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from sklearn_ae import FixedThresholdDetector, NormalsOnly, TunedThresholdDetectorCV
from sklearn_ae.inspection import GridHeatmapDisplay, ThresholdCurveDisplay
from sklearn_ae.metrics import anomaly_scorer

FOLDS = StratifiedKFold(n_splits=2, shuffle=True, random_state=0)
RESULTS = {
    "thresholds": np.array([1.0, 2.0, 3.0, 4.0]),
    "scores": np.array([0.5, 0.9, 0.8, 0.5]),
    "std_scores": np.array([0.1, 0.0, 0.2, 0.1]),
    "false_alarm_rates": np.array([0.5, 0.2, 0.1, 0.0]),
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def labeled_rows():
    X = np.random.default_rng(0).normal(size=(60, 2))
    X[::6] += 3
    return X, (np.arange(60) % 6 == 0).astype(int)


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


class TestThresholdCurveDisplay:
    @pytest.mark.parametrize(
        ("scoring", "label"),
        [
            ("balanced_accuracy", "Balanced accuracy"),
            (anomaly_scorer("neg_cost", cost_ratio=5), "Neg cost"),
            (lambda estimator, X, y: np.mean(estimator.predict(X)), "Score"),
        ],
    )
    def test_draws_results_and_choice_of_a_search(self, labeled_rows, scoring, label):
        detector = TunedThresholdDetectorCV(
            OneClassSVM(), scoring=scoring, thresholds=7, random_state=0
        ).fit(*labeled_rows)
        display = ThresholdCurveDisplay.from_estimator(detector)
        results = detector.cv_results_
        x, y = display.curve_.get_data()
        np.testing.assert_array_equal(x, results["thresholds"])
        np.testing.assert_array_equal(y, results["scores"])
        assert display.threshold_line_.get_xdata()[0] == detector.best_threshold_
        assert y[x == detector.best_threshold_] == np.max(y)
        assert display.excluded_ is None
        assert display.ax_.get_ylabel() == label
        assert display.ax_.get_xlabel() == "Threshold of the anomaly score"

    def test_shades_thresholds_with_too_many_false_alarms(self, labeled_rows):
        detector = TunedThresholdDetectorCV(
            OneClassSVM(), max_false_alarm_rate=0.3, random_state=0
        ).fit(*labeled_rows)
        results = detector.cv_results_
        display = ThresholdCurveDisplay.from_estimator(detector)
        low, high = display.excluded_.get_window_extent().intervalx
        to_data = display.ax_.transData.inverted().transform
        drawn = [to_data((position, 0))[0] for position in (low, high)]
        allowed = results["thresholds"][results["false_alarm_rates"] <= 0.3]
        np.testing.assert_allclose(drawn, [results["thresholds"][0], allowed[0]])
        assert detector.best_threshold_ >= allowed[0]
        assert "too many false alarms" in legend_texts(display.ax_)

    def test_band_is_one_standard_deviation_wide(self):
        display = ThresholdCurveDisplay.from_cv_results(RESULTS)
        corners = display.band_.get_paths()[0].vertices
        assert {(1.0, 0.4), (1.0, 0.6), (3.0, 0.6), (3.0, 1.0)} <= {
            (float(x), round(float(y), 9)) for x, y in corners
        }
        assert display.threshold_line_ is None
        assert legend_texts(display.ax_) == ["mean of the folds", "± standard deviation"]

    def test_draws_thresholds_and_scores_alone(self):
        results = {name: RESULTS[name].tolist() for name in ["thresholds", "scores"]}
        display = ThresholdCurveDisplay.from_cv_results(results, best_threshold=2)
        assert display.band_ is None
        assert legend_texts(display.ax_) == ["mean of the folds", "threshold = 2"]

    def test_nothing_is_shaded_if_all_thresholds_are_allowed(self):
        display = ThresholdCurveDisplay.from_cv_results(RESULTS, max_false_alarm_rate=0.5)
        assert display.excluded_ is None

    def test_a_single_threshold_is_visible(self):
        display = ThresholdCurveDisplay.from_cv_results({"thresholds": [1.0], "scores": [0.5]})
        assert display.curve_.get_marker() == "o"

    def test_styles_are_passed_on(self):
        display = ThresholdCurveDisplay.from_cv_results(
            RESULTS,
            best_threshold=3.0,
            max_false_alarm_rate=0.1,
            score_name="f1",
            curve_kwargs={"c": "red"},
            band_kwargs={"alpha": 0.7},
            threshold_kwargs={"ls": ":", "label": "chosen"},
            excluded_kwargs={"fc": "blue"},
        )
        assert display.curve_.get_color() == "red"
        assert display.band_.get_alpha() == 0.7
        assert display.threshold_line_.get_linestyle() == ":"
        assert display.excluded_.get_facecolor()[:3] == (0, 0, 1)
        assert "chosen" in legend_texts(display.ax_)
        assert display.ax_.get_ylabel() == "F1"

    def test_refuses_detectors_without_results(self, labeled_rows):
        detector = TunedThresholdDetectorCV(OneClassSVM(), random_state=0)
        with pytest.raises(NotFittedError):
            ThresholdCurveDisplay.from_estimator(detector)
        message = "cv_results_; fit .* with labels and without store_cv_results=False"
        with pytest.warns(UserWarning, match="without labels"):
            detector.fit(labeled_rows[0])
        with pytest.raises(TypeError, match=message):
            ThresholdCurveDisplay.from_estimator(detector)
        detector.set_params(store_cv_results=False).fit(*labeled_rows)
        with pytest.raises(TypeError, match=message):
            ThresholdCurveDisplay.from_estimator(detector)
        with pytest.raises(TypeError, match=r"pipeline\[-1\].*Pipeline"):
            ThresholdCurveDisplay.from_estimator(
                make_pipeline(StandardScaler(), detector).fit(*labeled_rows)
            )

    @pytest.mark.parametrize(
        ("results", "keywords", "message"),
        [
            ({"thresholds": [1.0]}, {}, "cv_results must be a dict .* with scores, thresholds"),
            ([1.0], {}, "cv_results must be a dict"),
            ({"thresholds": [1.0], "scores": [0.5, 0.6]}, {}, "inconsistent numbers"),
            ({"thresholds": [1.0], "scores": [np.nan]}, {}, r"cv_results\['scores'\] contains NaN"),
            ({"thresholds": [], "scores": []}, {}, "at least one value"),
            (
                {"thresholds": [1.0], "scores": [0.5]},
                {"max_false_alarm_rate": 0.1},
                "with false_alarm_rates, scores",
            ),
            (RESULTS, {"best_threshold": np.inf}, "threshold must be a finite number"),
        ],
    )
    def test_refuses_what_cannot_be_drawn(self, results, keywords, message):
        with pytest.raises(ValueError, match=message):
            ThresholdCurveDisplay.from_cv_results(results, **keywords)


def cell_texts(display):
    return {text.get_position()[::-1]: text.get_text() for text in display.texts_}


class TestGridHeatmapDisplay:
    def test_draws_scores_and_best_candidate_of_a_search(self, labeled_rows):
        gammas, thresholds = [1.0, 0.1], [-4.0, -2.0, 0.0]
        search = GridSearchCV(
            NormalsOnly(FixedThresholdDetector(OneClassSVM(), threshold=0.0)),
            {"estimator__estimator__gamma": gammas, "estimator__threshold": thresholds},
            cv=FOLDS,
            error_score="raise",
        ).fit(*labeled_rows)
        display = GridHeatmapDisplay.from_estimator(
            search, x="estimator__threshold", y="estimator__estimator__gamma"
        )
        # Rows ascend, though the grid did not.
        scores = search.cv_results_["mean_test_score"].reshape(2, 3)[::-1]
        np.testing.assert_array_equal(display.image_.get_array(), scores)
        ticks = [label.get_text() for label in display.ax_.get_xticklabels()]
        assert ticks == ["-4", "-2", "0"]
        assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["0.1", "1"]
        assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("threshold", "gamma")
        assert cell_texts(display) == {cell: f"{v:#.3g}" for cell, v in np.ndenumerate(scores)}
        row, column = display.best_cell
        assert thresholds[column] == search.best_params_["estimator__threshold"]
        assert sorted(gammas)[row] == search.best_params_["estimator__estimator__gamma"]
        assert display.best_marker_.get_xy() == (column - 0.5, row - 0.5)
        assert display.colorbar_.ax.get_ylabel() == "Mean test score"

    def test_cell_is_the_best_over_the_other_parameters(self):
        results = {
            "param_a": [1, 1, 2, 2],
            "param_b": [1, 1, 1, 1],
            "param_c": [1, 2, 1, 2],
            "mean_test_score": [0.3, 0.5, np.nan, 0.1],
        }
        display = GridHeatmapDisplay.from_cv_results(results, x="a", y="b")
        np.testing.assert_array_equal(display.scores, [[0.5, 0.1]])
        assert display.best_cell == (0, 0)

    def test_list_of_grids_leaves_cells_empty(self, labeled_rows):
        search = GridSearchCV(
            NormalsOnly(OneClassSVM()),
            [
                {"estimator__nu": [0.1, 0.2], "estimator__kernel": ["linear"]},
                {
                    "estimator__nu": [0.2],
                    "estimator__kernel": ["rbf"],
                    "estimator__gamma": [0.1, 0.5],
                },
            ],
            cv=FOLDS,
            error_score="raise",
        ).fit(*labeled_rows)
        display = GridHeatmapDisplay.from_estimator(
            search, x="estimator__nu", y="estimator__kernel"
        )
        assert display.y_values == ["linear", "rbf"]
        np.testing.assert_array_equal(np.isnan(display.scores), [[False, False], [True, False]])
        assert len(display.texts_) == 3
        # Candidates of a grid without gamma have no row.
        display = GridHeatmapDisplay.from_estimator(search, x="estimator__nu", y="estimator__gamma")
        assert display.x_values == ["0.2"]
        assert display.y_values == ["0.1", "0.5"]

    def test_values_of_any_kind(self):
        results = {
            "param_units": [(8,), (8, 4), (8,), (8, 4)],
            "param_inner": [OneClassSVM(nu=0.25), OneClassSVM(nu=0.25), None, None],
            "mean_test_score": [0.1, 0.2, 0.3, 0.4],
        }
        for table in [results, pd.DataFrame(results)]:
            display = GridHeatmapDisplay.from_cv_results(table, x="units", y="inner")
            assert display.x_values == ["(8,)", "(8, 4)"]
            assert display.y_values == ["OneClassSVM(nu=0.25)", "None"]
            np.testing.assert_array_equal(display.scores, [[0.1, 0.2], [0.3, 0.4]])

    def test_values_that_print_alike_are_told_apart(self):
        results = {
            "param_a": [1.00001, 1.00002],
            "param_b": [1, 1],
            "mean_test_score": [0.1, 0.2],
        }
        display = GridHeatmapDisplay.from_cv_results(results, x="a", y="b")
        assert display.x_values == ["1.00001", "1.00002"]

    def test_parameters_of_one_name_keep_their_paths(self):
        results = {"param_a__nu": [1, 2], "param_b__nu": [1, 2], "mean_test_score": [0.1, 0.2]}
        display = GridHeatmapDisplay.from_cv_results(results, x="a__nu", y="b__nu")
        assert (display.x_name, display.y_name) == ("a__nu", "b__nu")

    def test_metric_of_several(self):
        results = {
            "param_a": [1, 2],
            "param_b": [1, 2],
            "mean_test_f1": [0.1, 0.2],
            "mean_test_roc_auc": [0.4, 0.3],
        }
        display = GridHeatmapDisplay.from_cv_results(results, x="a", y="b", metric="roc_auc")
        assert display.scores[0, 0] == 0.4
        assert display.best_cell == (0, 0)
        assert display.score_name == "Mean test roc auc"
        display = GridHeatmapDisplay.from_cv_results(
            results, x="a", y="b", metric="roc_auc", best_index=1
        )
        assert display.best_cell == (1, 1)

    def test_scores_can_be_read_on_every_color(self):
        results = {
            "param_a": [1, 2],
            "param_b": [1, 1],
            "mean_test_score": [0.0, 1.0],
        }
        display = GridHeatmapDisplay.from_cv_results(results, x="a", y="b")
        assert [text.get_color() for text in display.texts_] == ["white", "black"]

    def test_styles_are_passed_on(self):
        results = {"param_a": [1, 2], "param_b": [1, 1], "mean_test_score": [0.0, 1.0]}
        display = GridHeatmapDisplay.from_cv_results(
            results,
            x="a",
            y="b",
            image_kwargs={"cmap": "gray"},
            text_kwargs={"size": 7},
            best_kwargs={"ec": "red"},
        )
        assert display.image_.get_cmap().name == "gray"
        assert display.texts_[0].get_fontsize() == 7
        assert display.best_marker_.get_edgecolor()[:3] == (1, 0, 0)

    @pytest.mark.parametrize(
        ("keywords", "message"),
        [
            ({"x": "c", "y": "b"}, r"x must be one of those in the search: a, b\. .*x='c'"),
            ({"x": "a", "y": "c"}, r"y must be one of"),
            ({"x": "a", "y": "b", "metric": "f1"}, r"metric must be one of .*: score\."),
            ({"x": "a", "y": "a"}, "x and y must be two parameters"),
        ],
    )
    def test_refuses_what_is_not_in_the_search(self, keywords, message):
        results = {"param_a": [1, 2], "param_b": [1, 1], "mean_test_score": [0.0, 1.0]}
        with pytest.raises(ValueError, match=message):
            GridHeatmapDisplay.from_cv_results(results, **keywords)

    def test_refuses_a_search_without_scores(self):
        results = {"param_a": [1], "param_b": [1], "mean_test_score": [np.nan]}
        with pytest.raises(ValueError, match=r"candidates with x, y and a score.*none among 1"):
            GridHeatmapDisplay.from_cv_results(results, x="a", y="b")

    def test_refuses_other_estimators(self, labeled_rows):
        with pytest.raises(NotFittedError):
            GridHeatmapDisplay.from_estimator(GridSearchCV(OneClassSVM(), {}), x="a", y="b")
        with pytest.raises(TypeError, match=r"cv_results_; pass the search itself.*OneClassSVM"):
            GridHeatmapDisplay.from_estimator(OneClassSVM().fit(labeled_rows[0]), x="a", y="b")
