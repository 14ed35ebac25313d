"""How well defects are found and located in photographs, beside simple baselines.

- `cells`: elpv-dataset, solar cells as 160×160 gray images. Half of the cells that are surely
  intact train, by seed; the other half and those that are surely defective are tested, and with
  "unsure" those in between too, defective from a probability of 1/2. By type of cell, and all.
- `cookies`: 31 normal cookies train, the other 54 are tested, as 512×384 color images, four times
  the size of the file's (see `--enlarge`); pixels of normal ones and of those with a mask. Maps are
  smoothed by a Gaussian of 4 of the file's pixels.
- `time`: what a fit and a score cost beside the frozen network alone.
- `sizes`: time and memory of scoring one large image by tiles of 256×256.

`python benchmarks/images.py cookies cells time sizes` runs everything. Needs cookies_128.npz (see
CONTRIBUTING), the extras `images` and `pretrained`, and elpv-dataset from PyPI.
"""

import argparse

import _measuring
import numpy as np

_measuring.use_repository()

from sklearn.covariance import LedoitWolf  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402
from sklearn.neighbors import NearestNeighbors  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

N_SEEDS = 3


def fit(X, architecture, seed=0, **parameters):
    from sklearn_ae import AutoencoderAnomalyDetector

    detector = AutoencoderAnomalyDetector(
        architecture=architecture, random_state=seed, **parameters
    )
    return detector.fit(X)


def pca_on_pixels(X, X_test):
    rows, test_rows = (images.reshape(len(images), -1) / 255 for images in (X, X_test))
    model = PCA(min(32, len(X) // 2), svd_solver="full").fit(rows)
    return np.sum((test_rows - model.inverse_transform(model.transform(test_rows))) ** 2, axis=1)


def pool(images):
    """Return mean and standard deviation of each of the default features, as rows."""
    from sklearn_ae import FeatureAutoencoder

    shape = (*images.shape[1:], 1)[:3]
    model = FeatureAutoencoder().build_features(shape)
    batches = np.split(images, np.arange(64, len(images), 64))
    maps = [
        np.asarray(model(np.reshape(batch, (-1, *shape)).astype(np.float32) / 255))
        for batch in batches
    ]
    return np.concatenate([np.hstack([m.mean(axis=(1, 2)), m.std(axis=(1, 2))]) for m in maps])


def baselines_on_features(X, X_test):
    """Yield scores of nearest neighbors and of the Mahalanobis distance on pooled features."""
    rows, test_rows = pool(X), pool(X_test)
    scaler = StandardScaler().fit(rows)
    rows, test_rows = scaler.transform(rows), scaler.transform(test_rows)
    neighbors = NearestNeighbors(n_neighbors=5).fit(rows)
    yield "k nearest neighbors on features", neighbors.kneighbors(test_rows)[0][:, -1]
    yield "Mahalanobis on features", LedoitWolf().fit(rows).mahalanobis(test_rows)


def measure_scores(X, X_test, is_anomaly, seed, with_pixels):
    """Return the ROC AUC of each method, and the detector of features.

    Autoencoder and PCA of pixels get images of 64×64: larger ones take them hours, and help little.
    On tiles of 64×64 the autoencoder sees all there is to see.
    """
    from sklearn_ae import ConvAutoencoder, FeatureAutoencoder

    detector = fit(X, FeatureAutoencoder(), seed)
    areas = {"FeatureAutoencoder": roc_auc_score(is_anomaly, -detector.score_samples(X_test))}
    for name, scores in baselines_on_features(X, X_test):
        areas[name] = roc_auc_score(is_anomaly, scores)
    if with_pixels:
        tiled = fit(X, ConvAutoencoder(), seed, tile_size=64)
        areas["ConvAutoencoder on tiles"] = roc_auc_score(is_anomaly, -tiled.score_samples(X_test))
    X, X_test = (np.stack([resize(image, (64, 64)) for image in data]) for data in (X, X_test))
    areas["PCA on pixels"] = roc_auc_score(is_anomaly, pca_on_pixels(X, X_test))
    if with_pixels:
        plain = fit(X, ConvAutoencoder(), seed)
        areas["ConvAutoencoder"] = roc_auc_score(is_anomaly, -plain.score_samples(X_test))
    return areas, detector


def resize(image, size):
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


def load_cells():
    from elpv_dataset.utils import load_dataset

    images, probabilities, types = load_dataset()
    return np.stack([resize(image, (160, 160)) for image in images]), probabilities, types


def measure_cells(arguments):
    X, probabilities, types = load_cells()
    intact, defective = probabilities < 0.01, probabilities > 0.99
    rows = []
    for kind in ("mono", "poly", "both"):
        of_kind = (types == kind) | (kind == "both")
        collected = []
        for seed in range(arguments.seeds):
            order = np.random.default_rng(seed).permutation(np.flatnonzero(of_kind & intact))
            train, test = np.split(order, [len(order) // 2])
            test = np.concatenate([test, np.flatnonzero(of_kind & defective)])
            areas, detector = measure_scores(
                X[train], X[test], defective[test], seed, with_pixels=seed == 0
            )
            unsure = np.concatenate([test, np.flatnonzero(of_kind & ~intact & ~defective)])
            areas["FeatureAutoencoder, with unsure"] = roc_auc_score(
                probabilities[unsure] > 0.5, -detector.score_samples(X[unsure])
            )
            collected.append(areas)
            print(kind, seed, areas, flush=True)
        rows += [[f"{kind}: {name}", *mean_of(collected, name)] for name in collected[0]]
    _measuring.print_table(["ROC AUC", "mean", "seeds"], rows)


def mean_of(collected, name):
    values = [areas[name] for areas in collected if name in areas]
    return f"{np.mean(values):.3f}", str(len(values))


def measure_cookies(arguments):
    from sklearn_ae import maps, metrics

    with np.load(_measuring.data_path("cookies_128.npz")) as file:
        data = {name: file[name] for name in file.files}
    is_anomaly = data["y"] == 1
    factor = arguments.enlarge
    X = np.stack([resize(image, (factor * 96, factor * 128)) for image in data["X"]])
    train = (data["split"] == "train") & ~is_anomaly
    located = ~train & (data["has_mask"] | ~is_anomaly)
    masks = (data["masks"][located] > 0) & is_anomaly[located, np.newaxis, np.newaxis]
    masks = masks.repeat(factor, axis=1).repeat(factor, axis=2)
    collected = []
    for seed in range(arguments.seeds):
        areas, detector = measure_scores(
            X[train], X[~train], is_anomaly[~train], seed, with_pixels=True
        )
        smoothed = maps.smooth(detector.anomaly_map(X[located]), sigma=4 * factor)
        areas["pixels: FeatureAutoencoder"] = metrics.pixel_roc_auc(masks, smoothed)
        areas["AUPRO: FeatureAutoencoder"] = metrics.aupro(masks, smoothed)
        collected.append(areas)
        print("cookies", seed, areas, flush=True)
    rows = [[f"cookies: {name}", *mean_of(collected, name)] for name in collected[0]]
    _measuring.print_table(["ROC AUC", "mean", "seeds"], rows)


def measure_time(arguments):
    """Time a fit of 500 images of 128×128 and one score beside the frozen network."""
    import tensorflow as tf

    from sklearn_ae import FeatureAutoencoder

    X = np.random.default_rng(0).integers(0, 256, (500, 128, 128, 3), dtype=np.uint8)
    X = np.sort(X, axis=1)
    model = FeatureAutoencoder().build_features((128, 128, 3))
    forward = tf.function(lambda images: model(tf.cast(images, tf.float32) / 255))
    detector = fit(X, FeatureAutoencoder())

    def one_pass():
        for begin in range(0, 500, 20):
            forward(X[begin : begin + 20])

    [(fitted, passed)] = _measuring.times_of_pairs(
        lambda: fit(X, FeatureAutoencoder()), one_pass, 1
    )
    print(f"Fit of 500 images: {fitted:.1f} s; one pass of features {passed:.1f} s.")
    print(f"Beyond three passes: {fitted - 3 * passed:.1f} s.")
    times = _measuring.times_of_pairs(
        lambda: [detector.score_samples(X[:1]) for _ in range(20)],
        lambda: [forward(X[:1]).numpy() for _ in range(20)],
        7,
    )
    print(f"One image: {_measuring.median_ratio(times):.2f} times the frozen network's pass.")


def measure_sizes(arguments):
    """Score one image of each size by tiles, with all of the network's cores."""
    import tensorflow  # noqa: F401  the memory of the import is not counted

    from sklearn_ae import FeatureAutoencoder

    imported = _measuring.anonymous_memory()
    X = np.random.default_rng(0).integers(0, 256, (4, 512, 512, 3), dtype=np.uint8)
    detector = fit(X, FeatureAutoencoder(), tile_size=256, tile_overlap=0.25, epochs=1)
    detector.anomaly_map(X[:1])
    rows = []
    for size in (1024, 2048, 4096):
        image = np.random.default_rng(size).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
        with _measuring.PeakMemory() as memory:
            scoring = _measuring.seconds(lambda image=image: detector.score_samples(image))
            mapping = _measuring.seconds(lambda image=image: detector.anomaly_map(image))
        n_megapixels = size**2 / 1e6
        rows.append(
            [
                f"{size}×{size}",
                f"{scoring:.1f} s",
                f"{scoring / n_megapixels:.2f} s",
                f"{mapping / n_megapixels:.2f} s",
                f"{(memory.peak - imported) / 2**20:.0f} MiB",
            ]
        )
    header = ["image", "score", "score, a megapixel", "map, a megapixel", "beyond the import"]
    _measuring.print_table(header, rows)


PARTS = {
    "cells": measure_cells,
    "cookies": measure_cookies,
    "time": measure_time,
    "sizes": measure_sizes,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--seeds", type=int, default=N_SEEDS)
    parser.add_argument("--enlarge", type=int, default=4, help="times the file's size")
    arguments = parser.parse_args()
    _measuring.print_setting("scikit-learn", "tensorflow", "keras")
    for part in arguments.parts:
        PARTS[part](arguments)


if __name__ == "__main__":
    main()
