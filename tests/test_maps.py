"""Maps are smoothed, get a threshold with a stated rate of false alarms, and fall into regions."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.metrics import confusion_matrix

import sklearn_ae
from sklearn_ae.maps import calibrate, regions, smooth

UNEQUAL = [np.random.default_rng(i).normal(size=(6 + i, 9 - i)) for i in range(4)]
FUNCTIONS = [smooth, lambda maps, **rest: calibrate(maps, false_alarm_rate=0.5, **rest)]
FUNCTIONS += [lambda maps, **rest: regions(maps, 0.5, **rest)]


def normal_maps(n, seed=0):
    """Smooth maps, as neighboring errors are alike."""
    return smooth(np.random.default_rng(seed).normal(size=(n, 16, 12)), sigma=1.0)


def shows_any(maps, threshold, **parameters):
    return np.array([len(found) > 0 for found in regions(maps, threshold, **parameters)])


class TestSmooth:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_is_scipys_gaussian_of_each_map_and_keeps_its_type(self, dtype):
        maps = np.random.default_rng(0).normal(size=(3, 8, 9)).astype(dtype)
        smoothed = smooth(maps, sigma=1.5)
        assert smoothed.dtype == dtype
        expected = [gaussian_filter(one_map, 1.5, mode="reflect") for one_map in maps]
        np.testing.assert_array_equal(smoothed, expected)

    def test_list_of_different_sizes_stays_one(self):
        smoothed = smooth(UNEQUAL, sigma=2)
        assert isinstance(smoothed, list)
        for one_map, result in zip(UNEQUAL, smoothed, strict=True):
            np.testing.assert_array_equal(result, gaussian_filter(one_map, 2))

    def test_nothing_outside_of_the_region_of_interest_counts(self):
        inside = np.zeros((8, 8), dtype=bool)
        inside[:, :5] = True
        maps = np.where(inside, 2.0, 1e6)[np.newaxis]
        smoothed = smooth(maps, sigma=1.0, region_of_interest=inside)[0]
        np.testing.assert_allclose(smoothed[inside], 2.0)
        assert (smoothed[~inside] == 0).all()

    def test_region_of_interest_with_every_pixel_changes_nothing(self):
        everywhere = [np.ones_like(one_map, dtype=int) for one_map in UNEQUAL]
        for plain, masked in zip(
            smooth(UNEQUAL), smooth(UNEQUAL, region_of_interest=everywhere), strict=True
        ):
            np.testing.assert_allclose(masked, plain)

    def test_sigma_of_zero_and_other_numbers_than_floats(self):
        maps = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
        smoothed = smooth(maps, sigma=0)
        assert smoothed.dtype == np.float64
        np.testing.assert_array_equal(smoothed, maps)

    @pytest.mark.parametrize("sigma", [-1, np.inf, np.nan, "1", None])
    def test_refuses_a_sigma_that_is_none(self, sigma):
        with pytest.raises(ValueError, match="sigma must be a number of pixels"):
            smooth(UNEQUAL, sigma=sigma)


class TestCalibrate:
    def test_threshold_is_a_conformal_order_statistic_of_the_maxima(self):
        maps = normal_maps(99)
        maxima = np.sort(maps.max(axis=(1, 2)))
        # floor(0.05 * 100) = 5 and floor(0.29 * 100) = 29, though 0.29 * 100 < 29 in floats.
        assert calibrate(maps) == maxima[-5]
        assert calibrate(maps, false_alarm_rate=0.29) == maxima[-29]
        # 1 - 0.95^59 is the first to reach a confidence of 0.95.
        assert calibrate(maps[:59], confidence=0.95) == maps[:59].max()
        with pytest.raises(ValueError, match="needs 59 maps"):
            calibrate(maps[:58], confidence=0.95)

    @pytest.mark.parametrize(("n", "min_area"), [(19, 1), (30, 1), (19, 7)])
    def test_new_normal_images_show_a_region_no_more_often_than_stated(self, n, min_area):
        """The mean over many calibrations, each with one new image, is at most the rate."""
        rate, n_calibrations = 0.1, 400
        maps = normal_maps(n_calibrations * (n + 1), seed=1).reshape(n_calibrations, n + 1, 16, 12)
        alarms = [
            shows_any(
                group[-1:],
                calibrate(group[:-1], false_alarm_rate=rate, min_area=min_area),
                min_area=min_area,
            )[0]
            for group in maps
        ]
        expected = np.floor(rate * (n + 1)) / (n + 1)
        deviation = np.sqrt(expected * (1 - expected) / n_calibrations)
        assert abs(np.mean(alarms) - expected) < 4 * deviation

    @pytest.mark.parametrize("min_area", [1, 2, 5, 40])
    def test_threshold_fits_what_regions_finds_exactly(self, min_area):
        """Exactly k - 1 of the calibration images show a region, k one hair below."""
        maps = normal_maps(39)
        threshold = calibrate(maps, false_alarm_rate=0.25, min_area=min_area)
        assert shows_any(maps, threshold, min_area=min_area).sum() == 9
        below = np.nextafter(threshold, -np.inf)
        assert shows_any(maps, below, min_area=min_area).sum() == 10

    @pytest.mark.parametrize("min_area", [1, 6])
    def test_statement_holds_within_a_region_of_interest(self, min_area):
        maps = normal_maps(39)
        inside = np.zeros((16, 12), dtype=bool)
        inside[2:9, 3:11] = True
        keywords = {"min_area": min_area, "region_of_interest": inside}
        threshold = calibrate(maps, false_alarm_rate=0.25, **keywords)
        assert shows_any(maps, threshold, **keywords).sum() == 9
        maps[:, ~inside] += 100
        assert calibrate(maps, false_alarm_rate=0.25, **keywords) == threshold
        assert shows_any(maps, threshold, **keywords).sum() == 9

    def test_larger_regions_need_a_lower_threshold(self):
        maps = normal_maps(39)
        thresholds = [calibrate(maps, min_area=min_area) for min_area in (1, 4, 16, 64)]
        assert thresholds == sorted(thresholds, reverse=True)
        assert len(set(thresholds)) == 4

    def test_maps_of_single_precision_and_different_sizes(self):
        maps = [one_map.astype(np.float32) for one_map in UNEQUAL]
        threshold = calibrate(maps, false_alarm_rate=0.4)
        assert isinstance(threshold, float)
        assert shows_any(maps, threshold).sum() == 1

    def test_ties_only_lower_the_rate(self):
        maps = np.zeros((39, 4, 4))
        maps[:3, 0, 0] = 1
        threshold = calibrate(maps, false_alarm_rate=0.25)
        assert threshold == 0
        assert shows_any(maps, threshold).sum() == 3
        with pytest.warns(UserWarning, match="All 36 maps have the largest value 0"):
            calibrate(maps[3:], false_alarm_rate=0.25)

    def test_too_few_images_are_refused_with_the_number_needed(self):
        maps = normal_maps(19)
        calibrate(maps)
        with pytest.raises(ValueError, match=r"needs 19 maps .* Received: 18 maps"):
            calibrate(maps[:18])
        with pytest.raises(ValueError, match="Received: 0 maps"):
            calibrate([])

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"false_alarm_rate": 0}, r"false_alarm_rate must be a number in \(0, 1\)"),
            ({"false_alarm_rate": 5}, r"Received: false_alarm_rate=5\."),
            ({"confidence": 1.0}, r"confidence must be a number in \(0, 1\)"),
            ({"min_area": 0}, "min_area must be a positive integer"),
            ({"min_area": 2.0}, "min_area must be a positive integer"),
            ({"min_area": 193}, "min_area must be so small that a region of it fits into each"),
            (
                {"min_area": 4, "region_of_interest": np.eye(16, 12) > 2},
                "region_of_interest must be True at one pixel",
            ),
            (
                {"min_area": 3, "region_of_interest": np.indices((16, 12)).sum(axis=0) == 1},
                "Received: min_area=3, which does not fit into image 0",
            ),
        ],
    )
    def test_bad_parameters_are_refused(self, parameters, message):
        with pytest.raises(ValueError, match=message):
            calibrate(normal_maps(39), **parameters)


class TestRegions:
    def test_boxes_masks_areas_and_peaks(self):
        one_map = np.zeros((7, 9))
        one_map[1, 2:5] = [0.6, 0.7, 0.6]
        one_map[2, 4] = 0.9
        one_map[5:7, 7:9] = 0.8
        worst, second = regions([one_map], 0.5)[0]
        assert worst.box == (1, 2, 3, 5)
        assert (worst.area, worst.peak) == (4, 0.9)
        np.testing.assert_array_equal(worst.mask, [[1, 1, 1], [0, 0, 1]])
        assert second.box == (5, 7, 7, 9)
        assert (second.area, second.peak) == (4, 0.8)
        np.testing.assert_array_equal(one_map[worst.slices][worst.mask], [0.6, 0.7, 0.6, 0.9])

    def test_only_what_is_above_the_threshold_belongs_to_a_region(self):
        maps = np.full((1, 3, 3), 0.5)
        assert regions(maps, 0.5) == [[]]
        assert regions(maps, 0.49)[0][0].area == 9
        # In single precision 0.1 is more than in double; a threshold is not rounded to it.
        assert len(regions(np.full((1, 2, 2), 0.1, dtype=np.float32), 0.1)[0]) == 1

    def test_corners_connect_and_other_regions_in_a_box_are_left_out(self):
        ring = np.ones((5, 5))
        ring[1:4, 1:4] = 0
        ring[2, 2] = 2
        inner, outer = regions([ring], 0.5)[0]
        assert (inner.area, outer.area) == (1, 16)
        assert outer.box == (0, 0, 5, 5)
        assert not outer.mask[2, 2]
        assert [region.area for region in regions([np.eye(6)], 0.5)[0]] == [6]

    def test_worst_first_and_larger_first_of_equal_peaks(self):
        one_map = np.zeros((5, 20))
        one_map[0, 0], one_map[0, 4:7], one_map[0, 10:12] = 0.7, 0.9, 0.7
        found = regions([one_map], 0.5)[0]
        assert [(region.peak, region.area) for region in found] == [(0.9, 3), (0.7, 2), (0.7, 1)]

    def test_small_regions_are_left_out(self):
        one_map = np.zeros((5, 9))
        one_map[0, 0], one_map[2, 2:5] = 9, 1
        assert [region.area for region in regions([one_map], 0.5, min_area=3)[0]] == [3]
        assert regions([one_map], 0.5, min_area=4) == [[]]

    def test_region_of_interest_cuts_regions(self):
        maps = np.ones((2, 3, 5))
        inside = np.array([[True, True, False, True, False]] * 3)
        for found in regions(maps, 0.5, region_of_interest=inside):
            assert [region.box for region in found] == [(0, 0, 3, 2), (0, 3, 3, 4)]
        one_each = np.stack([inside, ~inside]).astype(np.uint8)
        found = regions(maps, 0.5, region_of_interest=one_each)
        assert [[region.area for region in one] for one in found] == [[6, 3], [3, 3]]

    def test_union_of_the_regions_is_all_that_is_above(self):
        maps = normal_maps(5)
        for one_map, found in zip(maps, regions(maps, 0.2), strict=True):
            union = np.zeros(one_map.shape, dtype=int)
            for region in found:
                union[region.slices] += region.mask
            assert confusion_matrix(one_map.ravel() > 0.2, union.ravel()).trace() == one_map.size

    def test_no_image_has_no_regions(self):
        assert regions([], 0.5) == []
        assert regions(np.empty((0, 4, 4)), 0.5) == []
        assert smooth([]) == []

    @pytest.mark.parametrize("threshold", [np.nan, -np.inf, "0.5", None, [0.5]])
    def test_refuses_a_threshold_that_is_none(self, threshold):
        with pytest.raises(ValueError, match="threshold must be a finite number"):
            regions(UNEQUAL, threshold)


@pytest.mark.parametrize("function", FUNCTIONS, ids=["smooth", "calibrate", "regions"])
class TestEveryFunction:
    @pytest.mark.parametrize(
        ("maps", "message"),
        [
            (np.ones((4, 4)), r"maps must be .* Received: an array of shape \(4, 4\)"),
            (np.ones((4, 4, 4, 1)), r"Received: an array of shape \(4, 4, 4, 1\)"),
            ([np.ones((4, 4)), np.ones(4)], r"Received: maps\[1\] of shape \(4,\)"),
            ([np.ones((4, 4)), np.ones((0, 4))], r"Received: maps\[1\] of shape \(0, 4\)"),
            (np.full((4, 4, 4), np.nan), r"maps\[0\] with 16 pixels of NaN or infinity among 16"),
            ([np.ones((4, 4)), np.full((3, 3), np.inf)], r"maps must be finite.* maps\[1\]"),
            (3, "Received: maps of type int"),
        ],
    )
    def test_refuses_what_are_no_maps(self, function, maps, message):
        with pytest.raises(ValueError, match=message):
            function(maps)

    @pytest.mark.parametrize(
        ("region", "message"),
        [
            (np.ones((3, 4), dtype=bool), r"region_of_interest must have the shape of its map"),
            (np.ones((2, 5, 4), dtype=bool), r"one mask for each image. Received: 2 masks and 3"),
            (np.full((5, 4), 255), r"must be booleans, or integers of 0 and 1.* to 255"),
            (np.ones((5, 4)), "must be booleans, or integers.* of dtype float64"),
            (np.ones((3, 5, 4, 1), dtype=bool), r"an array of shape \(3, 5, 4, 1\)"),
            (True, "Received: region_of_interest of type bool"),
            (np.zeros((5, 4), dtype=bool), "must be True at one pixel of each image"),
        ],
    )
    def test_refuses_regions_of_interest_that_do_not_fit(self, function, region, message):
        with pytest.raises(ValueError, match=message):
            function(np.ones((3, 5, 4)), region_of_interest=region)

    def test_leaves_maps_as_they_were_and_takes_read_only_ones(self, function):
        maps = normal_maps(4)
        before = maps.copy()
        maps.flags.writeable = False
        function(maps, region_of_interest=np.indices((16, 12)).sum(axis=0) > 8)
        np.testing.assert_array_equal(maps, before)

    def test_pixels_outside_of_the_region_of_interest_may_be_anything(self, function):
        inside = [np.indices(one_map.shape).sum(axis=0) > 5 for one_map in UNEQUAL]
        spoilt = [np.where(*both, np.nan) for both in zip(inside, UNEQUAL, strict=True)]
        spoilt[1][0, :2] = np.inf, -np.inf
        expected = repr(function(UNEQUAL, region_of_interest=inside))
        assert repr(function(spoilt, region_of_interest=inside)) == expected
        spoilt[3][-1, -1] = np.nan
        with pytest.raises(
            ValueError, match=r"maps\[3\] with 1 pixels of NaN or infinity among 33"
        ):
            function(spoilt, region_of_interest=inside)

    def test_one_region_of_interest_may_be_a_list_of_rows(self, function):
        maps = normal_maps(4)
        inside = np.indices((16, 12)).sum(axis=0) > 8
        expected = repr(function(maps, region_of_interest=np.stack([inside] * 4)))
        for same in (inside, inside.tolist(), [inside.astype(int).tolist()] * 4):
            assert repr(function(maps, region_of_interest=same)) == expected

    def test_lists_arrays_of_objects_and_nested_lists_are_the_same(self, function):
        as_objects = np.empty(4, dtype=object)
        as_objects[:] = UNEQUAL
        expected = repr(function(UNEQUAL))
        assert repr(function(as_objects)) == expected
        assert repr(function([one_map.tolist() for one_map in UNEQUAL])) == expected


def test_module_is_reachable_from_the_package():
    assert sklearn_ae.maps.regions is regions
