"""Time the scores of a fitted detector, in Python and exported to ONNX, against Model.predict.

Three ways to the same scores of the same network: `score_samples`, which calls a compiled function
of TensorFlow's, the exported model in ONNX Runtime, and `Model.predict` with NumPy behind it, as an
article would write it. Each batch is timed alternately, so that all three meet the same load; ONNX
Runtime in a process of its own, as it is served, where no threads of TensorFlow's stand in its way.
Then the export of the article's network, of 55 million weights.
"""

import subprocess
import sys
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

# How often a batch is scored in a row, by predict and by the others, and how often all is done.
N_CALLS = {1: (20, 400), 32: (10, 50), 1024: (2, 2)}
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
    from sklearn_ae import AutoencoderAnomalyDetector
    from sklearn_ae.datasets import load_mnist_one_zero
    from sklearn_ae.deployment import to_onnx

    digits = load_mnist_one_zero()
    images = digits.X_train[digits.y_train == 1]
    detector = AutoencoderAnomalyDetector(
        anomaly_score="absolute_error", epochs=1, random_state=0
    ).fit(images[:2000])
    model = detector._network.autoencoder  # of scaled images, as an article has it

    def predict(batch):
        x = (batch[..., np.newaxis] / 255).astype("float32")
        return -np.abs(x - model.predict(x, verbose=0)).sum(axis=(1, 2, 3))

    with tempfile.TemporaryDirectory() as folder:
        to_onnx(detector, f"{folder}/model.onnx")
        np.save(f"{folder}/images.npy", images[:1024])
        command = [sys.executable, __file__, "--measure", "onnx_server", folder]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, **pipes) as server:
            times = {size: _times(predict, detector, server, images[:size]) for size in N_CALLS}
            server.stdin.close()
        scores = np.load(f"{folder}/scores.npy")
    expected, ours = (score(images[:1024]) for score in (predict, detector.score_samples))
    difference = max(float(np.max(np.abs(o / expected - 1))) for o in (ours, scores))
    return {"times": times, "difference": difference}


def _times(predict, detector, server, batch):
    n_predict, n_calls = N_CALLS[len(batch)]

    def ask():
        server.stdin.write(f"{len(batch)}\n")
        server.stdin.flush()
        return float(server.stdout.readline())

    ask(), predict(batch), detector.score_samples(batch)
    return [
        [
            seconds(lambda: _repeat(predict, batch, n_predict)) / n_predict,
            seconds(lambda: _repeat(detector.score_samples, batch, n_calls)) / n_calls,
            ask(),
        ]
        for _ in range(N_ROUNDS)
    ]


def _repeat(score, batch, n_calls):
    for _ in range(n_calls):
        score(batch)


def onnx_server(folder):
    """Score as many images as each line of the input says, and print the seconds of a call."""
    import onnxruntime

    session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
    images = np.load(f"{folder}/images.npy")

    def run(batch):
        return session.run(["score"], {"input": batch})[0]

    np.save(f"{folder}/scores.npy", run(images))
    for line in sys.stdin:
        size = int(line)
        _, n_calls = N_CALLS[size]
        print(seconds(lambda n=n_calls, b=images[:size]: _repeat(run, b, n)) / n_calls, flush=True)


def export_of_the_article():
    """Export the article's network, not trained to speak of, and measure what it takes."""
    from sklearn_ae import AutoencoderAnomalyDetector, ConvDenseAutoencoder, DenseAutoencoder
    from sklearn_ae.deployment import to_onnx

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


MEASURES = {
    "serving": serving,
    "onnx_server": onnx_server,
    "export_of_the_article": export_of_the_article,
}

if __name__ == "__main__":
    use_repository()
    dispatch(MEASURES, main)
