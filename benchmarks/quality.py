"""How well each anomaly score detects: one-class problems on MNIST and Fashion-MNIST.

Run `python benchmarks/quality.py`. For each class it trains one network on images of the class from
the training split, 15 epochs, and asks it for every score: the ROC AUC of the class against all
others, on all of the test split. `--classes 1 8` and `--images 2500` say how much of it.

Needs mnist.npz and fashion_mnist.npz, in the layout of keras.datasets (see CONTRIBUTING).
"""

import argparse
import tempfile

import _measuring
import numpy as np

_measuring.use_repository()

from sklearn.metrics import roc_auc_score  # noqa: E402

from sklearn_ae import AutoencoderAnomalyDetector, HiddenDifference, LatentDistance  # noqa: E402

DATA_SETS = {"MNIST": "mnist.npz", "Fashion-MNIST": "fashion_mnist.npz"}

SCORES = {
    "absolute_error": "absolute_error",
    "squared_error": "squared_error",
    "smoothed_error": "smoothed_error",
    "whitened_error": "whitened_error",
    "hidden_difference": "hidden_difference",
    "hidden_difference, cosine": HiddenDifference(metric="cosine"),
    "code_difference": "code_difference",
    "latent_distance": "latent_distance",
    "latent_distance, neighbors": LatentDistance(method="neighbors"),
    "auto": "auto",
}


def areas_under_curve(data, label, n_images, seed):
    """Train once and return the ROC AUC of each score."""
    normal = data["x_train"][data["y_train"] == label][:n_images]
    is_normal = data["y_test"] == label
    areas = {}
    # With `memory`, detectors that differ in their score alone train once.
    with tempfile.TemporaryDirectory() as folder:
        for name, score in SCORES.items():
            detector = AutoencoderAnomalyDetector(
                epochs=15, patience=None, anomaly_score=score, memory=folder, random_state=seed
            ).fit(normal)
            areas[name] = roc_auc_score(is_normal, detector.score_samples(data["x_test"]))
    return areas


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--classes", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--images", type=int, default=2500, help="training images a class")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    _measuring.print_setting("scikit-learn", "tensorflow", "keras")
    for data_set, file_name in DATA_SETS.items():
        data = np.load(_measuring.data_path(file_name))
        columns = [
            areas_under_curve(data, label, arguments.images, arguments.seed)
            for label in arguments.classes
        ]
        rows = []
        for name in SCORES:
            areas = [column[name] for column in columns]
            figures = [*areas, np.mean(areas), np.min(areas)]
            rows.append([name, *(f"{figure:.4f}" for figure in figures)])
        _measuring.print_table([data_set, *arguments.classes, "mean", "worst"], rows)


if __name__ == "__main__":
    main()
