"""Anomalies made from normal data, and the choice of a detector by them."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ae import NormalsOnly
from sklearn_ae.datasets import load_mnist_one_zero, make_anomalies
from sklearn_ae.datasets._synthetic import IMAGE_KINDS, ROW_KINDS
from sklearn_ae.metrics import synthetic_anomaly_scorer

POSITION = np.random.default_rng(0).normal(size=(200, 1))
ROWS = np.hstack([POSITION, POSITION, -POSITION]) + np.random.default_rng(1).normal(
    scale=0.05, size=(200, 3)
)


@pytest.fixture(scope="module")
def ones():
    return load_mnist_one_zero().X_test[:60]


@pytest.mark.parametrize("kind", [*IMAGE_KINDS, "mixed"])
def test_each_image_is_changed_where_the_mask_says(ones, kind):
    anomalies, masks = make_anomalies(ones, kind=kind, random_state=0)
    assert anomalies.shape == masks.shape == ones.shape
    assert anomalies.dtype == ones.dtype
    np.testing.assert_array_equal(masks, anomalies != ones)
    largest_changes = np.abs(anomalies.astype(float) - ones).max(axis=(1, 2))
    assert largest_changes.min() >= 0.05 * 255 - 0.5
    assert anomalies.min() >= ones.min()
    assert anomalies.max() <= ones.max()
    # A defect is a small part of an image.
    assert masks.mean(axis=(1, 2)).max() <= 0.35


def test_kinds_do_what_they_say():
    images = np.random.default_rng(0).integers(0, 100, size=(30, 20, 24)).astype(np.float32)
    missing, masks = make_anomalies(images, kind="missing", random_state=0)
    for image, changed, mask in zip(images, missing, masks, strict=True):
        assert set(changed[mask]) == {np.median(image)}
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        assert mask.sum() > 0.8 * box  # a rectangle, but for pixels that had the median already
    pasted, masks = make_anomalies(images, kind="cut_paste", random_state=0)
    for image, changed, mask in zip(images, pasted, masks, strict=True):
        assert set(changed[mask]) <= set(image.ravel())
    brighter, masks = make_anomalies(images, kind="brightness", random_state=0)
    for image, changed, mask in zip(images, brighter, masks, strict=True):
        steps = (changed - image)[mask]
        assert (steps > 0).all() or (steps < 0).all()
    _, masks = make_anomalies(images, kind="scar", random_state=0)
    assert masks.mean() < 0.05
    blobs, masks = make_anomalies(np.zeros_like(images) + np.eye(20, 24, dtype="f4"), kind="blob")
    assert len(np.unique(blobs[masks])) > 100  # blurred


def test_images_with_channels_and_folded_rows():
    images = np.random.default_rng(0).random(size=(10, 12, 9, 3), dtype=np.float32)
    anomalies, masks = make_anomalies(images, random_state=0)
    assert anomalies.shape == images.shape
    assert masks.shape == (10, 12, 9)
    np.testing.assert_array_equal(masks, (anomalies != images).any(axis=-1))
    rows, row_masks = make_anomalies(images.reshape(10, -1), input_shape=(12, 9, 3), random_state=0)
    np.testing.assert_array_equal(rows.reshape(images.shape), anomalies)
    np.testing.assert_array_equal(row_masks, masks)
    gray, gray_masks = make_anomalies(
        images[..., 0].reshape(10, -1), input_shape=(12, 9), random_state=0
    )
    assert gray.shape == gray_masks.shape == (10, 108)


def test_permuted_rows_keep_each_feature_plausible_and_break_dependence():
    anomalies, masks = make_anomalies(ROWS, kind="permuted", random_state=0)
    assert masks.any(axis=1).all()
    for feature in range(3):
        assert set(anomalies[:, feature]) <= set(ROWS[:, feature])
    spread = np.abs(anomalies[:, 0] - anomalies[:, 1]) + np.abs(anomalies[:, 0] + anomalies[:, 2])
    assert np.median(spread) > 0.5


def test_stretched_rows_leave_the_range_in_the_masked_features():
    anomalies, masks = make_anomalies(ROWS, kind="stretched", random_state=0)
    distances = np.abs(ROWS - ROWS.mean(axis=0))
    stretched = np.abs(anomalies - ROWS.mean(axis=0))
    assert (stretched[masks] >= 2 * distances[masks] - 1e-9).all()
    assert (stretched[masks] >= ROWS.std(axis=0).min()).all()
    np.testing.assert_array_equal(anomalies[~masks], ROWS[~masks])


def test_integers_stay_integers_within_their_type():
    rows = np.random.default_rng(0).integers(0, 256, size=(50, 4), dtype=np.uint8)
    anomalies, masks = make_anomalies(rows, random_state=0)
    assert anomalies.dtype == np.uint8
    assert masks.any(axis=1).all()


def test_constant_features_are_left_alone():
    X = np.hstack([ROWS, np.ones((200, 1))])
    anomalies, masks = make_anomalies(X, random_state=0)
    assert not masks[:, 3].any()
    assert (anomalies[:, 3] == 1).all()


def test_seed_and_input_are_respected(ones):
    before = ones.copy()
    one, other, different = (
        make_anomalies(ones, random_state=seed)[0] for seed in (0, np.random.RandomState(0), 1)
    )
    np.testing.assert_array_equal(one, other)
    assert (one != different).any()
    np.testing.assert_array_equal(ones, before)


@pytest.mark.parametrize(
    ("X", "parameters", "message"),
    [
        (ROWS, {"kind": "scar"}, "kind must be 'mixed' or one of 'permuted', 'stretched'"),
        (np.eye(9)[None].repeat(2, 0), {"kind": "permuted"}, "one of 'cut_paste'"),
        (np.ones((5, 3)), {}, "X must vary"),
        (np.ones((5, 9, 9)), {}, "X must vary"),
        (np.stack([np.eye(9), np.ones((9, 9))]), {"kind": "cut_paste"}, "Sample 1 could not"),
        (ROWS, {"input_shape": (2, 2)}, "input_shape must be"),
        (ROWS * np.nan, {}, "NaN"),
        (ROWS[:1], {}, "minimum of 2"),
    ],
)
def test_bad_input_is_refused(X, parameters, message):
    with pytest.raises(ValueError, match=message):
        make_anomalies(X, **parameters)


# The scorer


def test_score_is_that_of_normals_against_anomalies_made_from_them():
    detector = IsolationForest(n_estimators=20, random_state=0).fit(ROWS)
    anomalies, _ = make_anomalies(ROWS, kind="stretched", random_state=3)
    labels = np.repeat([0, 1], 200)
    scores = -detector.score_samples(np.vstack([ROWS, anomalies]))
    for metric, function in [
        ("roc_auc", roc_auc_score),
        ("average_precision", average_precision_score),
    ]:
        scorer = synthetic_anomaly_scorer("stretched", metric, random_state=3)
        assert scorer(detector, ROWS) == pytest.approx(function(labels, scores))
        assert scorer(detector, ROWS, np.ones(200) > 2) == scorer(detector, ROWS)


def test_rows_are_folded_into_images_for_the_scorer(ones):
    rows = ones.reshape(len(ones), -1)
    detector = IsolationForest(n_estimators=20, random_state=0).fit(rows)
    anomalies, _ = make_anomalies(rows, kind="scar", input_shape=(28, 28), random_state=0)
    scores = -detector.score_samples(np.vstack([rows, anomalies]))
    value = synthetic_anomaly_scorer("scar", input_shape=(28, 28))(detector, rows)
    assert value == pytest.approx(roc_auc_score(np.repeat([0, 1], len(rows)), scores))


def test_labeled_anomalies_are_left_out():
    detector = IsolationForest(n_estimators=20, random_state=0).fit(ROWS)
    scorer = synthetic_anomaly_scorer()
    X, y = np.vstack([ROWS, ROWS + 50]), np.repeat(["good", "defect"], 200)
    labeled = NormalsOnly(detector, pos_label="defect").fit(X, y)
    assert scorer(labeled, X, y) == scorer(labeled, ROWS)


def test_search_without_labels_prefers_what_sees_dependence():
    """Permuted features are plausible one by one; only some detectors see them together."""
    search = GridSearchCV(
        make_pipeline(StandardScaler(), EllipticEnvelope(random_state=0)),
        {
            "ellipticenvelope": [
                EllipticEnvelope(random_state=0),
                IsolationForest(n_estimators=20, max_samples=8, random_state=0),
            ]
        },
        scoring=synthetic_anomaly_scorer("permuted"),
        cv=2,
        error_score="raise",
    ).fit(ROWS)
    assert isinstance(search.best_params_["ellipticenvelope"], EllipticEnvelope)
    assert search.best_score_ > 0.9


@pytest.mark.parametrize("make_frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_data_frames_keep_their_names(make_frame):
    frame = make_frame({name: column for name, column in zip("abc", ROWS.T, strict=True)})
    detector = LocalOutlierFactor(novelty=True).fit(frame)
    expected = synthetic_anomaly_scorer()(LocalOutlierFactor(novelty=True).fit(ROWS), ROWS)
    assert synthetic_anomaly_scorer()(detector, frame) == pytest.approx(expected)


def test_scorer_prints_and_pickles():
    scorer = synthetic_anomaly_scorer("scar", "roc_auc", max_fpr=0.1, input_shape=(9, 9))
    assert repr(scorer) == (
        "synthetic_anomaly_scorer('scar', 'roc_auc', input_shape=(9, 9), random_state=0, "
        "max_fpr=0.1)"
    )
    assert repr(pickle.loads(pickle.dumps(scorer))) == repr(scorer)
    assert "'roc_auc', pos_label='crack', r" in repr(synthetic_anomaly_scorer(pos_label="crack"))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"kind": "scratch"}, ValueError, "kind must be one of"),
        ({"metric": "accuracy"}, ValueError, "name must be a metric"),
        ({"metric": ["roc_auc"]}, ValueError, "name must be a metric"),
        ({"random_state": None}, TypeError, "random_state must be an int"),
        ({"k": 3}, TypeError, "takes max_fpr"),
    ],
)
def test_bad_arguments_are_refused_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        synthetic_anomaly_scorer(**arguments)


def of_two_values(kind, highest, dtype):
    shape = (60, 12, 12) if kind in IMAGE_KINDS else (60, 6)
    return (highest * np.random.default_rng(0).integers(0, 2, size=shape)).astype(dtype)


# Rounding undoes a step of brightness, and a value at the end of its type cannot be stretched.
IMPOSSIBLE = [
    ("brightness", 1, np.uint8),
    ("brightness", 1, np.int64),
    ("brightness", 1, bool),
    ("stretched", 255, np.uint8),
    ("stretched", 1, np.uint8),
    ("stretched", 1, bool),
]
TWO_VALUES = [
    (kind, highest, dtype)
    for kind in [*IMAGE_KINDS, *ROW_KINDS]
    for highest, dtype in [
        (1, np.uint8),
        (255, np.uint8),
        (1, np.int64),
        (1, np.float32),
        (1, bool),
    ]
    if (kind, highest, dtype) not in IMPOSSIBLE
]


@pytest.mark.parametrize(("kind", "highest", "dtype"), TWO_VALUES)
def test_every_sample_differs_in_its_own_type(kind, highest, dtype):
    X = of_two_values(kind, highest, dtype)
    anomalies, masks = make_anomalies(X, kind=kind, random_state=0)
    assert anomalies.dtype == dtype
    assert (anomalies != X).reshape(len(X), -1).any(axis=1).all()
    assert masks.reshape(len(X), -1).any(axis=1).all()


@pytest.mark.parametrize(("kind", "highest", "dtype"), IMPOSSIBLE)
def test_change_that_its_type_cannot_hold_is_refused(kind, highest, dtype):
    with pytest.raises(ValueError, match="its type has no values for the change"):
        make_anomalies(of_two_values(kind, highest, dtype), kind=kind, random_state=0)
