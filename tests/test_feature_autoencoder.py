"""Autoencoders of what a frozen network sees in images."""

import pickle
import random
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import BaseEstimator, clone
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from sklearn_ae import AutoencoderAnomalyDetector, DenseAutoencoder, FeatureAutoencoder

STRIDE = 4


def make_backbone(size=(None, None), channels=1, seed=0):
    """Build two frozen layers of random convolutions, of stride 2 and 4."""
    inputs = keras.Input((*size, channels))
    start = {"kernel_initializer": keras.initializers.HeNormal(seed=seed), "activation": "relu"}
    x = keras.layers.Conv2D(6, 3, strides=2, padding="same", name="fine", **start)(inputs)
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", name="coarse", **start)(x)
    return keras.Model(inputs, x)


BACKBONE = make_backbone()
# Others than its initializers draw, so that only copied weights are right.
BACKBONE.set_weights([1.5 * weight for weight in BACKBONE.get_weights()])
FIXED_SIZE = keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Reshape((8, 8, 4))])


def make_images(n, seed):
    """Return stripes of random phase, with noise."""
    rng = np.random.default_rng(seed)
    x = np.arange(24) + rng.uniform(0, 8, size=(n, 1))
    stripes = 0.5 + 0.3 * np.sin(2 * np.pi * x / 8)[:, np.newaxis, :]
    images = np.repeat(stripes, 32, axis=1) + rng.normal(scale=0.02, size=(n, 32, 24))
    return (255 * images.clip(0, 1)).astype(np.uint8)


X = make_images(60, seed=0)
NORMAL = make_images(40, seed=1)
DEFECTIVE = make_images(40, seed=2)
DEFECTIVE[:, 8:14, 10:16] = DEFECTIVE[:, 8:14, 10:16].mean(axis=(1, 2), keepdims=True).astype(int)


def features(**parameters):
    return FeatureAutoencoder(**{"backbone": BACKBONE, "units": (16,), **parameters})


def small(**parameters):
    defaults = {"architecture": features(), "latent_dim": 4, "epochs": 5, "random_state": 0}
    return AutoencoderAnomalyDetector(**(defaults | parameters))


@pytest.fixture(scope="module")
def fitted():
    return small(epochs="auto").fit(X)


def test_small_defects_are_found_and_located(fitted):
    both, is_defective = np.concatenate([NORMAL, DEFECTIVE]), np.repeat([False, True], 40)
    assert roc_auc_score(is_defective, -fitted.score_samples(both)) > 0.95
    maps = fitted.anomaly_map(DEFECTIVE)
    assert maps.shape == DEFECTIVE.shape
    assert maps.dtype == np.float32
    inside = np.zeros((32, 24), bool)
    inside[8:14, 10:16] = True
    assert np.all(maps[:, inside].mean(axis=1) > 1.2 * maps[:, ~inside].mean(axis=1))
    np.testing.assert_array_equal(fitted.anomaly_map(DEFECTIVE[..., np.newaxis]), maps)


def features_and_errors(detector, images):
    """Compute by hand what the autoencoder sees at each position, and its errors."""
    model = features().build_features((32, 24, 1))
    seen = model.predict(images[..., np.newaxis] / np.float32(255), verbose=0)
    of_training = model.predict(X[..., np.newaxis] / np.float32(255), verbose=0)
    training = np.setdiff1d(np.arange(len(X)), detector.validation_indices_)
    values = of_training[training].reshape(-1, seen.shape[-1])
    seen = (seen - values.mean(axis=0)) / values.std(axis=0)
    encoder, decoder = detector._network.parts
    flat = seen.reshape(-1, seen.shape[-1])
    rebuilt = decoder.predict(encoder.predict(flat, verbose=0), verbose=0)
    return seen, seen - rebuilt.reshape(seen.shape)


def test_map_is_the_sum_of_absolute_errors_of_a_position():
    backbone = keras.Sequential(
        [keras.Input((None, None, 1)), keras.layers.Conv2D(3, 3, padding="same", name="full")]
    )
    detector = small(architecture=features(backbone=backbone), anomaly_score="squared_error")
    detector.fit(X)
    model = detector.architecture.build_features((32, 24, 1))
    seen = model.predict(NORMAL[..., np.newaxis] / np.float32(255), verbose=0)
    scaling = detector._network.core.scaling
    flat = scaling.transform(seen.reshape(-1, 3))
    encoder, decoder = detector._network.parts
    errors = flat - decoder.predict(encoder.predict(flat, verbose=0), verbose=0)
    errors = errors.reshape(seen.shape)
    expected = np.abs(errors).sum(axis=-1)
    np.testing.assert_allclose(detector.anomaly_map(NORMAL), expected, rtol=1e-4, atol=1e-4)
    expected = np.sum(errors**2, axis=(1, 2, 3))
    np.testing.assert_allclose(-detector.score_samples(NORMAL), expected, rtol=1e-4)


def test_map_is_interpolated_between_positions(fitted):
    _, errors = features_and_errors(fitted, NORMAL)
    coarse = np.abs(errors).sum(axis=-1)
    maps = fitted.anomaly_map(NORMAL)
    assert coarse.shape == (40, 32 // STRIDE, 24 // STRIDE)
    expected = tf.image.resize(coarse[..., np.newaxis], (32, 24))[..., 0]
    np.testing.assert_allclose(maps, expected, rtol=1e-3, atol=1e-3)


def test_position_error_is_the_mean_of_the_largest_whitened_errors():
    detector = small(anomaly_score="position_error", threshold=1).fit(X)
    _, errors = features_and_errors(detector, NORMAL)
    score = detector.anomaly_score_
    whitened = (errors.reshape(40, -1, errors.shape[-1]) - score.mean_) @ score.whitening_
    distances = np.sort(np.sqrt(np.mean(whitened**2, axis=-1)), axis=1)
    n_top = round(0.1 * distances.shape[1])
    expected = distances[:, -n_top:].mean(axis=1)
    np.testing.assert_allclose(-detector.score_samples(NORMAL), expected, rtol=1e-3)
    training = np.setdiff1d(np.arange(len(X)), detector.validation_indices_)
    _, errors = features_and_errors(detector, X[training])
    whitened = (errors.reshape(-1, errors.shape[-1]) - score.mean_) @ score.whitening_
    assert np.mean(whitened**2) == pytest.approx(1, rel=0.1)
    correlations = np.corrcoef(whitened.T) - np.eye(len(whitened.T))
    assert np.abs(correlations).max() < 0.1


def test_pooled_distance_is_that_of_mean_and_deviation():
    detector = small(anomaly_score="pooled_distance", threshold=1).fit(X)

    def pool(images):
        seen, _ = features_and_errors(detector, images)
        return np.hstack([seen.mean(axis=(1, 2)), seen.std(axis=(1, 2))])

    training = np.setdiff1d(np.arange(len(X)), detector.validation_indices_)
    expected = np.sqrt(LedoitWolf().fit(pool(X[training])).mahalanobis(pool(NORMAL)))
    np.testing.assert_allclose(-detector.score_samples(NORMAL), expected, rtol=1e-3)


@pytest.mark.parametrize(("n", "names"), [(60, ["positions"]), (120, ["positions", "pooled"])])
def test_pooled_part_needs_a_hundred_training_images(n, names):
    detector = small(epochs=1).fit(make_images(n, seed=0))
    assert [name for name, _ in detector.anomaly_score_.scores_] == names


class CountImages(keras.layers.Layer):
    """Counts what passes through."""

    n_images = 0

    def call(self, x):
        def count(images):
            CountImages.n_images += len(images)
            return images

        y = tf.numpy_function(count, [x], tf.float32)
        return tf.ensure_shape(y, x.shape)


def test_features_are_computed_once_a_fit_not_once_an_epoch():
    inputs = keras.Input((None, None, 1))
    backbone = keras.Model(inputs, BACKBONE(CountImages()(inputs)))
    counts = []
    for epochs in (1, 6):
        CountImages.n_images = 0
        small(architecture=features(backbone=backbone), epochs=epochs, patience=None).fit(X)
        counts.append(CountImages.n_images)
    # And once for the scores of all, after a few to try the score.
    assert counts[0] == counts[1]
    assert 2 * len(X) <= counts[0] < 2 * len(X) + 10


def test_features_beyond_memory_are_kept_in_a_file(monkeypatch):
    expected = small().fit(X).score_samples(NORMAL)
    monkeypatch.setattr("sklearn_ae.autoencoder.tiling._MAX_BYTES_IN_MEMORY", 0)
    np.testing.assert_array_equal(small().fit(X).score_samples(NORMAL), expected)


def test_layers_are_joined_on_the_finest_grid():
    model = features(layers=("coarse", "fine")).build_features((30, 24, 1))
    assert model.output_shape == (None, 15, 12, 8 + 6)
    assert not model.trainable_variables
    assert features().build_features((30, 24, 1)).output_shape == (None, 8, 6, 8)


def test_gray_images_are_repeated_for_a_backbone_of_color():
    color = features(backbone=make_backbone(channels=3))
    gray = NORMAL[..., np.newaxis].astype(np.float32)
    from_gray = color.build_features((32, 24, 1)).predict(gray, verbose=0)
    from_color = color.build_features((32, 24, 3)).predict(np.repeat(gray, 3, axis=-1), verbose=0)
    np.testing.assert_allclose(from_gray, from_color, rtol=1e-5)


def test_weights_of_the_backbone_are_not_trained():
    before = [weight.copy() for weight in BACKBONE.get_weights()]
    detector = small().fit(X)
    for kept, used in zip(before, detector._network.front.features.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, used)


def test_fits_are_repeatable_and_copies_score_alike(fitted):
    again = clone(fitted).fit(X)
    np.testing.assert_array_equal(again.score_samples(NORMAL), fitted.score_samples(NORMAL))
    assert again.offset_ == fitted.offset_
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.score_samples(NORMAL), fitted.score_samples(NORMAL))
    np.testing.assert_array_equal(copy.anomaly_map(NORMAL), fitted.anomaly_map(NORMAL))
    one_by_one = [fitted.score_samples(NORMAL[i : i + 1])[0] for i in range(5)]
    np.testing.assert_allclose(one_by_one, fitted.score_samples(NORMAL[:5]), rtol=1e-4)


def test_codes_are_averaged_over_positions(fitted):
    seen, _ = features_and_errors(fitted, NORMAL)
    codes = fitted._network.parts[0].predict(seen.reshape(-1, seen.shape[-1]), verbose=0)
    expected = codes.reshape(40, -1, 4).mean(axis=1)
    np.testing.assert_allclose(fitted.transform(NORMAL), expected, rtol=1e-3, atol=1e-4)
    assert list(fitted.get_feature_names_out()) == [
        f"autoencoderanomalydetector{i}" for i in range(4)
    ]


@pytest.mark.parametrize("is_fitted", [False, True])
@pytest.mark.parametrize(
    "name", ["reconstruct", "inverse_transform", "model_", "encoder_", "decoder_"]
)
def test_there_are_no_reconstructions_of_images(fitted, name, is_fitted):
    detector = fitted if is_fitted else clone(fitted)
    assert not hasattr(detector, name)
    if is_fitted:
        with pytest.raises(AttributeError):
            getattr(detector, name)


def test_memory_trains_once_for_several_thresholds(tmp_path):
    first = small(memory=tmp_path).fit(X)
    trained = {path for path in tmp_path.rglob("*") if path.is_file()}
    second = small(memory=tmp_path, false_alarm_rate=0.2, anomaly_score="squared_error").fit(X)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == trained
    assert second.history_ == first.history_
    expected = small(anomaly_score="squared_error").fit(X).score_samples(NORMAL)
    np.testing.assert_array_equal(second.score_samples(NORMAL), expected)


def test_defective_training_images_are_trimmed():
    other = X[:4].copy()
    other[:, :24] = other[:, :24].transpose(0, 2, 1)  # stripes across
    dirty = np.concatenate([X, other])
    detector = small(epochs="auto", trim=0.1).fit(dirty)
    assert np.sum(detector.trimmed_indices_ >= len(X)) >= 3


def test_warm_start_goes_on():
    detector = small(warm_start=True, epochs=3, patience=None).fit(X)
    first = detector.history_["loss"]
    scaling = detector._network.core.scaling
    assert detector.fit(X[:40]).history_["loss"][0] < first[0]
    np.testing.assert_array_equal(detector._network.core.scaling, scaling)
    with pytest.raises(ValueError, match="one without features, after one with them"):
        clone(detector).fit(X).set_params(architecture="auto").fit(X)
    with pytest.raises(ValueError, match="architecture must be that of the previous fit"):
        detector.set_params(architecture=features(backbone=make_backbone(seed=1))).fit(X)
    with pytest.raises(ValueError, match="architecture must be that of the previous fit"):
        detector.set_params(architecture=features(layers=("fine",))).fit(X)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 32, 24)),
        np.full((2, 32, 24), 255),
        *(X[:2] * factor for factor in (1e15, 1e39, 1e300)),
    ],
)
def test_images_far_from_the_training_data_are_anomalies(fitted, images):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of units that seem to be others
        scores = fitted.score_samples(images.astype(np.float64))
    assert np.isfinite(scores).all()
    assert np.all(scores < fitted.offset_)


def test_parameters_of_the_architecture_are_searched():
    detector = small(architecture=features(units=(8, 4)))
    detector.set_params(architecture__units=(5,), architecture__layers=("fine",))
    assert detector.fit(X)._network.parts[0].layers[-2].units == 5


class CountSteps(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.n_steps = batch + 1

    def on_epoch_end(self, epoch, logs=None):
        logs["n_steps"] = self.n_steps


def test_a_step_sees_sixteen_positions_for_each_row_of_a_batch():
    detector = small(callbacks=[CountSteps()], batch_size=4, epochs=1).fit(X)
    n_positions = (len(X) - len(detector.validation_indices_)) * (32 // STRIDE) * (24 // STRIDE)
    assert detector.history_["n_steps"] == [np.ceil(n_positions / (16 * 4))]


def test_what_a_backbone_normalizes_by_is_kept(fitted):
    normalization = keras.layers.Normalization(axis=None)
    normalization.adapt(X[..., np.newaxis] / 255)
    inputs = keras.Input((None, None, 1))
    backbone = keras.Model(inputs, BACKBONE(normalization(inputs)))
    images = NORMAL[..., np.newaxis] / np.float32(255)
    expected = backbone.predict(images, verbose=0)
    architecture = features(backbone=backbone)
    model = architecture.build_features((32, 24, 1))
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-5, atol=1e-6)
    detector = small(architecture=architecture).fit(X)
    scores = detector.score_samples(NORMAL)
    copy = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(copy.score_samples(NORMAL), scores)
    # Two that differ in nothing else do not share what they compute.
    other = keras.models.clone_model(backbone)
    other.set_weights(backbone.get_weights())
    other.layers[1].adapt(X[..., np.newaxis] / 100)
    assert np.any(
        small(architecture=features(backbone=other)).fit(X).score_samples(NORMAL) != scores
    )
    np.testing.assert_array_equal(detector.score_samples(NORMAL), scores)


def test_backbones_of_keras_serve_and_random_numbers_stay_the_users():
    keras.utils.set_random_seed(0)
    backbone = keras.applications.MobileNetV3Small(
        input_shape=(None, None, 3), include_top=False, weights=None
    )
    architecture = features(backbone=backbone, layers=["expanded_conv_2_add"])
    detector = small(architecture=architecture, epochs=1, scaling=None)
    state = random.getstate()
    clone(detector).fit(X).score_samples(NORMAL)
    assert random.getstate() == state


def test_clones_share_the_backbone():
    assert clone(small()).architecture.backbone is BACKBONE
    assert clone(small()).architecture is not small().architecture


# Bad input


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"backbone": "resnet"}, ValueError, "'backbone' parameter"),
        ({"backbone": keras.Sequential()}, TypeError, "functional Keras model with one input"),
        ({"layers": ("fine", "finest")}, ValueError, "names of layers.*'fine', 'finest'"),
        ({"layers": ()}, ValueError, "non-empty sequence of names"),
        ({"layers": {"fine"}}, ValueError, "non-empty sequence of names"),
        ({"layers": "fine"}, ValueError, "'layers' parameter|non-empty sequence of names"),
        ({"units": ()}, ValueError, "units of FeatureAutoencoder"),
        ({"noise": -1.0}, ValueError, "'noise' parameter"),
        ({"backbone": FIXED_SIZE}, ValueError, "cannot take images of shape"),
        ({"backbone": make_backbone(channels=4)}, ValueError, "takes images of 4 channels"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        small(architecture=features(**parameters)).fit(X)


def test_bad_images():
    with pytest.raises(ValueError, match=r"FeatureAutoencoder needs images.*\(6,\)"):
        small().fit(np.random.default_rng(0).normal(size=(30, 6)))
    with pytest.raises(ValueError, match="at least 32×32"):
        small(architecture=FeatureAutoencoder()).fit(X)
    with pytest.raises(ValueError, match="larger than the stride"):
        small().fit(X[:, :3, :3])
    rgba = np.repeat(X[..., np.newaxis], 4, axis=-1)
    with pytest.raises(ValueError, match=r"takes images of 3 channels.*alpha"):
        small(architecture=features(backbone=make_backbone(channels=3))).fit(rgba)


def test_images_of_other_units_than_the_backbones_are_not_standardized():
    for images in (X.astype(np.float32), X.astype(int)):
        with pytest.raises(ValueError, match=r"scaling=None.*from \d+ to \d+"):
            small().fit(images)
    small(epochs=1).fit(X / 255)
    small(epochs=1, scaling=None).fit(X.astype(np.float32))


def test_layers_inside_of_models_are_refused():
    inputs = keras.Input((None, None, 1))
    nested = keras.Model(inputs, BACKBONE(keras.layers.Rescaling(2.0)(inputs)))
    with pytest.raises(ValueError, match="Layers of a model inside"):
        small(architecture=features(backbone=nested, layers=[BACKBONE.name])).fit(X)


def test_unsuitable_score_is_refused_before_the_features_of_all_are_computed():
    inputs = keras.Input((None, None, 1))
    backbone = keras.Model(inputs, BACKBONE(CountImages()(inputs)))
    CountImages.n_images = 0
    detector = small(architecture=features(backbone=backbone), anomaly_score="hidden_difference")
    with pytest.raises(ValueError, match="'position_error' or 'pooled_distance'"):
        detector.fit(X)
    assert CountImages.n_images < 10


def test_layers_must_give_maps():
    inputs = keras.Input((None, None, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(BACKBONE(inputs))
    with pytest.raises(ValueError, match="must give feature maps"):
        small(architecture=features(backbone=keras.Model(inputs, pooled))).fit(X)


def test_scores_and_architectures_must_suit_each_other():
    for score in ("position_error", "pooled_distance"):
        with pytest.raises(ValueError, match="architecture=FeatureAutoencoder"):
            AutoencoderAnomalyDetector(anomaly_score=score).fit(X)
    with pytest.raises(ValueError, match="'position_error' or 'pooled_distance'"):
        small(anomaly_score="hidden_difference").fit(X)
    with pytest.raises(ValueError, match="X must lie in"):
        small(loss="binary_crossentropy").fit(X)


class NoFeatures(FeatureAutoencoder):
    def build_features(self, input_shape):
        return None


class Vectors(FeatureAutoencoder):
    def build_features(self, input_shape):
        return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten()])


class Subclassed(keras.Model):
    def call(self, x):
        return x


class OfSubclassed(FeatureAutoencoder):
    def build_features(self, input_shape):
        return Subclassed()


class WithParameter(BaseEstimator):
    """An architecture of samples, whose parameter has the name of what others learn."""

    def __init__(self, features=3):
        self.features = features

    def build(self, input_shape, latent_dim):
        return DenseAutoencoder(units=(self.features,)).build(input_shape, latent_dim)


def test_parameter_named_features_is_no_backbone():
    detector = small(architecture=WithParameter(), epochs=1)
    assert hasattr(detector, "inverse_transform")
    detector.fit(X)
    assert detector.reconstruct(X[:2]).shape == X[:2].shape
    assert (
        detector.encoder_.count_params()
        < clone(detector).set_params(architecture__features=9).fit(X).encoder_.count_params()
    )


def test_build_features_must_be_a_method(refuses):
    architecture = WithParameter()
    architecture.build_features = 3
    message = "build_features of architecture must be a method.*Received: build_features=3"
    refuses({"architecture": architecture}, X, TypeError, message)


def test_ones_own_features_must_be_maps():
    with pytest.raises(TypeError, match="must return a Keras model"):
        small(architecture=NoFeatures()).fit(X)
    with pytest.raises(ValueError, match="to one tensor of shape"):
        small(architecture=Vectors()).fit(X)
    with pytest.raises(ValueError, match=r"functional or sequential.*Received: .*<Subclassed"):
        small(architecture=OfSubclassed()).fit(X)
