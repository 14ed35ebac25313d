"""How many new normal samples the detector flags, against `false_alarm_rate`.

Clean samples train the detector; other clean samples of the same source, at least 2,000 where there
are so many, count the false alarms. Sources: Gaussian factors, tables (labeled anomalies left out)
and images of one digit. The network is trained once for each source and seed, and all scores use
it. With n held-out samples and the k-th smallest score as threshold, the rate of one fit has the
law Beta(k, n + 1 - k) if scores of held-out and of new samples are exchangeable. The figures go to
`false_alarms.json` in the current folder, so that an interrupted run continues:
`python benchmarks/false_alarms.py --seeds 20`.
"""

import argparse
import json
import tempfile
import warnings
from pathlib import Path

import _measuring
import numpy as np

_measuring.use_repository()

from scipy.stats import beta  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

RATE = 0.05
FACTORS = ((200, 10), (200, 30), (500, 30), (800, 96), (2000, 96))
TABLES = ("SpamBase", "cardio", "fault", "letter", "optdigits", "satellite")
TABLE_SIZES = (300, 800)
DIGITS, N_IMAGES = (1, 8), 250
SCORES = (
    *("auto", "code_difference", "latent_distance"),
    *("neighbor_distance", "squared_error", "whitened_error"),
)


def gaussian_factors(n_samples, n_features, seed):
    """Return training samples and new ones: five factors and noise."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(5, n_features))

    def draw(n):
        return rng.normal(size=(n, 5)) @ weights + 0.3 * rng.normal(size=(n, n_features))

    return draw(n_samples), draw(4000), None


def table(name, n_samples, seed):
    """Return normal rows to train with, the other normal ones, and the anomalies."""
    with np.load(_measuring.data_path(f"tables/{name}.npz")) as file:
        X, y = file["X"], file["y"]
    normal = np.random.default_rng(seed).permutation(X[y == 0])
    return normal[:n_samples], normal[n_samples:], X[y == 1]


def digit(label, seed):
    """Return images of a digit to train with, others of it, and images of other digits."""
    with np.load(_measuring.data_path("mnist.npz")) as file:
        X, y = file["x_train"], file["y_train"]
    rng = np.random.default_rng(seed)
    normal, others = rng.permutation(X[y == label]), X[y != label]
    return normal[:N_IMAGES], normal[N_IMAGES:], others[rng.permutation(len(others))[:2000]]


def sources():
    """Return the sources by name: functions of a seed."""
    named = {f"Gaussian factors {n}×{d}": (gaussian_factors, n, d) for n, d in FACTORS}
    named |= {f"{name}, {n} rows": (table, name, n) for name in TABLES for n in TABLE_SIZES}
    named |= {f"MNIST {label}, {N_IMAGES} images": (digit, label) for label in DIGITS}
    return named


def measure(source, seed, scores):
    """Yield for each score the rate of false alarms, n, k and the ROC AUC or None ."""
    from sklearn_ae import AutoencoderAnomalyDetector

    function, *arguments = source
    X, X_new, X_abnormal = function(*arguments, seed)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in scores:
            detector = AutoencoderAnomalyDetector(
                anomaly_score=name, false_alarm_rate=RATE, memory=folder, random_state=seed
            ).fit(X)
            new = detector.score_samples(X_new)
            area = None
            if X_abnormal is not None:
                abnormal = detector.score_samples(X_abnormal)
                is_normal = np.arange(len(new) + len(abnormal)) < len(new)
                area = roc_auc_score(is_normal, np.concatenate([new, abnormal]))
            held_out = detector.validation_scores_
            rank = int(np.sum(held_out < detector.offset_)) + 1
            yield name, [float(np.mean(new < detector.offset_)), len(held_out), rank, area]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--sources", default="", help="only sources whose name contains this")
    parser.add_argument("--scores", nargs="+", default=SCORES)
    parser.add_argument("--results", type=Path, default=Path("false_alarms.json"))
    arguments = parser.parse_args()
    path = arguments.results
    results = json.loads(path.read_text()) if path.exists() else {}
    chosen = {name: source for name, source in sources().items() if arguments.sources in name}
    for seed in range(arguments.seeds):
        for name, source in chosen.items():
            missing = [s for s in arguments.scores if f"{name}|{s}|{seed}" not in results]
            for score, figures in measure(source, seed, missing) if missing else ():
                results[f"{name}|{score}|{seed}"] = figures
                path.write_text(json.dumps(results, indent=0, sort_keys=True))
    _measuring.print_setting("tensorflow", "keras", "scikit-learn", "numpy")
    print_cells(results, chosen, arguments.scores)


def print_cells(results, names, scores):
    """Print a row for each source and score, and the two promises over all of them."""
    rows, n_off, above = [], 0, []
    for name in names:
        for score in scores:
            cell = [f for key, f in results.items() if key.rpartition("|")[0] == f"{name}|{score}"]
            if not cell:
                continue
            rates, (_, n, rank, _) = np.array([f[0] for f in cell]), cell[0]
            law = beta(rank, n + 1 - rank)
            tolerance = 0.01 + 2 * law.std() / np.sqrt(len(rates))
            is_off = abs(rates.mean() - RATE) > tolerance
            n_off += is_off
            above += (rates > law.ppf(0.95)).tolist()
            areas = [f[3] for f in cell if f[3] is not None]
            rows.append(
                (
                    *(name, score, len(rates), n, f"{rates.mean():.3f}"),
                    f"{RATE} ± {tolerance:.3f}{' !' if is_off else ''}",
                    *(f"{rates.max():.3f}", f"{law.ppf(0.95):.3f}"),
                    f"{np.mean(areas):.4f}" if areas else "",
                )
            )
    header = ["samples", "score", "fits", "held out", "mean", "must be"]
    _measuring.print_table([*header, "largest", "law's 95 %", "ROC AUC"], rows)
    _measuring.print_promises(
        [
            ("every mean within its tolerance", f"{n_off} of {len(rows)} outside", n_off == 0),
            (
                "at most 7 % of fits above the law's 95 % point",
                f"{np.mean(above):.1%}",
                np.mean(above) <= 0.07,
            ),
        ]
    )


if __name__ == "__main__":
    main()
