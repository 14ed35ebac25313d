"""Time a search over thresholds and codes with `memory` against the same search without.

Both run `GridSearchCV` over 20 thresholds, 3 code lengths and 3 folds. The same figures are printed
for a `TunedThresholdDetectorCV` inside the search, and the time to hash a training set, which every
fit with `memory` costs, as a share of one epoch on it.
"""

import tempfile

import joblib
import numpy as np
from _measuring import (
    data_path,
    dispatch,
    print_promises,
    print_setting,
    print_table,
    run_measure,
    seconds,
    use_repository,
)

N_ONES, N_ZEROS = 300, 60
THRESHOLDS = np.linspace(20, 120, 20).tolist()
CODES = [4, 16, 32]
N_FOLDS = 3


def main():
    rows, grids = [], {}
    for name, kind in [("fixed", "thresholds in the grid"), ("tuned", "tuned in each candidate")]:
        for memory in ("without", "with"):
            grids[name, memory], _ = run_measure(__file__, "search", name, memory)
            figures = grids[name, memory]
            rows.append((kind, memory, figures["n_trained"], f"{figures['time']:.1f} s"))
    hashing, _ = run_measure(__file__, "hashing")
    print_setting("tensorflow", "keras", "scikit-learn", "joblib", "numpy")
    print(f"{N_ONES} ones, {N_ZEROS} zeros, 30 epochs and a patience of 5\n")
    print_table(["search", "memory", "networks trained", "time"], rows)
    ratio = grids["fixed", "with"]["time"] / grids["fixed", "without"]["time"]
    n_trained = grids["fixed", "with"]["n_trained"]
    is_equal = grids["fixed", "with"]["scores"] == grids["fixed", "without"]["scores"]
    tuned = grids["tuned", "without"]
    tuned_ratio = tuned["time"] / grids["fixed", "without"]["time"]
    share = hashing["hash"] / hashing["epoch"]
    print(f"Hash {hashing['hash']:.2f} s, one epoch {hashing['epoch']:.1f} s of 60,000 images.\n")
    print_promises(
        [
            ("with memory: at most 0.12 times", f"{ratio:.3f}", ratio <= 0.12),
            ("one network for each code and fold", f"{n_trained}", n_trained == 9),
            ("the same scores", str(is_equal), is_equal),
            (
                "TunedThresholdDetectorCV against the grid of thresholds: at most 0.12 times",
                f"{tuned_ratio:.3f}",
                tuned_ratio <= 0.12,
            ),
            ("hash: at most 2 % of an epoch", f"{100 * share:.2f} %", share <= 0.02),
        ]
    )


def search(name, memory):
    """Time one search, in a process that has compiled its networks."""
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    from sklearn_ae import AutoencoderAnomalyDetector, NormalsOnly, TunedThresholdDetectorCV
    from sklearn_ae.autoencoder.training import keras_fit
    from sklearn_ae.datasets import load_mnist_one_zero

    digits = load_mnist_one_zero()
    X = np.concatenate(
        [
            digits.X_train[digits.y_train == 1][:N_ONES],
            digits.X_train[digits.y_train == -1][:N_ZEROS],
        ]
    )
    y = np.repeat([1, -1], [N_ONES, N_ZEROS])
    detector = AutoencoderAnomalyDetector(epochs=30, anomaly_score="absolute_error", random_state=0)
    for code in CODES:  # what is compiled once in a process does not count
        clone(detector).set_params(latent_dim=code, epochs=1).fit(X[:64])
    n_trained = 0
    train = keras_fit.train

    def counting(*args, **kwargs):
        nonlocal n_trained
        n_trained += 1
        return train(*args, **kwargs)

    keras_fit.train = counting
    with tempfile.TemporaryDirectory() as folder:
        detector.set_params(memory=folder if memory == "with" else None)
        if name == "fixed":
            estimator = NormalsOnly(detector)
            grid = {"estimator__latent_dim": CODES, "estimator__threshold": THRESHOLDS}
        else:
            estimator = TunedThresholdDetectorCV(
                detector,
                thresholds=THRESHOLDS,
                cv=0.3,  # one split, and then the fit to all normals
                random_state=0,
            )
            grid = {"estimator__latent_dim": CODES}
        candidates = GridSearchCV(
            estimator,
            grid,
            cv=StratifiedKFold(N_FOLDS, shuffle=True, random_state=0),
            error_score="raise",
            refit=False,
        )
        time = seconds(lambda: candidates.fit(X, y))
    scores = candidates.cv_results_["mean_test_score"].tolist()
    return {"time": time, "n_trained": n_trained, "scores": scores}


def hashing():
    """Time the hash of all of MNIST's training images and one epoch of training on them."""
    from sklearn_ae import AutoencoderAnomalyDetector

    with np.load(data_path("mnist.npz")) as file:
        X = file["x_train"]
    detector = AutoencoderAnomalyDetector(epochs=1, random_state=0)
    detector.fit(X[:64])
    time_of_hash = min(seconds(lambda: joblib.hash(X)) for _ in range(5))
    return {"hash": time_of_hash, "epoch": seconds(lambda: detector.fit(X))}


if __name__ == "__main__":
    use_repository()
    dispatch({"search": search, "hashing": hashing}, main)
