"""AnomalyMapDisplay draws images under their maps, with outlines of masks and boxes of regions."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from tiny_networks import tiny

from sklearn_ae.datasets import load_mnist_one_zero, make_anomalies
from sklearn_ae.inspection import AnomalyMapDisplay
from sklearn_ae.maps import regions, smooth


class BrightnessDetector(BaseEstimator):
    """Stands for a fitted detector to which bright is abnormal."""

    def fit(self, X, y=None):
        return self

    def anomaly_map(self, X):
        self.n_mapped_ = len(X)
        maps = [image.reshape(*image.shape[:2], -1).sum(axis=-1) for image in X]
        return maps if isinstance(X, list) else np.stack(maps)

    def score_samples(self, X):
        return -np.array([np.sum(image, dtype=float) for image in X])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def maps():
    """The largest value of map i is i; map 14 is the worst of 15."""
    values = np.random.default_rng(0).uniform(0, 0.4, size=(15, 6, 8))
    values[:, 2:4, 3:6] = np.arange(15)[:, np.newaxis, np.newaxis]
    return values


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(10, 250, size=(15, 6, 8), dtype=np.uint8)


UNEQUAL = [(6, 8), (9, 4, 3), (5, 5, 1), (4, 10)]


def unequal_images(dtype):
    generator = np.random.default_rng(2)
    return [(255 * generator.random(shape)).astype(dtype) for shape in UNEQUAL]


def drawn(display):
    """Per visible axes: image, map."""
    for ax in display.axes_.flat:
        if ax.axison:
            yield [artist.get_array() for artist in ax.get_images()]


def titles(display):
    return [ax.get_title() for ax in display.axes_.flat if ax.axison]


def legend_texts(display):
    legends = [ax.get_legend() for ax in display.figure_.axes if ax.get_legend()]
    return [text.get_text() for legend in legends for text in legend.get_texts()]


def same_picture(first, second):
    first.figure_.canvas.draw()
    second.figure_.canvas.draw()
    return np.array_equal(first.figure_.canvas.buffer_rgba(), second.figure_.canvas.buffer_rgba())


class TestGrid:
    def test_worst_images_come_first_under_their_maps(self, images, maps):
        display = AnomalyMapDisplay.from_maps(images, maps)
        assert display.axes_.shape == (3, 4)
        np.testing.assert_array_equal(display.indices, np.arange(14, 2, -1))
        for index, (image, one_map) in zip(display.indices, drawn(display), strict=True):
            np.testing.assert_array_equal(image, images[index])
            np.testing.assert_array_equal(one_map, maps[index])
        assert titles(display)[:2] == ["image 14\nmax 14", "image 13\nmax 13"]

    def test_scores_decide_the_order_where_they_are_given(self, images, maps):
        scores = np.r_[1.0, 3.0, 3.0, np.zeros(12)]
        display = AnomalyMapDisplay.from_maps(images, maps, anomaly_scores=scores, n_samples=3)
        np.testing.assert_array_equal(display.indices, [1, 2, 0])
        assert titles(display) == [
            "image 1\nscore 3",
            "image 2\nscore 3",
            "image 0\nscore 1",
        ]

    @pytest.mark.parametrize(
        ("n_samples", "shape"), [(1, (1, 1)), (3, (1, 3)), (5, (2, 4)), (99, (4, 4))]
    )
    def test_grid_fits_the_number_of_images(self, images, maps, n_samples, shape):
        display = AnomalyMapDisplay.from_maps(images, maps, n_samples=n_samples)
        assert display.axes_.shape == shape
        assert len(titles(display)) == min(n_samples, 15)

    def test_all_maps_and_all_images_are_on_one_scale(self, images, maps):
        display = AnomalyMapDisplay.from_maps(images, maps, n_samples=15)
        limits = [[a.get_clim() for a in ax.get_images()] for ax in display.axes_.flat if ax.axison]
        expected = [(images.min(), images.max()), (maps.min(), 14)]
        assert all(one == expected for one in limits)
        assert display.colorbar_.mappable.get_clim() == (maps.min(), 14)
        assert display.colorbar_.ax.get_ylabel() == "Anomaly map"

    def test_images_are_seen_where_maps_are_low(self, images, maps):
        maps[:] = 0
        maps[0, 0, 0] = 1
        display = AnomalyMapDisplay.from_maps(images[:1], maps[:1])
        overlay = display.axes_[0, 0].get_images()[1]
        opacity = overlay.to_rgba(overlay.get_array())[..., 3]
        assert opacity[0, 0] == pytest.approx(0.9)
        assert (opacity[1:] == 0).all()

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
    def test_lists_of_different_sizes_gray_and_in_colors(self, dtype):
        X = unequal_images(dtype)
        maps = [np.full(image.shape[:2], i, dtype=np.float32) for i, image in enumerate(X)]
        masks = [one_map > 1 for one_map in maps]
        display = AnomalyMapDisplay.from_maps(X, maps, masks=masks, threshold=2.5)
        display.figure_.canvas.draw()
        assert [one_map.shape for _, one_map in drawn(display)] == [(4, 10), (5, 5), (9, 4), (6, 8)]
        assert [len(found) for found in display.regions_] == [1, 0, 0, 0]
        low, high = min(image.min() for image in X), max(image.max() for image in X)
        shown = next(image for image, _ in drawn(display) if image.ndim == 3)
        expected = (X[1].astype(float) - low) / (float(high) - low)
        np.testing.assert_allclose(shown, expected, rtol=1e-6, atol=1e-6)

    def test_constant_maps_and_images_are_drawn(self):
        display = AnomalyMapDisplay.from_maps(np.zeros((2, 4, 4), dtype=bool), np.ones((2, 4, 4)))
        display.figure_.canvas.draw()
        assert display.colorbar_.mappable.get_clim() == (1, 2)


class TestMasksAndBoxes:
    def test_boxes_surround_the_pixels_of_the_regions(self, images, maps):
        display = AnomalyMapDisplay.from_maps(images, maps, threshold=12.5)
        assert [len(ax.patches) for ax in display.axes_.flat] == [1, 1] + [0] * 10
        box = display.axes_[0, 0].patches[0]
        assert box.get_xy() == (2.5, 1.5)
        assert (box.get_width(), box.get_height()) == (3, 2)
        worst = maps[display.indices]
        assert repr(display.regions_) == repr(regions(worst, 12.5))
        assert legend_texts(display) == ["region above 12.5"]
        assert [list(line.get_ydata()) for line in display.colorbar_.ax.lines] == [[12.5, 12.5]]

    def test_small_regions_are_not_boxed(self, images, maps):
        display = AnomalyMapDisplay.from_maps(images, maps, threshold=0.5, min_area=7)
        assert display.regions_ == [[]] * 12

    def test_a_threshold_beyond_the_maps_leaves_the_color_bar_as_it_is(self, images, maps):
        display = AnomalyMapDisplay.from_maps(images, maps, threshold=99)
        assert not display.colorbar_.ax.lines
        assert display.colorbar_.mappable.get_clim()[1] == 14

    def test_outlines_run_around_the_mask_within_the_image(self, images, maps):
        masks = np.zeros((15, 6, 8), dtype=np.uint8)
        masks[14, :2, :3] = 1
        display = AnomalyMapDisplay.from_maps(images, maps, masks=masks)
        encircled = [len(ax.collections) for ax in display.axes_.flat]
        assert encircled == [1] + [0] * 11
        ax = display.axes_[0, 0]
        (path,) = ax.collections[0].get_paths()
        assert path.get_extents().extents == pytest.approx([-0.5, -0.5, 2.5, 1.5])
        np.testing.assert_array_equal(path.vertices[0], path.vertices[-1])
        assert (ax.get_xlim(), ax.get_ylim()) == ((-0.5, 7.5), (5.5, -0.5))
        assert legend_texts(display) == ["defect (mask)"]

    def test_masks_follow_their_images(self, images, maps):
        masks = np.arange(15)[:, np.newaxis, np.newaxis] * np.ones((15, 6, 8), dtype=int) == 13
        display = AnomalyMapDisplay.from_maps(images, maps, masks=masks, n_samples=3)
        assert [mask.all() for mask in display.masks] == [False, True, False]

    def test_nothing_is_marked_that_was_not_given(self, images, maps):
        display = AnomalyMapDisplay.from_maps(images, maps)
        assert display.regions_ is None
        assert legend_texts(display) == []

    def test_synthetic_defects_come_with_masks_to_draw(self):
        ones = load_mnist_one_zero().X_train[:20]
        anomalies, masks = make_anomalies(ones, random_state=0)
        changes = np.abs(anomalies.astype(float) - ones)
        display = AnomalyMapDisplay.from_maps(anomalies, changes, masks=masks, n_samples=4)
        for index, mask in zip(display.indices, display.masks, strict=True):
            np.testing.assert_array_equal(mask, changes[index] > 0)

    def test_styles_are_passed_on(self, images, maps):
        display = AnomalyMapDisplay.from_maps(
            images,
            maps,
            masks=maps > 5,
            threshold=5,
            image_kwargs={"cmap": "bone", "vmax": 300},
            map_kwargs={"cmap": "viridis", "alpha": 0.5, "vmin": -1},
            mask_kwargs={"colors": "white", "linewidths": 3},
            box_kwargs={"ec": "magenta", "ls": ":"},
        )
        image, one_map = display.axes_[0, 0].get_images()
        assert (image.get_cmap().name, image.get_clim()[1]) == ("bone", 300)
        assert (one_map.get_cmap().name, one_map.get_alpha()) == ("viridis", 0.5)
        assert one_map.get_clim()[0] == -1
        assert display.axes_[0, 0].collections[0].get_linewidth() == 3
        box = display.axes_[0, 0].patches[0]
        assert box.get_edgecolor() == (1, 0, 1, 1)
        assert box.get_linestyle() == ":"


class TestFromEstimator:
    def test_all_are_scored_and_only_those_drawn_are_mapped(self, images):
        detector = BrightnessDetector().fit(images)
        display = AnomalyMapDisplay.from_estimator(detector, images, n_samples=3)
        scores = images.sum(axis=(1, 2))
        worst = np.argsort(-scores.astype(int))[:3]
        assert detector.n_mapped_ == 3
        np.testing.assert_array_equal(display.indices, worst)
        np.testing.assert_array_equal(display.maps, images[worst])
        assert titles(display)[0] == f"image {worst[0]}\nscore {scores[worst[0]]:.4g}"

    def test_sigma_smooths_the_maps(self, images):
        detector = BrightnessDetector().fit(images)
        display = AnomalyMapDisplay.from_estimator(detector, images, sigma=1.5, threshold=150)
        smoothed = smooth(images[display.indices], sigma=1.5)
        np.testing.assert_array_equal(display.maps, smoothed)
        assert repr(display.regions_) == repr(regions(smoothed, 150))

    def test_masks_are_those_of_the_images_drawn(self, images):
        detector = BrightnessDetector().fit(images)
        masks = images > 200
        display = AnomalyMapDisplay.from_estimator(detector, images, masks=masks, n_samples=2)
        np.testing.assert_array_equal(display.masks, masks[display.indices])

    def test_list_of_different_sizes(self):
        X = unequal_images(np.float32)
        display = AnomalyMapDisplay.from_estimator(BrightnessDetector().fit(X), X)
        for index, (_, one_map) in zip(display.indices, drawn(display), strict=True):
            assert one_map.shape == X[index].shape[:2]

    def test_maps_of_different_sizes_are_smoothed_boxed_and_outlined(self):
        X = unequal_images(np.float32)
        masks = [image.reshape(*image.shape[:2], -1)[..., 0] > 128 for image in X]
        display = AnomalyMapDisplay.from_estimator(
            BrightnessDetector().fit(X), X, sigma=0.5, masks=masks, threshold=200, n_samples=3
        )
        display.figure_.canvas.draw()
        worst = display.indices
        # In colors, the second image is the brightest by far.
        assert (len(worst), worst[0]) == (3, 1)
        expected = smooth(
            [X[i].reshape(*X[i].shape[:2], -1).sum(axis=-1) for i in worst], sigma=0.5
        )
        for i, (_, one_map) in enumerate(drawn(display)):
            np.testing.assert_array_equal(one_map, expected[i])
            np.testing.assert_array_equal(display.masks[i], masks[worst[i]])
            assert len(display.axes_.flat[i].collections) == 1
        assert repr(display.regions_) == repr(regions(expected, 200))
        assert len(display.regions_[0]) >= 1

    @pytest.mark.parametrize("as_container", [np.asarray, pd.DataFrame])
    def test_flat_rows_of_a_detector_of_images_are_drawn_as_images(self, as_container):
        X = np.random.default_rng(0).random((30, 4 * 5 * 3), dtype=np.float32)
        flat = as_container(X)
        detector = tiny(input_shape=(4, 5, 3)).fit(flat)
        display = AnomalyMapDisplay.from_estimator(detector, flat, n_samples=4)
        worst = np.argsort(detector.score_samples(flat))[:4]
        np.testing.assert_array_equal(display.indices, worst)
        np.testing.assert_array_equal(display.X, X[worst].reshape(4, 4, 5, 3))
        expected = detector.anomaly_map(flat)[worst].reshape(4, 4, 5, 3).sum(axis=-1)
        np.testing.assert_allclose(display.maps, expected, rtol=1e-5)

    def test_a_detector_of_rows_is_refused(self, fitted_detector):
        X = np.random.default_rng(0).normal(size=(5, 6))
        with pytest.raises(ValueError, match=r"must be one of images.* input_shape_=\(6,\)"):
            AnomalyMapDisplay.from_estimator(fitted_detector, X)

    def test_an_estimator_without_maps_is_refused(self, images):
        forest = IsolationForest(n_estimators=2).fit(images.reshape(len(images), -1))
        with pytest.raises(TypeError, match=r"anomaly_map.*from_maps.*IsolationForest"):
            AnomalyMapDisplay.from_estimator(make_pipeline(FrozenEstimator(forest)), images)


class TestInput:
    @pytest.mark.parametrize(
        ("X", "maps", "parameters", "message"),
        [
            (np.ones((3, 4, 4)), np.ones((2, 4, 4)), {}, "inconsistent numbers of samples"),
            (np.ones((3, 4, 4)), np.ones((3, 4, 5)), {}, r"maps must have the height and width"),
            (np.ones((3, 4, 4, 4)), np.ones((3, 4, 4)), {}, "1 or 3 channels.* shape"),
            (np.ones((3, 4)), np.ones((3, 4, 4)), {}, r"X\[0\] must be an image"),
            (np.full((1, 4, 4), np.nan), np.ones((1, 4, 4)), {}, r"X\[0\] contains NaN"),
            (
                np.ones((1, 4, 4)),
                np.full((1, 4, 4), np.inf),
                {},
                r"maps\[0\] with 16 pixels of NaN",
            ),
            (np.ones((0, 4, 4)), np.ones((0, 4, 4)), {}, "X must hold an image at least"),
            (np.ones((3, 4, 4)), np.ones((3, 16)), {}, "maps must be an array of shape"),
            ("ones", "ones", {"masks": np.ones((2, 4, 4))}, "Received: 2 masks and 3 images"),
            ("ones", "ones", {"masks": np.ones((4, 4)) > 0}, "masks must be an array of shape"),
            ("ones", "ones", {"masks": 1}, "Received: masks of type int"),
            ("ones", "ones", {"masks": np.ones((3, 4, 5)) > 0}, r"masks\[0\] must have the shape"),
            ("ones", "ones", {"masks": np.ones((3, 4, 4)) * 0.5}, "must be booleans, or integers"),
            ("ones", "ones", {"anomaly_scores": [1, 2]}, "inconsistent numbers of samples"),
            ("ones", "ones", {"anomaly_scores": [1, 2, np.nan]}, "anomaly_scores contains NaN"),
            ("ones", "ones", {"threshold": np.nan}, "threshold must be a finite number"),
            ("ones", "ones", {"min_area": 0}, "min_area must be a positive integer"),
            ("ones", "ones", {"n_samples": 0}, "n_samples must be a positive integer"),
        ],
    )
    def test_refuses_what_cannot_be_drawn(self, X, maps, parameters, message):
        X, maps = (np.ones((3, 4, 4)) if isinstance(a, str) else a for a in (X, maps))
        with pytest.raises(ValueError, match=message):
            AnomalyMapDisplay.from_maps(X, maps, **parameters)
        assert not plt.get_fignums()

    def test_refuses_axes_that_are_no_subplot(self, images, maps):
        with pytest.raises(ValueError, match="ax must be a subplot"):
            AnomalyMapDisplay.from_maps(images, maps, ax=plt.figure().add_axes([0, 0, 1, 1]))

    def test_a_channel_of_one_and_lists_make_no_difference(self, images, maps):
        expected = AnomalyMapDisplay.from_maps(images, maps, threshold=5)
        as_lists = AnomalyMapDisplay.from_maps(
            list(images[..., np.newaxis]), list(maps), threshold=5
        )
        assert same_picture(expected, as_lists)
