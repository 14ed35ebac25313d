"""compare_with_baselines: figures, advice and probes of any outlier detector."""

import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.compose import make_column_transformer
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import OneClassSVM
from tiny_networks import tiny, tiny_conv

from sklearn_ae import NormalsOnly
from sklearn_ae.datasets import load_mnist_one_zero, make_anomalies
from sklearn_ae.inspection import BaselineComparison, compare_with_baselines
from sklearn_ae.metrics import anomaly_scorer

METRICS = {
    "roc_auc": anomaly_scorer("roc_auc"),
    "average_precision": anomaly_scorer("average_precision"),
    "recall_at_1_percent": anomaly_scorer("recall_at_false_alarm_rate", false_alarm_rate=0.01),
    "recall_at_5_percent": anomaly_scorer("recall_at_false_alarm_rate", false_alarm_rate=0.05),
}
RNG = np.random.default_rng(0)
SCALES = np.array([1.0, 10.0, 0.1, 3.0])
X_NORMAL = RNG.normal(size=(60, 4)) * SCALES
X_TEST = np.vstack([RNG.normal(size=(40, 4)), RNG.normal(size=(30, 4)) * 2.5]) * SCALES
Y_TEST = np.repeat([1, -1], [40, 30])
# Probes of rows.
FAR = {"rays", "components", "scaled", "shifted", "one feature"}


def compare(detector, X_normal=X_NORMAL, X_test=X_TEST, y_test=Y_TEST, **parameters):
    return compare_with_baselines(
        detector, X_normal, X_test, y_test, **({"n_resamples": 5} | parameters)
    )


def entry(comparison, method):
    return next(one for one in comparison.results if one["method"] == method)


def probe(comparison, name, method="detector"):
    return next(one for one in comparison.probes if (one["method"], one["probe"]) == (method, name))


class Recorder(OutlierMixin, BaseEstimator):
    """Detector by the distance from 0 that counts fits and remembers what it was given."""

    fits = []

    def fit(self, X, y=None):
        self.fits.append((X, y))
        return self

    def score_samples(self, X):
        return -np.linalg.norm(np.asarray(X, dtype=float).reshape(len(X), -1), axis=1)


class Distance(Recorder):
    """The same, but the score as a function of the distance is given."""

    fits = None

    def __init__(self, function):
        self.function = function

    def fit(self, X, y=None):
        return self

    def score_samples(self, X):
        return -self.function(-super().score_samples(X))


@pytest.fixture
def fits(monkeypatch):
    """What Recorder was fitted to."""
    monkeypatch.setattr(Recorder, "fits", [])
    return Recorder.fits


@pytest.fixture(scope="module")
def comparison():
    return compare(IsolationForest(n_estimators=10, random_state=0), n_resamples=40)


# Figures


def test_every_method_is_measured_as_the_scorers_do(comparison):
    methods = [one["method"] for one in comparison.results]
    assert methods == [
        *("detector", "PCA", "Mahalanobis distance", "k nearest neighbors", "isolation forest")
    ]
    for method, estimator in comparison.estimators.items():
        for name, scorer in METRICS.items():
            assert entry(comparison, method)[name] == scorer(estimator, X_TEST, Y_TEST)


def test_baselines_are_what_they_are_called(comparison):
    """On standardized columns, each of which has a unit of its own."""
    scaler = StandardScaler().fit(X_NORMAL)
    train, test = scaler.transform(X_NORMAL), scaler.transform(X_TEST)
    neighbors = np.sort(cdist(test, train), axis=1)[:, :5].mean(axis=1)
    shares = np.cumsum(PCA().fit(train).explained_variance_ratio_)
    pca = PCA(min(3, 1 + np.sum(shares < 0.9))).fit(train)
    errors = np.sum((test - pca.inverse_transform(pca.transform(test))) ** 2, axis=1)
    forest = IsolationForest(random_state=0).fit(train)
    for method, scores in {
        "PCA": errors,
        "Mahalanobis distance": LedoitWolf().fit(train).mahalanobis(test),
        "k nearest neighbors": neighbors,
        "isolation forest": -forest.score_samples(test),
    }.items():
        np.testing.assert_allclose(-comparison.estimators[method].score_samples(X_TEST), scores)


def test_pixels_are_not_standardized():
    """A pixel that hardly varies is no more important than the others."""
    images = X_NORMAL.reshape(-1, 2, 2)
    fitted = compare(Recorder(), images, X_TEST.reshape(-1, 2, 2)).estimators
    neighbors = np.sort(cdist(X_TEST, X_NORMAL), axis=1)[:, :5].mean(axis=1)
    for X in (X_TEST.reshape(-1, 2, 2), X_TEST):
        scores = fitted["k nearest neighbors"].score_samples(X)
        np.testing.assert_allclose(-scores, neighbors)
    folded = compare(Recorder(), input_shape=(2, 2)).estimators["k nearest neighbors"]
    np.testing.assert_allclose(-folded.score_samples(X_TEST), neighbors)


def test_pca_keeps_at_most_32_components():
    X = np.random.default_rng(0).normal(size=(100, 50))
    pca = compare(Recorder(), X, X + 1, np.arange(100) % 2).estimators["PCA"]
    train = StandardScaler().fit_transform(X)
    reference = PCA(32).fit(train)
    errors = np.sum((train - reference.inverse_transform(reference.transform(train))) ** 2, axis=1)
    np.testing.assert_allclose(-pca.score_samples(X), errors)


def test_intervals_hold_95_percent_of_resamples_of_either_class():
    """Where normal samples are all alike, the ROC AUC is a share of the anomalies."""

    class Signed(Recorder):
        def score_samples(self, X):
            return -np.asarray(X)[:, 0]

    X = np.repeat([0.0, 1.0, -1.0], [100, 80, 20])[:, np.newaxis]
    y = np.repeat([0, 1], [100, 100])
    results = entry(compare(Signed(), X_NORMAL[:, :1], X, y, n_resamples=100), "detector")
    # 0.8 ± 1.96 sqrt(0.8 · 0.2 / 100)
    assert results["roc_auc"] == pytest.approx(0.8)
    assert results["roc_auc_low"] == pytest.approx(0.722, abs=0.03)
    assert results["roc_auc_high"] == pytest.approx(0.878, abs=0.03)


def test_resamples_are_the_same_for_all_methods():
    """So a detector differs from the same one nowhere, and from one that is alike by little."""
    for n_trees in (100, 90):
        forest = IsolationForest(n_estimators=n_trees, random_state=0)
        forest = make_pipeline(StandardScaler(), forest)
        comparison = compare(forest, n_resamples=40)
        detector, other = (entry(comparison, name) for name in ("detector", "isolation forest"))
        ends = other["difference_low"], other["difference"], other["difference_high"]
        if n_trees == 100:
            assert ends == (0, 0, 0)
    assert ends[1] == detector["roc_auc"] - other["roc_auc"]
    assert ends[0] < ends[1] < ends[2]
    assert ends[2] - ends[0] < (other["roc_auc_high"] - other["roc_auc_low"]) / 2


def test_a_single_anomaly_is_in_every_resample():
    rows = [*range(40), 60]
    results = compare(Recorder(), X_test=X_TEST[rows], y_test=Y_TEST[rows], n_resamples=50).results
    assert all(np.isfinite(one["roc_auc_low"]) for one in results)


def test_repeatable_but_for_the_times(comparison):
    again = compare(IsolationForest(n_estimators=10, random_state=0), n_resamples=40)
    times = ["fit_seconds", "score_seconds"]
    one, other = (pd.DataFrame(each.results) for each in (comparison, again))
    pd.testing.assert_frame_equal(one.drop(columns=times), other.drop(columns=times))
    assert (one[times] > 0).all(axis=None)
    pd.testing.assert_frame_equal(pd.DataFrame(comparison.probes), pd.DataFrame(again.probes))
    other_seed = compare(
        IsolationForest(n_estimators=10, random_state=0), n_resamples=40, random_state=1
    )
    assert entry(other_seed, "PCA")["roc_auc_low"] != entry(comparison, "PCA")["roc_auc_low"]


# Who is fitted to what


def test_all_normal_samples_and_no_labels_are_fitted_to(fits):
    detector = Recorder()
    comparison = compare(detector)
    ((X, y),) = fits
    np.testing.assert_array_equal(X, X_NORMAL)
    assert y is None
    assert comparison.estimators["detector"] is not detector
    assert (comparison.n_train, comparison.n_normals, comparison.n_anomalies) == (60, 40, 30)
    assert not comparison.synthetic


def test_frozen_detector_stays_as_it_is():
    frozen = FrozenEstimator(OneClassSVM(gamma=0.1).fit(X_NORMAL))
    comparison = compare(frozen)
    assert comparison.estimators["detector"] is frozen
    assert np.isnan(entry(comparison, "detector")["fit_seconds"])
    assert "nan" in str(comparison)
    assert "to fit" not in comparison.advice
    with pytest.raises(ValueError, match="X_test must be given with a frozen detector"):
        compare(frozen, X_test=None, y_test=None)


def test_without_labels_anomalies_are_made_of_held_out_samples(fits):
    comparison = compare(Recorder(), X_test=None, y_test=None, kind="stretched", random_state=3)
    ((X, _),) = fits
    held_out = X_NORMAL[~(X_NORMAL[:, np.newaxis] == X).all(axis=2).any(axis=1)]
    assert (len(X), len(held_out)) == (45, 15)
    anomalies, _ = make_anomalies(held_out, kind="stretched", random_state=3)
    expected = METRICS["roc_auc"](
        Recorder(), np.vstack([held_out, anomalies]), np.repeat([0, 1], 15)
    )
    assert entry(comparison, "detector")["roc_auc"] == expected
    assert comparison.synthetic
    assert "15 synthetic anomalies" in str(comparison)
    assert comparison.advice.startswith("On synthetic anomalies, which real ones may not resemble:")


@pytest.mark.parametrize("make_frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
@pytest.mark.parametrize("is_labeled", [True, False])
def test_data_frames_keep_their_names(make_frame, is_labeled):
    def frame(X):
        return make_frame(dict(zip("abcd", X.T, strict=True)))

    by_name = make_column_transformer((StandardScaler(), ["d", "a"]))
    detector = make_pipeline(by_name, OneClassSVM())
    by_position = make_pipeline(make_column_transformer((StandardScaler(), [3, 0])), OneClassSVM())
    rest = (X_TEST, Y_TEST) if is_labeled else (None, None)
    expected = compare(by_position, X_NORMAL, *rest)
    with warnings.catch_warnings():
        # scikit-learn warns where names are missing.
        warnings.simplefilter("error")
        actual = compare(detector, frame(X_NORMAL), frame(X_TEST) if is_labeled else None, rest[1])
    assert entry(actual, "detector")["roc_auc"] == entry(expected, "detector")["roc_auc"]
    assert entry(actual, "PCA")["roc_auc"] == entry(expected, "PCA")["roc_auc"]


def words_of(X, make_frame):
    kinds = np.where(np.arange(len(X)) % 3 == 0, "red", "blue")
    return make_frame(dict(zip("abcd", X.T, strict=True)) | {"kind": kinds})


def encoding(*steps):
    return make_pipeline(
        make_column_transformer(
            (OneHotEncoder(sparse_output=True), ["kind"]),
            (StandardScaler(), ["a", "b", "c", "d"]),
            sparse_threshold=1,
        ),
        *steps,
    )


@pytest.mark.parametrize("make_frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
@pytest.mark.parametrize("is_labeled", [True, False])
@pytest.mark.parametrize("is_wrapped", [True, False])
def test_baselines_come_behind_the_transformers_that_encode_words(
    make_frame, is_labeled, is_wrapped
):
    normal, test = words_of(X_NORMAL, make_frame), words_of(X_TEST, make_frame)
    detector = encoding(OneClassSVM())
    if is_wrapped:
        detector = NormalsOnly(detector)
    rest = (test, Y_TEST) if is_labeled else (None, None)
    comparison = compare(detector, normal, *rest)
    if is_labeled:
        encoded = encoding().fit(normal)
        dense = [encoded.transform(X).toarray() for X in (normal, test)]
        expected = compare(OneClassSVM(), dense[0], dense[1], Y_TEST)
        for one, other in zip(comparison.results, expected.results, strict=True):
            assert one["roc_auc"] == pytest.approx(other["roc_auc"], abs=1e-9)
    else:
        assert (comparison.n_normals, comparison.n_anomalies) == (15, 15)
    assert {one["probe"] for one in comparison.probes} == FAR
    assert not probe(comparison, "one feature", "k nearest neighbors")["failed"]


def test_baselines_behind_frozen_transformers_see_what_the_detector_sees():
    normal, test = words_of(X_NORMAL, pd.DataFrame), words_of(X_TEST, pd.DataFrame)
    fitted = encoding(OneClassSVM()).fit(words_of(X_NORMAL[:50] * 2, pd.DataFrame))
    comparison = compare(FrozenEstimator(fitted), normal, test, Y_TEST)
    dense = [fitted[:-1].transform(X).toarray() for X in (normal, test)]
    expected = compare(OneClassSVM(), dense[0], dense[1], Y_TEST)
    assert entry(comparison, "PCA")["roc_auc"] == entry(expected, "PCA")["roc_auc"]


def test_words_that_nothing_encodes_are_named(fits):
    normal = words_of(X_NORMAL, pd.DataFrame)
    with pytest.raises(ValueError, match=r"ColumnTransformer .* Received: columns 'kind' that"):
        compare(Recorder(), normal, None, None)
    with pytest.raises(ValueError, match="X_normal must have a column of numbers"):
        compare(encoding(Recorder()), normal[["kind"]], None, None)
    with pytest.raises(ValueError, match="X_normal contains NaN"):
        compare(encoding(Recorder()), normal.assign(a=np.nan), None, None)
    assert fits == []


@pytest.mark.parametrize("output", ["pandas", "polars"])
@pytest.mark.parametrize("is_pipeline", [True, False])
def test_containers_that_the_user_wants_from_transformers_change_nothing(output, is_pipeline):
    detector = tiny(false_alarm_rate=0.2)
    if is_pipeline:
        detector = make_pipeline(StandardScaler(), detector)
    expected = compare(detector)
    with sklearn.config_context(transform_output=output), warnings.catch_warnings():
        warnings.simplefilter("error")
        actual = compare(detector)
    for one, other in zip(actual.results, expected.results, strict=True):
        assert one["roc_auc"] == other["roc_auc"]
    assert repr(actual.probes) == repr(expected.probes)


def test_labels_of_any_convention():
    words = np.where(Y_TEST == 1, "good", "defect")
    comparisons = [
        compare(Recorder()),
        compare(Recorder(), y_test=Y_TEST == -1),
        compare(Recorder(), y_test=words, pos_label="defect"),
        compare(NormalsOnly(OneClassSVM(), pos_label="defect"), y_test=words),
    ]
    assert len({entry(one, "PCA")["roc_auc"] for one in comparisons}) == 1


def test_lists_and_detectors_with_a_decision_function_only():
    class Decides(Recorder):
        score_samples = property()

        def decision_function(self, X):
            return 3 - np.linalg.norm(X, axis=1)

    comparison = compare(Decides(), X_NORMAL.tolist(), X_TEST.tolist(), Y_TEST.tolist())
    assert entry(comparison, "detector")["roc_auc"] == METRICS["roc_auc"](
        Recorder(), X_TEST, Y_TEST
    )


@pytest.mark.parametrize("shape", [(60, 1), (20, 3), (24, 40, 40), (24, 9, 9, 3)])
def test_shapes(shape):
    X = np.random.default_rng(0).random(size=shape, dtype=np.float32)
    comparison = compare(Recorder(), X, X_test=None, y_test=None)
    assert all(np.isfinite(one["roc_auc"]) for one in comparison.results)


def test_our_detector_of_images_and_of_rows():
    digits = load_mnist_one_zero()
    ones = digits.X_train[digits.y_train == 1][:60]
    for detector, parameters in [
        (tiny_conv(), {}),
        (tiny_conv(input_shape=(28, 28)), {"input_shape": (28, 28)}),
    ]:
        X, X_test = (
            images.reshape(len(images), -1) if parameters else images
            for images in (ones, digits.X_test[:50])
        )
        images = compare(detector, X, X_test, digits.y_test[:50], **parameters)
        assert {one["probe"] for one in images.probes} == {
            *("black", "gray", "white", "inverted", "noise", "shuffled")
        }
        assert entry(images, "k nearest neighbors")["roc_auc"] > 0.95
        assert 0 <= entry(images, "detector")["roc_auc"] <= 1
    rows = compare(tiny())
    assert rows.estimators["detector"].model_ is not None
    assert {one["probe"] for one in rows.probes} == FAR


# Advice


def advise(low, high, *, times=(1, 1, 1, 1), areas=(0.8, 0.8), n_anomalies=50, synthetic=False):
    def make_entry(method, area, fit_seconds, score_seconds, difference=(0, 0, 0)):
        names = ("difference", "difference_low", "difference_high")
        return {
            "method": method,
            "roc_auc": area,
            "roc_auc_low": area - 0.1,
            "fit_seconds": fit_seconds,
            "score_seconds": score_seconds,
            **dict(zip(names, difference, strict=True)),
        }

    return BaselineComparison(
        results=[
            make_entry("detector", areas[0], *times[:2]),
            make_entry("PCA", areas[1] - 0.05, 1, 1, difference=(0.5, 0.5, 0.5)),
            make_entry(
                "k nearest neighbors",
                areas[1],
                *times[2:],
                difference=((low + high) / 2, low, high),
            ),
        ],
        probes=[],
        estimators={},
        n_train=100,
        n_normals=50,
        n_anomalies=n_anomalies,
        synthetic=synthetic,
    ).advice


@pytest.mark.parametrize(
    ("low", "high", "sentence"),
    [
        (
            0.02,
            0.04,
            "The detector is better than every baseline, k nearest neighbors being next",
        ),
        (
            0.001,
            0.003,
            "The detector is a little better than every baseline, k nearest neighbors being next",
        ),
        (-0.04, -0.02, "k nearest neighbors is better here than the detector"),
        (-0.003, -0.001, "k nearest neighbors is a little better here than the detector"),
        (-0.006, 0.003, "k nearest neighbors is as good here as the detector"),
        (-0.05, 0.01, "k nearest neighbors is as good here as the detector"),
        (-0.01, 0.02, "The detector and k nearest neighbors cannot be told apart here"),
    ],
)
def test_advice_follows_the_interval_of_the_difference_to_the_best_baseline(low, high, sentence):
    advice = advise(low, high)
    assert advice.startswith(
        f"{sentence} (ROC AUC of the detector 0.800, of k nearest neighbors 0.800, difference"
    )
    assert advice.endswith(".")


def test_advice_gives_the_figures():
    assert (
        "(ROC AUC of the detector 0.979, of k nearest neighbors 0.981, difference −0.002 "
        "[−0.006, 0.003])"
    ) in advise(-0.0063, 0.003, areas=(0.979, 0.981))


@pytest.mark.parametrize(
    ("times", "costs"),
    [
        ((40, 1, 1, 1), " and 40 times cheaper to fit: use it."),
        ((40, 9, 1, 3), " and 40 times cheaper to fit, 3 times cheaper to score: use it."),
        ((1000, 1, 1, 1), " and over 100 times cheaper to fit: use it."),
        ((1, 1, 8, 1), " and 8 times dearer to fit: keep the detector."),
        (
            (40, 1, 1, 2.5),
            " and 40 times cheaper to fit, 2.5 times dearer to score: choose by the time that "
            "matters.",
        ),
        ((1.9, 1, 1, 1.9), "): use either."),
        ((0.09, 1, 0.001, 1), "): use either."),
        ((np.nan, 5, 1, 1), " and 5 times cheaper to score: use it."),
    ],
)
def test_advice_weighs_the_times_where_the_areas_are_equal(times, costs):
    assert advise(-0.001, 0.001, times=times).endswith(costs)


def test_advice_says_when_there_is_not_enough_to_tell():
    assert advise(0.2, 0.3, n_anomalies=9).startswith(
        "Not enough samples to tell: there are 9 anomalies and 50 normal ones"
    )
    assert advise(0.2, 0.3, n_anomalies=10).startswith("The detector is better")
    assert advise(0.02, 0.03, areas=(0.6, 0.55)).startswith(
        "Neither the detector nor any baseline is better than chance here"
    )
    assert "; k nearest neighbors is 40 times cheaper to fit: more labeled" in advise(
        -0.1, 0.1, times=(40, 1, 1, 1)
    )


# Probes


class PlaneError(OutlierMixin, BaseEstimator):
    """The failing of linear autoencoders: within its plane, everything is rebuilt."""

    def fit(self, X, y=None):
        self.pca_ = PCA(2).fit(X)
        return self

    def score_samples(self, X):
        return -np.linalg.norm(X - self.pca_.inverse_transform(self.pca_.transform(X)), axis=1)


def test_rebuilding_what_is_far_off_is_reported():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(200, 6))
    detector = make_pipeline(StandardScaler(), PlaneError())
    comparison = compare(detector, X, None, None)
    failing = probe(comparison, "components")
    # Of five components, two are in the plane.
    assert failing["share_accepted"] == pytest.approx(0.4, abs=0.1)
    assert 0.3 < failing["share_typical"] <= failing["share_accepted"]
    assert failing["failed"]
    assert re.search(r"detector .*[34]\d%!", str(comparison))


def test_nearest_neighbors_pass_all_probes():
    rng = np.random.default_rng(0)
    clusters = rng.normal(size=(200, 3)) + 8 * rng.integers(3, size=(200, 1))
    for X in (X_NORMAL, X_NORMAL[:, :1], clusters, np.exp(X_NORMAL / SCALES)):
        for units in (1, [1000, 1, 0.01][: X.shape[1]] if X.shape[1] == 3 else 1):
            comparison = compare(LocalOutlierFactor(novelty=True), X * units, None, None)
            probes = [one for one in comparison.probes if "neighbors" in one["method"]]
            assert {one["probe"] for one in probes} == FAR
            assert not any(one["failed"] for one in probes)
            assert {one["share_accepted"] for one in probes} == {0}
            assert {one["fall"] for one in probes} == {0}


@pytest.mark.parametrize(
    ("function", "fall"),
    [
        (lambda distances: np.where(distances < 1e5, distances, 0.0), (1.0, 1.01)),
        (lambda distances: np.where(distances < 1e5, distances, 5e4), (0.3, 0.6)),
        (lambda distances: np.minimum(distances, 1e5) - (distances > 2e5), (0, 0)),  # rounding
        (lambda distances: np.minimum(distances, 100.0), (0, 0)),
        (lambda distances: distances, (0, 0)),
    ],
    ids=["to nothing", "by half", "hardly", "flat", "rising"],
)
def test_falls_along_rays_are_reported(function, fall):
    comparison = compare(Distance(function))
    rays = probe(comparison, "rays")
    assert fall[0] <= rays["fall"] <= fall[1]
    assert rays["failed"] == (fall[0] > 0)
    falls = re.search("score of detector falls along rays from t = (\\S+) on, by", str(comparison))
    assert (falls is not None) == rays["failed"]
    if rays["failed"]:
        # Samples have distances of about 10.
        assert 1e3 < rays["falls_from"] < 1e5
    else:
        assert np.isnan(rays["falls_from"])
    assert rays["share_accepted"] == pytest.approx(0.3 if fall[0] == 1 else 0, abs=0.15)


def test_a_score_that_is_no_number_passes_for_normal_and_a_refusal_does_not():
    def refuse(distances):
        if np.max(distances) > 1e5:
            raise ValueError("too far")
        return distances

    lost = compare(Distance(lambda distances: np.where(distances < 1e5, distances, np.nan)))
    assert probe(lost, "rays")["share_accepted"] > 0.1
    assert probe(lost, "rays")["failed"]
    refused = probe(compare(Distance(refuse)), "rays")
    assert (refused["share_accepted"], refused["fall"], refused["failed"]) == (0, 0, False)


def test_probes_of_images_are_what_they_are_called(monkeypatch):
    scored = []

    class Scored(Recorder):
        def score_samples(self, X):
            scored.append(X)
            return super().score_samples(X)

    images = np.random.default_rng(0).integers(10, 90, size=(40, 9, 8), dtype=np.uint8)
    comparison = compare(Scored(), images, None, None)
    test, black, gray, white, inverted, noise, shuffled = scored
    held_out = test[:10]
    assert all(X.dtype == np.uint8 and X.shape[1:] == (9, 8) for X in scored)
    assert [np.unique(X).tolist() for X in (black, gray, white)] == [[0], [128], [255]]
    assert {X.tobytes() for X in 255 - inverted} == {X.tobytes() for X in held_out}
    assert noise.max() > 200
    assert {np.sort(X, axis=None).tobytes() for X in shuffled} == {
        np.sort(X, axis=None).tobytes() for X in held_out
    }
    assert {X.tobytes() for X in shuffled}.isdisjoint(X.tobytes() for X in held_out)
    # The nearer to black, the more normal, for this detector.
    assert probe(comparison, "black")["failed"]
    assert probe(comparison, "white")["share_accepted"] == 0
    scored.clear()
    compare(Scored(), images.astype(np.float32) / 255, None, None)
    assert scored[1].dtype == np.float32
    assert np.abs(scored[1]).max() > 1e5


def test_probes_of_rows_are_far_in_every_feature_or_in_one():
    scored = []

    class Scored(Recorder):
        def score_samples(self, X):
            scored.append(X)
            return super().score_samples(X)

    compare(Scored(), np.rint(X_NORMAL * 10).astype(int), None, None)
    test, rays, components, scaled, shifted, one_feature = scored
    held_out, ranges = test[:15], np.ptp(np.rint(X_NORMAL * 10), axis=0)
    assert np.linalg.norm(rays, axis=1).max() > 1e5
    assert np.linalg.norm(components, axis=1).max() > 1e5
    assert {tuple(row) for row in scaled} == {tuple(1000.0 * row) for row in held_out}
    assert (np.abs(shifted) > 5 * ranges).all()
    n_far = (np.abs(one_feature) > 500 * ranges).sum(axis=1)
    assert set(n_far) == {1}


# Text


def test_table_is_aligned_and_has_every_figure(comparison):
    text = repr(comparison)
    metrics, costs, notes, advice = text.split("\n\n")
    for table in (metrics, costs):
        lines = table.split("\n")
        assert len(lines) == 6
        assert len(set(map(len, lines))) == 1
    for one in comparison.results:
        assert f"{one['roc_auc']:.3f} [{one['roc_auc_low']:.3f}, {one['roc_auc_high']:.3f}]" in text
        assert f"{one['recall_at_5_percent']:.3f} [" in text
        assert f"  {one['fit_seconds']:.2g}  " in costs
    assert "Fitted to 60 normal samples, judged on 40 others and 30 anomalies." in notes
    assert advice == comparison.advice
    assert set(re.split("  +", costs.split("\n")[0])) >= FAR


def test_results_and_probes_are_tables(comparison):
    frame = pd.DataFrame(comparison.results).set_index("method")
    assert frame.loc["PCA", "roc_auc"] == entry(comparison, "PCA")["roc_auc"]
    assert len(pd.DataFrame(comparison.probes)) == 5 * len(FAR)


# Bad input


def with_value(X, value):
    X = X.astype(object)
    X[3, 1] = value
    return X


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"X_normal": X_NORMAL[:19]}, ValueError, "minimum of 20"),
        ({"X_normal": X_NORMAL[0]}, ValueError, "Expected 2D array|at least"),
        ({"X_normal": np.ones((30, 4))}, ValueError, "X_normal must vary"),
        ({"X_normal": with_value(X_NORMAL, np.nan)}, ValueError, "X_normal contains NaN"),
        ({"X_normal": with_value(X_NORMAL, "a")}, ValueError, "could not convert string"),
        ({"X_normal": X_NORMAL.astype(str)}, ValueError, "numeric"),
        ({"X_normal": np.ones((30, 2, 2, 2, 2))}, ValueError, "X_normal must"),
        ({"X_test": with_value(X_TEST, np.inf)}, ValueError, "X_test contains infinity"),
        ({"X_test": X_TEST[:, :3]}, ValueError, "X_test must hold samples of the shape"),
        ({"X_test": X_TEST.reshape(-1, 2, 2)}, ValueError, "X_test must hold samples of"),
        ({"X_test": X_TEST[:5]}, ValueError, "inconsistent numbers of samples"),
        ({"X_test": None}, ValueError, "pass X_test too, or neither"),
        ({"y_test": None}, ValueError, "pass y_test too, or neither"),
        ({"y_test": np.full(70, -1)}, ValueError, "y must label both anomalies and normal"),
        ({"y_test": np.ones(70)}, ValueError, "ambiguous"),
        ({"y_test": np.repeat(["a", "b"], 35)}, ValueError, "pos_label"),
        ({"X_test": None, "y_test": None, "kind": "scar"}, ValueError, "kind must be 'mixed' or"),
        ({"input_shape": (3, 3)}, ValueError, "input_shape must be"),
        ({"random_state": None}, TypeError, "random_state must be an int"),
        ({"n_resamples": 0}, ValueError, "n_resamples must be a positive int"),
        ({"detector": LogisticRegression()}, TypeError, "detector must be an outlier detector"),
        ({"detector": LocalOutlierFactor()}, TypeError, "such as LocalOutlierFactor"),
    ],
)
def test_bad_input_is_refused_before_any_fit(arguments, error, message, fits):
    arguments = {"detector": Recorder(), "X_normal": X_NORMAL} | arguments
    with pytest.raises(error, match=message):
        compare(**arguments)
    assert fits == []


def test_scores_of_test_samples_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="70 of 70 scores of detector"):
        compare(Distance(lambda distances: distances * np.nan))
