"""Each anomaly score against its formula in NumPy, SciPy and scikit-learn."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cosine
from score_cases import CASES, IMAGES, ROWS, SCORES, data_of, fit, fitted
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors
from tiny_networks import tiny, two_models

from sklearn_ae.autoencoder.scores.whitening import leave_one_out_distances
from sklearn_ae.scores import (
    CodeDifference,
    CombinedScore,
    HiddenDifference,
    LatentDistance,
    NeighborDistance,
    SmoothedError,
    WhitenedError,
)


def held_out_and_training(detector, X):
    is_held_out = np.isin(np.arange(len(X)), detector.validation_indices_)
    assert is_held_out.sum() == 24
    return is_held_out, ~is_held_out


def mahalanobis(values, normals):
    return np.sqrt(LedoitWolf().fit(values[normals]).mahalanobis(values))


def errors(detector, X):
    return X - detector.reconstruct(X).astype(np.float64)


def hidden(detector, X):
    """What each encoder layer with weights makes of X, layer by layer."""
    [encoder] = [layer for layer in detector.encoder_.layers if layer.name == "encoder"]
    outputs, x = [], X.astype(np.float32)
    for layer in encoder.layers[1:]:
        x = layer(x)
        if layer.weights:
            outputs.append(np.asarray(x, dtype=np.float64))
    return outputs


def squared_error(detector, X):
    return np.sum(errors(detector, X) ** 2, axis=tuple(range(1, X.ndim)))


def whitened_error(detector, X):
    held_out, _ = held_out_and_training(detector, X)
    return mahalanobis(errors(detector, X).reshape(len(X), -1), held_out)


def code_difference(detector, X):
    held_out, _ = held_out_and_training(detector, X)
    differences = detector.transform(X) - detector.transform(detector.reconstruct(X))
    return mahalanobis(differences.astype(np.float64), held_out)


def latent_distance(detector, X):
    _, training = held_out_and_training(detector, X)
    return mahalanobis(detector.transform(X).astype(np.float64), training)


def neighbor_distance(detector, X, n_neighbors=5):
    _, training = held_out_and_training(detector, X)
    codes = detector.transform(X).astype(np.float64)
    precision = LedoitWolf().fit(codes[training]).get_precision()
    whitened = codes @ np.linalg.cholesky(precision)
    neighbors = NearestNeighbors(n_neighbors=n_neighbors).fit(whitened[training])
    return neighbors.kneighbors(whitened)[0][:, -1]


def sample_distance(detector, X, n_neighbors=5):
    _, training = held_out_and_training(detector, X)
    rows = X.reshape(len(X), -1)
    neighbors = NearestNeighbors(n_neighbors=n_neighbors).fit(rows[training])
    return neighbors.kneighbors(rows)[0][:, -1]


def hidden_difference(detector, X):
    pairs = zip(hidden(detector, X), hidden(detector, detector.reconstruct(X)), strict=True)
    return sum(np.sum((a - b).reshape(len(X), -1) ** 2, axis=1) for a, b in pairs)


def cosine_difference(detector, X):
    layers = (hidden(detector, values)[-2] for values in (X, detector.reconstruct(X)))
    pairs = zip(*(layer.reshape(len(X), -1) for layer in layers), strict=True)
    return np.array([cosine(one, other) for one, other in pairs])


FORMULAS = {
    "squared": squared_error,
    "whitened": whitened_error,
    "hidden": hidden_difference,
    "cosine": cosine_difference,
    "difference": code_difference,
    "code": latent_distance,
    "neighbors": neighbor_distance,
    "samples": sample_distance,
}


@pytest.mark.parametrize("kind", ["rows", "images"])
@pytest.mark.parametrize("name", FORMULAS)
def test_score_is_its_formula(kind, name):
    X, detector = data_of(kind), fitted(kind, name)
    expected = FORMULAS[name](detector, X)
    assert_allclose(-detector.score_samples(X), expected, rtol=1e-4, atol=1e-6)


def test_absolute_error_is_to_the_digit_what_it_was():
    """The article's: in float64, of the scaled inputs and what the network makes of them."""
    detector = fit("images", "absolute_error")
    X_hat = detector.model_(IMAGES.astype(np.float64)).numpy().astype(np.float64)
    assert_allclose(-detector.score_samples(IMAGES), np.abs(IMAGES - X_hat).sum((1, 2, 3)), 1e-7)


@pytest.mark.parametrize("sigma", [0.6, 1.0, 7.0])
def test_smoothed_error_is_scipys_filter_even_where_it_is_larger_than_the_image(sigma):
    detector = fit("images", SmoothedError(sigma=sigma))
    smoothed = gaussian_filter(errors(detector, IMAGES), (0, sigma, sigma, 0))
    assert_allclose(-detector.score_samples(IMAGES), np.sum(smoothed**2, axis=(1, 2, 3)), 1e-5)


@pytest.mark.parametrize("n_neighbors", [1, 3, 1000])
def test_number_of_neighbors_is_at_most_that_of_training_rows(n_neighbors):
    detector = fit("rows", LatentDistance(method="neighbors", n_neighbors=n_neighbors))
    expected = neighbor_distance(detector, ROWS, min(n_neighbors, 216))
    assert_allclose(-detector.score_samples(ROWS), expected, rtol=1e-4, atol=1e-5)


def test_neighbors_are_told_apart_far_from_zero_and_in_scaled_units():
    X = 1e6 + 1e-3 * ROWS
    plain, scaled = (
        -fit("rows", NeighborDistance(n_neighbors=1), X, scaling=scaling).score_samples(X)
        for scaling in (None, "standard")
    )
    assert_allclose(plain, sample_distance(fitted("rows", "samples"), X, 1), rtol=1e-3, atol=1e-7)
    deviations = X[held_out_and_training(fitted("rows", "samples"), X)[1]].std(axis=0)
    expected = sample_distance(fitted("rows", "samples"), (X - 1e6) / deviations, 1)
    assert_allclose(scaled, expected, rtol=1e-3, atol=1e-5)


def test_rows_that_training_rows_equal_have_no_distance_whatever_is_scored_with_them():
    X = np.repeat(np.random.default_rng(0).normal(size=(8, 6)), 40, axis=0)
    detector = fit("rows", NeighborDistance(), X)
    np.testing.assert_array_equal(detector.score_samples(X), 0)
    np.testing.assert_array_equal(detector.score_samples(X[:1]), 0)


def test_part_that_is_zero_for_most_rows_keeps_its_scale():
    X = np.repeat(np.random.default_rng(0).normal(size=(8, 6)), 40, axis=0)
    rare = np.random.default_rng(1).permutation(len(X))[:60]
    X[rare] += np.random.default_rng(2).normal(size=(60, 6))
    score = fit("rows", CombinedScore([("samples", NeighborDistance())]), X).anomaly_score_
    # Of a floor that is no distance at all, logarithms are dozens below those of the others.
    assert 0.1 < score.deviations_[0] < 10


def code_difference_without_itself(detector, X):
    codes = detector.transform(X), detector.transform(detector.reconstruct(X))
    return leave_one_out_distances((codes[0] - codes[1]).astype(np.float64))


@pytest.mark.parametrize("kind", ["rows", "images"])
def test_combined_score_is_the_mean_of_standardised_logarithms(kind):
    X, detector = data_of(kind), fitted(kind, "combined")
    held_out, _ = held_out_and_training(detector, X)
    formulas = [squared_error, code_difference, hidden_difference, neighbor_distance]
    parts = np.column_stack([formula(detector, X) for formula in formulas])
    # What standardizes are the scores of held-out rows as if they were new to each part.
    new = parts[held_out]
    new[:, 1] = code_difference_without_itself(detector, X[held_out])
    logarithms = np.log(np.maximum(parts, new.min(axis=0)))
    new = np.log(new)
    logarithms = (logarithms - new.mean(axis=0)) / new.std(axis=0)
    error = squared_error(detector, X)
    error = np.log(np.maximum(error, 1e-3 * np.median(error[held_out])))
    error = (error - error[held_out].mean()) / error[held_out].std()
    expected = np.maximum(logarithms.mean(axis=1), np.maximum(error - 6, -error - 2.5))
    assert_allclose(-detector.score_samples(X), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_row_scores_the_same_alone_and_in_a_batch(kind, name):
    X, detector = data_of(kind), fitted(kind, name)
    together = detector.score_samples(X[:20])
    alone = [detector.score_samples(X[i : i + 1])[0] for i in range(20)]
    assert_allclose(alone, together, rtol=1e-4, atol=1e-4)
    assert together.dtype == np.float64
    assert len(set(together)) == 20


# Which rows a score is fitted to


def test_auto_combines_what_the_data_allow():
    parts = {
        kind: [(name, type(part)) for name, part in fitted(kind, "auto").anomaly_score_.scores_]
        for kind in ("rows", "images")
    }
    assert parts["rows"] == [("error", WhitenedError), ("neighbors", NeighborDistance)]
    assert parts["images"] == [
        ("difference", CodeDifference),
        ("hidden", HiddenDifference),
        ("code", LatentDistance),
    ]


@pytest.mark.parametrize(("n_rows", "left_out"), [(109, ["code"]), (112, [])])
def test_code_is_left_out_of_a_combination_below_100_training_rows(n_rows, left_out):
    detector = fit("images", "auto", IMAGES[:n_rows])
    assert (len(detector.training_scores_) < 100) == bool(left_out)
    names = [name for name, _ in detector.anomaly_score_.scores_]
    assert names + left_out == ["difference", "hidden", "code"]


def test_a_code_alone_is_never_left_out():
    score = CombinedScore([("code", LatentDistance())])
    alone = fit("rows", LatentDistance(), ROWS[:40]).score_samples(ROWS)
    combination = fit("rows", score, ROWS[:40]).score_samples(ROWS)
    assert combination.argmin() == alone.argmin()


@pytest.mark.parametrize("parameters", [{}, {"validation_fraction": 0}], ids=["few", "none"])
@pytest.mark.filterwarnings("ignore:No row is held out")
def test_all_rows_serve_where_few_or_none_are_held_out(parameters):
    X = ROWS[:60]
    detector = fit("rows", WhitenedError(), X, **parameters)
    expected = mahalanobis(errors(detector, X), slice(None))
    assert_allclose(-detector.score_samples(X), expected, rtol=1e-4)


# Data that a covariance cannot be estimated from

WIDE = np.random.default_rng(1).normal(size=(240, 40))


@pytest.mark.parametrize("name", ["whitened", "difference", "code", "neighbors", "samples", "auto"])
@pytest.mark.filterwarnings("ignore:No row is held out", "ignore:All rows of X are equal")
@pytest.mark.parametrize(
    "X",
    [
        WIDE[:2],
        WIDE[:30],
        np.column_stack([WIDE[:, :3], np.ones((240, 37))]),
        np.ones((240, 40)),
        np.repeat(WIDE[:4], 40, axis=0),
    ],
    ids=["two rows", "fewer than features", "constant features", "all equal", "duplicates"],
)
def test_ill_posed_data_give_finite_scores_that_find_an_outlier(name, X):
    detector = fit("rows", SCORES[name], X)
    scores = detector.score_samples(np.vstack([X, X[:1] + 1e4]))
    assert np.isfinite(scores).all()
    assert scores.argmin() == len(X)
    assert detector.predict(X[:1] + 1e4) == [-1]


def test_cosine_of_an_encoder_without_hidden_layers_is_that_of_the_codes():
    detector = tiny(architecture=two_models, anomaly_score=HiddenDifference(metric="cosine"))
    detector.fit(ROWS)
    codes = detector.transform(ROWS), detector.transform(detector.reconstruct(ROWS))
    expected = [cosine(one, other) for one, other in zip(*codes, strict=True)]
    assert_allclose(-detector.score_samples(ROWS), expected, rtol=1e-3, atol=1e-5)


def test_dead_code_units_give_finite_scores():
    def with_dead_units(input_shape, latent_dim):
        dead = {"kernel_initializer": "zeros", "trainable": False}
        x = keras.Input(input_shape)
        halves = [keras.layers.Dense(2, **dead)(x), keras.layers.Dense(latent_dim - 2)(x)]
        encoder = keras.Model(x, keras.layers.Concatenate()(halves))
        z = keras.Input((latent_dim,))
        return encoder, keras.Model(z, keras.layers.Dense(*input_shape)(z))

    for name in ("difference", "code", "neighbors", "auto"):
        detector = tiny(architecture=with_dead_units, latent_dim=4, anomaly_score=SCORES[name])
        scores = detector.fit(ROWS).score_samples(np.vstack([ROWS, 1e3 * ROWS[:1]]))
        assert np.isfinite(scores).all()
        assert scores.argmin() == len(ROWS)
