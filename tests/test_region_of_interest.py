"""The region of interest: the background has no part in fit, scores and maps."""

import pickle

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sklearn_ae import (
    AutoencoderAnomalyDetector,
    ConformalDetector,
    ConvAutoencoder,
    FeatureAutoencoder,
    NormalsOnly,
)
from sklearn_ae.autoencoder.network.masked_pixels import SelectPositions
from sklearn_ae.metrics import pixel_roc_auc

HEIGHT, WIDTH = 24, 20
REGION = np.zeros((HEIGHT, WIDTH), dtype=bool)
REGION[5:17, 4:15] = True


def make_images(n, seed, background_seed=None, dtype=np.uint8):
    """Return stripes of random phase, with or without a background of noise."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 8, (n, 1, 1))
    images = 0.5 + 0.3 * np.sin(2 * np.pi * (np.arange(WIDTH) + phase) / 8)
    images = images + rng.normal(0, 0.02, (n, HEIGHT, WIDTH))
    if background_seed is not None:
        noise = np.random.default_rng(background_seed).uniform(0, 1, images.shape)
        images = np.where(REGION, images, noise)
    images = images.clip(0, 1)
    return (255 * images).astype(dtype) if dtype == np.uint8 else images.astype(dtype)


def fit(X, **parameters):
    defaults = {
        "architecture": ConvAutoencoder(filters=(4, 8)),
        "latent_dim": 4,
        "region_of_interest": REGION,
        "epochs": 3,
        "random_state": 0,
    }
    return AutoencoderAnomalyDetector(**(defaults | parameters)).fit(X)


def make_backbone():
    inputs = keras.Input((None, None, 1))
    conv = {"padding": "same", "strides": 2, "activation": "relu"}
    initializer = keras.initializers.GlorotUniform(0)
    x = keras.layers.Conv2D(8, 3, kernel_initializer=initializer, **conv)(inputs)
    return keras.Model(inputs, x)


BACKBONE = make_backbone()


def features():
    return FeatureAutoencoder(backbone=BACKBONE, units=(16,))


VARIANTS = [
    pytest.param({}, id="pixels"),
    pytest.param({"anomaly_score": "absolute_error"}, id="absolute_error"),
    pytest.param({"anomaly_score": "whitened_error", "scaling": "standard"}, id="standard"),
    pytest.param({"trim": 0.1}, id="trim"),
    pytest.param({"features": True}, id="features"),
    pytest.param({"features": True, "trim": 0.1}, id="trimmed features"),
]


def build(parameters):
    parameters = dict(parameters)
    if parameters.pop("features", False):
        parameters["architecture"] = features()
    return parameters


@pytest.mark.parametrize("parameters", VARIANTS)
def test_background_changes_nothing(parameters):
    given = [make_images(40, 0), make_images(40, 0, background_seed=1)]
    test = [make_images(10, 2), make_images(10, 2, background_seed=3)]
    detectors = [fit(X, **build(parameters)) for X in given]
    assert detectors[0].offset_ == detectors[1].offset_
    assert detectors[0].history_ == detectors[1].history_
    for method in ("score_samples", "anomaly_map"):
        first, *others = (getattr(d, method)(X) for d in detectors for X in test)
        assert np.isfinite(first).all()
        for other in others:
            np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize("parameters", VARIANTS)
def test_map_is_of_the_region(parameters):
    detector = fit(make_images(40, 0), **build(parameters))
    maps = detector.anomaly_map(make_images(3, 2))
    assert maps.shape == (3, HEIGHT, WIDTH)
    assert (maps[:, ~REGION] == 0).all()
    assert (maps[:, REGION] > 0).mean() > 0.9


@pytest.mark.parametrize("features", [False, True])
def test_map_of_the_whole_as_region_is_that_of_no_region(features):
    whole = np.ones((HEIGHT, WIDTH), dtype=int)
    X = make_images(40, 0)
    first, second = (
        fit(X, **build({"features": features, "region_of_interest": region}))
        for region in (whole, None)
    )
    np.testing.assert_allclose(first.score_samples(X), second.score_samples(X), 1e-4, 1e-5)
    np.testing.assert_allclose(first.anomaly_map(X), second.anomaly_map(X), rtol=1e-3, atol=1e-4)


def test_score_is_the_sum_of_the_map():
    detector = fit(make_images(40, 0, 1), anomaly_score="absolute_error")
    X = make_images(10, 2, 3)
    sums = detector.anomaly_map(X).sum(axis=(1, 2))
    np.testing.assert_allclose(-detector.score_samples(X), sums, rtol=1e-5)


def test_defects_inside_are_found_whatever_the_background_is():
    X_normal, X = make_images(200, 0, 1), make_images(40, 2, 3)
    X[20:, 8:13, 7:12] = np.random.default_rng(4).integers(0, 256, (20, 5, 5))
    masks = np.zeros(X.shape, dtype=bool)
    masks[20:, 8:13, 7:12] = True
    settings = {"epochs": 40, "patience": None, "anomaly_score": "squared_error", "random_state": 1}
    detector = fit(X_normal, **settings)
    whole = fit(X_normal, region_of_interest=None, **settings)
    labels = np.repeat([0, 1], 20)
    assert roc_auc_score(labels, -detector.score_samples(X)) > 0.95
    assert roc_auc_score(labels, -whole.score_samples(X)) < 0.95
    assert pixel_roc_auc(masks, detector.anomaly_map(X), region_of_interest=REGION) > 0.85


def test_nothing_is_rebuilt_outside():
    X = make_images(40, 0)
    detector = fit(X, anomaly_score="absolute_error")
    assert (detector.reconstruct(X)[:, ~REGION] == 0).all()
    assert (detector.model_.predict(X[..., np.newaxis], verbose=0)[:, ~REGION] == 0).all()
    np.testing.assert_allclose(
        detector.inverse_transform(detector.transform(X)), detector.reconstruct(X), atol=1e-3
    )


def test_calibration_knows_training_images_by_their_region():
    X, other = make_images(40, 0, 1), make_images(40, 0, 2)
    frozen = FrozenEstimator(fit(X))
    for images in (X, other):
        with pytest.raises(ValueError, match="was fitted to"):
            ConformalDetector(frozen, false_alarm_rate=0.1).fit(images)
    ConformalDetector(frozen, false_alarm_rate=0.1).fit(make_images(40, 3, 1))


def test_units_are_compared_in_the_region():
    detector = fit(make_images(40, 0))
    bright = np.where(REGION, make_images(5, 2, dtype=np.float64), 50.0)
    with pytest.warns(UserWarning, match="floats of at most 1"):
        detector.score_samples(bright)


def test_map_does_not_fade_towards_the_edge():
    # A position outside has the error of the nearest one inside, and no other.
    mask = np.zeros((3, 4), dtype=bool)
    mask[1, 1:3] = True
    values = np.array([[5.0, 7.0]]).reshape(1, 2, 1, 1)
    spread = SelectPositions(mask).spread(values)
    np.testing.assert_array_equal(np.asarray(spread)[0, :, :, 0], 3 * [[5, 5, 7, 7]])


def test_positions_outside_have_no_part_in_the_score():
    detector = fit(make_images(40, 0), architecture=features())
    # Cells of 2×2 pixels that the region touches: rows 4 to 16 and columns 4 to 14.
    assert detector._network.core.input_shape == (7 * 6, 1, 8)


def test_sequential_features_take_a_region():
    class Architecture(FeatureAutoencoder):
        def build_features(self, input_shape):
            layers = [keras.Input(input_shape), keras.layers.AveragePooling2D(2)]
            return keras.Sequential(layers)

    X = make_images(40, 0, 1)
    architecture = Architecture(backbone=BACKBONE, units=(4,))
    first, second = (fit(images, architecture=architecture) for images in (X, make_images(40, 0)))
    np.testing.assert_array_equal(first.score_samples(X), second.score_samples(X))


@pytest.mark.parametrize("parameters", VARIANTS)
def test_pickled_detector_keeps_the_region(parameters):
    detector = fit(make_images(40, 0), **build(parameters))
    X = make_images(5, 2, 3)
    restored = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(restored.score_samples(X), detector.score_samples(X))
    np.testing.assert_array_equal(restored.anomaly_map(X), detector.anomaly_map(X))


def test_region_that_changes_after_the_fit_changes_nothing():
    region = REGION.copy()
    detector = fit(make_images(40, 0), region_of_interest=region)
    X = make_images(5, 2)
    before = detector.anomaly_map(X)
    region[:] = True
    np.testing.assert_array_equal(detector.anomaly_map(X), before)


def test_scaling_looks_at_the_region():
    # Floats in [0, 1] are taken as they are, whatever the background is.
    X = make_images(40, 0, dtype=np.float64)
    outside = np.where(REGION, X, 1000.0)
    first, second = fit(X), fit(outside)
    np.testing.assert_array_equal(first.score_samples(X), second.score_samples(X))
    with pytest.warns(UserWarning, match="All rows of X are equal"):
        fit(np.where(REGION, 7, make_images(40, 0, 1)).astype(np.uint8))


def test_memory_tells_regions_apart(tmp_path):
    X, regions = make_images(40, 0), (REGION, np.roll(REGION, 3, axis=0))
    kept = [fit(X, memory=str(tmp_path), region_of_interest=region) for region in regions]
    entries = sorted(tmp_path.rglob("output.pkl"))
    assert len(entries) == 2
    for first, region in zip(kept, regions, strict=True):
        second = fit(X, memory=str(tmp_path), region_of_interest=region)
        third = fit(X, region_of_interest=region)
        np.testing.assert_array_equal(first.score_samples(X), second.score_samples(X))
        np.testing.assert_array_equal(first.score_samples(X), third.score_samples(X))
    assert sorted(tmp_path.rglob("output.pkl")) == entries
    assert (kept[0].score_samples(X) != kept[1].score_samples(X)).any()


@pytest.mark.parametrize("features", [False, True])
def test_warm_start_goes_on_with_the_region(features):
    X = make_images(40, 0)
    detector = fit(X, **build({"features": features, "warm_start": True}))
    scores = detector.score_samples(X)
    assert (detector.fit(X).score_samples(X) != scores).any()
    detector.set_params(region_of_interest=np.roll(REGION, 2, axis=0))
    with pytest.raises(ValueError, match="region_of_interest must be that of the previous fit"):
        detector.fit(X)


def test_rows_are_folded_and_colors_masked():
    X = make_images(40, 0)
    rows = fit(X.reshape(40, -1), input_shape=(HEIGHT, WIDTH))
    np.testing.assert_array_equal(rows.score_samples(X.reshape(40, -1)), fit(X).score_samples(X))
    colored = np.repeat(X[..., np.newaxis], 3, axis=-1)
    maps = fit(colored).anomaly_map(colored)
    assert (maps[:, ~REGION] == 0).all()
    assert (maps[:, REGION] > 0).any()


def test_clones_take_a_region_and_grids_choose_one():
    detector = AutoencoderAnomalyDetector(region_of_interest=REGION.tolist(), epochs=1)
    assert clone(detector).fit(make_images(30, 0)).anomaly_map(make_images(1, 0)).max() > 0
    assert "region_of_interest" in repr(detector)
    whole = np.ones((HEIGHT, WIDTH), dtype=bool)
    search = GridSearchCV(
        NormalsOnly(detector),
        {"estimator__region_of_interest": [REGION, whole]},
        cv=StratifiedKFold(2, shuffle=True, random_state=0),
        error_score="raise",
    )
    X = np.concatenate([make_images(60, 0), 255 - make_images(60, 1)])
    search.fit(X, np.repeat([False, True], 60))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (REGION[:-1], r"must have the shape of the images, \(24, 20\)"),
        (REGION[np.newaxis], r"one mask of shape \(height, width\)"),
        (~np.ones((HEIGHT, WIDTH), bool), "True at one pixel at least"),
        (REGION * 255, "booleans, or integers of 0 and 1"),
        (REGION.astype(float), "booleans, or integers of 0 and 1"),
    ],
)
def test_bad_region_is_refused(region, message):
    with pytest.raises(ValueError, match=message):
        fit(make_images(30, 0), region_of_interest=region)


def test_region_and_tiles_are_refused():
    with pytest.raises(ValueError, match="does not go with tile_size"):
        fit(make_images(30, 0), tile_size=12)


def test_region_of_rows_is_refused():
    with pytest.raises(ValueError, match="region_of_interest is of images"):
        fit(np.ones((30, HEIGHT)), architecture="auto")


def test_region_of_one_position_is_refused():
    region = np.zeros((HEIGHT, WIDTH), dtype=bool)
    region[0, 0] = True
    with pytest.raises(ValueError, match="two positions of the backbone"):
        fit(make_images(30, 0), architecture=features(), region_of_interest=region)
