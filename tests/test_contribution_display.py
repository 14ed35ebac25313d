"""ContributionDisplay says which features of a row were rebuilt worst."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from tiny_networks import tiny, tiny_conv

from sklearn_ae import ConformalDetector, FixedThresholdDetector, NormalsOnly
from sklearn_ae.inspection import ContributionDisplay


class HalvingDetector(BaseEstimator):
    """Stands for a fitted autoencoder whose reconstructions are half of the inputs."""

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def score_samples(self, X):
        return -self.anomaly_map(X).sum(axis=1)

    def predict(self, X):
        return np.where(self.score_samples(X) < -1, -1, 1)

    def reconstruct(self, X):
        return np.asarray(X, dtype=np.float32) / 2

    def anomaly_map(self, X):
        return np.abs(np.asarray(X) / 2)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(0)
    return pd.DataFrame(generator.normal(50, 10, size=(40, 4)), columns=list("abcd"))


def tick_labels(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def names(display):
    return [label.split(":")[0] for label in tick_labels(display)]


def lengths(display):
    return [bar.get_width() for bar in display.bars_]


class TestBars:
    def test_largest_errors_come_first_and_the_others_are_summed(self):
        display = ContributionDisplay.from_predictions(
            [0.5, 3, 0.25, 2, 1], feature_names=list("abcde"), max_features=2
        )
        assert tick_labels(display) == ["b", "d", "3 others"]
        assert lengths(display) == [3, 2, 1.75]
        # The first bar is the topmost.
        bottom, top = display.ax_.get_ylim()
        assert bottom > top
        assert display.normal_markers_ is None

    def test_all_features_are_shown_if_there_are_few(self):
        display = ContributionDisplay.from_predictions([1, 2])
        assert tick_labels(display) == ["x1", "x0"]
        assert lengths(display) == [2, 1]

    def test_one_other_is_not_called_others(self):
        display = ContributionDisplay.from_predictions([1, 2], max_features=1)
        assert tick_labels(display) == ["x1", "1 other"]

    def test_equal_errors_keep_the_order_of_the_features(self):
        display = ContributionDisplay.from_predictions(np.zeros(30), max_features=3)
        assert tick_labels(display) == ["x0", "x1", "x2", "27 others"]

    def test_medians_of_normal_rows_are_marked(self):
        normal = np.array([[1.0, 0, 5, 0], [2, 0, 0, 1], [9, 1, 1, 1]])
        display = ContributionDisplay.from_predictions(
            [4, 3, 2, 1], normal_contributions=normal, max_features=2
        )
        # Of the others, the sums are 5, 1 and 2, whose median is not the sum of the medians.
        np.testing.assert_array_equal(display.normal_markers_.get_xdata(), [2, 0, 2])
        np.testing.assert_array_equal(display.normal_markers_.get_ydata(), [0, 1, 2])
        assert "median of normal rows" in display.ax_.get_xlabel()

    def test_styles_are_passed_on(self):
        display = ContributionDisplay.from_predictions(
            [1, 2],
            normal_contributions=[[1, 1]],
            bar_kwargs={"fc": "black"},
            normal_kwargs={"marker": "x"},
        )
        assert all(bar.get_facecolor() == (0, 0, 0, 1) for bar in display.bars_)
        assert display.normal_markers_.get_marker() == "x"


class TestLabels:
    @pytest.mark.parametrize(
        ("value", "reconstruction", "label"),
        [
            (2501, 842.3, "x0: 2501 (rebuilt as 842)"),
            (1, 0.2991, "x0: 1 (rebuilt as 0.3)"),
            (0, 1, "x0: 0 (rebuilt as 1)"),
            (-0.001, 7.25, "x0: 0 (rebuilt as 7.2)"),
            # What differs in the seventh digit is seen to differ.
            (1000000.25, 1000000.75, "x0: 1000000.25 (rebuilt as 1000000.75)"),
            (5, 5, "x0: 5 (rebuilt as 5)"),
            (2e-9, 1e-9, "x0: 2e-09 (rebuilt as 1e-09)"),
            (3e15, 0, "x0: 3e+15 (rebuilt as 0)"),
        ],
    )
    def test_numbers_have_the_digits_that_tell_them_apart(self, value, reconstruction, label):
        display = ContributionDisplay.from_predictions(
            [1], values=[value], reconstructions=[reconstruction]
        )
        assert tick_labels(display) == [label]

    def test_values_alone_are_not_written(self):
        assert tick_labels(ContributionDisplay.from_predictions([1], values=[3])) == ["x0"]

    def test_both_ends_of_long_names_are_kept(self):
        name = "temperature of the housing of the gearbox_above"
        display = ContributionDisplay.from_predictions([1], feature_names=[name])
        assert tick_labels(display) == ["temperature of…e gearbox_above"]

    def test_dollar_signs_are_no_formulas(self):
        display = ContributionDisplay.from_predictions([1], feature_names=["$ per $"])
        display.figure_.canvas.draw()
        (label,) = display.ax_.get_yticklabels()
        assert label.get_text().replace("\\", "") == "$ per $"


class TestFromEstimator:
    def test_bars_are_the_anomaly_map_of_the_row(self, table):
        detector = tiny().fit(table)
        display = ContributionDisplay.from_estimator(detector, table, row=7)
        errors = detector.anomaly_map(table)[7]
        order = np.argsort(-errors)
        np.testing.assert_allclose(lengths(display), errors[order], rtol=1e-5)
        assert names(display) == list(table.columns[order])
        assert sum(lengths(display)) == pytest.approx(-detector.score_samples(table)[7], rel=1e-5)
        np.testing.assert_array_equal(display.values, table.iloc[7])
        np.testing.assert_allclose(
            display.reconstructions, detector.reconstruct(table)[7], rtol=1e-5
        )

    def test_normal_rows_are_compared_with(self, table):
        detector = tiny().fit(table)
        display = ContributionDisplay.from_estimator(detector, table, X_normal=table[20:])
        order = np.argsort(-detector.anomaly_map(table)[0])
        np.testing.assert_allclose(
            display.normal_markers_.get_xdata(),
            np.median(detector.anomaly_map(table[20:]), axis=0)[order],
            rtol=1e-6,
        )

    def test_features_of_a_pipeline_are_those_behind_its_steps(self, table):
        table = table.assign(kind=np.where(table.a > 50, "high", "low"))
        encoder = make_column_transformer(
            (OneHotEncoder(sparse_output=False), ["kind"]),
            remainder="passthrough",
            verbose_feature_names_out=False,
        )
        pipeline = make_pipeline(encoder, "passthrough", HalvingDetector()).fit(table)
        display = ContributionDisplay.from_estimator(pipeline, table, row=1, X_normal=table)
        assert set(names(display)) == {"a", "b", "c", "d", "kind_high", "kind_low"}
        bars = dict(zip(names(display), lengths(display), strict=True))
        assert bars["b"] == table.b[1] / 2
        assert bars["kind_high"] == (table.kind[1] == "high") / 2
        assert display.normal_contributions.shape == (40, 6)

    def test_names_go_through_all_steps(self, table):
        steps = make_column_transformer(
            ("drop", ["a"]), remainder="passthrough", verbose_feature_names_out=False
        )
        pipeline = make_pipeline(steps, StandardScaler(), HalvingDetector()).fit(table)
        assert set(names(ContributionDisplay.from_estimator(pipeline, table))) == set("bcd")

    def test_features_that_nobody_names_are_numbered(self, table):
        pipeline = make_pipeline(FunctionTransformer(np.log), HalvingDetector())
        display = ContributionDisplay.from_estimator(pipeline.fit(table), table)
        assert set(names(display)) == {"x0", "x1", "x2", "x3"}

    def test_names_can_be_given(self, table):
        detector = HalvingDetector().fit(table)
        display = ContributionDisplay.from_estimator(detector, table, feature_names=list("pqrs"))
        assert set(names(display)) == set("pqrs")

    @pytest.mark.parametrize(
        "wrap",
        [
            NormalsOnly,
            lambda detector: FixedThresholdDetector(detector, threshold=1.0),
            lambda detector: NormalsOnly(make_pipeline(StandardScaler(), detector)),
            lambda detector: FrozenEstimator(detector.fit(np.eye(4))),
            lambda detector: ConformalDetector(FrozenEstimator(detector.fit(np.eye(4)))),
            lambda detector: GridSearchCV(detector, {}, scoring=lambda *_: 0.0, cv=2),
        ],
    )
    def test_detectors_inside_of_others_are_found(self, table, wrap):
        estimator = wrap(HalvingDetector()).fit(table, None)
        display = ContributionDisplay.from_estimator(estimator, table, row=2)
        assert sum(lengths(display)) == pytest.approx(-estimator.score_samples(table)[2])

    def test_rows_may_be_lists(self):
        detector = HalvingDetector().fit(None)
        display = ContributionDisplay.from_estimator(detector, [[1, 2], [8, 6]], row=1)
        assert lengths(display) == [4, 3]


class TestInput:
    @pytest.mark.parametrize(
        ("contributions", "keywords", "message"),
        [
            ([], {}, "contributions must have one dimension and at least one"),
            ([[1, 2]], {}, "contributions must have one dimension"),
            ([1, np.nan], {}, "contributions contains NaN"),
            ([1, -2], {}, "contributions must be absolute errors.* -2"),
            ([1, 2], {"feature_names": ["a"]}, "feature_names must be of as many features"),
            ([1, 2], {"values": [1]}, "values must be of as many features as contributions, 2"),
            ([1, 2], {"values": [1, np.inf]}, "values contains infinity"),
            ([1, 2], {"reconstructions": [1, 2, 3]}, "reconstructions must be of as many"),
            ([1, 2], {"normal_contributions": [[1]]}, "normal_contributions must be of as many"),
            ([1, 2], {"normal_contributions": [1, 2]}, "Expected 2D array"),
            ([1, 2], {"max_features": 0}, "max_features must be a positive integer"),
            ([1, 2], {"max_features": 2.0}, "max_features must be a positive integer"),
        ],
    )
    def test_refuses_what_cannot_be_drawn(self, contributions, keywords, message):
        with pytest.raises(ValueError, match=message):
            ContributionDisplay.from_predictions(contributions, **keywords)

    @pytest.mark.parametrize("row", [40, -1, 1.0, None, [1, 2]])
    def test_refuses_a_row_that_is_not_there(self, table, row):
        with pytest.raises(ValueError, match=r"row must be the position .* from 0 to 39"):
            ContributionDisplay.from_estimator(HalvingDetector().fit(table), table, row=row)

    def test_refuses_other_detectors(self, table):
        forest = IsolationForest(n_estimators=2).fit(table)
        with pytest.raises(TypeError, match=r"anomaly_map.*from_predictions.*IsolationForest"):
            ContributionDisplay.from_estimator(NormalsOnly(forest).fit(table), table)

    def test_refuses_images(self):
        images = np.random.default_rng(0).random((20, 8, 8))
        with pytest.raises(ValueError, match=r"rows of features.*ReconstructionDisplay.*\(8, 8\)"):
            ContributionDisplay.from_estimator(tiny_conv().fit(images), images)

    @pytest.mark.parametrize("wrap", [lambda detector: detector, NormalsOnly])
    def test_refuses_an_unfitted_detector(self, table, wrap):
        with pytest.raises(NotFittedError):
            ContributionDisplay.from_estimator(wrap(tiny()), table)
