"""metrics.PixelCurve: metrics of images that come one after another, within stated limits."""

import pickle
import tracemalloc

import numpy as np
import pytest
from map_cases import random_case
from sklearn.metrics import f1_score

from sklearn_ae.metrics import (
    PixelCurve,
    aupro,
    pixel_average_precision,
    pixel_f1_max,
    pixel_roc_auc,
    region_recall,
)


def counted(masks, maps, low=0, high=1.3, n_bins=7):
    """A curve that saw one image at a time."""
    curve = PixelCurve(low=low, high=high, n_bins=n_bins)
    for mask, one_map in zip(masks, maps, strict=True):
        curve.update([mask], [one_map])
    return curve


def pairs(curve, masks, maps):
    """Results of the curve, each with the exact figure."""
    return [
        (curve.roc_auc(), pixel_roc_auc(masks, maps)),
        (curve.average_precision(), pixel_average_precision(masks, maps)),
        (curve.f1_max(), pixel_f1_max(masks, maps).f1),
        *(
            (
                curve.aupro(max_false_positive_rate=rate),
                aupro(masks, maps, max_false_positive_rate=rate),
            )
            for rate in (0.05, 0.3, 1)
        ),
        *(
            (
                curve.region_recall(threshold=threshold),
                region_recall(masks, maps, threshold=threshold).recall,
            )
            for threshold in (-1, 0.1, 0.5, 0.77, 2)
        ),
    ]


def assert_within_limits(curve, masks, maps):
    for result, exact in pairs(curve, masks, maps):
        assert result.low - 1e-12 <= exact <= result.high + 1e-12
        assert result.low - 1e-12 <= result.value <= result.high + 1e-12
        assert abs(result.value - exact) <= result.error + 1e-12
        assert result.low >= 0
        assert result.high <= 1 + 1e-12


def assert_exact(curve, masks, maps):
    for result, exact in pairs(curve, masks, maps):
        assert result.error < 1e-12
        assert result.value == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("n_bins", [1, 2, 7, 100])
@pytest.mark.parametrize(("seed", "n_values"), [(0, 2), (1, 20), (2, 10**6), (3, 10**6)])
def test_exact_figures_are_within_the_limits(seed, n_values, n_bins):
    masks, maps = random_case(seed, n_values)
    assert_within_limits(counted(masks, maps, n_bins=n_bins), masks, maps)


@pytest.mark.parametrize("order", ["defects_above", "defects_below", "mixed"])
def test_all_values_in_one_bin(order):
    masks, maps = random_case(0, 10**6)
    if order != "mixed":
        ranks = np.argsort(np.argsort(maps.ravel())).reshape(maps.shape)
        maps = ranks + maps.size * (masks if order == "defects_above" else ~masks)
    maps = 0.5 + 1e-6 * maps / maps.max()
    curve = counted(masks, maps, high=1, n_bins=3)
    assert_within_limits(curve, masks, maps)
    assert curve.roc_auc() == (0.5, 0, 1, None)


def test_limits_are_reached_by_the_best_and_the_worst_order():
    # The limits are no wider than what the counts leave open.
    masks, _ = random_case(0)
    above = np.where(masks, 0.52, 0.51) + 1e-9 * np.arange(masks.size).reshape(masks.shape)
    curves = [counted(masks, maps, high=1, n_bins=3) for maps in (above, 1 - above)]
    best, worst = above, 1 - above
    # All defect pixels of one value have the precision of the last of them.
    best[masks] = 0.52
    for curve in curves:
        for name, metric in [("roc_auc", pixel_roc_auc), ("aupro", aupro)]:
            result = getattr(curve, name)()
            assert result.high == pytest.approx(metric(masks, best))
            assert result.low == pytest.approx(metric(masks, worst))
        result = curve.average_precision()
        assert result.high == pytest.approx(pixel_average_precision(masks, best))
        assert result.low == pytest.approx(pixel_average_precision(masks, worst), rel=1e-4)
        assert curve.f1_max().high == pytest.approx(pixel_f1_max(masks, best).f1)


def test_error_of_roc_auc_is_half_of_the_pairs_that_share_a_bin():
    # Bins from 0, 1 and 2: one pair of four shares the bin from 1.
    curve = counted([[[0, 0, 1, 1]]], [[[0.5, 1.2, 1.8, 2.5]]], high=3, n_bins=3)
    assert curve.roc_auc() == (1 - 0.25 / 2, 0.75, 1, None)
    assert curve.roc_auc().error == 0.125


def test_bins_of_one_value_lose_nothing():
    masks, maps = random_case(1)
    assert_exact(counted(masks, maps, high=2, n_bins=400), masks, maps)
    # On the edges of bins, and one value beyond each end.
    levels = np.round(10 * maps) / 10
    assert_exact(counted(masks, levels, low=0.1, high=1.1, n_bins=20), masks, levels)
    assert_exact(counted(masks, np.ones_like(maps)), masks, np.ones_like(maps))


def test_integers_have_a_bin_each():
    masks, maps = random_case(1, 10**6)
    levels = np.clip(255 * maps / 1.3, 0, 255).astype(np.uint8)
    assert_exact(counted(masks, levels, high=255, n_bins=256), masks, levels)


@pytest.mark.parametrize(
    ("low", "high"), [(0.4, 0.6), (-9, -8), (5, 6), (-1e300, 1e300), (0, 5e-324)]
)
def test_values_outside_of_the_range_are_counted_in_the_end_bins(low, high):
    masks, maps = random_case(2, 10**6)
    maps[0, 0, 0], maps[0, 0, 1] = -1e305, 1e305
    curve = counted(masks, maps, low=low, high=high, n_bins=50)
    assert_within_limits(curve, masks, maps)
    assert curve.region_recall(threshold=-1e306).low == 1


def test_values_on_edges_of_bins_keep_their_order():
    edges = np.linspace(0, 1.3, 8)
    values = np.concatenate([edges, np.nextafter(edges, -1), np.nextafter(edges, 2)])
    masks = np.random.default_rng(0).uniform(size=(1, 4, 6)) < 0.4
    maps = values.reshape(1, 4, 6)
    assert_within_limits(counted(masks, maps), masks, maps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_bins", [1, 7, 1000])
def test_f1_max_is_that_of_its_threshold(n_bins, dtype):
    masks, maps = random_case(3, 10**6)
    maps = maps.astype(dtype)
    curve = counted(masks, maps, n_bins=n_bins)
    result = curve.f1_max()
    assert result.value == result.low
    flagged = maps > result.threshold
    assert f1_score(masks.ravel(), flagged.ravel()) == pytest.approx(result.value)
    recall = curve.region_recall(threshold=result.threshold)
    assert recall.error == 0
    exact = region_recall(masks, maps, threshold=result.threshold)
    assert recall.value == pytest.approx(exact.recall)


def test_more_bins_bring_the_limits_together():
    masks, maps = random_case(3, 10**6)
    errors = [counted(masks, maps, n_bins=n).roc_auc().error for n in (10, 100, 10_000)]
    assert errors[0] > 5 * errors[1] > 25 * errors[2]


def test_images_may_come_in_any_batches():
    masks, maps = random_case(4, 10**6, n_images=4)
    inside = maps[0] > 0.2
    one_by_one, at_once = (PixelCurve(low=0, high=1.3, n_bins=50) for _ in range(2))
    for mask, one_map in zip(masks, maps, strict=True):
        one_by_one.update([mask], [one_map], region_of_interest=inside)
    at_once.update(list(masks), maps, region_of_interest=inside)
    for results in zip(pairs(one_by_one, masks, maps), pairs(at_once, masks, maps), strict=True):
        assert results[0][0] == pytest.approx(results[1][0])
    exact = pixel_roc_auc(masks, maps, region_of_interest=inside)
    assert abs(at_once.roc_auc().value - exact) <= at_once.roc_auc().error


def test_normal_images_and_those_full_of_defects_come_alone():
    masks, maps = random_case(4, 10**6, n_images=2)
    masks[0], masks[1] = False, True
    assert_within_limits(counted(masks, maps), masks, maps)


def test_memory_of_a_large_image_is_that_of_its_labels():
    # Of 2048² pixels: 4 bytes each for labels, 1 for what is finite, and the rest chunk by chunk.
    masks = np.zeros((1, 2048, 2048), dtype=bool)
    masks[0, 500:1500, 600:700] = True
    maps = masks + np.linspace(0, 1, masks.size, dtype=np.float32).reshape(masks.shape)
    curve = PixelCurve(low=0, high=2)
    tracemalloc.start()
    try:
        curve.update(masks, maps)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 22 * masks.size
    # Nothing is lost between chunks: cut into images of less than one, it counts as much.
    pieces = PixelCurve(low=0, high=2)
    pieces.update(masks.reshape(8, 256, 2048), maps.reshape(8, 256, 2048))
    assert curve.roc_auc() == pieces.roc_auc()


METHODS = {
    "roc_auc": {},
    "average_precision": {},
    "aupro": {},
    "f1_max": {},
    "region_recall": {"threshold": 0.5},
}


@pytest.mark.parametrize("method", METHODS)
def test_metrics_without_a_defect_are_undefined(method):
    curve = PixelCurve(low=0, high=1)
    with pytest.raises(ValueError, match=r"is undefined\. Received: empty masks, with 0 defect"):
        getattr(curve, method)(**METHODS[method])
    curve.update(np.zeros((2, 3, 3), dtype=int), np.ones((2, 3, 3)))
    with pytest.raises(ValueError, match="0 defect pixels among the 18"):
        getattr(curve, method)(**METHODS[method])


@pytest.mark.parametrize("method", [name for name in METHODS if name != "region_recall"])
def test_metrics_without_a_normal_pixel_are_undefined(method):
    curve = counted(np.ones((2, 3, 3), dtype=int), np.ones((2, 3, 3)))
    with pytest.raises(ValueError, match="masks that mark all of the 18 pixels"):
        getattr(curve, method)()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"maps": np.full((2, 9, 9), np.nan)}, "maps must be finite"),
        ({"maps": np.zeros((2, 9, 8))}, "must have the shape of its map"),
        ({"region_of_interest": np.zeros((9, 9), dtype=bool)}, "region_of_interest must be True"),
    ],
)
def test_what_is_refused_is_not_counted(change, message):
    masks, maps = random_case(5, n_images=2)
    curve = counted(masks, maps)
    before = curve.roc_auc(), curve.aupro()
    good_and_bad = {"masks": masks, "maps": maps} | change
    if "maps" in change:
        good_and_bad["maps"] = [maps[0], change["maps"][1]]
    with pytest.raises(ValueError, match=message):
        curve.update(**good_and_bad)
    assert (curve.roc_auc(), curve.aupro()) == before


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"low": 1, "high": 1}, "low and high must be finite numbers, low below high"),
        ({"low": 2, "high": 1}, "low=2, high=1"),
        ({"low": 0, "high": np.inf}, "high=inf"),
        ({"low": np.nan, "high": 1}, "low=nan"),
        ({"low": -1e308, "high": 1e308}, "low=-1e.308"),
        ({"low": None, "high": 1}, "low=None"),
        ({"low": 0, "high": 1, "n_bins": 0}, "n_bins must be a positive integer"),
        ({"low": 0, "high": 1, "n_bins": 1.5}, "n_bins=1.5"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        PixelCurve(**parameters)


def test_bad_arguments_of_metrics():
    curve = counted(*random_case(0))
    with pytest.raises(ValueError, match="max_false_positive_rate must be a number"):
        curve.aupro(max_false_positive_rate=0)
    with pytest.raises(ValueError, match="threshold must be a finite number"):
        curve.region_recall(threshold=np.nan)


def test_results_print_their_limits_and_curves_are_pickled():
    curve = counted([[[0, 0, 1, 1]]], [[[0.5, 1.2, 1.8, 2.5]]], high=3, n_bins=3)
    assert repr(curve) == "PixelCurve(low=0, high=3, n_bins=3)"
    assert repr(curve.roc_auc()) == "0.875000 [0.750000, 1.000000]"
    assert repr(curve.f1_max()) == "0.800000 [0.800000, 1.000000] at threshold 0.5"
    assert pickle.loads(pickle.dumps(curve)).aupro() == curve.aupro()
