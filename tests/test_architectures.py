"""Architectures: the networks they build, and how they behave as parameters."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import layers
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from tiny_networks import one_model, tiny, tiny_conv, two_models

from sklearn_ae import (
    AutoencoderAnomalyDetector,
    ConvAutoencoder,
    ConvDenseAutoencoder,
    DenseAutoencoder,
)
from sklearn_ae.autoencoder.architectures.choosing import resolve_architecture
from sklearn_ae.autoencoder.network.building import build_network
from sklearn_ae.autoencoder.network.fronts import Values
from sklearn_ae.autoencoder.scaling import Scaling

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(40, 6))
UNIT_ROWS = GENERATOR.random((40, 6))
IMAGES = GENERATOR.random((30, 8, 8))


def n_parameters(models):
    return sum(model.count_params() for model in models)


def describe(model):
    """Return the kind, activation and output shape of each layer, without the input."""
    return [
        (
            type(layer).__name__,
            getattr(getattr(layer, "activation", None), "__name__", None),
            tuple(layer.output.shape[1:]),
        )
        for layer in model.layers
        if not isinstance(layer, layers.InputLayer)
    ]


# The networks


@pytest.fixture(scope="module")
def article():
    return ConvDenseAutoencoder().build((28, 28, 1), 32)


def test_conv_dense_is_the_network_of_the_article(article):
    encoder, decoder = article
    assert describe(encoder) == [
        ("Conv2D", "relu", (28, 28, 128)),
        ("Conv2D", "relu", (28, 28, 64)),
        ("Flatten", None, (50176,)),
        ("Dense", "relu", (1024,)),
        ("Dense", "relu", (64,)),
        ("Dense", "linear", (32,)),
    ]
    assert describe(decoder) == [
        ("Dense", "relu", (64,)),
        ("Dense", "relu", (1024,)),
        ("Dense", "relu", (3136,)),
        ("Reshape", None, (7, 7, 64)),
        ("Conv2DTranspose", "relu", (14, 14, 64)),
        ("Conv2DTranspose", "relu", (28, 28, 128)),
        ("Conv2DTranspose", "linear", (28, 28, 1)),
    ]
    convolutions = {
        layer.name: (layer.kernel_size, layer.strides, layer.padding)
        for layer in [*encoder.layers, *decoder.layers]
        if "Conv" in type(layer).__name__
    }
    assert convolutions == {
        "encoder_conv_0": ((3, 3), (1, 1), "same"),
        "encoder_conv_1": ((3, 3), (1, 1), "same"),
        "decoder_conv_0": ((3, 3), (2, 2), "same"),
        "decoder_conv_1": ((3, 3), (2, 2), "same"),
        "decoder_output": ((3, 3), (1, 1), "same"),
    }
    assert n_parameters(article) == 54_919_009


def test_conv_has_the_documented_number_of_parameters():
    assert n_parameters(ConvAutoencoder().build((28, 28, 1), 32)) == 278_369
    assert "278,369" in ConvAutoencoder.__doc__
    assert "54,919,009" in ConvDenseAutoencoder.__doc__


def test_conv_halves_each_layer_and_mirrors_it():
    encoder, decoder = ConvAutoencoder(filters=(2, 5), kernel_size=5).build((9, 14, 3), 4)
    assert describe(encoder) == [
        ("Conv2D", "relu", (5, 7, 2)),
        ("Conv2D", "relu", (3, 4, 5)),
        ("Flatten", None, (60,)),
        ("Dense", "linear", (4,)),
    ]
    sizes = [(kind, shape) for kind, _, shape in describe(decoder)]
    assert sizes == [
        ("Dense", (60,)),
        ("Reshape", (3, 4, 5)),
        ("Conv2DTranspose", (6, 8, 5)),
        ("Cropping2D", (5, 7, 5)),
        ("Conv2DTranspose", (10, 14, 2)),
        ("Cropping2D", (9, 14, 2)),
        ("Conv2D", (9, 14, 3)),
    ]
    assert describe(decoder)[-1][1] == "linear"
    convolutions = [layer for layer in encoder.layers if isinstance(layer, layers.Conv2D)]
    assert {layer.kernel_size for layer in convolutions} == {(5, 5)}


def test_conv_dense_takes_other_layers_and_sizes():
    architecture = ConvDenseAutoencoder(filters=(2, 3, 4), units=(6,), kernel_size=5)
    encoder, decoder = architecture.build((8, 16, 3), 2)
    assert [shape for _, _, shape in describe(encoder)] == [
        (8, 16, 2), (8, 16, 3), (8, 16, 4), (512,), (6,), (2,)
    ]  # fmt: skip
    assert [shape for _, _, shape in describe(decoder)] == [
        (6,), (8,), (1, 2, 4), (2, 4, 4), (4, 8, 3), (8, 16, 2), (8, 16, 3)
    ]  # fmt: skip


@pytest.mark.parametrize("shape", [(6,), (5, 7, 2)])
def test_dense_takes_rows_and_images(shape):
    encoder, decoder = DenseAutoencoder(units=(7, 3)).build(shape, 2)
    n = int(np.prod(shape))
    units = [layer.units for layer in encoder.layers if isinstance(layer, layers.Dense)]
    assert units == [7, 3, 2]
    units = [layer.units for layer in decoder.layers if isinstance(layer, layers.Dense)]
    assert units == [3, 7, n]
    assert encoder.input_shape == decoder.output_shape == (None, *shape)
    activations = [activation for kind, activation, _ in describe(encoder) if kind == "Dense"]
    assert activations == ["relu", "relu", "linear"]


@pytest.mark.parametrize(
    ("make", "shape"), [(DenseAutoencoder, (500,)), (ConvAutoencoder, (20, 25, 1))]
)
def test_noise_and_masking_are_for_training_only(make, shape):
    def corrupt(**parameters):
        encoder, _ = make(**({"noise": 0.0, "masking_rate": 0.0} | parameters)).build(shape, 2)
        kinds = (layers.GaussianNoise, layers.Dropout)
        corrupting = [layer for layer in encoder.layers if isinstance(layer, kinds)]
        x = np.ones((1, *corrupting[0].output.shape[1:]), dtype=np.float32) if corrupting else None
        for layer in corrupting:
            assert_array_equal(layer(x, training=False), x)
        return [np.asarray(layer(x, training=True)) for layer in corrupting]

    assert corrupt() == []
    (noisy,) = corrupt(noise=0.5)
    assert 0.4 < noisy.std() < 0.6
    (masked,) = corrupt(masking_rate=0.2)
    assert 0.1 < np.mean(masked == 0) < 0.3
    assert len(corrupt(noise=0.5, masking_rate=0.2)) == 2


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((6,), DenseAutoencoder),
        ((8, 8, 1), ConvAutoencoder),
        ((28, 28, 3), ConvAutoencoder),
        ((7, 28, 1), DenseAutoencoder),
        ((28, 7, 1), DenseAutoencoder),
    ],
)
def test_auto(shape, expected):
    assert repr(resolve_architecture("auto", shape)) == repr(expected())


def test_auto_is_what_a_fit_uses():
    rows = tiny(architecture="auto").fit(ROWS)
    explicit = tiny(architecture=DenseAutoencoder()).fit(ROWS)
    assert_array_equal(rows.score_samples(ROWS), explicit.score_samples(ROWS))
    kinds = {type(layer).__name__ for layer in rows._network.parts[0].layers}
    assert "Conv2D" not in kinds


# The output activation


@pytest.mark.parametrize(
    ("make", "parameters", "X", "is_sigmoid"),
    [
        (tiny, {}, UNIT_ROWS, True),
        (tiny, {}, ROWS, False),
        (tiny, {"loss": "mean_squared_error"}, UNIT_ROWS, False),
        (tiny, {"loss": keras.losses.BinaryCrossentropy()}, UNIT_ROWS, True),
        (tiny, {"architecture": two_models}, UNIT_ROWS, True),
        (tiny, {"architecture": one_model}, UNIT_ROWS, True),
        (tiny_conv, {}, IMAGES, True),
        (tiny, {"architecture": ConvDenseAutoencoder(filters=(2,), units=(3,))}, IMAGES, True),
    ],
)
def test_output_is_a_sigmoid_under_binary_crossentropy(make, parameters, X, is_sigmoid):
    detector = make(**parameters).fit(X)
    with np.errstate(all="ignore"):
        outputs = detector.reconstruct(100 * (X - 0.5) * np.sign(GENERATOR.random(X.shape) - 0.5))
    lies_in_unit_range = outputs.min() >= 0 and outputs.max() <= 1
    assert lies_in_unit_range == is_sigmoid


@pytest.mark.parametrize("sigmoid", ["sigmoid", None, keras.ops.sigmoid, layers.ReLU()])
def test_only_a_linear_output_gets_the_sigmoid(sigmoid):
    """A sigmoid on top of a user's own would squeeze [0, 1] into [0.5, 0.73]."""

    def build(input_shape, latent_dim):
        if sigmoid is None or isinstance(sigmoid, str):
            return two_models(input_shape, latent_dim, activation=sigmoid)
        encoder, decoder = two_models(input_shape, latent_dim)
        return encoder, keras.Model(decoder.inputs[0], sigmoid(decoder.outputs[0]))

    front = Values((6,), Scaling(np.ones(6), np.zeros(6)))
    network = build_network(
        build, front, 2, use_sigmoid=True, random_state=np.random.RandomState(0)
    )
    assert network.output_activation == ("sigmoid" if sigmoid is None else "linear")
    codes = GENERATOR.normal(size=(50, 2))
    x = network.parts[1].predict(codes, verbose=0)
    expected = 1 / (1 + np.exp(-x)) if sigmoid is None else x
    np.testing.assert_allclose(network.decoder.predict(codes, verbose=0), expected, rtol=1e-5)


# What a user passes


class Builder:
    """An object with `build` that is no scikit-learn estimator."""

    def build(self, input_shape, latent_dim):
        return two_models(input_shape, latent_dim)


def test_object_with_build_is_the_function_it_has():
    detectors = [
        tiny(architecture=architecture).fit(ROWS)
        for architecture in (two_models, Builder(), partial(two_models, activation=None))
    ]
    expected = detectors[0].score_samples(ROWS)
    for detector in detectors:
        assert_array_equal(detector.score_samples(ROWS), expected)
        assert_array_equal(clone(detector).fit(ROWS).score_samples(ROWS), expected)


def test_parameter_named_build_of_a_callable_is_no_method():
    class Callable:
        build = False

        def __call__(self, input_shape, latent_dim):
            return two_models(input_shape, latent_dim)

    X = np.random.default_rng(0).normal(size=(30, 6))
    assert tiny(architecture=Callable()).fit(X).transform(X).shape == (30, 2)


def test_architecture_is_called_with_shape_and_code_length():
    calls = []

    def build(input_shape, latent_dim):
        calls.append((input_shape, latent_dim))
        return ConvAutoencoder(filters=(2,)).build(input_shape, latent_dim)

    tiny(architecture=build, latent_dim=3).fit(IMAGES)
    assert calls == [((8, 8, 1), 3)]


def test_models_may_be_built_on_first_use():
    def build(input_shape, latent_dim):
        return (
            keras.Sequential([layers.Dense(latent_dim)]),
            keras.Sequential([layers.Dense(input_shape[0])]),
        )

    one, other = (tiny(architecture=build).fit(ROWS) for _ in range(2))
    assert_array_equal(one.score_samples(ROWS), other.score_samples(ROWS))


def test_weights_of_layers_that_are_not_trainable_are_kept():
    pretrained = GENERATOR.normal(size=(6, 5)).astype(np.float32)

    def build(input_shape, latent_dim):
        inputs = keras.Input(input_shape)
        frozen = layers.Dense(5, use_bias=False, trainable=False, name="frozen")
        x = frozen(inputs)
        frozen.set_weights([pretrained])
        encoder = keras.Model(inputs, layers.Dense(latent_dim)(x))
        return encoder, two_models(input_shape, latent_dim)[1]

    for seed in (0, 1):
        detector = tiny(architecture=build, random_state=seed).fit(ROWS)
        (kept,) = detector._network.parts[0].get_layer("frozen").get_weights()
        assert_array_equal(kept, pretrained)


# As parameters


ARCHITECTURES = [
    ConvAutoencoder(filters=(2, 3), kernel_size=5, noise=0.1, masking_rate=0.2),
    ConvDenseAutoencoder(filters=(2,), units=(3,), kernel_size=5),
    DenseAutoencoder(units=(3,), noise=0.1, masking_rate=0.2),
]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_architectures_clone_and_print(architecture):
    twin = clone(architecture)
    assert twin is not architecture
    assert twin.get_params() == architecture.get_params()
    names = {type(architecture).__name__: type(architecture)}
    assert eval(repr(architecture), names).get_params() == architecture.get_params()
    assert repr(type(architecture)()) == f"{type(architecture).__name__}()"
    detector = AutoencoderAnomalyDetector(architecture=architecture)
    assert "".join(repr(architecture).split()) in "".join(repr(detector).split())
    for name, value in architecture.get_params().items():
        assert detector.get_params()[f"architecture__{name}"] == value
    assert clone(detector).architecture is not architecture


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_building_leaves_the_parameters_as_they_are(architecture):
    before = dict(vars(architecture))
    architecture.build((8, 8, 1), 2)
    assert vars(architecture) == before


@pytest.mark.parametrize("numbers", [[2, 3], np.array([2, 3]), range(2, 4)])
def test_numbers_may_be_of_any_sequence_and_of_numpy(numbers):
    for make, names in [
        (ConvAutoencoder, ["filters"]),
        (DenseAutoencoder, ["units"]),
        (ConvDenseAutoencoder, ["filters", "units"]),
    ]:
        models = make(**dict.fromkeys(names, numbers)).build((8, 8, 1), 2)
        expected = make(**dict.fromkeys(names, (2, 3))).build((8, 8, 1), 2)
        assert n_parameters(models) == n_parameters(expected)


def test_numbers_of_a_grid_may_be_of_numpy():
    parameters = {"latent_dim": 3, "epochs": 2, "batch_size": 8, "patience": 1, "threshold": 2}
    numpy_s = {name: np.int64(value) for name, value in parameters.items()}
    scores = []
    for values in (parameters, numpy_s):
        architecture = ConvAutoencoder(filters=(2,), kernel_size=type(values["epochs"])(3))
        scores.append(tiny(architecture=architecture, **values).fit(IMAGES).score_samples(IMAGES))
    assert_array_equal(*scores)


def test_grid_reaches_inside():
    X = np.concatenate([IMAGES, IMAGES[:10] * GENERATOR.random((10, 8, 8)) + 1])
    y = np.repeat([1, -1], [30, 10])
    search = GridSearchCV(
        tiny_conv(loss="mean_squared_error", scaling="standard"),
        {"architecture__filters": [(2,), (3,)]},
        cv=StratifiedKFold(n_splits=2, shuffle=True, random_state=0),
        error_score="raise",
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    best = search.best_estimator_
    assert best.architecture.filters == search.best_params_["architecture__filters"]
    convolution = best._network.parts[0].layers[1]
    assert (convolution.filters,) == best.architecture.filters
    # The parameter of the estimator that was searched is not changed.
    assert search.estimator.architecture.filters == (2,)
