"""Parameters that cannot work are refused before any training."""

import re

import keras
import numpy as np
import pytest
from tiny_networks import one_model, tiny, tiny_conv, two_models

from sklearn_ae import ConvAutoencoder, ConvDenseAutoencoder, DenseAutoencoder
from sklearn_ae.scores import AbsoluteError

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(40, 6))
IMAGES = GENERATOR.integers(0, 256, size=(40, 8, 9), dtype=np.uint8)


# Values that a sigmoid output cannot reach


def ending_in(*ends):
    """Return an architecture whose decoder ends in the given layers or functions."""

    def build(input_shape, latent_dim):
        encoder, _ = two_models(input_shape, latent_dim)
        x = inputs = keras.Input((latent_dim,))
        for end in (keras.layers.Dense(input_shape[0]), *ends):
            x = end(x)
        return encoder, keras.Model(inputs, x)

    return build


SIGMOIDS = {
    "layer's own": lambda: (keras.layers.Dense(6, activation="sigmoid"),),
    "layer": lambda: (keras.layers.Activation("sigmoid"),),
    "function": lambda: (keras.ops.sigmoid,),
    "before others": lambda: (
        keras.layers.Activation("sigmoid"),
        keras.layers.Reshape((6,)),
        keras.layers.Activation("linear"),
    ),
}


@pytest.mark.parametrize("values", [ROWS, 2 * np.abs(ROWS)], ids=["negative", "above 1"])
def test_values_out_of_reach_of_the_sigmoid_of_a_loss(refuses, values):
    parameters = {"scaling": None, "loss": "binary_crossentropy"}
    message = rf"X must lie in \[0, 1\] after scaling.*Scale X.*Received: .* to {values.max():.6g}"
    refuses(parameters, values, ValueError, message)


@pytest.mark.parametrize("scaling", [None, "standard"])
@pytest.mark.parametrize("sigmoid", SIGMOIDS)
def test_values_out_of_reach_of_a_users_own_sigmoid(refuses, sigmoid, scaling):
    parameters = {"architecture": ending_in(*SIGMOIDS[sigmoid]()), "scaling": scaling}
    message = r"X must lie in \[0, 1\] after scaling.*Received: scaled values from -"
    refuses(parameters, ROWS, ValueError, message)


@pytest.mark.parametrize(
    "ends",
    [
        lambda: (keras.layers.Activation("sigmoid"), keras.layers.Rescaling(8, offset=-4)),
        lambda: (keras.layers.Activation("sigmoid"), keras.layers.Dense(6)),
        lambda: (keras.layers.Activation("sigmoid"), lambda x: 8 * x - 4),
    ],
    ids=["rescaled", "dense", "arithmetic"],
)
def test_any_value_is_in_reach_of_what_follows_a_sigmoid(ends, trainings):
    with pytest.raises(RuntimeError, match="a training began"):
        tiny(architecture=ending_in(*ends()), scaling=None).fit(ROWS)
    assert len(trainings) == 1


# Parameters


SCHEDULE = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)

NO_LEARNING_RATES = [
    (SCHEDULE, "optimizer=keras.optimizers.Adam(schedule)"),
    (type(SCHEDULE), "optimizer=keras.optimizers.Adam(schedule)"),
    (lambda epoch: 0.1, "callbacks=[keras.callbacks.LearningRateScheduler(f)]"),
    (keras.callbacks.ReduceLROnPlateau(), "callbacks=[callback]"),
    (keras.optimizers.SGD(), "optimizer=optimizer"),
]


class OnlyCaches:
    """What scikit-learn's pipelines would take for a memory."""

    def cache(self, function):
        return function


BAD_PARAMETERS = [
    *[
        ("latent_dim", value, r"an int in the range \[1, inf\)")
        for value in (0, -1, 2.5, "2", None)
    ],
    *[
        ("validation_fraction", value, r"a float in the range \[0.0, 1.0\)")
        for value in (-0.1, 1, 1.0, 1.5, np.nan, None)
    ],
    *[
        ("trim", value, r"a float in the range \[0.0, 0.5\)")
        for value in (-0.1, 0.5, 1, np.nan, "auto", None)
    ],
    *[
        ("false_alarm_rate", value, r"a float in the range \(0.0, 1.0\)")
        for value in (0, 0.0, 1, 1.0, -0.1, 2, np.nan, None)
    ],
    *[
        ("threshold", value, r"a float in the range \(-inf, inf\) or None")
        for value in (np.nan, np.inf, -np.inf, "auto")
    ],
    *[("epochs", value, r"an int in the range \[1, inf\)") for value in (0, -1, 1.5)],
    *[("batch_size", value, r"an int in the range \[1, inf\)") for value in (0, -1, 1.5)],
    *[("patience", value, r"an int in the range \[0, inf\) or None") for value in (-1, 1.5)],
    *[
        ("learning_rate", value, r"a float in the range \(0.0, inf\) or None")
        for value in (0, -0.1, np.nan, np.inf, "fast")
    ],
    *[("scaling", value, "a str among .*'standard'.* or None") for value in ("minmax", 1)],
    *[("loss", value, "'str' or a callable") for value in (3, None)],
    *[("optimizer", value, "'str', .* or an object implementing") for value in (3, None)],
    *[
        ("anomaly_score", value, "a str among .*'squared_error'.* or an object implementing")
        for value in ("nope", 3, None)
    ],
    *[
        ("architecture", value, "'auto'}, an object implementing 'build' or a callable")
        for value in ("conv", 3, None)
    ],
    *[
        ("callbacks", value, "an instance of 'list' or None")
        for value in ("EarlyStopping", (), keras.callbacks.EarlyStopping())
    ],
    *[("verbose", value, "a int among {0, 1, 2}") for value in (3, -1, "auto")],
    *[
        ("memory", value, "'str', .* an instance of 'joblib.memory.Memory' or None")
        for value in (OnlyCaches(), 3, b"folder")
    ],
    *[("warm_start", value, "an instance of 'bool'") for value in (2, "yes")],
    *[("random_state", value, "an int in the range") for value in (-1, "seed")],
]


@pytest.mark.parametrize(("name", "value", "expected"), BAD_PARAMETERS)
def test_bad_parameter(refuses, name, value, expected):
    message = f"'{name}' parameter of .* must be .*{expected}.* Got {re.escape(repr(value))}"
    refuses({name: value}, ROWS, ValueError, message)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"loss": "nope"}, ValueError, "loss must be 'auto'.*Received: 'nope'"),
        ({"optimizer": "nope"}, ValueError, "optimizer must be.*Received: 'nope'"),
        ({"optimizer": dict}, TypeError, "optimizer must be.*Received: <class 'dict'>"),
        (
            {"optimizer": keras.optimizers.Adam(), "learning_rate": 0.1},
            ValueError,
            "learning_rate must be .* with an optimizer instance.*Set one.*learning_rate=0.1",
        ),
        *[
            (
                {"learning_rate": value},
                TypeError,
                r"learning_rate must be 'auto'.*Leave it at 'auto' and .*"
                rf"{re.escape(remedy)}.*Received: learning_rate={re.escape(repr(value))}",
            )
            for value, remedy in NO_LEARNING_RATES
        ],
        (
            {"learning_rate": SCHEDULE, "optimizer": keras.optimizers.Adam()},
            TypeError,
            r"optimizer=keras.optimizers.Adam\(schedule\)",
        ),
        ({"callbacks": [3]}, TypeError, "callbacks must be a list of instances.*Received: 3"),
        (
            {"callbacks": [keras.callbacks.EarlyStopping]},
            TypeError,
            "callbacks must be a list of instances.*Received: <class '.*EarlyStopping'>",
        ),
        (
            {"architecture": DenseAutoencoder},
            TypeError,
            r"architecture must be an object.*architecture=DenseAutoencoder\(\).*Received: <class",
        ),
        (
            {"anomaly_score": AbsoluteError},
            TypeError,
            r"anomaly_score must be an object.*anomaly_score=AbsoluteError\(\).*Received: <class",
        ),
        (
            {"scaling": "range"},
            ValueError,
            "scaling='range' divides.*scaling='standard'.*Received: X of float64",
        ),
    ],
)
def test_bad_value_of_a_parameter(refuses, parameters, error, message):
    refuses(parameters, ROWS, error, message)


def test_range_of_signed_integers(refuses):
    refuses({"scaling": "range"}, IMAGES.astype(int), ValueError, "Received: X of int64")


@pytest.mark.parametrize(("fraction", "n_rows"), [(0.99, 40), (0.96, 20)])
def test_validation_fraction_that_leaves_no_rows(refuses, fraction, n_rows):
    message = f"validation_fraction must leave rows.*lower it.*={fraction} of {n_rows} rows"
    refuses({"validation_fraction": fraction}, ROWS[:n_rows], ValueError, message)


# Architectures


@pytest.mark.parametrize(
    ("architecture", "X", "message"),
    [
        (ConvAutoencoder(), ROWS, "ConvAutoencoder needs images.*DenseAutoencoder.*shape .6,."),
        (ConvDenseAutoencoder(), ROWS, "ConvDenseAutoencoder needs images.*DenseAutoencoder"),
        (ConvAutoencoder(), IMAGES[:, :7], r"at least 8×8 pixels; use DenseAuto.*\(7, 9, 1\)"),
        (ConvAutoencoder(), IMAGES[:, :, :7], r"at least 8×8 pixels; use DenseAuto.*\(8, 7, 1\)"),
        (ConvDenseAutoencoder(), IMAGES, r"multiples of 4;.*use ConvAuto.*Received:.*\(8, 9, 1\)"),
        (ConvDenseAutoencoder(), IMAGES[:, :6, :8], "multiples of 4;.*use ConvAutoencoder"),
        (ConvDenseAutoencoder(filters=(2,)), IMAGES, "multiples of 2;.*use ConvAutoencoder"),
        (ConvAutoencoder(filters=()), IMAGES, r"filters of ConvAutoencoder.*filters=\(\)"),
        (ConvAutoencoder(filters=(2, 0)), IMAGES, r"filters of ConvAuto.*filters=\(2, 0\)"),
        (ConvAutoencoder(filters=(2.5,)), IMAGES, r"filters of ConvAuto.*filters=\(2.5,\)"),
        (ConvAutoencoder(filters=2), IMAGES, "'filters' parameter of ConvAutoencoder.*Got 2"),
        (ConvAutoencoder(kernel_size=0), IMAGES, "'kernel_size' parameter.*Got 0"),
        (ConvDenseAutoencoder(units=()), IMAGES[:, :, :8], r"units of ConvDenseAutoencoder.*\(\)"),
        (DenseAutoencoder(units=(-4,)), ROWS, r"units of DenseAutoencoder.*units=\(-4,\)"),
        (DenseAutoencoder(noise=-1), ROWS, "'noise' parameter of DenseAutoencoder.*Got -1"),
        (DenseAutoencoder(noise=np.inf), ROWS, "'noise' parameter of DenseAutoencoder.*Got inf"),
        (DenseAutoencoder(masking_rate=1), ROWS, "'masking_rate' parameter.*Got 1"),
    ],
)
def test_architecture_that_does_not_fit(refuses, architecture, X, message):
    refuses({"architecture": architecture}, X, ValueError, message)


@pytest.mark.parametrize(
    "built", [None, 3, (1, 2), (keras.Model, keras.Model), (), keras.layers.Dense(6)]
)
def test_architecture_that_gives_no_model(refuses, built):
    message = rf"architecture must build.*Return .*Received: {re.escape(repr(built))}"
    refuses({"architecture": lambda shape, dim: built}, ROWS, TypeError, message)


def with_two_outputs(input_shape, latent_dim):
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, [keras.layers.Dense(input_shape[0])(inputs) for _ in range(2)])


def for_other_inputs(input_shape, latent_dim):
    return two_models((input_shape[0] + 2,), latent_dim, n_outputs=input_shape[0])


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        (
            lambda shape, dim: two_models(shape, dim, n_outputs=7),
            r"decoder .*must map shape \(None, 2\) to \(None, 6\). Received: .*\(None, 7\)",
        ),
        (
            lambda shape, dim: two_models(shape, dim, n_codes=3),
            r"encoder .*must map shape \(None, 6\) to \(None, 2\). Received: .*\(None, 3\)",
        ),
        (
            lambda shape, dim: one_model((shape[0] + 1,), dim),
            r"model .*does not take inputs of shape \(None, 6\).*Received: ",
        ),
        (
            lambda shape, dim: two_models(shape, dim)[0],
            r"model .*must map shape \(None, 6\) to \(None, 6\). Received: .*\(None, 2\)",
        ),
        (for_other_inputs, r"encoder .*does not take inputs of shape \(None, 6\).*Received: "),
        (with_two_outputs, r"model .*Received: 2 outputs, of shape \(None, 6\), \(None, 6\)"),
    ],
)
def test_architecture_that_gives_models_of_other_shapes(refuses, architecture, message):
    refuses({"architecture": architecture}, ROWS, ValueError, message)


class OfOneArgument:
    def build(self, input_shape):
        raise AssertionError


class OfFeatures(OfOneArgument):
    def build(self, input_shape, latent_dim):
        raise AssertionError

    def build_features(self):
        raise AssertionError


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        (lambda shape: None, r"architecture must take 2 arguments.*Received: .*takes \(shape\)"),
        (OfOneArgument(), "build of architecture must take 2 arguments, input_shape, latent_dim"),
        (OfFeatures(), "build_features of architecture must take 1 argument, input_shape, by"),
    ],
)
def test_architecture_that_takes_other_arguments(refuses, architecture, message):
    refuses({"architecture": architecture}, ROWS, TypeError, message)


def test_architecture_that_is_called_may_have_an_attribute_build():
    class Called:
        build = 3

        def __call__(self, input_shape, latent_dim):
            return two_models(input_shape, latent_dim)

    assert tiny(architecture=Called()).fit(ROWS).transform(ROWS).shape == (len(ROWS), 2)


@pytest.mark.parametrize("architecture", ["auto", two_models])
def test_parameters_of_no_architecture_object(architecture):
    detector = tiny(architecture=architecture)
    message = r"architecture__filters needs .*architecture=ConvAutoencoder\(\).*Received: arch"
    with pytest.raises(ValueError, match=message):
        detector.set_params(architecture__filters=(2,))
    detector.set_params(architecture=ConvAutoencoder(), architecture__filters=(2,))
    assert detector.architecture.filters == (2,)


def test_unknown_parameters_are_named():
    with pytest.raises(ValueError, match="Invalid parameter 'filter' for estimator Conv"):
        tiny_conv().set_params(architecture__filter=(2,))
    with pytest.raises(ValueError, match="Invalid parameter 'thresholds' for estimator Auto"):
        tiny().set_params(thresholds=3)
