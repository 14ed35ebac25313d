"""PValueDisplay shows whether the p-values of normal samples are uniform."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from calibrating import calibrated, frozen
from scipy.stats import binomtest
from sklearn.ensemble import IsolationForest

from sklearn_ae import ConformalDetector, NormalsOnly
from sklearn_ae.inspection import PValueDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def normal_rows(generator, n, scale=1.0):
    return generator.normal(scale=scale, size=(n, 1))


def is_inside(band, p_values, n_calibration):
    """Tell whether the curve of p-values is in a band, at each p-value that there can be."""
    levels = np.arange(1, n_calibration + 2) / (n_calibration + 1)
    # Half a step higher, where rounding matters to nobody.
    reached = levels + 0.5 / (n_calibration + 1)
    shares = np.mean(p_values <= reached[:, np.newaxis], axis=1)
    steps = np.searchsorted(band.levels, reached) - 1
    return bool(np.all((band.low[steps] <= shares) & (shares <= band.high[steps])))


def test_curves_of_known_p_values():
    display = PValueDisplay.from_predictions(
        [0.2, 0.8, 0.5, 0.2, 0.1], [1, 1, 1, 1, -1], n_calibration=9
    )
    x, y = display.normal_curve_.get_data()
    np.testing.assert_array_equal(x, [0.2, 0.2, 0.2, 0.5, 0.8])
    np.testing.assert_array_equal(y, [0, 0.25, 0.5, 0.75, 1])
    assert display.normal_curve_.get_drawstyle() == "steps-post"
    x, y = display.anomaly_curve_.get_data()
    np.testing.assert_array_equal(x, [0.1, 0.1])
    np.testing.assert_array_equal(y, [0, 1])
    np.testing.assert_array_equal(*display.uniform_line_.get_data())
    assert legend_texts(display.ax_) == [
        "normal (n=4)",
        "anomaly (n=1)",
        "uniform",
        "95% band for\n9 calibration rows",
    ]
    assert display.ax_.get_xlabel() == "p-value, t"
    assert display.ax_.get_ylabel() == "Share of p-values of at most t"


@pytest.mark.parametrize(("n_calibration", "n_samples"), [(6, 8), (9, 5), (3, 11)])
def test_band_holds_the_curves_of_all_orders_but_few(n_calibration, n_samples):
    # Exchangeable scores: each choice of the ranks of the calibration scores is as likely.
    n = n_calibration + n_samples
    counts = np.array(
        [
            np.array(ranks) - np.arange(n_calibration)
            for ranks in combinations(range(n), n_calibration)
        ]
    )
    p_values = np.linspace(0.5, 1, n_samples)
    display = PValueDisplay.from_predictions(p_values, n_calibration=n_calibration, confidence=0.8)
    levels, low, high = display.band
    np.testing.assert_allclose(levels, np.arange(1, n_calibration + 2) / (n_calibration + 1))
    low, high = np.round(low[:-1] * n_samples), np.round(high[:-1] * n_samples)
    # 10,000 simulated curves have a standard error of 0.004.
    assert np.mean(np.all((low <= counts) & (counts <= high), axis=1)) > 0.788
    # The same probability is left out everywhere: the least of what is inside is more likely, by
    # itself, than the most of what is outside.
    at_most = np.mean(counts[:, np.newaxis] <= np.arange(-1, n_samples + 1)[:, np.newaxis], axis=0)
    at_least = np.mean(counts[:, np.newaxis] >= np.arange(n_samples + 2)[:, np.newaxis], axis=0)
    ranks = np.arange(n_calibration)
    low, high = low.astype(int), high.astype(int)
    inside = np.concatenate([at_most[low + 1, ranks], at_least[high, ranks]])
    outside = np.concatenate([at_most[low, ranks], at_least[high + 1, ranks]])
    assert np.min(inside) > np.max(outside)


@pytest.mark.parametrize(("n_calibration", "n_samples"), [(30, 400), (300, 100)])
def test_whole_curve_is_in_the_band_as_often_as_stated(n_calibration, n_samples):
    generator = np.random.default_rng(0)
    band = PValueDisplay.from_predictions(
        np.linspace(0.5, 1, n_samples), n_calibration=n_calibration, confidence=0.9
    ).band
    curves = []
    for _ in range(400):
        detector = calibrated(normal_rows(generator, n_calibration)[:, 0])
        p_values = detector.p_values(normal_rows(generator, n_samples))
        curves.append(is_inside(band, p_values, n_calibration))
    test = binomtest(sum(curves), len(curves), 0.9)
    assert test.pvalue > 0.01


def test_curve_leaves_the_band_if_calibration_rows_are_of_another_kind():
    generator = np.random.default_rng(0)
    detector = calibrated(normal_rows(generator, 200)[:, 0])
    drifted = PValueDisplay.from_estimator(detector, normal_rows(generator, 300, scale=2))
    assert not is_inside(drifted.band, drifted.p_values, 200)
    # Anomalies in the calibration make p-values of normal samples high.
    detector = calibrated(normal_rows(generator, 200)[:, 0] - 5 * (np.arange(200) < 40))
    high = PValueDisplay.from_estimator(detector, normal_rows(generator, 300))
    assert not is_inside(high.band, high.p_values, 200)


def test_calibration_rows_widen_the_band():
    p_values = np.linspace(0.5, 1, 200)
    width = {}
    for n_calibration in (50, 500, 5000):
        band = PValueDisplay.from_predictions(p_values, n_calibration=n_calibration).band
        width[n_calibration] = np.max(band.high - band.low)
    assert width[50] > 1.5 * width[500] > 1.5 * width[5000]


def test_drawn_band_is_the_stored_one():
    display = PValueDisplay.from_predictions([0.25, 0.5], n_calibration=3, confidence=0.5)
    levels, low, high = (values.round(9) for values in display.band)
    vertices = display.band_.get_paths()[0].vertices.round(9)
    corners = set(map(tuple, vertices.tolist()))
    for shares in (low, high):
        assert set(zip(levels.tolist(), shares.tolist(), strict=True)) <= corners
        # Each share holds up to the next level.
        assert set(zip(levels[1:].tolist(), shares[:-1].tolist(), strict=True)) <= corners
    assert legend_texts(display.ax_)[-1] == "50% band for\n3 calibration rows"


def test_anomalies_do_not_count_for_the_band():
    p_values = [0.25, 0.5, 0.75, 1.0]
    alone = PValueDisplay.from_predictions(p_values, n_calibration=3)
    beside = PValueDisplay.from_predictions(
        [*p_values, 0.25, 0.25], [0, 0, 0, 0, 1, 1], n_calibration=3
    )
    np.testing.assert_array_equal(alone.band, beside.band)


def test_p_values_and_calibration_rows_of_a_detector():
    generator = np.random.default_rng(0)
    X, y = normal_rows(generator, 60), np.repeat(["good", "crack"], [50, 10])
    detector = calibrated(normal_rows(generator, 40)[:, 0])
    display = PValueDisplay.from_estimator(detector, X, y, pos_label="crack", confidence=0.9)
    np.testing.assert_array_equal(display.p_values, detector.p_values(X))
    np.testing.assert_array_equal(display.is_anomaly, y == "crack")
    assert legend_texts(display.ax_)[-1] == "90% band for\n40 calibration rows"


def test_detector_of_which_the_calibration_rows_are_not_known():
    class Other:
        def p_values(self, X):
            return np.full(len(X), 0.5)

    display = PValueDisplay.from_estimator(Other(), np.zeros((60, 1)))
    assert display.band_ is None
    assert legend_texts(display.ax_) == ["all samples (n=60)", "uniform"]


def test_calibrated_detector_inside_of_normals_only():
    generator = np.random.default_rng(0)
    X, y = normal_rows(generator, 60), np.repeat([1, -1], [40, 20])
    detector = NormalsOnly(ConformalDetector(frozen())).fit(X, y)
    display = PValueDisplay.from_estimator(detector, X, y)
    expected = PValueDisplay.from_estimator(detector.estimator_, X, y)
    np.testing.assert_array_equal(display.p_values, expected.p_values)
    assert display.n_calibration == 40
    np.testing.assert_array_equal(display.band, expected.band)


def test_pos_label_of_the_detector_is_used():
    X, y = normal_rows(np.random.default_rng(0), 60), np.repeat([1, 0], [40, 20])
    # By convention, the label 1 would be the anomaly.
    detector = NormalsOnly(ConformalDetector(frozen()), pos_label=0).fit(X, y)
    display = PValueDisplay.from_estimator(detector, X, y)
    assert legend_texts(display.ax_)[:2] == ["normal (n=40)", "anomaly (n=20)"]


def test_labels_of_normal_samples_alone():
    display = PValueDisplay.from_predictions([0.25, 0.5], [False, False])
    assert display.anomaly_curve_ is None
    assert legend_texts(display.ax_) == ["normal (n=2)", "uniform"]


def test_small_p_values_have_room_unless_axes_say_otherwise():
    display = PValueDisplay.from_predictions([0.01, 0.5], n_calibration=99)
    assert display.ax_.get_xscale() == display.ax_.get_yscale() == "log"
    assert 0 < display.ax_.get_xlim()[0] < 0.01
    _, ax = plt.subplots()
    display.plot(ax)
    assert ax.get_xscale() == ax.get_yscale() == "linear"
    assert ax.get_xlim()[0] < 0
    assert ax.get_xlim()[1] > 1


def test_styles_are_passed_on():
    display = PValueDisplay.from_predictions(
        [0.25, 0.5],
        [1, -1],
        n_calibration=3,
        normal_kwargs={"c": "red", "label": "mine"},
        anomaly_kwargs={"ls": ":"},
        uniform_kwargs={"lw": 5},
        band_kwargs={"fc": "green"},
    )
    assert display.normal_curve_.get_color() == "red"
    assert display.anomaly_curve_.get_linestyle() == ":"
    assert display.uniform_line_.get_linewidth() == 5
    np.testing.assert_allclose(display.band_.get_facecolor()[0, :3], (0, 128 / 255, 0), atol=1e-3)
    assert legend_texts(display.ax_)[0] == "mine"


@pytest.mark.parametrize(
    ("p_values", "y", "keywords", "message"),
    [
        ([0.1, np.nan], None, {}, "p_values contains NaN"),
        ([0.1, 0.0], None, {}, r"p_values must be in \(0, 1\].*from 0 to 0.1"),
        ([0.1, -0.3], None, {}, r"p_values must be in \(0, 1\].*scores are none"),
        ([0.1, 1.5], None, {}, r"p_values must be in \(0, 1\].*from 0.1 to 1.5"),
        ([[0.1], [0.2]], None, {}, "p_values must have one dimension"),
        ([], None, {}, "p_values must have one dimension and at least one"),
        ([0.1, 0.2], [1, 1, -1], {}, "inconsistent numbers of samples"),
        ([0.1, 0.2], [-1, -1], {}, "y must label normal samples.*Received: 2 anomalies"),
        ([0.1, 0.2], [1, 1], {}, "ambiguous"),
        ([0.1, 0.2], ["a", "b"], {}, "pos_label"),
        ([0.1, 0.2], None, {"n_calibration": 8}, r"n_calibration must be.*8 and a p-value of 0.1"),
        ([0.1, 0.2], None, {"n_calibration": 0}, "n_calibration must be a positive integer"),
        ([0.1, 0.2], None, {"n_calibration": 9.5}, "n_calibration must be a positive integer"),
        ([0.1, 0.2], None, {"confidence": 1.0}, r"confidence must be a number in \(0, 1\)"),
        ([0.1, 0.2], None, {"confidence": "95%"}, r"confidence must be .*Received: confidence='95"),
    ],
)
def test_refuses_what_cannot_be_drawn(p_values, y, keywords, message):
    with pytest.raises(ValueError, match=message):
        PValueDisplay.from_predictions(p_values, y, **keywords)


def test_refuses_an_estimator_without_p_values():
    forest = IsolationForest(n_estimators=2).fit(np.eye(4))
    with pytest.raises(TypeError, match=r"p_values; pass a ConformalDetector.*IsolationForest"):
        PValueDisplay.from_estimator(forest, np.eye(4))
