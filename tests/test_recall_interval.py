"""metrics.recall_interval: few labeled anomalies, reported as such."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, binom

from sklearn_ae.metrics import recall_interval


def labels_and_predictions(n_found, n_anomalies, n_normals=20, n_false_alarms=3):
    y = np.repeat([-1, 1], [n_anomalies, n_normals])
    flagged = np.concatenate(
        [np.arange(n_anomalies) < n_found, np.arange(n_normals) < n_false_alarms]
    )
    return y, np.where(flagged, -1, 1)


def test_37_of_40():
    result = recall_interval(*labels_and_predictions(37, 40))
    assert repr(result) == str(result) == "37 of 40 found: 0.925 [0.796, 0.984]"
    assert result.recall == 37 / 40
    assert (result.n_found, result.n_anomalies) == (37, 40)
    assert tuple(result) == (result.recall, result.low, result.high, 37, 40)
    assert {type(value) for value in result} == {float, int}


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
@pytest.mark.parametrize(("n_found", "n"), [(0, 7), (3, 7), (7, 7), (1, 1), (0, 1), (50, 90)])
def test_ends_are_clopper_and_pearsons(n_found, n, confidence):
    result = recall_interval(*labels_and_predictions(n_found, n), confidence=confidence)
    tail = (1 - confidence) / 2
    low = beta.ppf(tail, n_found, n - n_found + 1) if n_found else 0
    high = beta.ppf(1 - tail, n_found + 1, n - n_found) if n_found < n else 1
    assert result[1:3] == pytest.approx((low, high))


def test_interval_holds_the_recall_as_often_as_it_says():
    n = 12
    intervals = [recall_interval(*labels_and_predictions(k, n), confidence=0.9) for k in range(13)]
    for recall in np.linspace(0, 1, 41):
        holds = [interval.low <= recall <= interval.high for interval in intervals]
        assert binom.pmf(np.arange(13), n, recall) @ holds >= 0.9


def test_conventions_of_labels_and_predictions():
    y, predictions = labels_and_predictions(3, 8)
    expected = recall_interval(y, predictions)
    assert recall_interval((y == -1).astype(int), predictions) == expected
    assert recall_interval(y == -1, predictions == -1) == expected
    # Booleans of pandas, and those among objects, are no numbers of which 1 is normal.
    for dtype in ("boolean", object):
        assert recall_interval(y, pd.Series(predictions == -1, dtype=dtype)) == expected
        all_flagged = pd.Series([True, True], dtype=dtype)
        assert recall_interval([-1, -1], all_flagged).recall == 1
    assert recall_interval(y, predictions[:, np.newaxis]) == expected
    names = np.where(y == -1, "bad", "good")
    assert recall_interval(names, predictions.tolist(), pos_label="bad") == expected
    # Normal samples are not needed, and finding nothing is a result.
    assert recall_interval([-1, -1], [1, 1]).recall == 0


@pytest.mark.parametrize(
    ("y", "predictions", "keywords", "message"),
    [
        ([1, 1, -1], [1, 1], {}, "inconsistent numbers of samples"),
        ([0, 0], [1, -1], {}, "Received: 0 anomalies among 2 labels"),
        ([1, 1], [1, -1], {}, "y is ambiguous"),
        (["good", "bad"], [1, -1], {}, "pos_label"),
        (None, [1, -1], {}, "y must be labels"),
        ([1, -1], [0, 1], {}, r"predictions must be -1 .* predictions 0, 1"),
        ([1, -1], [0.3, -1], {}, "predictions must be -1"),
        ([1, -1], [np.nan, -1], {}, "predictions must be -1"),
        ([1, -1], pd.Series([True, None], dtype="boolean"), {}, "predictions True, <NA>"),
        ([1, -1], ["good", "bad"], {}, "predictions 'good', 'bad'"),
        ([1, -1], None, {}, r"predictions must have one dimension.* of shape \(\)"),
        ([1, -1], [[1, 1], [1, -1]], {}, r"predictions must have one dimension.*\(2, 2\)"),
        ([1, -1], [1, -1], {"confidence": 1}, r"confidence must be a number in \(0, 1\)"),
        ([1, -1], [1, -1], {"confidence": 95}, "confidence=95"),
        ([1, -1], [1, -1], {"confidence": None}, "confidence=None"),
    ],
)
def test_refuses(y, predictions, keywords, message):
    with pytest.raises(ValueError, match=message):
        recall_interval(y, predictions, **keywords)
