"""Measure the memory of scoring a large memory map, and what many fits leave behind (Linux).

Anonymous memory is counted: what the process allocated, without pages of mapped files, which the
system can drop at any time. Each measure has a process of its own.
"""

import gc
import pickle
import tempfile
from pathlib import Path

import numpy as np
from _measuring import (
    MEGABYTE,
    PeakMemory,
    anonymous_memory,
    data_path,
    dispatch,
    print_promises,
    print_setting,
    print_table,
    run_measure,
    use_repository,
)

N_IMAGES = 200_000
N_WARM_UP_FITS = 6
N_FITS = 50
N_KERAS_FITS = 20
LARGEST_PEAK = 300 * MEGABYTE
LARGEST_GROWTH = 1 * MEGABYTE


def main():
    with tempfile.TemporaryDirectory() as folder:
        write_images(folder)
        run_measure(__file__, "pickle_detector", folder)
        scoring, _ = run_measure(__file__, "scoring", folder)
    fits, log = run_measure(__file__, "detector_fits")
    keras, keras_log = run_measure(__file__, "keras_fits")
    peak = scoring["peak"] - scoring["imported"]
    n_warnings = log.count("triggered tf.function retracing")
    print_setting("tensorflow", "keras", "scikeras", "scikit-learn", "numpy")
    print_table(
        [f"scoring {N_IMAGES:,} images, anonymous memory", "MB"],
        [
            ("after the imports", _megabytes(scoring["imported"])),
            ("peak while loading the detector and scoring", _megabytes(scoring["peak"])),
            ("after scoring", _megabytes(scoring["scored"])),
            ("the memory map, not in these", _megabytes(scoring["mapped"])),
        ],
    )
    print_table(
        ["fits in one process", "growth in MB a fit", "retracing warnings"],
        [
            (f"{N_FITS} of the detector", f"{fits['growth'] / MEGABYTE:.2f}", n_warnings),
            (
                f"{N_KERAS_FITS} of plain Keras, a new model each",
                f"{keras['growth'] / MEGABYTE:.2f}",
                keras_log.count("triggered tf.function retracing"),
            ),
        ],
    )
    print_promises(
        [
            (
                f"peak of scoring: at most {LARGEST_PEAK // MEGABYTE} MB above the imports",
                f"{_megabytes(peak)} MB",
                peak <= LARGEST_PEAK,
            ),
            (
                f"growth over {N_FITS} fits: at most {LARGEST_GROWTH // MEGABYTE} MB each",
                f"{fits['growth'] / MEGABYTE:.2f} MB",
                fits["growth"] <= LARGEST_GROWTH,
            ),
            ("no retracing warning", str(n_warnings), n_warnings == 0),
        ]
    )


def _megabytes(n_bytes):
    return f"{n_bytes / MEGABYTE:.0f}"


def write_images(folder):
    """Write the images of MNIST's test set, again and again, to a file that can be mapped."""
    with np.load(data_path("mnist.npz")) as file:
        images = file["x_test"]
    path = Path(folder) / "images.npy"
    mapped = np.lib.format.open_memmap(path, "w+", np.uint8, (N_IMAGES, *images.shape[1:]))
    for start in range(0, N_IMAGES, len(images)):
        mapped[start : start + len(images)] = images[: N_IMAGES - start]


def pickle_detector(folder):
    from sklearn_ae import AutoencoderAnomalyDetector

    detector = AutoencoderAnomalyDetector(
        latent_dim=32, epochs=1, anomaly_score="absolute_error", random_state=0
    ).fit(training_images())
    (Path(folder) / "detector.pickle").write_bytes(pickle.dumps(detector))


def scoring(folder):
    """Score the map with a detector of another process, from the imports on."""
    import sklearn_ae
    from sklearn_ae.autoencoder.network import scoring  # noqa: F401  imports TensorFlow and Keras

    gc.collect()
    imported = anonymous_memory()
    with PeakMemory() as memory:
        detector = pickle.loads((Path(folder) / "detector.pickle").read_bytes())
        assert isinstance(detector, sklearn_ae.AutoencoderAnomalyDetector)
        images = np.load(Path(folder) / "images.npy", mmap_mode="r")
        scores = detector.score_samples(images)
    assert scores.shape == (N_IMAGES,)
    return {
        "imported": imported,
        "peak": memory.peak,
        "scored": anonymous_memory(),
        "mapped": images.nbytes,
    }


def detector_fits():
    """Measure the growth over fits of two configurations in turn, a new seed each."""
    from sklearn_ae import AutoencoderAnomalyDetector

    images = training_images()

    def fit(seed):
        AutoencoderAnomalyDetector(
            latent_dim=(16, 32)[seed % 2],
            epochs=1,
            anomaly_score="absolute_error",
            random_state=seed,
        ).fit(images)

    return {"growth": growth_per_fit(fit, N_FITS)}


def keras_fits():
    """Measure the same for plain Keras, which compiles each model anew."""
    from training_and_scoring import plain_autoencoder

    x = (training_images()[..., np.newaxis] / 255).astype("float32")

    def fit(seed):
        model = plain_autoencoder()
        model.compile(optimizer="adam", loss="binary_crossentropy")
        model.fit(x, x, epochs=1, batch_size=32, verbose=0)

    return {"growth": growth_per_fit(fit, N_KERAS_FITS)}


def growth_per_fit(fit, n_fits):
    """Return the bytes that a fit leaves, after some fits that fill pools and caches."""
    for seed in range(N_WARM_UP_FITS):
        fit(seed)
    gc.collect()
    before = anonymous_memory()
    for seed in range(N_WARM_UP_FITS, N_WARM_UP_FITS + n_fits):
        fit(seed)
    gc.collect()
    return (anonymous_memory() - before) / n_fits


def training_images():
    """Return 200 training 1s of MNIST, uint8: a fit of them shows what a longer one leaves too."""
    with np.load(data_path("mnist.npz")) as file:
        return file["x_train"][file["y_train"] == 1][:200]


MEASURES = {
    "pickle_detector": pickle_detector,
    "scoring": scoring,
    "detector_fits": detector_fits,
    "keras_fits": keras_fits,
}

if __name__ == "__main__":
    use_repository()
    dispatch(MEASURES, main)
