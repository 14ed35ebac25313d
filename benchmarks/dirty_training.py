"""Measure what unnoticed anomalies in the training set cost, and what `trim` gives back.

One class of MNIST or of Fashion-MNIST is normal. A share of the training images, 0, 5 and 10 %, is
drawn from the other classes instead, and no label tells. Each detector is judged on all test images
by the ROC AUC, of two anomaly scores on the same network, and by the share of normal test images
that it flags at its own false-alarm rate of 5 %.

The classes are named on the command line; without any, they are MNIST 8 and Fashion-MNIST 0.
"""

import argparse
import tempfile

import numpy as np
from _measuring import data_path, print_setting, print_table, use_repository

N_TRAINING = 2000
CONTAMINATIONS = (0.0, 0.05, 0.1)
TRIMS = (0.0, 0.1, 0.15)
SCORES = ("squared_error", "auto")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "classes", nargs="*", default=["mnist:8", "fashion_mnist:0"], help="such as mnist:3"
    )
    rows = []
    for problem in parser.parse_args().classes:
        name, normal = problem.split(":")
        for contamination in CONTAMINATIONS:
            for cells in measure(name, int(normal), contamination):
                rows.append((problem, f"{contamination:.0%}", *cells))
                print(rows[-1], flush=True)
    print()
    print_setting("tensorflow", "keras", "scikit-learn", "numpy")
    print(f"{N_TRAINING:,} training images, seed 0\n")
    header = ["normal class", "anomalies in training", "trim", "of them left out"]
    header += [f"ROC AUC, {score}" for score in SCORES]
    print_table([*header, *(f"normal flagged, {score}" for score in SCORES)], rows)


def measure(name, normal, contamination):
    """Yield a row of the table for each share that is trimmed."""
    from sklearn.metrics import roc_auc_score

    from sklearn_ae import AutoencoderAnomalyDetector

    with np.load(data_path(f"{name}.npz")) as file:
        X, is_planted = dirty_images(file["x_train"], file["y_train"] != normal, contamination)
        X_test, is_anomaly = file["x_test"], file["y_test"] != normal
    with tempfile.TemporaryDirectory() as folder:
        for trim in TRIMS:
            areas, flagged = [], []
            for anomaly_score in SCORES:
                detector = AutoencoderAnomalyDetector(
                    anomaly_score=anomaly_score,
                    trim=trim,
                    memory=folder,
                    random_state=0,
                ).fit(X)
                scores = detector.score_samples(X_test)
                areas.append(f"{roc_auc_score(is_anomaly, -scores):.3f}")
                flagged.append(f"{np.mean(scores[~is_anomaly] < detector.offset_):.3f}")
            n_found = is_planted[detector.trimmed_indices_].sum()
            yield trim, f"{n_found} of {is_planted.sum()}", *areas, *flagged


def dirty_images(X, is_anomaly, contamination):
    """Return images of which a share is anomalies, and which of them are."""
    generator = np.random.default_rng(0)
    n_anomalies = round(contamination * N_TRAINING)
    normal = np.flatnonzero(~is_anomaly)[: N_TRAINING - n_anomalies]
    planted = generator.choice(np.flatnonzero(is_anomaly), n_anomalies, replace=False)
    rows = generator.permutation(np.concatenate([normal, planted]))
    return X[rows], is_anomaly[rows]


if __name__ == "__main__":
    use_repository()
    main()
