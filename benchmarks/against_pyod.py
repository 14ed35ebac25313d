"""Time the detector against PyOD's AutoEncoder: same rows, layers and epochs, on the CPU.

    python benchmarks/against_pyod.py            installs PyOD and PyTorch (about 6 GB) for the run
    python benchmarks/against_pyod.py PYTHON     uses the Python of an environment that has them

Each side runs in processes of its own, alternately. All rows are of tables but the last, the ones
and zeros of MNIST as rows of 784 pixels.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
import warnings
from pathlib import Path

import numpy as np
from _measuring import (
    data_path,
    dispatch,
    median_ratio,
    median_times,
    print_setting,
    print_table,
    run_measure,
    use_repository,
)

N_PAIRS = 5
EPOCHS = 10
BATCH_SIZE = 32
UNITS = (64, 32)  # PyOD's default: 64, 32 (the code), 64, each with ReLU, and a linear output.
TABLES = ("mammography", "pendigits", "satellite")
DATA = (*TABLES, "MNIST")
# PyOD does not ask for tqdm, which its AutoEncoder imports.
REQUIREMENTS = ("pyod>=3.6,<4", "torch>=2.13", "tqdm")
FIGURES = ("first fit", "second fit", "score")


def main():
    for name in DATA:  # Before anything is installed: all of the data must be there.
        load(name)
    with tempfile.TemporaryDirectory() as folder:
        python = sys.argv[1] if len(sys.argv) > 1 else install_pyod(folder)
        pairs = []
        for seed in range(N_PAIRS):
            ours, _ = run_measure(__file__, "sklearn_ae", seed)
            theirs, _ = run_measure(__file__, "pyod", seed, python=python)
            pairs.append((ours, theirs))
    print_setting("tensorflow", "keras", "scikeras", "scikit-learn", "numpy")
    print(f"Against {pairs[0][1]['versions']}\n")
    print_table(
        ["data", "time", "sklearn_ae, s", "PyOD, s", "ratio", "of each pair"],
        [_time_row(name, figure, pairs) for name in DATA for figure in FIGURES],
    )
    print_table(
        ["data", "features", "rows: training", "test", "ROC AUC, sklearn_ae", "ROC AUC, PyOD"],
        [_auc_row(name, pairs) for name in DATA],
    )


def _time_row(name, figure, pairs):
    times = [(ours[name][figure], theirs[name][figure]) for ours, theirs in pairs]
    ours, theirs = (f"{time:.2f}" for time in median_times(times))
    ratios = ", ".join(f"{a / b:.2f}" for a, b in times)
    return name, figure, ours, theirs, f"{median_ratio(times):.2f}", ratios


def _auc_row(name, pairs):
    X_train, X_test, _ = load(name)
    aucs = [statistics.mean(pair[side][name]["auc"] for pair in pairs) for side in (0, 1)]
    return name, X_train.shape[1], len(X_train), len(X_test), *(f"{auc:.4f}" for auc in aucs)


def install_pyod(folder):
    """Make an environment with PyOD and PyTorch and return its Python."""
    print(f"Installing {' and '.join(REQUIREMENTS)} into a temporary environment …", flush=True)
    venv.create(folder, with_pip=True)
    python = Path(folder) / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS]
    if subprocess.run(command, check=False).returncode:
        sys.exit(
            "PyOD and PyTorch could not be installed, see above. Install them into an environment "
            f"of your own, pip install {' '.join(map(repr, REQUIREMENTS))}, and name its Python: "
            "python benchmarks/against_pyod.py PYTHON"
        )
    return str(python)


def load(name):
    """Return half of the normal rows to fit to, and all others with True for anomalies."""
    if name == "MNIST":
        with np.load(data_path("mnist.npz")) as file:
            X, y = file["x_test"], file["y_test"]
        X, is_anomaly = X[y <= 1].reshape(-1, 784) / 255, y[y <= 1] == 0
    else:
        with np.load(data_path(f"tables/{name}.npz")) as file:
            X, is_anomaly = file["X"].astype(np.float64), file["y"] == 1
    normal = np.random.default_rng(0).permutation(np.flatnonzero(~is_anomaly))
    training = normal[: len(normal) // 2]
    is_test = np.ones(len(X), dtype=bool)
    is_test[training] = False
    return X[training], X[is_test], is_anomaly[is_test]


def measure_sklearn_ae(seed):
    from sklearn_ae import AutoencoderAnomalyDetector

    def make(name, random_state):
        # The output is as linear as PyOD's, and every row is fitted to, as PyOD does.
        return AutoencoderAnomalyDetector(
            architecture=pyod_layers,
            latent_dim=UNITS[-1],
            scaling=None if name == "MNIST" else "standard",
            loss="mean_squared_error",
            epochs=EPOCHS,
            batch_size=BATCH_SIZE,
            patience=None,
            validation_fraction=0,
            anomaly_score="squared_error",
            random_state=random_state,
        )

    warnings.filterwarnings("ignore", message="No row is held out")
    return measure(make, lambda detector, X: -detector.score_samples(X), int(seed))


def measure_pyod(seed):
    import pyod
    import torch
    from pyod.models.auto_encoder import AutoEncoder

    def make(name, random_state):
        # Without what our layers do not have: weight decay, batch normalization and dropout.
        return AutoEncoder(
            preprocessing=name != "MNIST",
            epoch_num=EPOCHS,
            batch_size=BATCH_SIZE,
            hidden_neuron_list=list(UNITS),
            optimizer_params={},
            batch_norm=False,
            dropout_rate=0,
            random_state=random_state,
            verbose=0,
        )

    figures = measure(make, lambda detector, X: detector.decision_function(X), int(seed))
    return {**figures, "versions": f"PyOD {pyod.__version__}, PyTorch {torch.__version__}"}


def pyod_layers(input_shape, latent_dim):
    """Build the layers of PyOD's AutoEncoder, the code with ReLU as there."""
    import keras
    from keras import layers

    encoder = keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Dense(UNITS[0], activation="relu"),
            layers.Dense(latent_dim, activation="relu"),
        ]
    )
    decoder = keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(UNITS[0], activation="relu"),
            layers.Dense(input_shape[0]),
        ]
    )
    return encoder, decoder


def measure(make, score, seed):
    """Time two fits and the scores of the second, in seconds, on each of the data sets."""
    from sklearn.metrics import roc_auc_score

    # Imports and first use of the backend do not count, so a fit of other data comes first.
    make("warm-up", seed).fit(np.random.default_rng(0).normal(size=(64, 3)))
    figures = {}
    for name in DATA:
        X_train, X_test, is_anomaly = load(name)
        times = []
        for random_state in (seed, seed + N_PAIRS):
            detector = make(name, random_state)
            begin = time.perf_counter()
            detector.fit(X_train)
            times.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        scores = score(detector, X_test)
        times.append(time.perf_counter() - begin)
        figures[name] = dict(zip(FIGURES, times, strict=True))
        figures[name]["auc"] = float(roc_auc_score(is_anomaly, scores))
    return figures


MEASURES = {"sklearn_ae": measure_sklearn_ae, "pyod": measure_pyod}

if __name__ == "__main__":
    use_repository()
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    dispatch(MEASURES, main)
