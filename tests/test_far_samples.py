"""Far from the data a score never falls back to normal, and nothing is NaN or infinite."""

import functools

import keras
import numpy as np
import pytest
from score_cases import CASES, SCORES, combined, data_of, fit, fitted
from tiny_networks import tiny, tiny_conv

from sklearn_ae import ConvAutoencoder, FeatureAutoencoder
from sklearn_ae.scores import CodeDifference, CombinedScore, HiddenDifference, LatentDistance

FACTORS = 10.0 ** np.arange(2, 16)

# What may become the default; the others are held to be finite.
DEFAULTS = ["absolute", "auto", "combined"]


def rays(X, kind):
    """Samples ever further away, in several directions from a normal one."""
    normal = X[:1]
    directions = {
        "scaled": normal,
        "mirrored": -normal,
        "shifted up": np.ones_like(normal),
        "shifted down": -np.ones_like(normal),
        "one value": np.eye(1, normal.size, 3).reshape(normal.shape),
        "one value down": -np.eye(1, normal.size, 3).reshape(normal.shape),
    }
    if kind == "images":
        directions["checkerboard"] = np.indices(normal.shape).sum(axis=0) % 2 - 0.5
    for name, direction in directions.items():
        steps = FACTORS.reshape(-1, *[1] * (normal.ndim - 1))
        yield name, normal + steps * direction


NETWORKS = {
    "rows, linear": ("rows", {"scaling": "standard"}),
    "rows, sigmoid": ("images rows", {}),
    "images, sigmoid": ("images", {}),
    "images, linear": ("images", {"scaling": "standard", "loss": "mean_squared_error"}),
}


def fit_network(name, score):
    kind, parameters = NETWORKS[name]
    if kind == "images rows":
        X = data_of("images").reshape(240, -1)[:, :12]
        return fit("rows", score, X, **parameters), X, "rows"
    return fit(kind, score, **parameters), data_of(kind), kind


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", DEFAULTS)
def test_default_scores_do_not_fall_along_rays(network, name):
    detector, X, kind = fit_network(network, SCORES[name])
    for direction, samples in rays(X, kind):
        scores = -detector.score_samples(samples)
        assert np.isfinite(scores).all(), direction
        assert (np.diff(scores) > 0).all(), direction
        assert (detector.predict(samples) == -1).all(), direction


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_all_scores_are_finite_even_beyond_float32(kind, name):
    detector = fitted(kind, name)
    X = data_of(kind)[:1]
    for samples in (1e15 * X, -1e15 * X, X + 1e30, X - 1e300, 0 * X):
        assert np.isfinite(detector.score_samples(samples)).all()
    assert detector.predict(X + 1e300) == [-1]


@pytest.mark.parametrize("name", ["auto", "combined", "absolute"])
def test_inverted_and_constant_images_are_anomalies(name):
    y, x = np.mgrid[:9, :8] / 8
    generator = np.random.default_rng(0)
    images = 0.1 + 0.3 * np.outer(generator.random(240), x * y).reshape(240, 9, 8, 1)
    images += generator.normal(scale=0.01, size=images.shape)
    detector = fit("images", SCORES[name], images.clip(0, 1), epochs=20, learning_rate=0.01)
    for value in (0, 0.5, 1):
        assert detector.predict(np.full((1, 9, 8, 1), value)) == [-1]
    assert detector.predict(1 - images).tolist() == [-1] * 240
    assert np.mean(detector.predict(images) == -1) < 0.2


def test_empty_image_is_an_anomaly_although_nothing_in_it_is_rebuilt_badly():
    generator = np.random.default_rng(0)
    images = np.zeros((300, 12, 12))
    for image in images:
        for _ in range(generator.integers(3, 6)):
            stroke = image if generator.random() < 0.5 else image.T
            row, column = generator.integers(0, 12, size=2)
            stroke[row, column : column + 5] = 1
    architecture = ConvAutoencoder(filters=(8,))
    training = {"latent_dim": 8, "epochs": 30, "learning_rate": 0.01}
    detector = fit("images", "auto", images, architecture=architecture, **training)
    empty = np.zeros((1, 12, 12))
    errors = detector.anomaly_map(images).sum(axis=(1, 2))
    assert detector.anomaly_map(empty).sum() < errors.min()
    assert detector.predict(empty) == [-1]
    assert np.mean(detector.predict(images) == -1) < 0.2


def dying(input_shape, latent_dim):
    """Build an encoder all of whose units are dead far below the data."""
    x = inputs = keras.Input(input_shape)
    positive = keras.initializers.RandomUniform(0.1, 0.2, seed=0)
    x = keras.layers.Dense(8, "relu", kernel_initializer=positive, trainable=False)(x)
    encoder = keras.Model(inputs, keras.layers.Dense(latent_dim)(x))
    z = keras.Input((latent_dim,))
    return encoder, keras.Model(z, keras.layers.Dense(*input_shape)(z))


BLIND = [("a", CodeDifference()), ("b", HiddenDifference(metric="cosine")), ("c", LatentDistance())]


@pytest.mark.parametrize(
    "score", ["auto", combined(), CombinedScore(BLIND)], ids=["auto", "combined", "of codes alone"]
)
def test_a_dead_encoder_does_not_hide_what_the_error_sees(score):
    X = data_of("rows")
    detector = fit("rows", score, X - X.min() + 1, architecture=dying)
    far = -np.multiply.outer(FACTORS, np.ones(6))
    assert np.ptp(detector.transform(far), axis=0).max() == 0
    scores = -detector.score_samples(far)
    assert (np.diff(scores) > 0).all()
    assert (detector.predict(far) == -1).all()


def of_features(**parameters):
    maps = keras.layers.Conv2D(3, 3, strides=2, padding="same")
    backbone = keras.Sequential([keras.Input((None, None, 1)), maps])
    architecture = FeatureAutoencoder(backbone=backbone, units=(4,))
    return tiny(architecture=architecture, anomaly_score="auto", **parameters)


REGION = np.tri(12) > 0
IMAGES = np.random.default_rng(0).random((30, 12, 12))
COLORS = np.random.default_rng(0).random((30, 12, 12, 3))
KINDS = {
    "rows": (tiny, np.random.default_rng(0).normal(size=(30, 4))),
    "images": (lambda: tiny_conv(loss="mean_squared_error"), IMAGES),
    "sigmoid": (tiny_conv, IMAGES),
    "colors": (lambda: tiny_conv(scaling="standard"), COLORS),
    "region": (lambda: tiny_conv(scaling="standard", region_of_interest=REGION), IMAGES),
    "tiles": (lambda: tiny_conv(scaling="standard", tile_size=8), COLORS),
    "features": (of_features, IMAGES),
    "region of features": (lambda: of_features(region_of_interest=REGION), IMAGES),
}


@pytest.mark.parametrize("value", [1e39, -1e39, 1e200, -1.7e308])
@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_maps_codes_and_reconstructions_are_finite_beyond_float32(kind, everywhere, value):
    X = KINDS[kind][1]
    detector = fit_kind(kind)
    samples = X[:3].copy()
    samples[1][... if everywhere else (-1,) * (X.ndim - 1)] = value
    maps = detector.anomaly_map(samples)
    assert maps.dtype == np.float32
    assert np.isfinite(maps).all()
    assert maps[1].max() > 1e3 * np.abs(maps[[0, 2]]).max()
    if "region" in kind:
        assert (maps[:, ~REGION] == 0).all()
    usual = detector.anomaly_map(X[:3])
    np.testing.assert_allclose(maps[[0, 2]], usual[[0, 2]], rtol=1e-5)
    for method in ("reconstruct", "transform"):
        if hasattr(detector, method):
            assert np.isfinite(getattr(detector, method)(samples)).all()


@functools.cache
def fit_kind(kind):
    make, X = KINDS[kind]
    return make().fit(X)


def test_codes_beyond_float32_decode_to_finite_numbers():
    detector = fit_kind("rows")
    codes = detector.transform(KINDS["rows"][1][:3]).astype(np.float64)
    codes[1] = 1e300
    assert np.isfinite(detector.inverse_transform(codes)).all()
