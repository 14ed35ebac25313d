"""Every display keeps scikit-learn's conventions; LossCurveDisplay draws a training history."""

import itertools
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError

from sklearn_ae.inspection import (
    AnomalyMapDisplay,
    ContributionDisplay,
    DetectionCurveDisplay,
    GridHeatmapDisplay,
    LossCurveDisplay,
    OperatingPointDisplay,
    PValueDisplay,
    ReconstructionDisplay,
    ScoreHistogramDisplay,
    ThresholdCurveDisplay,
)

HISTORY = {"loss": [0.9, 0.5, 0.4, 0.3], "val_loss": [0.8, 0.4, 0.6, 0.7]}


class TrainedDetector(BaseEstimator):
    """Stands for an autoencoder that kept the weights of its second epoch."""

    def fit(self, X=None, y=None):
        self.history_ = HISTORY
        self.best_epoch_ = 1
        return self


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def same_picture(first, second):
    first.figure_.canvas.draw()
    second.figure_.canvas.draw()
    return np.array_equal(first.figure_.canvas.buffer_rgba(), second.figure_.canvas.buffer_rgba())


class TestLossCurveDisplay:
    def test_draws_history_and_best_epoch_of_a_detector(self):
        display = LossCurveDisplay.from_estimator(TrainedDetector().fit())
        for line, name in [
            (display.training_line_, "loss"),
            (display.validation_line_, "val_loss"),
        ]:
            np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
            np.testing.assert_array_equal(line.get_ydata(), HISTORY[name])
        # The epoch with index 1 is the second of the picture, on the validation curve.
        assert display.best_epoch_line_.get_xdata() == [2]
        assert display.best_epoch_line_.get_ydata() == [HISTORY["val_loss"][1]]
        assert legend_texts(display.ax_) == ["training", "validation", "best epoch (2)"]
        assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("Epoch", "Loss")

    def test_marks_the_training_curve_if_no_row_was_held_out(self):
        display = LossCurveDisplay.from_history({"loss": HISTORY["loss"]}, best_epoch=3)
        assert display.validation_line_ is None
        assert display.best_epoch_line_.get_ydata() == [HISTORY["loss"][3]]

    def test_marks_nothing_without_a_best_epoch(self):
        display = LossCurveDisplay.from_history(HISTORY)
        assert display.best_epoch_line_ is None
        assert legend_texts(display.ax_) == ["training", "validation"]

    def test_a_single_epoch_is_visible(self):
        display = LossCurveDisplay.from_history({"loss": [0.5]})
        assert display.training_line_.get_marker() == "o"

    def test_styles_are_passed_on_under_short_names_too(self):
        display = LossCurveDisplay.from_history(
            HISTORY,
            best_epoch=1,
            training_kwargs={"c": "red", "label": "on normal rows"},
            validation_kwargs={"ls": ":"},
            best_epoch_kwargs={"marker": "x", "color": "black"},
        )
        assert display.training_line_.get_color() == "red"
        assert display.validation_line_.get_linestyle() == ":"
        assert display.best_epoch_line_.get_marker() == "x"
        assert display.best_epoch_line_.get_color() == "black"
        assert legend_texts(display.ax_)[0] == "on normal rows"

    @pytest.mark.parametrize(
        ("history", "message"),
        [
            ([0.5, 0.4], "history must be a dict"),
            ({"val_loss": [0.5]}, "key 'loss'"),
            ({"loss": []}, r"history\['loss'\] must have one dimension and at least one"),
            ({"loss": [[0.5, 0.4]]}, r"history\['loss'\] must have one dimension"),
            ({"loss": [0.5, np.nan]}, r"history\['loss'\] contains NaN"),
            (
                {"loss": [0.5, 0.4], "val_loss": [0.5, np.inf]},
                r"history\['val_loss'\] contains inf",
            ),
            ({"loss": [0.5, 0.4], "val_loss": [0.5]}, "inconsistent numbers of samples"),
        ],
    )
    def test_refuses_what_is_no_history(self, history, message):
        with pytest.raises(ValueError, match=message):
            LossCurveDisplay.from_history(history)

    @pytest.mark.parametrize("best_epoch", [-1, 4, 1.5])
    def test_refuses_a_best_epoch_that_is_none_of_the_epochs(self, best_epoch):
        with pytest.raises(ValueError, match=r"best_epoch must be .* from 0 to 3"):
            LossCurveDisplay.from_history(HISTORY, best_epoch=best_epoch)

    def test_refuses_an_unfitted_detector(self):
        with pytest.raises(NotFittedError):
            LossCurveDisplay.from_estimator(TrainedDetector())

    def test_refuses_other_fitted_estimators(self):
        with pytest.raises(TypeError, match=r"history_.*from_history.*IsolationForest"):
            LossCurveDisplay.from_estimator(IsolationForest(n_estimators=2).fit(np.eye(4)))


def draw_loss(data, **keywords):
    return LossCurveDisplay.from_history(data, best_epoch=1, **keywords)


def draw_reconstruction(data, **keywords):
    return ReconstructionDisplay.from_predictions(data["X"], data["X_reconstructed"], **keywords)


def draw_scores(data, **keywords):
    return ScoreHistogramDisplay.from_predictions(data["y"], data["scores"], **keywords)


def draw_roc(data, **keywords):
    return DetectionCurveDisplay.from_predictions(
        data["y"], data["scores"], threshold=0.5, **keywords
    )


def draw_precision_recall(data, **keywords):
    return DetectionCurveDisplay.from_predictions(
        data["y"], data["scores"], kind="precision_recall", **keywords
    )


def draw_threshold_curve(data, **keywords):
    return ThresholdCurveDisplay.from_cv_results(data, best_threshold=2.0, **keywords)


def draw_heatmap(data, **keywords):
    return GridHeatmapDisplay.from_cv_results(data, x="threshold", y="latent_dim", **keywords)


def draw_p_values(data, **keywords):
    return PValueDisplay.from_predictions(
        data["p_values"], data["y"], n_calibration=999, **keywords
    )


def draw_operating_points(data, **keywords):
    return OperatingPointDisplay.from_predictions(data["y"], data["p_values"], **keywords)


def draw_contributions(data, **keywords):
    return ContributionDisplay.from_predictions(
        data["contributions"],
        values=data["values"],
        reconstructions=data["reconstructions"],
        normal_contributions=data["normal_contributions"],
        **keywords,
    )


def draw_anomaly_maps(data, **keywords):
    return AnomalyMapDisplay.from_maps(
        data["X"], data["maps"], masks=data["masks"], threshold=0.7, **keywords
    )


GENERATOR = np.random.default_rng(0)
DISPLAYS = [
    *(
        (
            draw_anomaly_maps,
            {
                "X": GENERATOR.random((n, 8, 8, 3)),
                "maps": GENERATOR.random((n, 8, 8)),
                "masks": GENERATOR.random((n, 8, 8)) > 0.9,
            },
        )
        for n in (1, 6)
    ),
    (draw_loss, {"loss": np.arange(4.0), "val_loss": np.arange(4.0)}),
    (
        draw_reconstruction,
        {"X": GENERATOR.random((4, 5, 5)), "X_reconstructed": np.ones((4, 5, 5))},
    ),
    (draw_reconstruction, {"X": GENERATOR.random((4, 5)), "X_reconstructed": np.ones((4, 5))}),
    (draw_reconstruction, {"X": np.ones((2, 4, 4, 3)), "X_reconstructed": np.ones((2, 4, 4, 3))}),
    (draw_scores, {"y": np.repeat([1, -1], 10), "scores": GENERATOR.random(20)}),
    (draw_roc, {"y": np.repeat([1, -1], 10), "scores": GENERATOR.random(20)}),
    (draw_precision_recall, {"y": np.repeat([1, -1], 10), "scores": GENERATOR.random(20)}),
    (draw_p_values, {"y": np.repeat([1, -1], 10), "p_values": GENERATOR.uniform(0.01, 1, 20)}),
    (
        draw_operating_points,
        {"y": np.repeat([1, -1], 10), "p_values": GENERATOR.uniform(0.01, 1, 20)},
    ),
    (
        draw_contributions,
        {
            "contributions": GENERATOR.random(20),
            "values": GENERATOR.normal(size=20),
            "reconstructions": GENERATOR.normal(size=20),
            "normal_contributions": GENERATOR.random((5, 20)),
        },
    ),
    (
        draw_threshold_curve,
        {"thresholds": np.arange(4.0), "scores": np.arange(4.0), "std_scores": np.ones(4)},
    ),
    (
        draw_heatmap,
        {
            "param_threshold": np.tile(np.arange(12.0), 3),
            "param_latent_dim": np.repeat([2, 4, 8], 12),
            "mean_test_score": GENERATOR.random(36),
        },
    ),
]


@pytest.mark.parametrize(("draw", "data"), DISPLAYS)
class TestEveryDisplay:
    def test_leaves_the_data_as_it_was(self, draw, data):
        before = {name: values.copy() for name, values in data.items()}
        display = draw(data)
        stored = {name: np.copy(value) for name, value in vars(display).items() if name[-1] != "_"}
        display.plot()
        for name, values in data.items():
            np.testing.assert_array_equal(values, before[name])
        for name, value in stored.items():
            np.testing.assert_array_equal(getattr(display, name), value)

    def test_takes_read_only_data(self, draw, data):
        read_only = {name: values.copy() for name, values in data.items()}
        for values in read_only.values():
            values.flags.writeable = False
        draw(read_only)

    def test_plotting_again_gives_the_same_picture_in_another_figure(self, draw, data):
        display = draw(data)
        first = display.figure_
        assert display.plot() is display
        assert display.figure_ is not first
        assert same_picture(display, draw(data))

    def test_draws_on_the_axes_it_is_given(self, draw, data):
        figure, axes = plt.subplots(1, 2)
        display = draw(data, ax=axes[1])
        assert plt.get_fignums() == [figure.number]
        assert display.figure_ is figure
        assert not axes[0].has_data()
        drawn_on = np.ravel(getattr(display, "axes_", axes[1]))
        left = axes[0].get_position().x1
        assert all(ax.get_position().x0 >= left for ax in drawn_on)
        assert any(ax.has_data() for ax in drawn_on)

    def test_nothing_sticks_out_of_the_figure_or_overlaps(self, draw, data):
        display = draw(data)
        display.figure_.canvas.draw()
        artists = []
        for ax in display.figure_.axes:
            if ax.axison:
                legend = [ax.get_legend()] if ax.get_legend() else []
                texts = [ax.title, ax.xaxis.label, ax.yaxis.label]
                artists += [text for text in texts if text.get_text()] + legend
        boxes = [artist.get_window_extent() for artist in artists]
        assert boxes
        width, height = display.figure_.canvas.get_width_height()
        for box in boxes:
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= width
            assert box.y1 <= height
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))

    def test_says_how_to_install_matplotlib(self, draw, data, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(ImportError, match="plot requires matplotlib"):
            draw(data)
