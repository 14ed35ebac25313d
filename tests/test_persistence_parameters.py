"""What of a detector's parameters a file keeps, leaves out with a warning, or cannot hold."""

import warnings

import joblib
import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from persistence_cases import ROWS, fitted_kind
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tiny_networks import tiny, two_models

from sklearn_ae import ConformalDetector, FixedThresholdDetector, TunedThresholdDetectorCV
from sklearn_ae.deployment import load, save
from sklearn_ae.exceptions import PersistenceError
from sklearn_ae.scores import SquaredError

PATH = "model.skae"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def reload_with(**parameters):
    detector = tiny(validation_fraction=0.3).fit(ROWS).set_params(**parameters)
    save(detector, PATH)
    return load(PATH)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 0.1 + 0.2),
        ("threshold", np.float32(0.1)),
        ("false_alarm_rate", np.nextafter(0.05, 1)),
        ("latent_dim", np.int64(2)),
        ("latent_dim", "auto"),
        ("input_shape", (6,)),
        ("input_shape", [6]),
        ("epochs", 10**9),
        ("patience", None),
        ("verbose", True),
        ("loss", "mean_squared_error"),
        ("optimizer", "sgd"),
        ("learning_rate", 1e-3),
        ("scaling", None),
    ],
)
def test_values_are_kept_with_their_type(name, value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = reload_with(**{name: value})
    kept = loaded.get_params()[name]
    assert kept == value
    assert type(kept) is type(value)


def test_state_of_a_generator_is_kept():
    loaded = reload_with(random_state=np.random.RandomState(3))
    assert loaded.random_state.randint(10**9) == np.random.RandomState(3).randint(10**9)


def test_losses_and_optimizers_of_keras_are_kept():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = reload_with(
            loss=keras.losses.Huber(0.5), optimizer=keras.optimizers.SGD(schedule), epochs=2
        )
    assert loaded.loss.get_config() == keras.losses.Huber(0.5).get_config()
    assert loaded.optimizer.get_config()["learning_rate"]["config"]["decay_rate"] == 0.9
    assert len(loaded.fit(ROWS).history_["loss"]) == 2
    loaded = reload_with(loss=keras.losses.mean_absolute_error)
    assert loaded.loss is keras.losses.mean_absolute_error


class OwnOptimizer(keras.optimizers.SGD):
    pass


@pytest.mark.parametrize(
    ("name", "value", "replacement"),
    [
        ("architecture", two_models, "auto"),
        ("callbacks", [keras.callbacks.TerminateOnNaN()], None),
        ("loss", lambda y_true, y_pred: y_true - y_pred, "auto"),
        ("memory", "folder", None),
        ("memory", joblib.Memory("folder"), None),
        ("optimizer", OwnOptimizer(), "adam"),
        ("optimizer", keras.optimizers.SGD, "adam"),
    ],
)
def test_code_and_folders_are_left_out_with_a_warning(name, value, replacement):
    detector = tiny().fit(ROWS).set_params(**{name: value})
    with pytest.warns(UserWarning, match=f"left out: {name}=") as records:
        save(detector, PATH)
    assert len(records) == 1
    assert records[0].filename == __file__
    loaded = load(PATH)
    assert loaded.get_params()[name] == replacement
    assert getattr(detector, name) is value
    assert_array_equal(loaded.predict(ROWS), detector.predict(ROWS))


def test_attributes_that_no_fit_has_set_are_left_out_with_a_warning():
    detector = tiny().fit(ROWS)
    detector.remark_ = "of line 3"
    with pytest.warns(UserWarning, match="remark_"):
        save(detector, PATH)
    assert not hasattr(load(PATH), "remark_")


def test_callbacks_of_a_fit_are_in_no_file():
    detector = tiny(callbacks=[keras.callbacks.TerminateOnNaN()]).fit(ROWS)
    assert len(detector.callbacks_) == 1
    with pytest.warns(UserWarning, match="left out") as records:
        save(detector, PATH)
    # Of the parameter, which a fit would need. No one is told of what only its user looks at.
    assert [str(record.message).count("callbacks_") for record in records] == [0]
    loaded = load(PATH)
    assert not hasattr(loaded, "callbacks_")
    assert loaded.fit(ROWS).callbacks_ == []


class OwnScore(SquaredError):
    """A score of the user's."""


def pipeline():
    return make_pipeline(StandardScaler(), tiny()).fit(ROWS)


@pytest.mark.parametrize(
    "make",
    [
        pipeline,
        lambda: IsolationForest(n_estimators=2).fit(ROWS),
        lambda: FrozenEstimator(fitted_kind("rows")[0]),
        lambda: TunedThresholdDetectorCV(IsolationForest(n_estimators=2), cv=2).fit(
            ROWS, np.repeat([1, -1], 50)[np.random.default_rng(0).permutation(100)]
        ),
        lambda: ConformalDetector(IsolationForest(n_estimators=2)).fit(ROWS),
        lambda: FixedThresholdDetector(FrozenEstimator(pipeline()), threshold=1.0),
        lambda: type("Subclass", (type(tiny()),), {})().set_params(epochs=1).fit(ROWS),
        lambda: "model",
    ],
    ids=lambda make: None,
)
def test_other_estimators_are_told_where_to_go(make, tmp_path):
    with pytest.raises((PersistenceError, TypeError), match="skops"):
        save(make(), PATH)
    assert list(tmp_path.iterdir()) == []


def test_scores_of_the_user_are_refused(tmp_path):
    with pytest.raises(PersistenceError, match="OwnScore"):
        save(tiny(anomaly_score=OwnScore()).fit(ROWS), PATH)
    assert list(tmp_path.iterdir()) == []


class Doubling(keras.layers.Layer):
    def call(self, x):
        return 2 * x


def with_layer(layer):
    def build(input_shape, latent_dim):
        encoder, decoder = two_models(input_shape, latent_dim)
        return keras.Sequential([*encoder.layers, layer()]), decoder

    return build


@pytest.mark.filterwarnings("ignore:The file holds no code")
def test_own_layers_are_kept_where_they_are_registered(tmp_path):
    def registered():
        return Doubling()

    detector = tiny(architecture=with_layer(registered)).fit(ROWS)
    with pytest.raises(PersistenceError, match="register_keras_serializable"):
        save(detector, PATH)
    assert list(tmp_path.iterdir()) == []
    keras.saving.register_keras_serializable("tests")(Doubling)
    try:
        save(detector, PATH)
        assert_array_equal(load(PATH).score_samples(ROWS), detector.score_samples(ROWS))
    finally:
        del keras.saving.get_custom_objects()["tests>Doubling"]
    with pytest.raises(PersistenceError, match="register_keras_serializable"):
        load(PATH)


def test_lambda_layers_are_refused(tmp_path):
    def double():
        return keras.layers.Lambda(lambda x: 2 * x)

    detector = tiny(architecture=with_layer(double)).fit(ROWS)
    with pytest.raises(PersistenceError, match="Lambda layers"):
        save(detector, PATH)
    assert list(tmp_path.iterdir()) == []
