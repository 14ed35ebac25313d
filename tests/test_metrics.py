"""Label conventions, and balanced accuracy under them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sklearn_ae.metrics import is_anomaly
from sklearn_ae.metrics._labels import balanced_accuracy


def check(y, expected, **keywords):
    anomalies = is_anomaly(y, **keywords)
    assert isinstance(anomalies, np.ndarray)
    assert anomalies.dtype == bool
    np.testing.assert_array_equal(anomalies, np.array(expected, dtype=bool))


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([1, -1, 1], [0, 1, 0]),
        ([-1, -1], [1, 1]),
        ([0, 1, 0], [0, 1, 0]),
        ([0, 0], [0, 0]),
        ([True, False], [1, 0]),
        ([True, True], [1, 1]),
        ([], []),
    ],
)
def test_conventions(y, expected):
    check(y, expected)


@pytest.mark.parametrize(
    "convert",
    [
        np.array,
        tuple,
        lambda y: np.array(y, dtype=float),
        lambda y: np.array(y, dtype=np.int8),
        lambda y: np.array(y, dtype=object),
        lambda y: np.array(y)[:, np.newaxis],
        lambda y: [[label] for label in y],
        lambda y: pd.Series(y, index=[7, 7, 2]),
        lambda y: pd.Series(y, dtype="Int64"),
        lambda y: pd.DataFrame({"label": y}),
        lambda y: pd.Series(y).astype("category"),
        pl.Series,
    ],
)
def test_containers_of_numbers(convert):
    check(convert([1, -1, 1]), [0, 1, 0])
    check(convert([0, 1, 0]), [0, 1, 0])


@pytest.mark.parametrize(
    "convert",
    [
        np.array,
        lambda y: np.array(y, dtype=object),
        pd.Series,
        lambda y: pd.Series(y, dtype="boolean"),
        pl.Series,
    ],
)
def test_containers_of_booleans(convert):
    check(convert([True, False]), [1, 0])


@pytest.mark.parametrize(
    "convert",
    [
        list,
        np.array,
        lambda y: np.array(y, dtype=object),
        pd.Series,
        lambda y: pd.Series(y, dtype="string"),
        lambda y: pd.Series(y).astype("category"),
        pl.Series,
    ],
)
def test_containers_of_strings(convert):
    y = convert(["good", "crack", "dent"])
    check(y, [0, 1, 0], pos_label="crack")
    check(y, [0, 0, 0], pos_label="scratch")
    with pytest.raises(ValueError, match=r"pos_label.*Received: labels 'good', 'crack', 'dent'"):
        is_anomaly(y)


def test_pos_label_overrules_the_conventions():
    check([1, -1], [1, 0], pos_label=1)
    check([1, 1], [1, 1], pos_label=1)
    check([1, 1], [0, 0], pos_label=-1)
    check([0, 1], [1, 0], pos_label=0)
    check([True, False], [0, 1], pos_label=False)
    check([0, 1, 2], [0, 0, 1], pos_label=2)
    check([0, 1, 2], [0, 0, 1], pos_label=2.0)
    check([], [], pos_label="crack")


def test_result_is_no_view_of_the_labels():
    y = np.array([True, False])
    is_anomaly(y)[0] = False
    assert y[0]


def test_all_ones_are_ambiguous():
    with pytest.raises(ValueError, match=r"y is ambiguous.*pos_label"):
        is_anomaly([1.0, 1.0])


@pytest.mark.parametrize(
    "y", [[-1, 0, 1], [-1, 0], [1, 2], [2], [0.5, 1], [0, np.inf], list(range(9)), ["1", "0"]]
)
def test_refuses_other_labels_without_pos_label(y):
    with pytest.raises(ValueError, match=r"name that of an anomaly with pos_label.*Received: "):
        is_anomaly(y)


@pytest.mark.parametrize(
    ("y", "pos_label"),
    [
        ([0, 1], "1"),
        ([0, 1], True),
        ([True, False], 1),
        (["0", "1"], 1),
        ([b"0", b"1"], "1"),
        (pd.Series(["a", "b"]).astype("category"), 0),
    ],
)
def test_refuses_a_pos_label_of_another_type(y, pos_label):
    with pytest.raises(ValueError, match=r"pos_label must be of the type.*Received: pos_label="):
        is_anomaly(y, pos_label=pos_label)


@pytest.mark.parametrize("pos_label", [[1], np.nan])
def test_refuses_a_pos_label_that_is_no_label(pos_label):
    with pytest.raises(ValueError, match="pos_label must be one label"):
        is_anomaly([0, 1], pos_label=pos_label)


@pytest.mark.parametrize(
    "y",
    [
        [0.0, np.nan],
        np.array([1.0, np.nan]),
        [1, None],
        ["a", None],
        ["a", np.nan],
        np.array(["a", None], dtype=object),
        pd.Series([True, None], dtype="boolean"),
        pd.Series([1, None], dtype="Int64"),
        pd.Series(["a", None], dtype="string"),
        pl.Series([True, None]),
        pl.Series(["a", None]),
        np.ma.array([0, 1], mask=[True, False]),
        np.ma.array(["a", "b"], mask=[True, False]),
    ],
)
@pytest.mark.parametrize("pos_label", [None, "a"])
def test_refuses_missing_labels(y, pos_label):
    with pytest.raises(ValueError, match=r"1 missing labels \(None or NaN\) among 2"):
        is_anomaly(y, pos_label=pos_label)


def test_masked_array_without_a_masked_label_is_an_array():
    y = np.ma.array([0, 1], mask=[False, False])
    assert type(is_anomaly(y)) is np.ndarray
    assert is_anomaly(y).tolist() == [False, True]


def test_refuses_labels_of_several_types():
    with pytest.raises(ValueError, match=r"one type.*number, string: labels 'a', 1"):
        is_anomaly(["a", 1], pos_label="1")


@pytest.mark.parametrize("y", [[[0, 1], [1, 0]], np.zeros((1, 3)), 1])
def test_refuses_what_is_no_vector(y):
    with pytest.raises(ValueError, match="1d array"):
        is_anomaly(y)


def test_refuses_no_labels():
    with pytest.raises(ValueError, match="y must be labels"):
        is_anomaly(None)


PREDICTIONS = np.array([1, 1, 1, -1, -1, 1])


@pytest.mark.parametrize(
    ("y", "pos_label"),
    [
        ([1, 1, 1, 1, -1, -1], None),
        ([0, 0, 0, 0, 1, 1], None),
        (["good", "good", "good", "good", "crack", "crack"], "crack"),
    ],
)
def testbalanced_accuracy(y, pos_label):
    # Of the normal samples three in four are right, of the anomalies one in two.
    score = balanced_accuracy(y, PREDICTIONS, pos_label=pos_label)
    assert score == pytest.approx((3 / 4 + 1 / 2) / 2)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, r"score needs labels.*score_samples.*history_.*Received: y=None"),
        ([0] * 6, r"both anomalies and normal.*StratifiedKFold.*Received: 0 anomalies among 6"),
        ([-1] * 6, "both anomalies and normal.*Received: 6 anomalies among 6"),
        ([1] * 6, "ambiguous"),
        ([0, 1], "inconsistent numbers of samples"),
    ],
)
def test_balanced_accuracy_refuses(y, message):
    with pytest.raises(ValueError, match=message):
        balanced_accuracy(y, PREDICTIONS)
