"""Compare the default network with ConvDenseAutoencoder, the network of the introductory article.

Both are fitted to the same 1s of MNIST for the same epochs, keep their best epoch, and score all of
its test set. A fit is a complete one: the network is built and compiled, and the threshold set.
"""

import statistics
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
    use_repository,
)

N_ROWS = 2000
EPOCHS = 6
SEEDS = (0, 1)
NETWORKS = ("default", "article")
SMALLEST_AUC = 0.999
SMALLEST_SPEED_UP = 10


def main():
    figures = {name: [] for name in NETWORKS}
    for seed in SEEDS:
        for name in NETWORKS:
            figures[name].append(run_measure(__file__, name, seed)[0])
    print_setting("tensorflow", "keras", "scikeras", "scikit-learn", "numpy")
    print(f"{N_ROWS:,} ones, {EPOCHS} epochs, seeds {', '.join(map(str, SEEDS))}\n")
    speed_ups = {"fit": _pairs(figures, "fit"), "score": _pairs(figures, "score")}
    print_table(
        ["median", "article, s", "default, s", "article / default", "of each pair"],
        [_time_row(which, times) for which, times in speed_ups.items()],
    )
    print_table(
        ["network", "seed", "parameters", "ROC AUC, 1 against 0", "ROC AUC, 1 against all others"],
        [
            (name, seed, f"{run['n_parameters']:,}", f"{run['zero']:.5f}", f"{run['all']:.5f}")
            for name in NETWORKS
            for seed, run in zip(SEEDS, figures[name], strict=True)
        ],
    )
    print_promises([*_speed_promises(speed_ups), *_auc_promises(figures)])


def _pairs(figures, which):
    runs = zip(figures["article"], figures["default"], strict=True)
    return [(article[which], default[which]) for article, default in runs]


def _time_row(which, times):
    what = {"fit": "fit", "score": "scores of the 10,000 test images"}[which]
    article, default = (f"{time:.1f}" for time in median_times(times))
    ratios = ", ".join(f"{a / b:.1f}" for a, b in times)
    return what, article, default, f"{median_ratio(times):.1f}", ratios


def _speed_promises(speed_ups):
    for which, times in speed_ups.items():
        ratio = median_ratio(times)
        promise = f"{which}: default at least {SMALLEST_SPEED_UP} times faster"
        yield promise, f"{ratio:.1f} times", ratio >= SMALLEST_SPEED_UP


def _auc_promises(figures):
    smallest = min(run["zero"] for runs in figures.values() for run in runs)
    yield (
        f"ROC AUC of 1 against 0: at least {SMALLEST_AUC} for both networks, every seed",
        f"{smallest:.5f}",
        smallest >= SMALLEST_AUC,
    )
    for which, what in (("zero", "0"), ("all", "all others")):
        article, default = (
            statistics.mean(run[which] for run in figures[name]) for name in ("article", "default")
        )
        yield (
            f"ROC AUC of 1 against {what}, mean of the seeds: default no lower",
            f"{default:.5f} against {article:.5f}",
            default >= article,
        )


def measure_default(seed):
    from sklearn_ae import ConvAutoencoder

    return measure(ConvAutoencoder(), int(seed))


def measure_article(seed):
    from sklearn_ae import ConvDenseAutoencoder

    return measure(ConvDenseAutoencoder(), int(seed))


def measure(architecture, seed):
    """Fit and score once, and return times in seconds and ROC AUCs."""
    from sklearn.metrics import roc_auc_score

    from sklearn_ae import AutoencoderAnomalyDetector, DenseAutoencoder

    with np.load(data_path("mnist.npz")) as file:
        ones = file["x_train"][file["y_train"] == 1][:N_ROWS]
        X_test, digit = file["x_test"], file["y_test"]
    # Imports and TensorFlow's start do not count, so another network comes first.
    AutoencoderAnomalyDetector(architecture=DenseAutoencoder(units=(4,)), epochs=1).fit(ones[:64])
    detector = AutoencoderAnomalyDetector(
        architecture=architecture,
        latent_dim=32,
        epochs=EPOCHS,
        patience=None,
        anomaly_score="absolute_error",
        random_state=seed,
    )
    begin = time.perf_counter()
    detector.fit(ones)
    fitted = time.perf_counter()
    anomaly = -detector.score_samples(X_test)
    scored = time.perf_counter()
    is_pair = digit <= 1
    return {
        "fit": fitted - begin,
        "score": scored - fitted,
        "zero": float(roc_auc_score(digit[is_pair] == 0, anomaly[is_pair])),
        "all": float(roc_auc_score(digit != 1, anomaly)),
        "n_parameters": detector.model_.count_params(),
    }


MEASURES = {"default": measure_default, "article": measure_article}

if __name__ == "__main__":
    use_repository()
    dispatch(MEASURES, main)
