"""ConformalDetector: how long p-values take, and what it promises against the usual rule.

Each class of MNIST and Fashion-MNIST in turn is the normal one. One autoencoder is trained on some
of its images, others calibrate it, and false alarms are counted on the rest: images of the training
and the test set, shuffled, for the writers of MNIST's test set are others, and the guarantee is for
more of the same. Anomalies are the other classes in the test set. Beside it stands the usual rule,
whose threshold is a percentile of the scores of the images that the network was fitted to.
`python benchmarks/calibration.py mnist:1 fashion:4` measures the classes that it names only.
"""

import statistics
import sys
import time

import numpy as np
from _measuring import (
    data_path,
    dispatch,
    median_ratio,
    median_times,
    print_promises,
    print_setting,
    print_table,
    run_measure,
    times_of_pairs,
    use_repository,
)

N_SCORES, N_CALIBRATION_SCORES, N_PAIRS = 1_000_000, 10_000, 15
DATA_SETS = {"mnist": "mnist.npz", "fashion": "fashion_mnist.npz"}
N_TRAINING, N_CALIBRATION, EPOCHS, SEED = 2000, 2000, 5, 0
RATES, CONFIDENCE = (0.01, 0.05), 0.95
RULES = ("percentile of training scores", "calibrated", "calibrated, confidence 0.95")


def main():
    print_setting("tensorflow", "keras", "scikit-learn", "scipy", "numpy")
    times = run_measure(__file__, "p_values")[0]["times"]
    p_values, sorting = median_times(times)
    print_table(
        ["median of 15 pairs", "ms"],
        [
            ("p-values of 1,000,000 scores, 10,000 calibration rows", f"{1000 * p_values:.0f}"),
            ("sorting the 1,000,000 scores", f"{1000 * sorting:.0f}"),
        ],
    )
    problems = [problem.split(":") for problem in sys.argv[1:]] or [
        (name, str(digit)) for name in DATA_SETS for digit in range(10)
    ]
    results = {tuple(problem): _measure(*problem) for problem in problems}
    print(
        f"{N_TRAINING:,} images to train, {N_CALIBRATION:,} to calibrate, {EPOCHS} epochs, "
        f"seed {SEED}\n"
    )
    for rate in RATES:
        _print_rates(results, rate)
    ratio = median_ratio(times)
    print_promises(
        [
            ("p-values: at most 3 times the time of sorting", f"{ratio:.2f} times", ratio <= 3),
            *(_promise_of_rate(results, rate) for rate in RATES),
            *(_promise_of_confidence(results, rate) for rate in RATES),
        ]
    )


def _measure(name, digit):
    figures, _ = run_measure(__file__, "one_class", name, digit)
    print(f"{name} {digit}: {figures['seconds']:.0f} s", file=sys.stderr, flush=True)
    return figures


def _print_rates(results, rate):
    header = ["normal", "normal test images"]
    for rule in RULES:
        header += [f"{rule}: false alarms", "recall"]
    rows = []
    for (name, digit), figures in results.items():
        cells = [_name_of_class(name, digit), f"{figures['n_test']:,}"]
        for rule in RULES:
            false_alarms, recall = figures[f"{rule}, {rate}"]
            cells += [f"{false_alarms:.4f}", f"{recall:.3f}"]
        rows.append(cells)
    means = [
        f"{statistics.mean(figures[f'{rule}, {rate}'][which] for figures in results.values()):.4f}"
        for rule in RULES
        for which in (0, 1)
    ]
    print(f"Asked for: {rate}\n")
    print_table(header, [*rows, ["mean", "", *means]])


def _name_of_class(name, digit):
    return {"mnist": "MNIST", "fashion": "Fashion-MNIST"}[name] + f" {digit}"


def _promise_of_rate(results, rate):
    """The mean over the classes, to two standard errors of calibrations and of test sets."""
    rule = RULES[1]
    found = [figures[f"{rule}, {rate}"][0] for figures in results.values()]
    variances = [
        rate * (1 - rate) * (1 / N_CALIBRATION + 1 / figures["n_test"])
        for figures in results.values()
    ]
    limit = rate + 2 * np.sqrt(sum(variances)) / len(found)
    mean = statistics.mean(found)
    return (
        f"calibrated, rate {rate}: mean of the classes at most {rate} and two standard errors",
        f"{mean:.4f}, limit {limit:.4f}",
        bool(mean <= limit),
    )


def _promise_of_confidence(results, rate):
    """Classes whose false alarms are more than those of the rate by chance in the test set."""
    from scipy.stats import binom

    rule = RULES[2]
    n_exceeding = sum(
        figures[f"{rule}, {rate}"][0] * figures["n_test"] > binom.ppf(0.99, figures["n_test"], rate)
        for figures in results.values()
    )
    limit = int(binom.ppf(0.99, len(results), 1 - CONFIDENCE + 0.01))
    return (
        f"with confidence, rate {rate}: classes clearly above it, at most {limit}",
        f"{n_exceeding} of {len(results)}",
        bool(n_exceeding <= limit),
    )


def p_values():
    """Time p-values against sorting, alternately."""
    from sklearn.base import BaseEstimator, OutlierMixin
    from sklearn.frozen import FrozenEstimator

    from sklearn_ae import ConformalDetector

    class Scores(OutlierMixin, BaseEstimator):
        """A detector whose scores are its data."""

        def fit(self, X, y=None):
            self.fitted_ = True
            return self

        def score_samples(self, X):
            return X

    rng = np.random.default_rng(SEED)
    scores = rng.normal(size=N_SCORES)
    detector = ConformalDetector(FrozenEstimator(Scores().fit(None)))
    detector.fit(rng.normal(size=N_CALIBRATION_SCORES))
    return {
        "times": times_of_pairs(lambda: detector.p_values(scores), lambda: np.sort(scores), N_PAIRS)
    }


def one_class(name, digit):
    """Train and calibrate for one normal class, and return what each rule flags of the test set."""
    from sklearn.frozen import FrozenEstimator

    from sklearn_ae import AutoencoderAnomalyDetector, ConformalDetector, FixedThresholdDetector

    begin = time.perf_counter()
    normals, anomalies = _load(name, int(digit))
    training, calibration, test = np.split(normals, [N_TRAINING, N_TRAINING + N_CALIBRATION])
    network = AutoencoderAnomalyDetector(
        latent_dim=32,
        epochs=EPOCHS,
        patience=None,
        anomaly_score="absolute_error",
        random_state=SEED,
    )
    frozen = FrozenEstimator(network.fit(training))
    figures = {"n_test": len(test)}
    for rate in RATES:
        threshold = np.quantile(-network.training_scores_, 1 - rate)
        detectors = [
            FixedThresholdDetector(frozen, threshold=threshold),
            ConformalDetector(frozen, false_alarm_rate=rate),
            ConformalDetector(frozen, false_alarm_rate=rate, confidence=CONFIDENCE),
        ]
        for rule, detector in zip(RULES, detectors, strict=True):
            detector.fit(calibration)
            figures[f"{rule}, {rate}"] = [
                float(np.mean(detector.predict(images) == -1)) for images in (test, anomalies)
            ]
    return figures | {"seconds": time.perf_counter() - begin}


def _load(name, digit):
    """Return all images of a class, shuffled, and the test images of the others."""
    with np.load(data_path(DATA_SETS[name])) as file:
        parts = [(file[f"x_{part}"], file[f"y_{part}"] == digit) for part in ("train", "test")]
    normals = np.concatenate([images[is_normal] for images, is_normal in parts])
    images, is_normal = parts[1]
    return np.random.default_rng(SEED).permutation(normals), images[~is_normal]


MEASURES = {"p_values": p_values, "one_class": one_class}

if __name__ == "__main__":
    use_repository()
    dispatch(MEASURES, main)
