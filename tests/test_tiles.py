"""Images of any size, cut into tiles."""

import itertools
import pickle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from tiny_networks import tiny

from sklearn_ae import (
    AutoencoderAnomalyDetector,
    ConformalDetector,
    ConvAutoencoder,
    FixedThresholdDetector,
    NormalsOnly,
    maps,
)
from sklearn_ae.autoencoder.tiling import Tiling, map_images
from sklearn_ae.exceptions import TrainingDivergedError
from sklearn_ae.inspection import AnomalyMapDisplay

SIZES = [(24, 24), (40, 33), (24, 61), (70, 30)]


def make_images(n, seed, dtype=np.uint8):
    """Return stripes of random phase, of four sizes."""
    rng = np.random.default_rng(seed)
    images = []
    for i in range(n):
        height, width = SIZES[i % len(SIZES)]
        x = np.arange(width) + rng.uniform(0, 8)
        image = 0.5 + 0.3 * np.sin(2 * np.pi * x / 8) + rng.normal(0, 0.02, (height, width))
        images.append((255 * image.clip(0, 1)).astype(dtype))
    return images


IMAGES = make_images(48, seed=0)
NORMAL = make_images(24, seed=1)
DEFECTIVE = [image.copy() for image in NORMAL]
for image in DEFECTIVE:
    image[-12:-5, -13:-6] = 255 - image[-12:-5, -13:-6]


def tiled(**parameters):
    defaults = {
        "architecture": ConvAutoencoder(filters=(8, 16)),
        "latent_dim": 8,
        "tile_size": 24,
        "epochs": 5,
        "random_state": 0,
    }
    return AutoencoderAnomalyDetector(**(defaults | parameters))


@pytest.fixture(scope="module")
def fitted():
    return tiled(epochs=20).fit(IMAGES)


def test_defects_of_images_of_any_size_are_found_and_located(fitted):
    assert roc_auc_score([0] * 24 + [1] * 24, -fitted.score_samples(NORMAL + DEFECTIVE)) > 0.95
    for image, error_map in zip(DEFECTIVE, fitted.anomaly_map(DEFECTIVE), strict=True):
        assert error_map.shape == image.shape
        inside = np.zeros(image.shape, bool)
        inside[-12:-5, -13:-6] = True
        assert error_map[inside].mean() > 2 * error_map[~inside].mean()


def test_image_of_one_tile_is_scored_as_it_is(fitted):
    image = NORMAL[0]
    assert image.shape == (24, 24)
    whole = clone(fitted).set_params(tile_size=None)
    whole.fit(np.stack(IMAGES[::4]))
    for part in ("_network", "anomaly_score_"):
        setattr(whole, part, getattr(fitted, part))
    np.testing.assert_array_equal(fitted.score_samples([image]), whole.score_samples(image[None]))
    np.testing.assert_array_equal(fitted.anomaly_map([image])[0], whole.anomaly_map(image[None])[0])


def test_image_scores_like_its_most_abnormal_tile(fitted):
    image = DEFECTIVE[1]
    corners = Tiling(24, 0.25).positions(image)
    tiles = [image[top : top + 24, left : left + 24] for top, left in corners]
    assert len(tiles) == 4
    scores = fitted.score_samples(tiles)
    np.testing.assert_allclose(fitted.score_samples([image]), [scores.min()], rtol=1e-5)
    assert scores.argmin() == 3


@pytest.mark.parametrize("overlap", [0, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(24, 24), (25, 24), (47, 49), (100, 33)])
def test_tiles_cover_the_image_and_overlap(shape, overlap):
    image = np.zeros((*shape, 1))
    tiling = Tiling(24, overlap)
    covered = np.zeros(shape, int)
    for corners, tiles in tiling.batches(image):
        assert tiles.shape[1:] == (24, 24, 1)
        for top, left in corners:
            covered[top : top + 24, left : left + 24] += 1
    assert covered.min() >= 1
    for axis, length in enumerate(shape):
        starts = sorted({corner[axis] for corner in tiling.positions(image)})
        assert starts[0] == 0
        assert starts[-1] == length - 24
        assert all(b - a <= 24 - np.floor(24 * overlap) for a, b in itertools.pairwise(starts))


def test_map_of_what_each_pixel_tells_alone_has_no_seam():
    image = np.random.default_rng(0).random((70, 90, 1)).astype(np.float32)
    [blended] = map_images([image], Tiling((24, 32), 0.25), lambda tiles: tiles[..., 0])
    np.testing.assert_allclose(blended, image[..., 0], rtol=1e-5)


def test_map_changes_little_if_the_tiles_are_shifted(fitted):
    rng = np.random.default_rng(5)
    x = np.arange(160) + rng.uniform(0, 8)
    image = 0.5 + 0.3 * np.sin(2 * np.pi * x / 8) + rng.normal(0, 0.02, (128, 160))
    image = (255 * image.clip(0, 1)).astype(np.uint8)
    whole = fitted.anomaly_map([image])[0]
    shifted = fitted.anomaly_map([image[7:, 5:]])[0]
    inside = (slice(24, -24), slice(24, -24))
    difference = np.abs(whole[7:, 5:] - shifted)[inside]
    # Little beside what a defect changes.
    of_defects = [error_map[-12:-5, -13:-6] for error_map in fitted.anomaly_map(DEFECTIVE)]
    assert difference.mean() < 0.2 * np.mean(of_defects)
    assert difference.mean() < whole.mean()
    # At seams no more than elsewhere: steps from pixel to pixel are like those inside of tiles.
    starts = {left for _, left in Tiling(24, 0.25).positions(image)} - {0}
    edges = np.array(sorted(starts | {start + 24 for start in starts if start + 24 < 160}))
    steps = np.abs(np.diff(whole, axis=1)).mean(axis=0)
    others = np.setdiff1d(np.arange(len(steps)), edges - 1)
    assert steps[edges - 1].mean() < 1.3 * steps[others].mean()


def test_arrays_and_lists_of_images_are_alike():
    images = np.stack([image[:24, :24] for image in IMAGES])
    from_array, from_list = tiled().fit(images), tiled().fit(list(images))
    large = np.stack([np.tile(image, (2, 2)) for image in images[:5]])
    np.testing.assert_array_equal(from_array.score_samples(large), from_list.score_samples(large))
    from_large = from_array.anomaly_map(large)
    assert from_large.shape == (5, 48, 48)
    np.testing.assert_array_equal(from_large, np.stack(from_array.anomaly_map(list(large))))
    color = np.repeat(large[..., np.newaxis], 3, axis=-1)
    assert tiled().fit(color).anomaly_map(color).shape == (5, 48, 48)


def of_objects(images):
    array = np.empty(len(images), dtype=object)
    array[:] = images
    return array


@pytest.mark.parametrize(
    "container",
    [of_objects, tuple, lambda images: pd.Series(images, index=range(5, 5 + len(images)))],
)
def test_containers_of_images_of_any_size_are_lists(fitted, container):
    images = container(NORMAL[:6])
    np.testing.assert_array_equal(fitted.score_samples(images), fitted.score_samples(NORMAL[:6]))
    found, expected = fitted.anomaly_map(images), fitted.anomaly_map(NORMAL[:6])
    assert isinstance(found, list)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    again = clone(fitted).set_params(epochs=1)
    scores = [again.fit(X).score_samples(images) for X in (container(NORMAL), NORMAL)]
    np.testing.assert_array_equal(*scores)


def test_maps_of_an_array_of_objects_are_a_list_however_large_the_images(fitted):
    """What comes back does not depend on the images that happen to be in X."""
    equal = of_objects([NORMAL[1], NORMAL[5]])
    assert isinstance(fitted.anomaly_map(equal), list)
    stacked = np.stack(list(equal)).astype(object)
    assert stacked.ndim == 3
    assert fitted.anomaly_map(stacked).shape == (2, 40, 33)


def test_displays_and_maps_take_arrays_of_objects(fitted):
    images, masks = of_objects(DEFECTIVE[:6]), of_objects([image > 200 for image in DEFECTIVE[:6]])
    with_list, with_objects = (
        AnomalyMapDisplay.from_estimator(fitted, X, masks=m, sigma=1.0)
        for X, m in ((DEFECTIVE[:6], list(masks)), (images, masks))
    )
    for one, other in zip(with_list.maps, with_objects.maps, strict=True):
        np.testing.assert_array_equal(one, other)
    plt.close("all")
    smoothed = maps.smooth(of_objects(fitted.anomaly_map(images)), region_of_interest=masks)
    assert [one_map.shape for one_map in smoothed] == [image.shape for image in images]


def test_no_tile_of_a_held_out_image_is_trained_with(fitted, monkeypatch):
    seen = {}

    def remember(detector, samples, split, *others):
        seen.update(X=samples.X, **split._asdict())
        raise TrainingDivergedError

    monkeypatch.setattr("sklearn_ae.autoencoder.training.fitting.fit_network", remember)
    # Each image has a value of its own.
    images = [np.full_like(image, i) for i, image in enumerate(IMAGES)]
    with pytest.raises(TrainingDivergedError):
        tiled().fit(images)
    of_training = set(seen["X"][seen["training"]].ravel())
    of_validation = set(seen["X"][seen["validation"]].ravel())
    assert not of_training & of_validation
    assert of_training | of_validation == set(range(len(images)))
    n_tiles = sum(len(Tiling(24, 0.25).positions(image)) for image in IMAGES)
    assert seen["X"].shape == (n_tiles, 24, 24, 1)


def test_attributes_are_of_images(fitted):
    assert len(fitted.validation_indices_) == round(0.1 * len(IMAGES))
    assert len(fitted.training_scores_) == len(IMAGES) - len(fitted.validation_indices_)
    held_out = [IMAGES[i] for i in fitted.validation_indices_]
    np.testing.assert_allclose(fitted.validation_scores_, fitted.score_samples(held_out), rtol=1e-5)
    assert fitted.input_shape_ == (24, 24, 1)
    assert fitted.n_features_in_ == 24 * 24


def test_fits_are_repeatable_and_copies_score_alike(fitted):
    np.testing.assert_array_equal(
        clone(fitted).fit(IMAGES).score_samples(NORMAL), fitted.score_samples(NORMAL)
    )
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.score_samples(NORMAL), fitted.score_samples(NORMAL))


def test_large_sets_of_tiles_are_kept_in_a_file(fitted, monkeypatch):
    monkeypatch.setattr("sklearn_ae.autoencoder.tiling._MAX_BYTES_IN_MEMORY", 0)
    again = clone(fitted).fit(IMAGES)
    np.testing.assert_array_equal(again.score_samples(NORMAL), fitted.score_samples(NORMAL))


def test_large_image_is_cut_batch_by_batch(fitted, monkeypatch):
    expected = fitted.score_samples(DEFECTIVE[:4]), fitted.anomaly_map(DEFECTIVE[:4])
    monkeypatch.setattr("sklearn_ae.autoencoder.tiling._BYTES_PER_BATCH", 1)
    sizes = [len(tiles) for _, tiles in Tiling(24, 0.25).batches(NORMAL[3][..., np.newaxis])]
    assert set(sizes) == {1}
    np.testing.assert_allclose(fitted.score_samples(DEFECTIVE[:4]), expected[0], rtol=1e-5)
    for one, other in zip(fitted.anomaly_map(DEFECTIVE[:4]), expected[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_detectors_around_it_take_lists_of_images(fitted):
    frozen = FrozenEstimator(fitted)
    conformal = ConformalDetector(frozen, false_alarm_rate=0.2).fit(NORMAL)
    assert np.mean(conformal.predict(DEFECTIVE) == -1) > 0.9
    with pytest.raises(ValueError, match="fitted to"):
        ConformalDetector(frozen, false_alarm_rate=0.2).fit(IMAGES)
    assert set(FixedThresholdDetector(frozen, threshold=1e9).predict(DEFECTIVE)) == {1}
    labels = np.repeat([1, -1], 24)
    normals_only = NormalsOnly(tiled(epochs=1)).fit(NORMAL + DEFECTIVE, labels)
    assert normals_only.score_samples(DEFECTIVE).shape == (24,)


@pytest.mark.parametrize("is_fitted", [False, True])
@pytest.mark.parametrize("name", ["reconstruct", "transform", "inverse_transform"])
def test_codes_and_reconstructions_of_tiles_are_none_of_images(fitted, name, is_fitted):
    assert not hasattr(fitted if is_fitted else clone(fitted), name)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tile_size": 0}, "tile_size must be a number of pixels"),
        ({"tile_size": (24, 24, 1)}, "tile_size must be a number of pixels"),
        ({"tile_size": 2.5}, "'tile_size' parameter"),
        ({"tile_overlap": 1}, "'tile_overlap' parameter"),
        ({"input_shape": (24, 24)}, "input_shape folds rows"),
        ({"trim": 0.1}, "trim leaves out whole samples"),
        ({"tile_size": 25}, r"at least as large as a tile.*image 0 of shape \(24, 24\)"),
    ],
)
def test_bad_parameters(parameters, message):
    detector = tiled(**parameters)
    with pytest.raises(ValueError, match=message):
        detector.fit(IMAGES)
    assert not hasattr(detector, "offset_")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((30, 24)), r"X must be images.*shape \(30, 24\)"),
        ([], "at least 1 images"),
        (
            [NORMAL[0], NORMAL[1].astype(float)],
            "of one type.*uint8 and 1 channels of image 0, float64 and 1 channels of image 1",
        ),
        (
            [NORMAL[0], np.zeros((30, 30, 4), np.uint8)],
            "channels as the training images, 1.*Received: 4 channels of image 1",
        ),
        (
            [np.zeros((30, 30, 3), np.uint8)],
            "channels as the training images, 1.*Received: 3 channels of image 0",
        ),
        ([NORMAL[0], np.zeros(30)], r"image 1 of shape \(30,\)"),
        ([NORMAL[0], np.zeros((30, 0))], r"image 1 of shape \(30, 0\)"),
        ([np.full((30, 30), np.nan)], "NaN"),
        ([np.full((30, 30), "a")], "could not convert|numeric"),
        ([NORMAL[0], NORMAL[1][:20]], r"image 1 of shape \(20, 33\)"),
    ],
)
def test_bad_images(fitted, images, message):
    with pytest.raises(ValueError, match=message):
        fitted.score_samples(images)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ((image for image in NORMAL), r"Pass list\(X\). Received: X of type generator"),
        (None, "X must be a list of images.*Received: X of type NoneType"),
        (3, "X must be a list of images.*Received: X of type int"),
    ],
)
def test_what_holds_no_images(fitted, images, message):
    for method in (fitted.score_samples, fitted.anomaly_map, clone(fitted).fit):
        with pytest.raises(TypeError, match=message):
            method(images)


def test_other_kinds_of_training_images_are_compared_with_the_first(trainings):
    color = np.zeros((30, 30, 3), np.uint8)
    for images, received in (
        ([NORMAL[0], color], "uint8 and 1 channels of image 0, uint8 and 3 channels of image 1"),
        ([color, NORMAL[0]], "uint8 and 3 channels of image 0, uint8 and 1 channels of image 1"),
    ):
        with pytest.raises(ValueError, match=received) as raised:
            tiled().fit(images)
        assert "training images" not in str(raised.value)
    assert trainings == []


def test_tiles_forget_the_names_of_an_earlier_fit(trainings_done):
    frame = pd.DataFrame(np.random.default_rng(0).random((30, 4)), columns=list("abcd"))
    detector = tiny().fit(frame)
    assert detector.feature_names_in_.tolist() == list("abcd")
    small = [image[:8, :8] for image in IMAGES]
    with pytest.raises(ValueError, match="at least as large as a tile"):
        detector.set_params(tile_size=9).fit(small)
    # A fit that fails leaves all as it was.
    assert detector.feature_names_in_.tolist() == list("abcd")
    detector.set_params(tile_size=8).fit(small)
    assert not hasattr(detector, "feature_names_in_")
    assert len(detector.score_samples(small)) == len(small)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((40, 30, 3)), r"single image \(40, 30, 3\), pass X\[np.newaxis\]"),
        (np.zeros((40, 30)), r"a single sample: pass X\[np.newaxis\]"),
        (np.zeros((5, 3, 40, 30)), r"X.transpose\(0, 2, 3, 1\)"),
        ([np.zeros((3, 40, 30))] * 5, r"X.transpose\(0, 2, 3, 1\)"),
        ([np.ma.masked_less(image, 90) for image in IMAGES], "must have a value everywhere"),
    ],
)
def test_likely_mistakes_are_named(trainings, X, message):
    with pytest.raises(ValueError, match=f"{message}.*Received: "):
        tiled().fit(X)
    assert trainings == []
