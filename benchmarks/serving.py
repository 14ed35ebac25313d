"""Time the scores of a fitted detector, in Python and exported to ONNX, against Model.predict.

Three ways to the same scores of the same network: `score_samples`, which calls a compiled function
of TensorFlow's, the exported model in ONNX Runtime, and `Model.predict` with NumPy behind it, as an
article would write it. Each batch is timed alternately, so that all three meet the same load. Then
the export of the article's network, of 55 million weights, in a process of its own.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from _measuring import (
    PeakMemory,
    anonymous_memory,
    dispatch,
    print_promises,
    print_setting,
    print_table,
    run_measure,
    seconds,
    use_repository,
)

# How often a batch is scored in a row, and how often that is repeated.
N_CALLS = {1: 50, 32: 10, 1024: 1}
N_ROUNDS = 7
WAYS = ("Model.predict", "score_samples", "ONNX Runtime")


def main():
    figures, _ = run_measure(__file__, "serving")
    export, _ = run_measure(__file__, "export_of_the_article")
    print_setting("tensorflow", "keras", "onnx", "tf2onnx", "onnxruntime", "numpy")
    rows, speed_ups = [], {}
    for size, times in figures["times"].items():
        predict, *others = np.transpose(times)
        ratios = [predict / other for other in others]
        medians = [f"{1000 * np.median(way):.3g} ms" for way in (predict, *others)]
        spreads = [f"{np.median(r):.3g} ({r.min():.3g} to {r.max():.3g})" for r in ratios]
        rows.append([f"{int(size):,}", *medians, *spreads])
        speed_ups[size] = [np.median(r) for r in ratios]
    header = ["images", *WAYS, "predict / score_samples", "predict / ONNX Runtime"]
    print_table(header, rows)
    print(f"Scores are equal to a relative difference of {figures['difference']:.0e}.\n")
    print(
        f"Export of {export['n_weights']:,} weights: {export['seconds']:.1f} s, "
        f"{export['memory'] / 1e9:.2f} GB more memory at most, file of {export['size'] / 1e6:.0f} "
        "MB.\n"
    )
    by_tensorflow, by_onnx = speed_ups["1"]
    print_promises(
        [
            (
                "one image, TensorFlow: at least 40 times faster",
                f"{by_tensorflow:.0f} times",
                by_tensorflow >= 40,
            ),
            (
                "one image, ONNX Runtime: at least 150 times faster",
                f"{by_onnx:.0f} times",
                by_onnx >= 150,
            ),
        ]
    )


def serving():
    """Time the scores of batches of ones: MNIST's own are shipped with the package."""
    import onnxruntime

    from sklearn_ae import AutoencoderAnomalyDetector
    from sklearn_ae.datasets import load_mnist_one_zero
    from sklearn_ae.persistence import to_onnx

    digits = load_mnist_one_zero()
    images = digits.X_train[digits.y_train == 1]
    detector = AutoencoderAnomalyDetector(
        anomaly_score="absolute_error", epochs=1, random_state=0
    ).fit(images[:2000])
    with tempfile.TemporaryDirectory() as folder:
        to_onnx(detector, f"{folder}/model.onnx")
        session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
    model = detector._network.autoencoder  # of scaled images, as an article has it

    def predict(batch):
        x = (batch[..., np.newaxis] / 255).astype("float32")
        return -np.abs(x - model.predict(x, verbose=0)).sum(axis=(1, 2, 3))

    def run(batch):
        return session.run(["score"], {"input": batch})[0]

    ways = (predict, detector.score_samples, run)
    expected, *others = (score(images[:1024]) for score in ways)
    return {
        "times": {size: _times(ways, images[:size], N_CALLS[size]) for size in N_CALLS},
        "difference": max(float(np.max(np.abs(o / expected - 1))) for o in others),
    }


def _times(ways, batch, n_calls):
    def repeat(score):
        for _ in range(n_calls):
            score(batch)

    for score in ways:
        score(batch)
    return [[seconds(lambda s=s: repeat(s)) / n_calls for s in ways] for _ in range(N_ROUNDS)]


def export_of_the_article():
    """Export the article's network, not trained to speak of, and measure what it takes."""
    from sklearn_ae import AutoencoderAnomalyDetector, ConvDenseAutoencoder, DenseAutoencoder
    from sklearn_ae.persistence import to_onnx

    images = np.random.default_rng(0).integers(0, 256, size=(40, 28, 28), dtype=np.uint8)
    settings = {"epochs": 1, "anomaly_score": "absolute_error", "random_state": 0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        # What is imported does not count.
        tiny = AutoencoderAnomalyDetector(architecture=DenseAutoencoder(units=(4,)), **settings)
        to_onnx(tiny.fit(images), path)
        detector = AutoencoderAnomalyDetector(
            architecture=ConvDenseAutoencoder(), latent_dim=32, optimizer="sgd", **settings
        ).fit(images)
        detector.score_samples(images)
        before, begin = anonymous_memory(), time.perf_counter()
        with PeakMemory() as memory:
            to_onnx(detector, path)
        return {
            "n_weights": detector.model_.count_params(),
            "seconds": time.perf_counter() - begin,
            "memory": memory.peak - before,
            "size": path.stat().st_size,
        }


MEASURES = {"serving": serving, "export_of_the_article": export_of_the_article}

if __name__ == "__main__":
    use_repository()
    dispatch(MEASURES, main)
