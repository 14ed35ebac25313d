"""How well the default detector detects, beside simple baselines and PyOD's AutoEncoder.

- `images`: ten one-class problems each on MNIST and Fashion-MNIST. Trained on all images of a class
  in the training split; the ROC AUC of the class against all others, on all of the test split.
- `tables`: twelve tables of ADBench. Half of the normal rows train, the others and all anomalies
  are tested on.
- `dirty`: as `images`, with 2,000 training images, of which a share is of the other classes.
- `few`: as `images`, with 25, 50 and 100 training images.
- `time`: what the default score costs beside the sum of absolute errors.

`python benchmarks/quality.py images tables dirty few time` runs everything on one seed, which takes
hours; `--seeds 0 1 2`, `--data-sets`, `--classes`, `--images` and `--methods` say what. What is
measured is kept in the file `--results` and not measured again, so that a run that was interrupted
goes on, and methods may be measured in environments of their own: "PyOD AutoEncoder" needs pyod,
torch and nothing of this package. "article's network and score", of images only, takes hours.

Needs mnist.npz and fashion_mnist.npz, in the layout of keras.datasets, and the folder tables (see
CONTRIBUTING).
"""

import argparse
import json
import tempfile
from pathlib import Path

import _measuring
import numpy as np
from dirty_training import dirty_images

_measuring.use_repository()

from sklearn.covariance import LedoitWolf  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.ensemble import IsolationForest  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402
from sklearn.neighbors import NearestNeighbors  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

IMAGE_FILES = {"MNIST": "mnist.npz", "Fashion-MNIST": "fashion_mnist.npz"}

TABLES = (
    *("Ionosphere", "WDBC", "Waveform", "breastw", "cardio", "fault"),
    *("letter", "mammography", "pendigits", "satellite", "thyroid", "vowels"),
)

# Anomaly scores of one network, the default one.
SCORES = {
    "default detector": "auto",
    "default network, article's score": "absolute_error",
    "default network, squared error": "squared_error",
}

CONTAMINATIONS = (0.0, 0.05, 0.1)


def fit_detectors(X, seed, scores=SCORES, **parameters):
    """Yield a fitted detector for each score; the network is trained once."""
    from sklearn_ae import AutoencoderAnomalyDetector

    with tempfile.TemporaryDirectory() as folder:
        for name in scores:
            yield (
                name,
                AutoencoderAnomalyDetector(
                    anomaly_score=SCORES[name], memory=folder, random_state=seed, **parameters
                ).fit(X),
            )


def scale(X, X_test):
    """Return rows for the baselines: images between 0 and 1, tables standardized."""
    if X.dtype == np.uint8:
        return X.reshape(len(X), -1) / 255, X_test.reshape(len(X_test), -1) / 255
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), scaler.transform(X_test)


def pca(X, X_test, seed):
    # For images as many components as the design's measurements, for tables nine tenths of the
    # variance.
    model = PCA(32 if X.shape[1] > 100 else 0.9, svd_solver="full", random_state=seed).fit(X)
    return np.sum((X_test - model.inverse_transform(model.transform(X_test))) ** 2, axis=1)


def nearest_neighbors(X, X_test, seed):
    return NearestNeighbors(n_neighbors=5).fit(X).kneighbors(X_test)[0][:, -1]


def isolation_forest(X, X_test, seed):
    return -IsolationForest(random_state=seed).fit(X).score_samples(X_test)


def mahalanobis(X, X_test, seed):
    return LedoitWolf().fit(X).mahalanobis(X_test)


def pyod_autoencoder(X, X_test, seed):
    from pyod.models.auto_encoder import AutoEncoder

    model = AutoEncoder(random_state=seed, verbose=0)
    return model.fit(X.astype(np.float32)).decision_function(X_test.astype(np.float32))


BASELINES = {
    "PCA": pca,
    "k nearest neighbors": nearest_neighbors,
    "isolation forest": isolation_forest,
    "Mahalanobis": mahalanobis,
    "PyOD AutoEncoder": pyod_autoencoder,
}


def article_network(X, X_test, seed):
    from sklearn_ae import AutoencoderAnomalyDetector, ConvDenseAutoencoder

    detector = AutoencoderAnomalyDetector(
        architecture=ConvDenseAutoencoder(),
        latent_dim=32,
        epochs=15,
        anomaly_score="absolute_error",
        random_state=seed,
    )
    return -detector.fit(X).score_samples(X_test)


class Results:
    """ROC AUCs by problem, method and seed, kept in a file."""

    def __init__(self, path):
        self.path = Path(path)
        self.areas = json.loads(self.path.read_text()) if self.path.exists() else {}

    def missing(self, problem, methods, seed):
        """Return the methods that have not been measured."""
        return [name for name in methods if f"{problem}|{name}|{seed}" not in self.areas]

    def add(self, problem, method, seed, area):
        self.areas[f"{problem}|{method}|{seed}"] = round(float(area), 5)
        self.path.write_text(json.dumps(self.areas, indent=0, sort_keys=True))
        print(f"{problem}, {method}, seed {seed}: {area:.4f}", flush=True)

    def mean(self, problem, method):
        """Return the mean over the seeds, or NaN if there is none."""
        areas = [
            area
            for key, area in self.areas.items()
            if key.rpartition("|")[0] == f"{problem}|{method}"
        ]
        return np.mean(areas) if areas else np.nan


def measure(results, problem, X, X_test, is_anomaly, seed, methods):
    """Measure the methods of one problem that are missing."""
    missing = results.missing(problem, methods, seed)
    own = [name for name in missing if name in SCORES]
    for name, detector in fit_detectors(X, seed, own):
        results.add(problem, name, seed, roc_auc_score(is_anomaly, -detector.score_samples(X_test)))
    rows, test_rows = scale(X, X_test)
    for name in missing:
        if name in BASELINES:
            scores = BASELINES[name](rows, test_rows, seed)
        elif name == "article's network and score":
            scores = article_network(X, X_test, seed)
        else:
            continue
        results.add(problem, name, seed, roc_auc_score(is_anomaly, scores))


def load_images(data_set):
    with np.load(_measuring.data_path(IMAGE_FILES[data_set])) as file:
        return {name: file[name] for name in file.files}


def measure_images(results, arguments):
    for seed in arguments.seeds:
        for label in arguments.classes:
            for data_set in arguments.data_sets:
                data = load_images(data_set)
                X = data["x_train"][data["y_train"] == label][: arguments.images]
                problem, is_anomaly = f"{data_set} {label}", data["y_test"] != label
                measure(results, problem, X, data["x_test"], is_anomaly, seed, arguments.methods)
    for data_set in arguments.data_sets:
        problems = {label: f"{data_set} {label}" for label in arguments.classes}
        print_areas(results, data_set, problems, arguments.methods)


def measure_tables(results, arguments):
    for seed in arguments.seeds:
        for name in TABLES:
            with np.load(_measuring.data_path(f"tables/{name}.npz")) as file:
                X, y = file["X"], file["y"]
            normal = np.random.default_rng(seed).permutation(np.flatnonzero(y == 0))
            train, test = np.split(normal, [len(normal) // 2])
            test = np.concatenate([test, np.flatnonzero(y == 1)])
            measure(results, name, X[train], X[test], y[test] == 1, seed, arguments.methods)
    print_areas(results, "table", {name: name for name in TABLES}, arguments.methods)
    means = {m: np.array([results.mean(t, m) for t in TABLES]) for m in arguments.methods}
    baselines = [means[name] for name in means if name in BASELINES]
    if baselines and "default detector" in means:
        n_worse = np.sum(means["default detector"] < np.max(baselines, axis=0) - 0.05)
        print(f"By more than .05 behind the best baseline on {n_worse} of {len(TABLES)} tables.\n")


def measure_dirty(results, arguments):
    """Train with anomalies, trimmed by their share, by twice that and not at all."""
    variants = [(share, trim) for share in CONTAMINATIONS for trim in sorted({0, share, 2 * share})]
    names = {(s, t): f"{s:.0%} anomalies, trim={t:g}" for s, t in variants}
    for seed in arguments.seeds:
        for label in arguments.classes:
            for data_set in arguments.data_sets:
                data, problem = load_images(data_set), f"dirty {data_set} {label}"
                for (share, trim), name in names.items():
                    if not results.missing(problem, [name], seed):
                        continue
                    is_anomaly = data["y_train"] != label
                    X, _ = dirty_images(data["x_train"], is_anomaly, share)
                    scores = ["default detector"]
                    [(_, detector)] = fit_detectors(X, seed, scores, trim=trim)
                    area = roc_auc_score(
                        data["y_test"] != label, -detector.score_samples(data["x_test"])
                    )
                    results.add(problem, name, seed, area)
    for data_set in arguments.data_sets:
        problems = {label: f"dirty {data_set} {label}" for label in arguments.classes}
        print_areas(results, data_set, problems, names.values())


def measure_few(results, arguments):
    """Train with so few images that steps and not passes count, beside nearest neighbors."""
    methods = ["default detector", "k nearest neighbors"]
    for data_set in arguments.data_sets:
        data = load_images(data_set)
        for n_images in (25, 50, 100):
            problems = {label: f"{n_images} of {data_set} {label}" for label in arguments.classes}
            for seed in arguments.seeds:
                for label, problem in problems.items():
                    of_class = np.flatnonzero(data["y_train"] == label)
                    train = np.random.default_rng(seed).permutation(of_class)[:n_images]
                    is_anomaly = data["y_test"] != label
                    X, X_test = data["x_train"][train], data["x_test"]
                    measure(results, problem, X, X_test, is_anomaly, seed, methods)
            print_areas(results, f"{n_images} of {data_set}", problems, methods)


def measure_time(results, arguments):
    """Time the default score and the sum of absolute errors alternately, on one network."""
    from sklearn_ae import AutoencoderAnomalyDetector

    data = load_images("MNIST")
    X = data["x_train"][data["y_train"] == 8][:3000]
    rows = []

    def fit(score):
        return AutoencoderAnomalyDetector(anomaly_score=score, random_state=0).fit(X)

    default, plain = fit("auto"), fit("absolute_error")
    for name, function in {
        "fit of 3,000 images": (lambda: fit("auto"), lambda: fit("absolute_error")),
        "scores of 10,000 images": (
            lambda: default.score_samples(data["x_test"]),
            lambda: plain.score_samples(data["x_test"]),
        ),
        "scores of one image, 200 times": (
            lambda: [default.score_samples(X[:1]) for _ in range(200)],
            lambda: [plain.score_samples(X[:1]) for _ in range(200)],
        ),
    }.items():
        times = _measuring.times_of_pairs(*function, 5)
        first, second = _measuring.median_times(times)
        ratio = _measuring.median_ratio(times)
        rows.append([name, f"{first:.2f} s", f"{second:.2f} s", f"{ratio:.2f}"])
    _measuring.print_table(["median of 5 pairs", "default", "absolute error", "ratio"], rows)


def print_areas(results, title, problems, methods):
    rows = []
    for method in methods:
        areas = [results.mean(problem, method) for problem in problems.values()]
        figures = [*areas, np.mean(areas), np.min(areas)]
        rows.append([method, *(f"{figure:.3f}" for figure in figures)])
    print()
    _measuring.print_table([title, *problems, "mean", "worst"], rows)
    print()


PARTS = {
    "images": measure_images,
    "tables": measure_tables,
    "dirty": measure_dirty,
    "few": measure_few,
    "time": measure_time,
}


def main():
    methods = [*SCORES, *BASELINES, "article's network and score"]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--data-sets", nargs="+", choices=IMAGE_FILES, default=[*IMAGE_FILES])
    parser.add_argument("--classes", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--images", type=int, default=None, help="training images, if not all")
    parser.add_argument("--methods", nargs="+", choices=methods, default=methods[:-2])
    parser.add_argument("--results", default="quality.json", help="file that keeps the figures")
    arguments = parser.parse_args()

    _measuring.print_setting("scikit-learn", "numpy")
    results = Results(arguments.results)
    for part in arguments.parts:
        PARTS[part](results, arguments)


if __name__ == "__main__":
    main()
