"""Exact metrics of anomaly maps, against scikit-learn, their definitions and small cases."""

import numpy as np
import pytest
from map_cases import aupro_by_definition, f1_max_by_definition, random_case, regions_of
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from sklearn_ae.metrics import (
    aupro,
    pixel_average_precision,
    pixel_f1_max,
    pixel_roc_auc,
    region_recall,
)

METRICS = [
    pixel_roc_auc,
    pixel_average_precision,
    pixel_f1_max,
    aupro,
    lambda masks, maps, **options: region_recall(masks, maps, threshold=0.5, **options).recall,
]
METRIC_NAMES = ["roc_auc", "average_precision", "f1_max", "aupro", "region_recall"]
every_metric = pytest.mark.parametrize("metric", METRICS, ids=METRIC_NAMES)


@pytest.mark.parametrize("n_values", [2, 20, 10**6])
def test_metrics_of_scikit_learn(n_values):
    masks, maps = random_case(0, n_values)
    assert pixel_roc_auc(masks, maps) == roc_auc_score(masks.ravel(), maps.ravel())
    assert pixel_average_precision(masks, maps) == average_precision_score(
        masks.ravel(), maps.ravel()
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(3))
def test_f1_max_is_that_of_its_threshold(seed, dtype):
    masks, maps = random_case(seed)
    maps = maps.astype(dtype)
    f1, threshold = pixel_f1_max(masks, maps)
    assert f1 == pytest.approx(f1_max_by_definition(masks, maps))
    assert f1_score(masks.ravel(), (maps > threshold).ravel()) == pytest.approx(f1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.1, 0, -3, 1e-50, 1e5, -1e37])
def test_threshold_of_f1_max_may_flag_every_pixel(value, dtype):
    maps = np.full((1, 2, 2), value, dtype=dtype)
    f1, threshold = pixel_f1_max([[[0, 1], [1, 1]]], maps)
    assert f1 == pytest.approx(6 / 7)
    assert (maps > threshold).all()


def test_f1_max_takes_the_highest_of_thresholds_that_reach_it():
    # Two thirds with one pixel flagged, and with all four of them.
    assert pixel_f1_max([[[1, 1, 0, 0]]], [[[4.0, 1.0, 3.0, 2.0]]]) == (2 / 3, 3.0)


@pytest.mark.parametrize("limit", [0.01, 0.3, 1])
@pytest.mark.parametrize(("seed", "n_values"), [(0, 2), (1, 20), (2, 20), (3, 10**6)])
def test_aupro_by_definition(seed, n_values, limit):
    masks, maps = random_case(seed, n_values, n_images=2)
    expected = aupro_by_definition(masks, maps, limit)
    assert aupro(masks, maps, max_false_positive_rate=limit) == pytest.approx(expected)


def test_aupro_of_a_small_case():
    # A defect of 1 pixel, a defect of 2, and 5 normal pixels. By descending value, the points
    # (share of normal pixels, mean overlap) are (0, 0), (0, ½), (0, ¾), (⅕, ¾), (⅕, 1), (1, 1).
    masks = [[[1, 0, 0, 0], [0, 0, 1, 1]]]
    maps = [[[0.9, 0.2, 0.1, 0.5], [0.1, 0.2, 0.8, 0.4]]]
    assert aupro(masks, maps) == pytest.approx((0.2 * 0.75 + 0.1 * 1) / 0.3)
    assert aupro(masks, maps, max_false_positive_rate=0.1) == pytest.approx(0.75)
    assert aupro(masks, maps, max_false_positive_rate=1) == pytest.approx(0.2 * 0.75 + 0.8)
    # One value: the line from (0, 0) to (1, 1), cut at 0.3.
    assert aupro(masks, np.zeros((1, 2, 4))) == pytest.approx(0.15)


def test_small_defects_count_as_much_as_large_ones():
    masks = np.zeros((1, 10, 10), dtype=bool)
    masks[0, :5, :5] = masks[0, 9, 9] = True
    maps = np.where(masks, 1.0, 0.0)
    maps[0, 9, 9] = -1
    assert aupro(masks, maps, max_false_positive_rate=1) == pytest.approx(1 / 2)
    assert pixel_roc_auc(masks, maps) == pytest.approx(25 / 26)


def test_region_recall_of_a_small_case():
    masks = [[[1, 0, 0, 0], [0, 0, 1, 1]], [[0, 0, 0, 0], [0, 0, 0, 0]], [[1, 1, 1, 1]]]
    maps = [[[0.9, 0.2, 0.1, 0.5], [0.1, 0.2, 0.8, 0.4]], np.ones((2, 4)), [[0, 0, 0, 0.6]]]
    recall, n_found, n_regions, overlaps = region_recall(masks, maps, threshold=0.7)
    np.testing.assert_array_equal(overlaps, [1, 0.5, 0])
    assert (recall, n_found, n_regions) == (0.5, 2, 3)
    # A pixel is flagged above the threshold, and not at it.
    assert region_recall(masks, maps, threshold=0.8).overlaps.tolist() == [1, 0, 0]
    assert region_recall(masks, maps, threshold=0.79).overlaps.tolist() == [1, 0.5, 0]
    assert region_recall(masks, maps, threshold=-1).recall == 1


@pytest.mark.parametrize("seed", range(3))
def test_region_recall_by_definition(seed):
    masks, maps = random_case(seed)
    expected = [(maps[region] > 0.8).mean() for region in regions_of(masks)]
    overlaps = region_recall(masks, maps, threshold=0.8).overlaps
    assert sorted(overlaps) == pytest.approx(sorted(expected))


def test_pixels_that_touch_at_a_corner_are_one_defect():
    masks = np.eye(3)[np.newaxis].astype(int)
    assert region_recall(masks, masks, threshold=0.5).n_regions == 1
    # Defects of two images never touch.
    full = np.ones((2, 1, 1), dtype=int)
    assert region_recall(full, full, threshold=0.5).n_regions == 2


@every_metric
def test_lists_are_read_as_arrays_are(metric):
    masks, maps = random_case(4)
    expected = metric(masks, maps)
    assert metric(list(masks), [m.tolist() for m in maps]) == expected
    assert metric(masks.astype(np.uint8), maps) == expected
    assert metric(masks.tolist(), list(maps)) == expected
    objects = np.empty(3, dtype=object)
    objects[:] = list(maps)
    assert metric(masks, objects) == expected


@every_metric
def test_images_of_different_sizes(metric):
    masks, maps = random_case(4, size=8)
    # One image cut where no defect is changes nothing but the list.
    masks[0, 4:] = False
    expected = metric(masks, maps)
    sizes = [masks[0, :4], masks[0, 4:], *masks[1:]], [maps[0, :4], maps[0, 4:], *maps[1:]]
    assert metric(*sizes) == expected


@every_metric
def test_pixels_outside_of_the_region_of_interest_count_nowhere(metric):
    masks, maps = random_case(5)
    inside = np.zeros((9, 9), dtype=bool)
    inside[1:8, 2:7] = True
    expected = metric(masks[:, 1:8, 2:7], maps[:, 1:8, 2:7])
    assert metric(masks, maps, region_of_interest=inside) == expected
    assert metric(masks, maps, region_of_interest=inside.astype(int).tolist()) == expected
    assert metric(masks, maps, region_of_interest=[inside] * 3) == expected
    assert metric(masks, maps, region_of_interest=np.stack([inside] * 3)) == expected
    assert metric(masks, maps) != expected
    maps[:, 0] = np.nan
    assert metric(masks, maps, region_of_interest=inside) == expected


@every_metric
def test_empty_masks_are_refused(metric):
    with pytest.raises(ValueError, match=r"is undefined\. Received: empty masks, with 0 defect"):
        metric(np.zeros((2, 3, 3), dtype=int), np.ones((2, 3, 3)))
    masks, maps = random_case(0)
    with pytest.raises(ValueError, match="0 defect pixels among the"):
        metric(masks, maps, region_of_interest=list(~masks))


def test_error_names_the_metric():
    with pytest.raises(ValueError, match="with none, AUPRO is undefined"):
        aupro(np.zeros((2, 3, 3), dtype=int), np.ones((2, 3, 3)))


def test_masks_without_normal_pixels():
    masks, maps = np.ones((2, 3, 3), dtype=bool), np.ones((2, 3, 3))
    for metric in METRICS[:-1]:
        with pytest.raises(ValueError, match="must leave normal pixels"):
            metric(masks, maps)
    assert region_recall(masks, maps, threshold=0).recall == 1


MASKS, MAPS = np.eye(3, dtype=int)[np.newaxis].repeat(2, 0), np.ones((2, 3, 3))
NAN_MAP = np.where(MASKS == 1, np.nan, 1)


@every_metric
@pytest.mark.parametrize(
    ("masks", "maps", "region_of_interest", "message"),
    [
        (MASKS[:, :2], MAPS, None, r"masks\[0\] must have the shape of its map, \(3, 3\)"),
        (MASKS[:1], MAPS, None, "one mask for each image. Received: 1 masks and 2 images"),
        (MASKS * 255, MAPS, None, r"integers of 0 and 1.*values from 0 to 255"),
        (MASKS * 0.5, MAPS, None, "mask > 0. Received: .* of dtype float64"),
        (MASKS[0], MAPS, None, r"masks must be an array of shape \(n, height, width\)"),
        (None, MAPS, None, "masks of type NoneType"),
        (MASKS, NAN_MAP, None, r"maps\[0\] with 3 pixels of NaN or infinity among 9"),
        (MASKS, MAPS * np.inf, None, "maps must be finite"),
        (MASKS[0], MAPS[0], None, r"One image goes into a list.*shape \(3, 3\)"),
        ([MASKS[0]], [MAPS[0, 0]], None, r"Received: maps\[0\] of shape \(3,\)"),
        (MASKS, MAPS[:, :0], None, r"Received: maps\[0\] of shape \(0, 3\)"),
        ([], [], None, "maps must hold one image at least. Received: no image"),
        (MASKS, MAPS, np.ones((2, 2), dtype=bool), r"region_of_interest must have the shape"),
        (MASKS, MAPS, np.zeros((3, 3), dtype=bool), "region_of_interest must be True at one"),
        (MASKS, MAPS, [np.ones((3, 3), dtype=bool)], "region_of_interest must have one mask"),
        (MASKS, MAPS, True, "region_of_interest must be an array"),
    ],
)
def test_bad_maps_and_masks(metric, masks, maps, region_of_interest, message):
    with pytest.raises(ValueError, match=message):
        metric(masks, maps, region_of_interest=region_of_interest)


@pytest.mark.parametrize("rate", [0, 1.1, -0.3, np.nan, None, "0.3"])
def test_bad_false_positive_rate(rate):
    with pytest.raises(ValueError, match=r"max_false_positive_rate must be a number in \(0, 1\]"):
        aupro(MASKS, MAPS, max_false_positive_rate=rate)


@pytest.mark.parametrize("threshold", [np.nan, np.inf, None, "high"])
def test_bad_threshold(threshold):
    with pytest.raises(ValueError, match="threshold must be a finite number"):
        region_recall(MASKS, MAPS, threshold=threshold)
