"""Compare scores and thresholds of small fits, to the last bit, between two versions of the code.

    python benchmarks/bits.py --record before.json
    python benchmarks/bits.py --compare before.json

Both on one machine with the same packages, for a sum in another order has other last bits. The
second prints for each case whether all is equal, and ends with 1 if something is not.
"""

import hashlib
import json
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from _measuring import print_setting, print_table, use_repository

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(240, 6)) @ RNG.normal(size=(6, 6))
SHARES = RNG.random((240, 5))
IMAGES = RNG.integers(0, 256, size=(120, 12, 10), dtype=np.uint8)
PHOTOGRAPHS = [RNG.integers(0, 256, size=(24 + 4 * (i % 3), 30), dtype=np.uint8) for i in range(24)]
REGION = np.zeros((12, 10), dtype=bool)
REGION[2:10, 1:8] = True


def main():
    option, path = [*sys.argv[1:], "", ""][:2]
    if option not in ("--record", "--compare") or not path:
        sys.exit(__doc__)
    use_repository()
    found = {}
    for name, fit in cases().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[name] = fit()
    if option == "--record":
        Path(path).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"{len(found)} cases are recorded in {path}.")
        return
    expected = json.loads(Path(path).read_text(encoding="utf-8"))
    print_setting("tensorflow", "keras", "scikit-learn", "numpy")
    names = list(dict.fromkeys([*expected, *found]))
    differences = {name: compare(expected.get(name), found.get(name)) for name in names}
    print_table(["case", ""], [(name, differences[name] or "equal") for name in names])
    if any(differences.values()):
        sys.exit(1)


def compare(expected, found):
    """Return what of a case differs, as text, or nothing."""
    if expected is None or found is None:
        return "NOT RECORDED" if expected is None else "MISSING"
    names = [name for name in {**expected, **found} if expected.get(name) != found.get(name)]
    return f"NOT EQUAL: {', '.join(names)}" if names else ""


def cases():
    """Return by name functions that fit a detector and describe what it gives."""
    return cases_of_rows() | cases_of_images() | cases_of_scores()


def cases_of_rows():
    return {
        "rows": rows,
        "rows, epochs and score by default": lambda: rows(epochs="auto", anomaly_score="auto"),
        "rows of shares": lambda: described(rows_detector(), SHARES),
        "rows, nothing held out": lambda: rows(validation_fraction=0),
        "rows, trim": lambda: rows(trim=0.1),
        "rows, warm start": lambda: warm(rows_detector(), ROWS),
        "rows, warm start and trim": lambda: warm(rows_detector(trim=0.1), ROWS),
        "rows, memory": in_memory,
        "rows, optimizer and loss": lambda: rows(
            optimizer="sgd", learning_rate=0.01, loss="mean_absolute_error", patience=None
        ),
        "mixed precision, rows": lambda: in_mixed_precision(rows_detector(), ROWS),
        "a model with state": lambda: rows(architecture=normalizing, trim=0.1),
        "one model": lambda: rows(architecture=one_model),
        "a score of the user's": lambda: rows(anomaly_score=LargestError()),
    }


def cases_of_images():
    return {
        "images": images,
        "images, trim": lambda: images(trim=0.1),
        "images, warm start": lambda: warm(images_detector(), IMAGES),
        "images, region of interest": lambda: images(region_of_interest=REGION),
        "images, region of interest and trim": lambda: images(region_of_interest=REGION, trim=0.1),
        "images, standardized": lambda: images(scaling="standard", trim=0.1),
        "images, folded": lambda: described(
            images_detector(input_shape=(12, 10)), IMAGES.reshape(len(IMAGES), -1)
        ),
        "features": features,
        "features, trim": lambda: features(trim=0.1),
        "features, warm start": lambda: warm(features_detector(), IMAGES),
        "features, region of interest": lambda: features(region_of_interest=REGION),
        "tiles": lambda: described(images_detector(tile_size=12), PHOTOGRAPHS),
        "tiles of features": lambda: described(features_detector(tile_size=12), PHOTOGRAPHS),
        "mixed precision, images": lambda: in_mixed_precision(images_detector(), IMAGES),
        "mixed precision, features": lambda: in_mixed_precision(features_detector(), IMAGES),
    }


def cases_of_scores():
    from sklearn_ae.scores import CombinedScore, LatentDistance

    by_name = {}
    neighbors = LatentDistance(method="neighbors")
    combined = CombinedScore([("code", neighbors), ("error", LargestError())])
    of_rows = ["absolute_error", "code_difference", "hidden_difference", "latent_distance"]
    of_rows += ["neighbor_distance", "squared_error", "whitened_error", neighbors, combined]
    of_images = [score for score in of_rows if score is not combined] + ["smoothed_error"]
    of_features = ["position_error", "pooled_distance", "squared_error", "latent_distance"]
    for kind, fit, scores in (
        ("rows", rows, of_rows),
        ("images", images, of_images),
        ("features", features, of_features),
    ):
        for score in scores:
            name = score if isinstance(score, str) else type(score).__name__
            by_name[f"{kind}, {name}"] = lambda fit=fit, score=score: fit(anomaly_score=score)
    return by_name


def rows(**parameters):
    return described(rows_detector(**parameters), ROWS)


def images(**parameters):
    return described(images_detector(**parameters), IMAGES)


def features(**parameters):
    return described(features_detector(**parameters), IMAGES)


def rows_detector(**parameters):
    from sklearn_ae import DenseAutoencoder

    return detector(DenseAutoencoder(units=(12,)), parameters)


def images_detector(**parameters):
    from sklearn_ae import ConvAutoencoder

    return detector(ConvAutoencoder(filters=(4,)), parameters)


def features_detector(**parameters):
    from sklearn_ae import FeatureAutoencoder

    return detector(FeatureAutoencoder(backbone=backbone(), units=(8,)), parameters)


def detector(architecture, parameters):
    from sklearn_ae import AutoencoderAnomalyDetector

    defaults = {"architecture": architecture, "latent_dim": 3, "epochs": 2, "random_state": 0}
    return AutoencoderAnomalyDetector(**(defaults | parameters))


def described(unfitted, X):
    """Fit a detector and return a digest of each thing that it gives."""
    return describe(unfitted.fit(X), X)


def describe(fitted, X):
    arrays = {
        "score_samples": fitted.score_samples(X),
        "offset_": np.float64(fitted.offset_),
        "training_scores_": fitted.training_scores_,
        "validation_scores_": fitted.validation_scores_,
        "trimmed_indices_": fitted.trimmed_indices_,
        "history_": np.array([fitted.history_[name] for name in sorted(fitted.history_)]),
        "anomaly_map": np.concatenate([np.ravel(one) for one in fitted.anomaly_map(X)]),
    }
    for method in ("transform", "reconstruct"):
        if hasattr(fitted, method):
            arrays[method] = getattr(fitted, method)(X)
    return {name: digest(array) for name, array in arrays.items()}


def digest(array):
    """Return a number exactly, and of an array a hash of its bytes."""
    array = np.ascontiguousarray(array)
    if array.ndim == 0 or array.size == 1:
        return float(array.ravel()[0]).hex()
    return f"{array.dtype}{array.shape} {hashlib.sha256(array.tobytes()).hexdigest()[:16]}"


def warm(cold, X):
    """Fit twice, the second time from the weights of the first."""
    return described(cold.set_params(warm_start=True).fit(X), X)


def in_memory():
    """Fit twice with a memory, of which the second fit takes its weights."""
    with tempfile.TemporaryDirectory() as folder:
        rows(memory=folder, trim=0.1)
        return rows(memory=folder, trim=0.1, anomaly_score="squared_error")


def in_mixed_precision(unfitted, X):
    import keras

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return described(unfitted, X)
    finally:
        keras.config.set_dtype_policy(policy)


def backbone():
    """Build two frozen layers of random convolutions."""
    import keras

    inputs = keras.Input((None, None, 1))
    x = inputs
    for seed in (0, 1):
        start = keras.initializers.HeNormal(seed=seed)
        layer = keras.layers.Conv2D(6, 3, strides=2, padding="same", activation="relu")
        layer.kernel_initializer = start
        x = layer(x)
    return keras.Model(inputs, x)


def normalizing(input_shape, latent_dim):
    """Build an encoder whose batch normalization keeps averages, with dropout, and a decoder."""
    from keras import Input, Sequential, layers

    encoder = [layers.Dense(12), layers.BatchNormalization(), layers.Dropout(0.1)]
    encoder = Sequential([Input(input_shape), *encoder, layers.Dense(latent_dim)])
    return encoder, Sequential([Input((latent_dim,)), layers.Dense(*input_shape)])


def one_model(input_shape, latent_dim):
    """Build a model from input to reconstruction, which has no code."""
    from keras import Input, Sequential, layers

    return Sequential([Input(input_shape), layers.Dense(latent_dim), layers.Dense(*input_shape)])


class LargestError:
    """The largest error of a sample, in units of the spread of each value's errors."""

    def features(self, response):
        return response.inputs - response.reconstructions

    def fit(self, features):
        self.spread_ = features.std(axis=0)
        return self

    def compute_from(self, response):
        import keras

        return keras.ops.max(abs(self.features(response)) / self.spread_, axis=1)


if __name__ == "__main__":
    main()
