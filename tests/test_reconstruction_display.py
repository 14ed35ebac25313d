"""ReconstructionDisplay draws inputs and reconstructions, images and rows of features."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline

from sklearn_ae.inspection import ReconstructionDisplay


class HalvingDetector(BaseEstimator):
    """Stands for a fitted autoencoder whose reconstructions are half of the inputs."""

    def __init__(self, input_shape=(4,)):
        self.input_shape = input_shape

    def fit(self, X, y=None):
        self.input_shape_ = self.input_shape
        return self

    def reconstruct(self, X):
        self.n_reconstructed_ = len(X)
        return np.asarray(X, dtype=np.float32) / 2


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(10, 250, size=(20, 5, 4), dtype=np.uint8)


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(20, 4))


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def same_picture(first, second):
    first.figure_.canvas.draw()
    second.figure_.canvas.draw()
    return np.array_equal(first.figure_.canvas.buffer_rgba(), second.figure_.canvas.buffer_rgba())


class TestReconstructionDisplayOfImages:
    def test_default_is_a_grid_of_six_by_six(self, images):
        display = ReconstructionDisplay.from_predictions(images, images / 2)
        assert display.axes_.shape == (6, 6)
        shown = [ax.get_images()[0].get_array() for ax in display.axes_.flat]
        np.testing.assert_array_equal(shown[0::2], images[:18])
        np.testing.assert_array_equal(shown[1::2], images[:18] / 2)
        titles = [[ax.get_title() for ax in row] for row in display.axes_]
        assert titles == [["input", "reconstruction"] * 3] + [[""] * 6] * 5

    def test_all_images_are_on_the_scale_of_the_inputs(self, images):
        display = ReconstructionDisplay.from_predictions(images, images / 2)
        limits = {ax.get_images()[0].get_clim() for ax in display.axes_.flat}
        assert limits == {(images[:18].min(), images[:18].max())}

    def test_reconstructions_of_constant_inputs_look_different(self):
        X = np.zeros((1, 4, 4))
        display = ReconstructionDisplay.from_predictions(X, X + 0.5)
        left, right = (ax.get_images()[0] for ax in display.axes_.flat)
        assert not np.array_equal(left.to_rgba(left.get_array()), right.to_rgba(right.get_array()))

    def test_a_channel_of_one_makes_no_difference(self, images):
        with_channel = images[..., np.newaxis]
        assert same_picture(
            ReconstructionDisplay.from_predictions(images, images / 2),
            ReconstructionDisplay.from_predictions(with_channel, with_channel / 2),
        )

    @pytest.mark.parametrize("largest", [1.0, 255.0])
    def test_colors_keep_their_proportions(self, largest):
        X = np.zeros((1, 4, 4, 3))
        X[..., 0] = largest
        display = ReconstructionDisplay.from_predictions(X, X / 2)
        left, right = (ax.get_images()[0].get_array() for ax in display.axes_.flat)
        np.testing.assert_allclose(left[0, 0], [1, 0, 0])
        np.testing.assert_allclose(right[0, 0], [0.5, 0, 0])

    @pytest.mark.parametrize("dtype", [bool, "uint8", "uint16", "int64", "float16", "float64"])
    @pytest.mark.parametrize("channels", [(), (3,)])
    def test_images_of_any_numbers_can_be_drawn(self, dtype, channels):
        X = np.eye(4)[np.newaxis].astype(dtype)
        X = X.reshape(1, 4, 4, *[1] * len(channels)) * np.ones(channels, dtype=dtype)
        display = ReconstructionDisplay.from_predictions(X, X)
        display.figure_.canvas.draw()
        for ax in display.axes_.flat:
            np.testing.assert_array_equal(ax.get_images()[0].get_array(), X[0])

    @pytest.mark.parametrize(
        ("n_samples", "shape", "n_visible"), [(1, (1, 2), 2), (2, (1, 4), 4), (4, (2, 6), 8)]
    )
    def test_grid_fits_the_number_of_samples(self, images, n_samples, shape, n_visible):
        display = ReconstructionDisplay.from_predictions(images, images, n_samples=n_samples)
        assert display.axes_.shape == shape
        assert sum(ax.axison for ax in display.axes_.flat) == n_visible

    def test_draws_all_if_there_are_fewer_than_asked_for(self, images):
        display = ReconstructionDisplay.from_predictions(images, images, n_samples=100)
        assert len(display.X) == len(images)
        assert sum(ax.axison for ax in display.axes_.flat) == 2 * len(images)

    def test_styles_are_passed_on(self, images):
        display = ReconstructionDisplay.from_predictions(
            images, images, n_samples=1, image_kwargs={"cmap": "viridis", "vmin": 0, "vmax": 255}
        )
        for ax in display.axes_.flat:
            assert ax.get_images()[0].get_cmap().name == "viridis"
            assert ax.get_images()[0].get_clim() == (0, 255)

    def test_from_estimator_reconstructs_no_more_than_is_drawn(self, images):
        detector = HalvingDetector(input_shape=(5, 4, 1)).fit(images)
        display = ReconstructionDisplay.from_estimator(detector, images, n_samples=4)
        assert detector.n_reconstructed_ == 4
        np.testing.assert_array_equal(display.X, images[:4])
        np.testing.assert_array_equal(display.X_reconstructed, images[:4] / 2)

    @pytest.mark.parametrize("as_container", [np.asarray, pd.DataFrame])
    def test_flat_rows_of_a_detector_of_images_are_drawn_as_images(self, images, as_container):
        detector = HalvingDetector(input_shape=(5, 4, 1)).fit(images)
        flat = as_container(images.reshape(20, 20))
        assert same_picture(
            ReconstructionDisplay.from_estimator(detector, flat),
            ReconstructionDisplay.from_estimator(detector, images),
        )


class TestReconstructionDisplayOfRows:
    def test_each_row_lies_over_its_reconstruction(self, rows):
        detector = HalvingDetector().fit(rows)
        display = ReconstructionDisplay.from_estimator(detector, rows)
        assert display.axes_.shape == (6, 3)
        for ax, row in zip(display.axes_.flat, rows, strict=False):
            above, below = ax.get_lines()
            np.testing.assert_array_equal(above.get_ydata(), row)
            np.testing.assert_allclose(below.get_ydata(), row / 2, rtol=1e-6)
        assert legend_texts(display.axes_[0, 0]) == ["input", "reconstruction"]

    def test_lowest_axes_of_each_column_are_labeled(self, rows):
        display = ReconstructionDisplay.from_predictions(rows, rows, n_samples=4)
        labels = [ax.get_xlabel() for ax in display.axes_.flat]
        assert labels == ["", "Feature", "Feature", "Feature", "", ""]

    def test_a_single_feature_is_visible(self, rows):
        display = ReconstructionDisplay.from_predictions(rows[:, :1], rows[:, :1])
        assert [line.get_marker() for line in display.axes_[0, 0].get_lines()] == ["o", "o"]

    def test_styles_are_passed_on(self, rows):
        display = ReconstructionDisplay.from_predictions(
            rows, rows, input_kwargs={"color": "black"}, reconstruction_kwargs={"lw": 3}
        )
        for ax in display.axes_.flat:
            above, below = ax.get_lines()
            assert above.get_color() == "black"
            assert below.get_linewidth() == 3


class TestReconstructionDisplayInput:
    @pytest.mark.parametrize(
        ("X", "X_reconstructed", "message"),
        [
            (np.ones((3, 4)), np.ones((2, 4)), "inconsistent numbers of samples"),
            (np.ones((3, 4, 4)), np.ones((3, 4, 5)), r"X_reconstructed must have the shape of X"),
            (np.ones((0, 4)), np.ones((0, 4)), "X must be rows .* at least one"),
            (np.ones(4), np.ones(4), r"X must be rows .* Received: an array of shape \(4,\)"),
            (np.ones((3, 4, 4, 2)), np.ones((3, 4, 4, 2)), "1 or 3 channels"),
            (np.full((3, 4), np.nan), np.ones((3, 4)), "X contains NaN"),
            (np.ones((3, 4)), np.full((3, 4), np.inf), "X_reconstructed contains infinity"),
        ],
    )
    def test_refuses_what_cannot_be_drawn(self, X, X_reconstructed, message):
        with pytest.raises(ValueError, match=message):
            ReconstructionDisplay.from_predictions(X, X_reconstructed)

    @pytest.mark.parametrize("n_samples", [0, -1, 1.5, None])
    def test_refuses_a_number_of_samples_that_is_none(self, rows, n_samples):
        with pytest.raises(ValueError, match="n_samples must be a positive integer"):
            ReconstructionDisplay.from_estimator(
                HalvingDetector().fit(rows), rows, n_samples=n_samples
            )

    def test_refuses_an_estimator_that_cannot_reconstruct(self, rows):
        forest = make_pipeline(IsolationForest(n_estimators=2)).fit(rows)
        with pytest.raises(TypeError, match=r"reconstruct.*from_predictions.*IsolationForest"):
            ReconstructionDisplay.from_estimator(forest, rows)

    def test_refuses_axes_that_are_no_subplot(self, rows):
        with pytest.raises(ValueError, match="ax must be a subplot"):
            ReconstructionDisplay.from_predictions(
                rows, rows, ax=plt.figure().add_axes([0, 0, 1, 1])
            )


def test_array_of_objects_is_drawn_as_the_images_in_it(images):
    objects = np.empty(len(images), dtype=object)
    objects[:] = list(images)
    display = ReconstructionDisplay.from_estimator(HalvingDetector().fit(images), objects)
    np.testing.assert_array_equal(display.X, images[:18])
    np.testing.assert_array_equal(display.X_reconstructed, images[:18] / 2)
    objects[1] = images[1][:3]
    for unequal in (objects, list(objects)):
        with pytest.raises(ValueError, match=r"X must be of one shape.*\(5, 4\), \(3, 4\)"):
            ReconstructionDisplay.from_predictions(unequal, images)
