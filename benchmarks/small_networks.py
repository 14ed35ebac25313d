"""Time fits of tables, where most of the time of Keras's `fit` goes by around each step.

    python benchmarks/small_networks.py             against Keras's `fit` of the same network
    python benchmarks/small_networks.py CHECKOUT    and the default fit of an older checkout

10,000 rows of 30 features. The network is that of the detector, trained by Keras on arrays for the
same epochs and batches, with a tenth of the rows held out and the best epoch kept. Second fits in a
process: what is compiled once is compiled. The older checkout runs in processes of its own,
alternately with this one.
"""

import os
import sys
import time

import numpy as np
from _measuring import (
    dispatch,
    median_ratio,
    median_times,
    print_promises,
    print_setting,
    print_table,
    run_measure,
    times_of_pairs,
    use_repository,
)

N_PAIRS, N_PAIRS_OF_PROCESSES = 5, 3
EPOCHS, BATCH_SIZE = 10, 32


def rows():
    rng = np.random.default_rng(0)
    return rng.normal(size=(10_000, 5)) @ rng.normal(size=(5, 30)) + 0.3 * rng.normal(
        size=(10_000, 30)
    )


def main():
    same = run_measure(__file__, "same_network")[0]["times"]
    tables = [("Keras's fit of the same network", same, 0.35)]
    if len(sys.argv) > 1:
        tables.append((f"default fit of {sys.argv[1]}", against(sys.argv[1]), 0.2))
    print_setting("tensorflow", "keras", "scikit-learn", "numpy")
    table, promises = [], []
    for name, times, limit in tables:
        ours, theirs = (f"{t:.2f} s" for t in median_times(times))
        ratios = ", ".join(f"{a / b:.2f}" for a, b in times)
        table.append((name, ours, theirs, f"{median_ratio(times):.2f}", ratios))
        ratio = median_ratio(times)
        promises.append((f"against {name}: at most {limit}", f"{ratio:.2f}", ratio <= limit))
    print_table(["second fit against", "detector", "other", "ratio", "of each pair"], table)
    print_promises(promises)


def against(checkout):
    """Time default fits of this checkout and of another one, alternately."""
    times = []
    for _ in range(N_PAIRS_OF_PROCESSES):
        ours, _ = run_measure(__file__, "default_fit", "")
        theirs, _ = run_measure(__file__, "default_fit", checkout)
        times.append((ours["time"], theirs["time"]))
    return times


def same_network():
    """Time fits of the detector and of Keras, alternately, in one process."""
    import keras

    from sklearn_ae import AutoencoderAnomalyDetector

    X = rows()
    detector = AutoencoderAnomalyDetector(
        anomaly_score="squared_error", epochs=EPOCHS, batch_size=BATCH_SIZE, random_state=0
    )
    detector.fit(X)
    scaled = ((X - X.mean(0)) / X.std(0)).astype(np.float32)
    network = keras.models.clone_model(detector._network.autoencoder)
    network.compile("adam", "mse")

    def fit_keras():
        best = keras.callbacks.EarlyStopping(patience=EPOCHS, restore_best_weights=True)
        arguments = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "validation_split": 0.1}
        network.fit(scaled, scaled, callbacks=[best], verbose=0, **arguments)

    fit_keras()
    return {"times": times_of_pairs(lambda: detector.fit(X), fit_keras, N_PAIRS)}


def default_fit(checkout):
    """Time the second fit with the defaults."""
    if checkout:
        sys.path.insert(0, checkout)
        os.environ["PYTHONPATH"] = checkout
    from sklearn_ae import AutoencoderAnomalyDetector

    X = rows()
    detector = AutoencoderAnomalyDetector(random_state=0).fit(X)
    begin = time.perf_counter()
    detector.fit(X)
    return {"time": time.perf_counter() - begin}


def xla():
    """Time steps of two convolutional networks without XLA and with it, in milliseconds."""
    import keras
    import tensorflow as tf

    from sklearn_ae import ConvAutoencoder, ConvDenseAutoencoder

    images = tf.constant(np.random.default_rng(0).random((32, 28, 28, 1), dtype=np.float32))
    figures = {}
    for architecture, n_steps in ((ConvDenseAutoencoder(), 6), (ConvAutoencoder(), 30)):
        encoder, decoder = architecture.build((28, 28, 1), 32)
        inputs = keras.Input((28, 28, 1))
        for jit_compile in (False, True):
            model = keras.Model(inputs, decoder(encoder(inputs)))
            model.compile("adam", "mse", jit_compile=False)
            model.optimizer.build(model.trainable_variables)
            step = tf.function(model.train_step, jit_compile=jit_compile, autograph=False)
            step((images, images))
            begin = time.perf_counter()
            for _ in range(n_steps):
                step((images, images))
            name = f"{type(architecture).__name__}, {'with' if jit_compile else 'without'} XLA"
            figures[name] = round(1000 * (time.perf_counter() - begin) / n_steps, 1)
    return figures


if __name__ == "__main__":
    use_repository()
    dispatch({"same_network": same_network, "default_fit": default_fit, "xla": xla}, main)
