"""NormalsOnly and FixedThresholdDetector, around any outlier detector."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, OutlierMixin, clone, is_outlier_detector
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_ae import FixedThresholdDetector, NormalsOnly

SHUFFLED = StratifiedKFold(n_splits=2, shuffle=True, random_state=0)


class Recorder(OutlierMixin, BaseEstimator):
    """Detector of large values that keeps what it was fitted to."""

    def __init__(self, fails=False, dtype=float):
        self.fails = fails
        self.dtype = dtype

    def fit(self, X, y=None):
        if self.fails:
            raise RuntimeError("no fit")
        self.X_, self.y_ = X, y
        return self

    def score_samples(self, X):
        return -np.asarray(X, dtype=self.dtype)[:, 0]

    def predict(self, X):
        return np.where(self.score_samples(X) < -5, -1, 1)


class Coder(Recorder):
    """Detector with codes, as an autoencoder has them."""

    def transform(self, X):
        return np.asarray(X) + 1

    def inverse_transform(self, X):
        return np.asarray(X) - 1

    def get_feature_names_out(self, input_features=None):
        return np.array(["code"])


class Nothing(BaseEstimator):
    """No detector."""

    def fit(self, X, y=None):
        return self


def forest():
    return IsolationForest(n_estimators=5, random_state=0)


@pytest.fixture
def labeled_rows():
    X = np.random.default_rng(0).normal(size=(60, 2))
    X[::6] += 10
    return X, np.where(np.arange(60) % 6 == 0, -1, 1)


CHECKED = [
    # These checks label samples with any two or three of 0, 1, 2 and 3: pos_label must name one.
    NormalsOnly(forest(), pos_label=1),
    FixedThresholdDetector(forest(), threshold=0.5, pos_label=1),
]
# scikit-learn 1.6 scores labels 1 and 2, of which nobody can tell what they mean.
if not sklearn.__version__.startswith("1.6."):
    CHECKED.append(FixedThresholdDetector(forest(), threshold=0.5))


@parametrize_with_checks(CHECKED)
def test_check_estimator(estimator, check):
    check(estimator)


# NormalsOnly


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        lambda X: X.tolist(),
        lambda X: X.reshape(4, 2, 1, 1),
        lambda X: pd.DataFrame(X, columns=["a", "b"], index=[3, 3, 0, 1]),
        lambda X: pl.DataFrame(X, schema=["a", "b"]),
        sp.csr_matrix,
        sp.coo_array,
    ],
)
def test_labeled_anomalies_are_dropped(convert):
    X = np.arange(8.0).reshape(4, 2)
    detector = NormalsOnly(Recorder(), pos_label="bad").fit(convert(X), ["ok", "bad", "ok", "dust"])
    kept, expected = detector.estimator_.X_, convert(X)
    # The same kind of container, less one row.
    assert type(kept) is type(expected) or sp.issparse(kept)
    kept = kept.toarray() if sp.issparse(kept) else np.asarray(kept)
    assert_array_equal(kept.reshape(3, 2), X[[0, 2, 3]])
    # One class would be left of y.
    assert detector.estimator_.y_ is None


def test_memory_map_is_not_copied_if_nothing_is_dropped(tmp_path):
    X = np.memmap(tmp_path / "X", dtype=np.uint8, mode="w+", shape=(4, 3, 3))
    assert NormalsOnly(Recorder()).fit(X, [0, 0, 0, 0]).estimator_.X_ is X
    assert NormalsOnly(Recorder()).fit(X).estimator_.X_ is X


@pytest.mark.parametrize(
    ("y", "keywords", "message"),
    [
        ([1, -1], {}, "inconsistent numbers of samples"),
        ([1, -1, -1], {}, r"two samples as normal.*pos_label.*Received: 1 normal among 3 samples"),
        ([-1, -1, -1], {}, "Received: 0 normal among 3 samples"),
        ([1, 1, 1], {}, "ambiguous"),
        (["ok", "ok", "bad"], {}, "pos_label"),
        ([0, 0, 1], {"pos_label": "1"}, "pos_label must be of the type"),
        ([0, 0, 1], {"pos_label": [1]}, "'pos_label' parameter of NormalsOnly must be"),
    ],
)
def test_normals_only_refuses_labels_before_any_fit(y, keywords, message):
    detector = NormalsOnly(Recorder(fails=True), **keywords)
    with pytest.raises(ValueError, match=message):
        detector.fit([[0.0], [1.0], [2.0]], y)


@pytest.mark.parametrize("wrapper", [NormalsOnly, FixedThresholdDetector])
def test_refuses_an_estimator_that_is_no_detector(wrapper):
    keywords = {"threshold": 1.0} if wrapper is FixedThresholdDetector else {}
    with pytest.raises(ValueError, match=f"'estimator' parameter of {wrapper.__name__} must be"):
        wrapper(Nothing(), **keywords).fit([[0.0], [1.0]])


@pytest.mark.parametrize("wrap", [NormalsOnly, lambda e: FixedThresholdDetector(e, threshold=5)])
def test_failed_fit_leaves_the_estimator_as_it_was(wrap):
    detector = wrap(Recorder()).fit([[0.0], [1.0]])
    fitted = detector.estimator_
    detector.set_params(estimator__fails=True)
    with pytest.raises(RuntimeError, match="no fit"):
        detector.fit([[0.0], [9.0]])
    assert detector.estimator_ is fitted
    assert_array_equal(detector.predict([[0.0], [9.0]]), [1, -1])


@pytest.mark.parametrize("wrap", [NormalsOnly, lambda e: FixedThresholdDetector(e, threshold=5)])
def test_estimator_given_is_not_fitted(wrap):
    inner = Recorder()
    detector = wrap(inner).fit([[0.0], [1.0]])
    assert not hasattr(inner, "X_")
    assert clone(detector).get_params()["estimator__dtype"] is float
    assert not hasattr(clone(detector), "estimator_")
    with pytest.raises(NotFittedError):
        wrap(inner).predict([[0.0]])


def test_normals_only_gives_what_the_wrapped_detector_gives(labeled_rows):
    X, y = labeled_rows
    detector = NormalsOnly(forest()).fit(X, y)
    expected = forest().fit(X[y == 1])
    assert_array_equal(detector.predict(X), expected.predict(X))
    assert_array_equal(detector.score_samples(X), expected.score_samples(X))
    assert_array_equal(detector.decision_function(X), expected.decision_function(X))
    assert detector.offset_ == expected.offset_
    assert detector.n_features_in_ == 2
    assert not hasattr(detector, "feature_names_in_")
    again = pickle.loads(pickle.dumps(detector))
    assert_array_equal(again.score_samples(X), expected.score_samples(X))


@pytest.mark.parametrize("wrap", [NormalsOnly, lambda e: FixedThresholdDetector(e, threshold=0.5)])
def test_feature_names_are_those_of_the_wrapped_estimator(wrap, labeled_rows):
    X = pd.DataFrame(labeled_rows[0], columns=["a", "b"])
    detector = wrap(make_pipeline(StandardScaler(), forest()))
    assert not hasattr(detector, "n_features_in_")
    detector.fit(X)
    assert detector.n_features_in_ == 2
    assert_array_equal(detector.feature_names_in_, ["a", "b"])


def test_methods_are_there_if_the_wrapped_estimator_has_them():
    X = [[0.0], [1.0]]
    coder = NormalsOnly(Coder()).fit(X)
    assert_array_equal(coder.transform(X), [[1.0], [2.0]])
    assert_array_equal(coder.inverse_transform(coder.transform(X)), X)
    assert_array_equal(coder.get_feature_names_out(), ["code"])
    recorder = NormalsOnly(Recorder()).fit(X)
    for name in ["transform", "inverse_transform", "get_feature_names_out", "set_output"]:
        assert not hasattr(recorder, name)
    assert not hasattr(recorder, "decision_function")
    assert not hasattr(recorder, "offset_")


def test_set_output_reaches_the_wrapped_estimator(labeled_rows):
    class Projection(OutlierMixin, PCA):
        def predict(self, X):
            return np.ones(len(X), dtype=int)

    X, y = labeled_rows
    before_fit = NormalsOnly(Projection(1)).set_output(transform="pandas").fit(X, y)
    after_fit = NormalsOnly(Projection(1)).fit(X, y).set_output(transform="pandas")
    in_pipeline = make_pipeline(StandardScaler(), NormalsOnly(Projection(1)))
    in_pipeline.set_output(transform="pandas").fit(X, y)
    for estimator in [before_fit, clone(before_fit).fit(X, y), after_fit, in_pipeline]:
        assert isinstance(estimator.transform(X), pd.DataFrame)
        assert isinstance(estimator.fit(X, y).transform(X), pd.DataFrame)


def test_normals_only_scores_under_its_pos_label():
    X = [[0.0], [1.0], [9.0], [3.0]]
    y = ["ok", "ok", "bad", "bad"]
    detector = NormalsOnly(Recorder(), pos_label="bad").fit(X, y)
    assert detector.score(X, y) == pytest.approx((1 + 1 / 2) / 2)
    detector.set_params(pos_label="ok")
    assert detector.score(X, y) == pytest.approx((0 + 1 / 2) / 2)


@pytest.mark.parametrize("wrap", [NormalsOnly, lambda e: FixedThresholdDetector(e, threshold=5)])
def test_score_without_labels_says_what_to_use(wrap):
    detector = wrap(Recorder()).fit([[0.0], [1.0]])
    with pytest.raises(ValueError, match=r"score needs labels.*score_samples"):
        detector.score([[0.0], [1.0]])


def test_fit_predict_uses_the_labels(labeled_rows):
    X, y = labeled_rows
    predictions = NormalsOnly(forest()).fit_predict(X, y)
    assert_array_equal(predictions, forest().fit(X[y == 1]).predict(X))
    # The outer wrapper hands them on.
    around = FixedThresholdDetector(NormalsOnly(Recorder()), threshold=5)
    assert_array_equal(around.fit_predict(X, y), np.where(X[:, 0] > 5, -1, 1))
    assert_array_equal(around.estimator_.estimator_.X_, X[y == 1])


@pytest.mark.parametrize("labels", [(1, -1), (0, 1), (False, True)])
def test_grid_search_chooses_by_labels_and_never_trains_on_anomalies(labeled_rows, labels):
    X, y = labeled_rows
    normal, anomaly = labels
    y = np.where(y == 1, normal, anomaly)
    search = GridSearchCV(
        NormalsOnly(make_pipeline(StandardScaler(), forest())),
        {"estimator__isolationforest__contamination": [0.001, 0.4]},
        cv=SHUFFLED,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_ == {"estimator__isolationforest__contamination": 0.001}
    assert search.best_score_ > 0.9
    # The refit, too: the scaler saw normal samples only.
    scaler = search.best_estimator_.estimator_[0]
    np.testing.assert_allclose(scaler.mean_, X[y == normal].mean(axis=0))


def test_grid_search_under_metadata_routing(labeled_rows):
    X, y = labeled_rows
    with sklearn.config_context(enable_metadata_routing=True):
        scores = cross_val_score(NormalsOnly(forest()), X, y, cv=SHUFFLED, error_score="raise")
    assert np.all(scores > 0.5)


def test_frozen_detector_stays_as_it_is(labeled_rows):
    X, y = labeled_rows
    fitted = forest().fit(X)
    detector = NormalsOnly(FrozenEstimator(fitted)).fit(X, y)
    assert_array_equal(detector.score_samples(X), fitted.score_samples(X))


def test_tags_are_those_of_the_wrapped_estimator():
    for wrap in [NormalsOnly, lambda e: FixedThresholdDetector(e, threshold=5)]:
        assert is_outlier_detector(wrap(Recorder()))
        assert get_tags(wrap(forest())).input_tags.sparse
        assert not get_tags(wrap(Recorder())).input_tags.sparse
        assert get_tags(wrap(OneClassSVM(kernel="precomputed"))).input_tags.pairwise


# FixedThresholdDetector


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("threshold", [0.1, 1 / 3, 1e-310, -2.5, 1e300, 3, np.float32(0.1)])
def test_only_scores_above_the_threshold_are_anomalies(threshold, dtype):
    score = dtype(threshold) if abs(threshold) < 1e30 else np.float64(threshold)
    around = [np.nextafter(score, -np.inf), score, np.nextafter(score, np.inf)]
    X = np.array(around)[:, np.newaxis]
    detector = FixedThresholdDetector(Recorder(dtype=X.dtype), threshold=threshold).fit(X)
    expected = np.array([float(value) > float(threshold) for value in around])
    assert_array_equal(detector.predict(X), np.where(expected, -1, 1))
    assert_array_equal(detector.decision_function(X) < 0, expected)


def test_decision_function_is_scores_minus_offset(labeled_rows):
    X, _ = labeled_rows
    detector = FixedThresholdDetector(forest(), threshold=0.45).fit(X)
    scores = forest().fit(X).score_samples(X)
    assert_array_equal(detector.score_samples(X), scores)
    assert detector.offset_ == -0.45
    assert_array_equal(detector.decision_function(X), scores - detector.offset_)
    assert set(detector.predict(X)) == {-1, 1}


@pytest.mark.parametrize("wrap", [FrozenEstimator, lambda fitted: fitted])
def test_fitted_detector_needs_no_fit(labeled_rows, wrap):
    X, y = labeled_rows
    fitted = LocalOutlierFactor(n_neighbors=5, novelty=True).fit(X[y == 1])
    detector = FixedThresholdDetector(wrap(fitted), threshold=3)
    assert_array_equal(detector.predict(X), y)
    assert detector.score(X, y) == 1
    assert (detector.offset_, detector.n_features_in_) == (-3, 2)


def test_unfitted_detector_needs_a_fit():
    detector = FixedThresholdDetector(FrozenEstimator(forest()), threshold=0.5)
    for call in [detector.predict, detector.score_samples, detector.decision_function]:
        with pytest.raises(NotFittedError):
            call([[0.0]])
    assert not hasattr(detector, "offset_")
    with pytest.raises(NotFittedError):
        detector.fit([[0.0], [1.0]])


@pytest.mark.parametrize("pos_label", [None, "bad"])
def test_grid_search_over_the_threshold_of_a_frozen_detector(labeled_rows, pos_label):
    X, y = labeled_rows
    if pos_label is not None:
        y = np.where(y == 1, "ok", "bad")
    fitted = Recorder().fit(X)
    search = GridSearchCV(
        FixedThresholdDetector(FrozenEstimator(fitted), threshold=0, pos_label=pos_label),
        {"threshold": [0, 5, 20]},
        cv=SHUFFLED,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_ == {"threshold": 5}
    assert search.best_score_ == 1
    # Never fitted again: it still holds the rows that it was fitted to.
    assert search.best_estimator_.estimator_.X_ is X


@pytest.mark.parametrize("threshold", [np.nan, np.inf, "auto", None])
def test_refuses_a_threshold_that_is_no_finite_number(labeled_rows, threshold):
    X, _ = labeled_rows
    message = "'threshold' parameter of FixedThresholdDetector must be a float"
    with pytest.raises(ValueError, match=message):
        FixedThresholdDetector(forest(), threshold=threshold).fit(X)
    frozen = FrozenEstimator(forest().fit(X))
    with pytest.raises(ValueError, match=message):
        FixedThresholdDetector(frozen, threshold=threshold).predict(X)


def test_fixed_threshold_detector_in_a_pipeline(labeled_rows):
    X, y = labeled_rows
    pipeline = make_pipeline(
        StandardScaler(), FixedThresholdDetector(NormalsOnly(forest()), threshold=0.6)
    )
    pipeline.fit(X, y).set_params(fixedthresholddetector__threshold=0.0)
    assert_array_equal(pipeline.predict(X), np.full(len(X), -1))
    restored = pickle.loads(pickle.dumps(pipeline))
    assert_array_equal(restored.decision_function(X), pipeline.decision_function(X))
    assert "threshold=0.0" in repr(pipeline)
