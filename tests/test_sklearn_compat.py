"""The detector is a true scikit-learn estimator: scikit-learn's own checks, and its tools."""

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone, is_outlier_detector
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

from sklearn_ae import (
    AutoencoderAnomalyDetector,
    ConvAutoencoder,
    ConvDenseAutoencoder,
    DenseAutoencoder,
    NormalsOnly,
)
from sklearn_ae.scores import (
    AbsoluteError,
    CodeDifference,
    HiddenDifference,
    LatentDistance,
    SmoothedError,
    SquaredError,
    WhitenedError,
)

# scikit-learn 1.6 asks estimators for two classes for a score of labels {1, 2}, of which nothing
# tells the anomaly; later versions ask for {0, 1}.
EXPECTED_FAILURES = {}
if parse_version(sklearn.__version__) < parse_version("1.7"):
    EXPECTED_FAILURES["check_pipeline_consistency"] = "labels {1, 2} need a pos_label"


def small(**parameters):
    defaults = {
        "architecture": DenseAutoencoder(units=(8,)),
        "latent_dim": 2,
        "epochs": 2,
        "random_state": 0,
    }
    return AutoencoderAnomalyDetector(**(defaults | parameters))


@parametrize_with_checks([small()], expected_failed_checks=lambda _: EXPECTED_FAILURES)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def rows():
    """Normal rows near a line and anomalies far from it, labeled +1 and -1."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 1)) * [1, 1, -1, 2] + rng.normal(scale=0.1, size=(120, 4))
    y = np.where(np.arange(120) % 6 == 0, -1, 1)
    X[y == -1] += rng.normal(scale=5, size=(20, 4))
    return X, y


def folds():
    return StratifiedKFold(n_splits=2, shuffle=True, random_state=0)


def test_is_an_outlier_detector_and_transformer():
    tags = small().__sklearn_tags__()
    assert is_outlier_detector(small())
    assert tags.estimator_type == "outlier_detector"
    assert tags.transformer_tags.preserves_dtype == []
    assert not tags.target_tags.required


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (ConvAutoencoder(filters=(8,)), "ConvAutoencoder(filters=(8,))"),
        (ConvDenseAutoencoder(units=(8,)), "ConvDenseAutoencoder(units=(8,))"),
        (DenseAutoencoder(noise=0.1), "DenseAutoencoder(noise=0.1)"),
        (AbsoluteError(), "AbsoluteError()"),
        (SquaredError(), "SquaredError()"),
        (SmoothedError(sigma=2.0), "SmoothedError(sigma=2.0)"),
        (WhitenedError(), "WhitenedError()"),
        (HiddenDifference(metric="cosine"), "HiddenDifference(metric='cosine')"),
        (CodeDifference(), "CodeDifference()"),
        (LatentDistance(n_neighbors=3), "LatentDistance(n_neighbors=3)"),
    ],
)
def test_parameter_objects_clone_and_print(parameters, text):
    copied = clone(parameters)
    assert copied is not parameters
    assert copied.get_params() == parameters.get_params()
    assert repr(parameters) == text


def test_nested_parameters_are_cloned_and_set():
    detector = small()
    copied = clone(detector).set_params(architecture__units=(4,))
    assert detector.architecture.units == (8,)
    assert copied.get_params()["architecture__units"] == (4,)


def test_pipeline_scores_as_its_steps_do(rows):
    X, y = rows
    pipeline = make_pipeline(StandardScaler(), small()).fit(X)
    scaled = StandardScaler().fit_transform(X)
    detector = small().fit(scaled)
    np.testing.assert_array_equal(pipeline.score_samples(X), detector.score_samples(scaled))
    np.testing.assert_array_equal(pipeline.predict(X), detector.predict(scaled))
    assert pipeline.score(X, y) == detector.score(scaled, y)


def test_pipeline_leads_back_to_the_units_of_the_input(rows):
    X = 1000 + rows[0]
    pipeline = make_pipeline(MinMaxScaler(), small()).fit(X)
    decoded = pipeline.inverse_transform(pipeline.transform(X))
    assert decoded.shape == X.shape
    assert np.abs(decoded - X).max() < np.ptp(X)


def test_grid_search_over_thresholds_and_codes(rows):
    X, y = rows
    grid = {"estimator__latent_dim": [1, 2], "estimator__threshold": [0.0, 3.0, 1e6]}
    detector = NormalsOnly(small(anomaly_score="absolute_error", epochs=5))
    search = GridSearchCV(detector, grid, cv=folds(), error_score="raise").fit(X, y)
    scores = search.cv_results_["mean_test_score"].reshape(2, 3)
    np.testing.assert_array_equal(scores[:, [0, 2]], 0.5)
    assert search.best_params_["estimator__threshold"] == 3.0
    assert search.score(X, y) == search.best_estimator_.score(X, y) > 0.5


def test_grid_search_reaches_into_the_architecture(rows):
    images = np.random.default_rng(0).integers(0, 256, size=(40, 9, 8), dtype=np.uint8)
    y = np.repeat([1, -1], 20)
    detector = small(architecture=ConvAutoencoder(), epochs=1)
    grid = {"architecture__filters": [(2,), (3, 2)]}
    search = GridSearchCV(detector, grid, cv=folds(), error_score="raise").fit(images, y)
    assert search.best_estimator_.architecture.filters in grid["architecture__filters"]
    assert len(set(map(str, search.cv_results_["params"]))) == 2


@pytest.mark.parametrize("backend", ["sequential", "threading"])
def test_grid_search_compares_architectures_and_their_own_parameters(backend):
    images = np.random.default_rng(0).integers(0, 256, size=(60, 9, 8), dtype=np.uint8)
    conv, dense = ConvAutoencoder(), DenseAutoencoder()
    grids = [
        {
            "estimator__architecture": [conv],
            "estimator__architecture__filters": [(2,), (3, 2)],
        },
        {
            "estimator__architecture": [dense],
            "estimator__architecture__units": [(30,), (6, 3)],
        },
    ]
    candidates = [
        *(ConvAutoencoder(filters=filters) for filters in [(2,), (3, 2)]),
        *(DenseAutoencoder(units=units) for units in [(30,), (6, 3)]),
    ]
    sizes = [
        small(epochs=1, architecture=candidate).fit(images).model_.count_params()
        for candidate in candidates
    ]
    search = GridSearchCV(
        # "auto", the default, has no parameters for the grid to set.
        NormalsOnly(small(architecture="auto", epochs=1)),
        grids,
        scoring=lambda detector, X, y: detector.estimator_.model_.count_params(),
        cv=folds(),
        error_score="raise",
        n_jobs=2,
    )
    with joblib.parallel_config(backend):
        search.fit(images, np.repeat([1, -1], [50, 10]))
    # Each candidate was trained with its own parameters, in each fold.
    assert len(set(sizes)) == len(sizes) == 4
    for fold in range(2):
        np.testing.assert_array_equal(search.cv_results_[f"split{fold}_test_score"], sizes)
    # The objects of the grid are those of the user still, and are listed beside what was set.
    assert str(conv) == "ConvAutoencoder()"
    assert str(dense) == "DenseAutoencoder()"
    assert search.estimator.estimator.architecture == "auto"
    assert search.cv_results_["params"] == list(ParameterGrid(grids))
    best = np.argmax(sizes)
    assert search.best_params_ == search.cv_results_["params"][best]
    assert search.best_estimator_.estimator_.model_.count_params() == sizes[best]
    assert str(search.best_estimator_.estimator.architecture) == "DenseAutoencoder(units=(30,))"


def test_scorers_and_metrics(rows):
    X, y = rows
    auc = cross_val_score(
        NormalsOnly(small(epochs=5, validation_fraction=0.4)),
        X,
        y,
        cv=folds(),
        scoring="roc_auc",
        error_score="raise",
    )
    assert auc.min() > 0.9
    accuracies = cross_val_score(
        NormalsOnly(small(epochs=5, validation_fraction=0.4)),
        X,
        y,
        cv=folds(),
        scoring=make_scorer(lambda y, predicted: np.mean(y == predicted)),
        error_score="raise",
    )
    assert accuracies.min() > 0.7
    scores = cross_val_predict(
        small(epochs=5, validation_fraction=0.4),
        X,
        cv=folds().split(X, y),
        method="decision_function",
    )
    assert roc_auc_score(y, scores) > 0.9


def test_score_is_balanced_accuracy_under_the_label_conventions(rows):
    X, y = rows
    detector = small(epochs=5).fit(X[y == 1])
    flagged = detector.predict(X) == -1
    expected = (flagged[y == -1].mean() + (~flagged[y == 1]).mean()) / 2
    for labels in (y, (y == -1).astype(int), y == -1, pd.Series(y)):
        assert detector.score(X, labels) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "score needs labels"),
        (np.ones(120), "all labels are 1"),
        (np.full(120, -1), "both"),
        (["good"] * 120, "pos_label"),
        ([-1, 1, 1], "inconsistent"),
    ],
)
def test_score_refuses_other_labels(rows, labels, message):
    detector = small(epochs=1).fit(rows[0])
    with pytest.raises(ValueError, match=message):
        detector.score(rows[0], labels)


def test_score_without_labels_says_what_to_do(rows):
    with pytest.raises(ValueError, match="score_samples"):
        GridSearchCV(small(epochs=1), {"latent_dim": [1]}, error_score="raise").fit(rows[0])


def test_set_output_names_the_codes(rows):
    X = pd.DataFrame(rows[0], columns=list("abcd"))
    detector = small().set_output(transform="pandas").fit(X)
    codes = detector.transform(X)
    names = ["autoencoderanomalydetector0", "autoencoderanomalydetector1"]
    assert list(codes.columns) == names == list(detector.get_feature_names_out())
    assert (codes.index == X.index).all()
    assert list(small().set_output(transform="polars").fit_transform(X).columns) == names


def test_feature_union(rows):
    X = rows[0]
    union = FeatureUnion([("scaled", StandardScaler()), ("codes", small())]).fit(X)
    features = union.transform(X)
    assert features.shape == (120, 4 + 2)
    np.testing.assert_array_equal(features[:, 4:], small().fit(X).transform(X))


def test_clone_of_a_fitted_detector_is_unfitted(rows):
    detector = small().fit(rows[0])
    copied = clone(detector)
    assert not hasattr(copied, "offset_")
    np.testing.assert_array_equal(
        copied.fit(rows[0]).score_samples(rows[0]), detector.score_samples(rows[0])
    )


class WithFewParameters(AutoencoderAnomalyDetector):
    """A subclass that fixes most parameters."""

    def __init__(self, *, latent_dim=2, random_state=None):
        super().__init__(latent_dim=latent_dim, epochs=1, random_state=random_state)


def test_subclass_with_parameters_of_its_own(rows):
    detector = clone(WithFewParameters(random_state=0)).fit(rows[0])
    np.testing.assert_array_equal(
        detector.score_samples(rows[0]),
        AutoencoderAnomalyDetector(latent_dim=2, epochs=1, random_state=0)
        .fit(rows[0])
        .score_samples(rows[0]),
    )


def test_joblib_dump_and_load(rows, tmp_path):
    detector = make_pipeline(StandardScaler(), small()).fit(rows[0])
    joblib.dump(detector, tmp_path / "detector.joblib")
    loaded = joblib.load(tmp_path / "detector.joblib")
    np.testing.assert_array_equal(loaded.score_samples(rows[0]), detector.score_samples(rows[0]))


def test_processes_of_joblib_fit_and_score_alike(rows):
    X, y = rows
    search = GridSearchCV(
        NormalsOnly(small()),
        {"estimator__latent_dim": [1, 2]},
        cv=folds(),
        error_score="raise",
        n_jobs=2,
    )
    with joblib.parallel_config("loky"):
        parallel = clone(search).fit(X, y)
        detector = small().fit(X)
        halves = joblib.Parallel(n_jobs=2)(
            joblib.delayed(detector.score_samples)(half) for half in np.array_split(X, 2)
        )
    sequential = search.set_params(n_jobs=1).fit(X, y)
    for name in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(parallel.cv_results_[name], sequential.cv_results_[name])
    np.testing.assert_allclose(np.concatenate(halves), detector.score_samples(X), rtol=1e-5)
