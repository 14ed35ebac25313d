"""OperatingPointDisplay draws recall and false alarms for the rates that one may ask for."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from calibrating import calibrated, frozen
from scipy.stats import beta
from sklearn.ensemble import IsolationForest

from sklearn_ae import ConformalDetector, NormalsOnly
from sklearn_ae.inspection import OperatingPointDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def labeled_rows():
    generator = np.random.default_rng(0)
    X = np.concatenate([generator.normal(size=(80, 1)), generator.normal(-3, 1, size=(20, 1))])
    return X, np.repeat([1, -1], [80, 20])


def points(bars):
    return np.transpose(bars.lines[0].get_data())


def intervals(bars):
    """Lower and upper ends of the drawn intervals."""
    (lines,) = bars.lines[2]
    return np.array([segment[:, 1] for segment in lines.get_segments()])


def drawn_counts(display):
    return [text.get_text() for text in display.counts_]


def test_shares_of_known_p_values():
    display = OperatingPointDisplay.from_predictions(
        [1, 1, 1, 1, -1, -1], [0.3, 0.9, 0.1, 0.7, 0.1, 0.2], false_alarm_rates=[0.2, 0.05, 0.1]
    )
    np.testing.assert_array_equal(display.false_alarm_rates, [0.05, 0.1, 0.2])
    # A p-value that equals the rate is flagged, as the rank of the threshold is ⌊rate (n + 1)⌋.
    expected = [(0.05, 0), (0.1, 0.25), (0.2, 0.25)]
    np.testing.assert_allclose(points(display.realised_bars_), expected)
    expected = [(0.05, 0), (0.1, 0.5), (0.2, 1)]
    np.testing.assert_allclose(points(display.recall_bars_), expected)
    assert drawn_counts(display) == ["0/2", "1/2", "2/2", "0/4", "1/4", "1/4"]
    recall_ax, realised_ax = display.axes_
    assert recall_ax.get_ylabel() == "Recall"
    assert realised_ax.get_ylabel() == "Realized"
    assert realised_ax.get_xlabel() == "False-alarm rate asked for"
    np.testing.assert_array_equal(*display.asked_line_.get_data())
    texts = [text.get_text() for text in realised_ax.get_legend().get_texts()]
    assert texts == ["asked for", "95% interval"]
    display.figure_.canvas.draw()
    ticks = [text.get_text() for text in realised_ax.get_xticklabels()]
    assert ticks == ["5%", "10%", "20%"]


@pytest.mark.parametrize("confidence", [0.95, 0.8])
def test_intervals_are_those_of_clopper_and_pearson(confidence):
    # 37 of 40 anomalies found, 3 of 200 normal samples flagged.
    p_values = np.repeat([0.01, 0.5, 0.01, 0.5], [37, 3, 3, 197])
    y = np.repeat([-1, 1], [40, 200])
    display = OperatingPointDisplay.from_predictions(
        y, p_values, false_alarm_rates=[0.02, 0.6], confidence=confidence
    )
    tail = (1 - confidence) / 2
    found = [beta.ppf(tail, 37, 4), beta.isf(tail, 38, 3)]
    alarms = [beta.ppf(tail, 3, 198), beta.isf(tail, 4, 197)]
    np.testing.assert_allclose(display.recall_intervals[0], found)
    np.testing.assert_allclose(display.realised_intervals[0], alarms)
    # All are flagged at 0.6: the interval ends at 1.
    np.testing.assert_allclose(display.recall_intervals[1], [tail ** (1 / 40), 1])
    np.testing.assert_allclose(intervals(display.recall_bars_), display.recall_intervals)
    np.testing.assert_allclose(intervals(display.realised_bars_), display.realised_intervals)
    if confidence == 0.95:
        np.testing.assert_allclose(found, [0.796, 0.984], atol=5e-4)


def test_rates_are_compared_as_fractions():
    # 0.1 + 0.2 and 3 * 0.1 exceed 0.3 in floating point, and 1 - 0.7 is less.
    p_values = [0.3, 0.1 + 0.2, 0.31, 0.9]
    for rate in (0.3, 1 - 0.7, 3 * 0.1):
        display = OperatingPointDisplay.from_predictions(
            [1, 1, 1, -1], p_values, false_alarm_rates=[rate]
        )
        assert display.realised_rates == pytest.approx([2 / 3])
    # 1 - 0.9 is less than 1 / 10, which is the smallest rate of nine calibration rows.
    display = OperatingPointDisplay.from_predictions(
        [1, -1], [0.5, 0.1], false_alarm_rates=[1 - 0.9], n_calibration=9
    )
    assert display.recalls == [1]


def test_flags_what_lies_below_the_threshold_of_each_rate(labeled_rows):
    X, y = labeled_rows
    detector = calibrated(np.random.default_rng(1).normal(size=99))
    display = OperatingPointDisplay.from_estimator(detector, X, y)
    np.testing.assert_array_equal(display.false_alarm_rates, [0.01, 0.02, 0.05, 0.1])
    for rank, alarms, found in zip(
        [1, 2, 5, 10], display.realised_rates, display.recalls, strict=True
    ):
        flagged = X[:, 0] < detector.calibration_scores_[rank - 1]
        assert alarms == np.mean(flagged[y == 1])
        assert found == np.mean(flagged[y == -1])


@pytest.mark.parametrize("n_calibration", [59, 300, 1000])
@pytest.mark.parametrize("confidence", [None, 0.95, 0.5])
def test_points_are_those_of_predict(labeled_rows, n_calibration, confidence):
    X, y = labeled_rows
    scores = np.random.default_rng(1).normal(size=n_calibration)
    rates = [0.05, 0.07, 0.2]
    display = OperatingPointDisplay.from_estimator(
        calibrated(scores, confidence=confidence), X, y, false_alarm_rates=rates
    )
    shares = zip(rates, display.realised_rates, display.recalls, strict=True)
    for rate, alarms, found in shares:
        detector = calibrated(scores, false_alarm_rate=rate, confidence=confidence)
        flagged = detector.predict(X) == -1
        assert alarms == np.mean(flagged[y == 1])
        assert found == np.mean(flagged[y == -1])


def test_confidence_makes_a_difference(labeled_rows):
    scores = np.random.default_rng(1).normal(size=59)
    careful, average = (
        OperatingPointDisplay.from_estimator(
            calibrated(scores, confidence=confidence), *labeled_rows, false_alarm_rates=[0.05]
        ).recalls[0]
        for confidence in (0.95, None)
    )
    assert careful < average


def test_own_rate_of_the_detector_is_drawn(labeled_rows):
    scores = np.random.default_rng(1).normal(size=299)
    for confidence, expected in [(None, [0.005, 0.01, 0.02, 0.03, 0.05, 0.1]), (0.95, None)]:
        detector = calibrated(scores, false_alarm_rate=0.03, confidence=confidence)
        display = OperatingPointDisplay.from_estimator(detector, *labeled_rows)
        expected = expected or [0.01, 0.02, 0.03, 0.05, 0.1]  # 299 rows are needed for 0.01
        np.testing.assert_array_equal(display.false_alarm_rates, expected)
    detector = calibrated(scores[:3], false_alarm_rate=0.3)
    display = OperatingPointDisplay.from_estimator(detector, *labeled_rows)
    np.testing.assert_array_equal(display.false_alarm_rates, [0.3])


def test_calibrated_detector_inside_of_normals_only(labeled_rows):
    X, y = labeled_rows
    detector = NormalsOnly(ConformalDetector(frozen(), confidence=0.9)).fit(X, y)
    display = OperatingPointDisplay.from_estimator(detector, X, y)
    expected = OperatingPointDisplay.from_estimator(detector.estimator_, X, y)
    np.testing.assert_array_equal(display.recalls, expected.recalls)
    np.testing.assert_array_equal(display.false_alarm_rates, [0.05, 0.1])
    assert display.recalls[0] == np.mean(detector.predict(X[y == -1]) == -1)


def test_pos_label_of_the_detector_is_used(labeled_rows):
    X, y = labeled_rows
    expected = OperatingPointDisplay.from_estimator(
        NormalsOnly(ConformalDetector(frozen())).fit(X, y), X, y
    )
    # By convention, the label 1 would be the anomaly.
    y = np.where(y == -1, 0, 1)
    detector = NormalsOnly(ConformalDetector(frozen()), pos_label=0).fit(X, y)
    display = OperatingPointDisplay.from_estimator(detector, X, y)
    np.testing.assert_array_equal(display.recalls, expected.recalls)


@pytest.mark.parametrize(
    ("n_calibration", "expected"),
    [
        (None, [0.005, 0.01, 0.02, 0.05, 0.1]),
        (199, [0.005, 0.01, 0.02, 0.05, 0.1]),
        (198, [0.01, 0.02, 0.05, 0.1]),
        (9, [0.1]),
    ],
)
def test_default_rates_are_those_that_the_calibration_allows(n_calibration, expected):
    display = OperatingPointDisplay.from_predictions(
        [1, -1], [0.5, 0.5], n_calibration=n_calibration
    )
    np.testing.assert_array_equal(display.false_alarm_rates, expected)


def test_detector_without_calibration_scores(labeled_rows):
    class Other:
        def p_values(self, X):
            return np.full(len(X), 0.5)

    display = OperatingPointDisplay.from_estimator(Other(), *labeled_rows)
    assert len(display.false_alarm_rates) == 5


def test_anomalies_are_read_under_every_convention():
    p_values = [0.3, 0.05, 0.7, 0.01, 0.2]
    expected = OperatingPointDisplay.from_predictions([0, 1, 0, 1, 0], p_values)
    for y, pos_label in [
        ([1, -1, 1, -1, 1], None),
        ([False, True, False, True, False], None),
        (["good", "crack", "dust", "crack", "good"], "crack"),
    ]:
        display = OperatingPointDisplay.from_predictions(y, p_values, pos_label=pos_label)
        np.testing.assert_array_equal(display.recalls, expected.recalls)
        np.testing.assert_array_equal(display.realised_rates, expected.realised_rates)


def test_all_points_and_intervals_are_in_the_picture(labeled_rows):
    X, y = labeled_rows
    display = OperatingPointDisplay.from_predictions(
        y, np.clip(np.abs(X[:, 0]) / 4, 0.001, 1), false_alarm_rates=[0.002, 0.05, 0.5]
    )
    for ax, ends in zip(
        display.axes_, [display.recall_intervals, display.realised_intervals], strict=True
    ):
        low, high = ax.get_ylim()
        # The lower end of an interval from 0 is nowhere on a logarithmic axis.
        assert low < np.min(ends[ends > 0])
        assert high > np.max(ends)
        assert ax.get_xlim()[0] < 0.002
        assert ax.get_xlim()[1] > 0.5


@pytest.mark.parametrize(
    ("rates", "n_labels"),
    [
        (np.linspace(0.02, 0.5, 30), 5),
        ([0.001, 0.005, 0.01, 0.05, 0.1], 3),
        ([0.05, 0.051, 0.052], 1),
        ([0.05], 1),
    ],
)
def test_labels_of_rates_do_not_overlap(rates, n_labels):
    display = OperatingPointDisplay.from_predictions(
        np.repeat([1, -1], 500), np.linspace(0.001, 1, 1000), false_alarm_rates=rates
    )
    assert len(display.recalls) == len(rates)
    display.figure_.canvas.draw()
    ticks = [text for text in display.axes_[1].get_xticklabels(which="both") if text.get_text()]
    assert len(ticks) == n_labels
    assert len(display.counts_) == 2 * n_labels
    for texts in (ticks, display.counts_[:n_labels], display.counts_[n_labels:]):
        boxes = [text.get_window_extent() for text in texts]
        assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_styles_are_passed_on():
    display = OperatingPointDisplay.from_predictions(
        [1, -1],
        [0.3, 0.1],
        recall_kwargs={"c": "red"},
        realised_kwargs={"marker": "x", "label": "mine"},
        asked_kwargs={"ls": "-"},
    )
    assert display.recall_bars_.lines[0].get_color() == "red"
    assert display.realised_bars_.lines[0].get_marker() == "x"
    assert display.asked_line_.get_linestyle() == "-"
    assert "mine" in [text.get_text() for text in display.axes_[1].get_legend().get_texts()]


@pytest.mark.parametrize(
    ("y", "p_values", "keywords", "message"),
    [
        ([1, -1], [0.1, np.nan], {}, "p_values contains NaN"),
        ([1, -1], [0.1, 0.0], {}, r"p_values must be in \(0, 1\]"),
        ([1, -1], [0.1, 1.2], {}, r"p_values must be in \(0, 1\]"),
        ([1, -1, 1], [0.1, 0.2], {}, "inconsistent numbers of samples"),
        ([-1, -1], [0.1, 0.2], {}, "of one class, the picture is not defined"),
        ([0, 0], [0.1, 0.2], {}, "of one class, the picture is not defined"),
        (None, [0.1, 0.2], {}, "y must be labels"),
        (["a", "b"], [0.1, 0.2], {}, "pos_label"),
        ([1, -1], [0.1, 0.2], {"false_alarm_rates": [0.0, 0.1]}, r"in \(0, 1\).*from 0 to 0.1"),
        ([1, -1], [0.1, 0.2], {"false_alarm_rates": [0.1, 1.0]}, r"in \(0, 1\).*from 0.1 to 1"),
        ([1, -1], [0.1, 0.2], {"false_alarm_rates": [np.nan]}, "false_alarm_rates contains NaN"),
        ([1, -1], [0.1, 0.2], {"false_alarm_rates": 0.1}, "false_alarm_rates must have one dim"),
        ([1, -1], [0.1, 0.2], {"false_alarm_rates": []}, "false_alarm_rates must have one dim"),
        (
            [1, -1],
            [0.1, 0.2],
            {"false_alarm_rates": [0.04, 0.1], "n_calibration": 19},
            r"false_alarm_rates must be at least 0.05.*0.04 with 19 calibration rows",
        ),
        (
            [1, -1],
            [0.1, 0.2],
            {
                "false_alarm_rates": [0.05, 0.1],
                "n_calibration": 58,
                "calibration_confidence": 0.95,
            },
            r"at least 0.05034.*a rate of 0.05 with 58 calibration rows and .*confidence=0.95",
        ),
        ([1, -1], [0.1, 0.2], {"calibration_confidence": 0.95}, "n_calibration must be given"),
        (
            [1, -1],
            [0.1, 0.2],
            {"calibration_confidence": 95, "n_calibration": 99},
            r"calibration_confidence must be a number in \(0, 1\)",
        ),
        ([1, -1], [0.2, 0.2], {"n_calibration": 8}, "too few calibration rows.*: 8 calib.*0.1111"),
        ([1, -1], [0.1, 0.2], {"n_calibration": -1}, "n_calibration must be a positive integer"),
        ([1, -1], [0.1, 0.2], {"confidence": 0}, r"confidence must be a number in \(0, 1\)"),
    ],
)
def test_refuses_what_cannot_be_drawn(y, p_values, keywords, message):
    with pytest.raises(ValueError, match=message):
        OperatingPointDisplay.from_predictions(y, p_values, **keywords)


def test_refuses_axes_that_are_no_subplot():
    ax = plt.figure().add_axes((0.1, 0.1, 0.8, 0.8))
    with pytest.raises(ValueError, match="ax must be a subplot"):
        OperatingPointDisplay.from_predictions([1, -1], [0.3, 0.1], ax=ax)


def test_refuses_an_estimator_without_p_values(labeled_rows):
    forest = IsolationForest(n_estimators=2).fit(labeled_rows[0])
    with pytest.raises(TypeError, match=r"p_values; pass a ConformalDetector.*IsolationForest"):
        OperatingPointDisplay.from_estimator(forest, *labeled_rows)
