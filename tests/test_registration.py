"""A new architecture and a new score, by the recipes of CONTRIBUTING: a class and one line."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator

from sklearn_ae import AutoencoderAnomalyDetector, deployment
from sklearn_ae.autoencoder.architectures import ARCHITECTURES
from sklearn_ae.autoencoder.architectures.blocks import IMAGE, check_is_image, check_layer_sizes
from sklearn_ae.autoencoder.network import scoring
from sklearn_ae.autoencoder.scores import ANOMALY_SCORES
from sklearn_ae.deployment.cli import main
from sklearn_ae.exceptions import PersistenceError
from sklearn_ae.scores import CombinedScore, SquaredError

IMAGES = np.random.default_rng(0).integers(256, size=(60, 8, 8), dtype=np.uint8)


class PooledAutoencoder(BaseEstimator):
    """Convolutions and pooling."""

    _parameter_constraints = {"filters": ["array-like"]}

    def __init__(self, *, filters=(2,)):
        self.filters = filters

    def build(self, input_shape, latent_dim):
        import keras
        from keras import layers

        check_layer_sizes(self, "filters")
        check_is_image(self, input_shape)
        inputs = x = keras.Input(input_shape, name="encoder_input")
        for i, n in enumerate(self.filters):
            x = layers.Conv2D(n, 3, activation="relu", name=f"convolution_{i}", **IMAGE)(x)
        x = layers.GlobalAveragePooling2D(data_format="channels_last", name="pooling")(x)
        encoder = keras.Model(inputs, layers.Dense(latent_dim, name="code")(x), name="encoder")
        code = keras.Input((latent_dim,), name="decoder_input")
        x = layers.Dense(int(np.prod(input_shape)), name="decoder_dense")(code)
        outputs = layers.Reshape(input_shape, name="decoder_reshape")(x)
        return encoder, keras.Model(code, outputs, name="decoder")


class LargestError(BaseEstimator):
    """Largest error, in units of its mean over normal samples."""

    _fitted_attributes = ("mean_",)

    def __init__(self, *, power=1.0):
        self.power = power

    def features(self, response):
        from keras import ops

        errors = ops.abs(response.inputs - response.reconstructions)
        return ops.max(ops.reshape(errors, (-1, 64)), axis=1) ** self.power

    def fit(self, features):
        self.mean_ = np.asarray(features.mean())
        return self

    def compute_from(self, response):
        return self.features(response) / self.mean_


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "pooled", PooledAutoencoder)
    monkeypatch.setitem(ANOMALY_SCORES, "largest_error", LargestError)


def make(score=None):
    score = LargestError(power=2.0) if score is None else score
    return AutoencoderAnomalyDetector(
        architecture=PooledAutoencoder(filters=(2, 3)),
        anomaly_score=score,
        latent_dim=3,
        epochs=1,
        validation_fraction=0.4,
        random_state=0,
    )


@pytest.mark.parametrize("is_part", [False, True])
def test_files_hold_what_is_registered(registered, is_part, tmp_path):
    score = CombinedScore([("largest", LargestError()), ("all", SquaredError())])
    detector = make(score if is_part else None).fit(IMAGES)
    deployment.save(detector, tmp_path / "model.skae")
    loaded = deployment.load(tmp_path / "model.skae", verify=True)
    assert type(loaded.architecture) is PooledAutoencoder
    assert loaded.architecture.filters == (2, 3)
    assert_array_equal(loaded.score_samples(IMAGES), detector.score_samples(IMAGES))


def test_files_hold_nothing_else(tmp_path):
    detector = make(SquaredError()).fit(IMAGES)
    with pytest.warns(UserWarning, match="PooledAutoencoder"):
        deployment.save(detector, tmp_path / "model.skae")
    assert deployment.load(tmp_path / "model.skae").architecture == "auto"
    with pytest.raises(PersistenceError, match="LargestError"):
        deployment.save(make().fit(IMAGES), tmp_path / "model.skae")


def test_onnx_models_have_what_is_registered(registered, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra 'onnx'")
    detector = make().fit(IMAGES)
    deployment.to_onnx(detector, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    [scores] = session.run(["score"], {session.get_inputs()[0].name: IMAGES})
    np.testing.assert_allclose(scores.ravel(), detector.score_samples(IMAGES), rtol=1e-5)


def test_the_command_line_offers_the_architecture(registered, capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    assert "pooled" in capsys.readouterr().out


def test_fits_with_a_registered_score_share_their_graph(registered, monkeypatch):
    compiled = []
    compile_graph = scoring._compile
    monkeypatch.setattr(scoring, "_GRAPHS", type(scoring._GRAPHS)(max_size=64))

    def counting(*args):
        compiled.append(args)
        return compile_graph(*args)

    monkeypatch.setattr(scoring, "_compile", counting)
    make().fit(IMAGES)
    n_compiled = len(compiled)
    make().fit(IMAGES[::-1])
    assert n_compiled > 0
    assert len(compiled) == n_compiled
