"""Labels and thresholds that a fit would ignore, or that flag everything, are warned of."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tiny_networks import tiny

from sklearn_ae import (
    AutoencoderAnomalyDetector,
    ConformalDetector,
    FixedThresholdDetector,
    NormalsOnly,
    TunedThresholdDetectorCV,
)
from sklearn_ae.scores import AbsoluteError, CombinedScore, SquaredError

ROWS = np.random.default_rng(0).normal(size=(60, 4))
LABELS = np.repeat([-1, 1], [12, 48])
LEARNED = "y labels 12 of 60 samples as anomalies.*NormalsOnly"
FIXED = FixedThresholdDetector


# Labeled anomalies


@pytest.mark.parametrize(
    "y",
    [
        LABELS,
        LABELS.tolist(),
        LABELS.astype(float),
        (LABELS == -1).astype(int),
        LABELS == -1,
        pd.Series(LABELS == -1),
        LABELS[:, np.newaxis],
    ],
)
@pytest.mark.parametrize(
    "detector", [tiny(), make_pipeline(StandardScaler(), tiny()), FIXED(tiny(), threshold=1.0)]
)
def test_labeled_anomalies_that_are_learned_are_warned_of(trainings, detector, y):
    with (
        pytest.warns(UserWarning, match=LEARNED),
        pytest.raises(RuntimeError, match="a training began"),
    ):
        detector.fit(ROWS, y)


def test_conformal_detector_warns_too():
    with pytest.warns(UserWarning, match=LEARNED) as caught:
        ConformalDetector(tiny(), false_alarm_rate=0.2, random_state=0).fit(ROWS, LABELS)
    assert sum("NormalsOnly" in str(warning.message) for warning in caught) == 1


@pytest.mark.parametrize(
    "y",
    [
        None,
        np.ones(60),
        np.zeros(60),
        np.arange(60) % 3,
        np.arange(60.0),
        np.repeat(["defect", "good"], 30),
        np.repeat([np.nan, 1.0], 30),
        [None] * 60,
        np.random.default_rng(0).normal(size=(60, 2)),
        "ignored",
    ],
)
def test_other_labels_are_ignored_without_a_word(trainings, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeError, match="a training began"):
            tiny().fit(ROWS, y)


@pytest.mark.parametrize(
    "detector",
    [
        NormalsOnly(tiny()),
        NormalsOnly(FIXED(tiny(), threshold=1.0)),
        NormalsOnly(ConformalDetector(tiny(), false_alarm_rate=0.2, random_state=0)),
        FIXED(NormalsOnly(tiny()), threshold=1.0),
        TunedThresholdDetectorCV(tiny(), cv=2, random_state=0),
    ],
)
def test_no_warning_where_anomalies_are_dropped(detector):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "y labels")
        detector.fit(ROWS, LABELS)


# Negative thresholds


NEGATIVE = "threshold should be at least 0.*offset_.*Received: threshold=-3"


@pytest.mark.parametrize("score", ["squared_error", SquaredError(), "neighbor_distance"])
def test_negative_threshold_of_an_error_warns_before_the_training(trainings, score):
    detector = tiny(threshold=-3, anomaly_score=score)
    with (
        pytest.warns(UserWarning, match=NEGATIVE),
        pytest.raises(RuntimeError, match="a training began"),
    ):
        detector.fit(ROWS)


class Custom(AbsoluteError):
    """A subclass may compute anything."""


@pytest.mark.parametrize(
    ("threshold", "score"),
    [
        (-3, "auto"),
        (-3, CombinedScore([("a", AbsoluteError()), ("b", SquaredError())])),
        (-3, Custom()),
        (0, "squared_error"),
        (None, "squared_error"),
    ],
)
def test_thresholds_that_may_be_right_do_not_warn(trainings, threshold, score):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeError, match="a training began"):
            tiny(threshold=threshold, anomaly_score=score).fit(ROWS)


def test_negative_fixed_threshold_warns():
    detector = tiny().fit(ROWS)
    with pytest.warns(UserWarning, match=NEGATIVE):
        predictions = FIXED(FrozenEstimator(detector), threshold=-3).predict(ROWS)
    assert set(predictions) == {-1}
    combined = tiny(anomaly_score="auto").fit(ROWS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FIXED(FrozenEstimator(detector), threshold=3).predict(ROWS)
        FIXED(FrozenEstimator(combined), threshold=-3).predict(ROWS)


# Parameters that are set after a fit


def test_parameters_set_after_a_fit_wait_for_the_next():
    detector = tiny().fit(ROWS)
    before = detector.predict(ROWS)
    detector.set_params(threshold=0.5, false_alarm_rate=0.5)
    np.testing.assert_array_equal(detector.predict(ROWS), before)
    fixed = FIXED(FrozenEstimator(detector), threshold=0.5).predict(ROWS)
    np.testing.assert_array_equal(fixed == -1, -detector.score_samples(ROWS) > 0.5)
    # Where people look for it.
    assert "FixedThresholdDetector(FrozenEstimator(detector)" in AutoencoderAnomalyDetector.__doc__
