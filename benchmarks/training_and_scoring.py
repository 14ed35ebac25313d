"""Time the detector against the same network written in plain Keras, as an article would.

Both start from every training 1 of MNIST as uint8, hold out a tenth, train for the same epochs, and
end with the weights of the epoch with the lowest validation loss. The detector's fit also scores
all rows and sets its threshold. Plain Keras scores with `Model.predict` and NumPy.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from _measuring import (
    data_path,
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

N_PAIRS = 5
EPOCHS = 3
HELD_OUT = 0.1
N_IMAGES = 10_000
N_SINGLE_IMAGES = 20
FITS = ("first", "second")


def main():
    fits = fit_times()
    scores, _ = run_measure(__file__, "scoring")
    print_setting("tensorflow", "keras", "scikeras", "scikit-learn", "numpy")
    print(f"{len(training_images()):,} ones, {EPOCHS} epochs\n")
    rows = [
        *(
            _row(f"{which} fit in a process, {clock}", fits[which, clock], "s")
            for which in FITS
            for clock in ("time", "CPU time")
        ),
        _row(f"scores of {N_IMAGES:,} images", scores["many"], "s"),
        _row(f"score of one image, mean of {N_SINGLE_IMAGES} in a row", scores["one"], "ms"),
    ]
    header = [f"median of {N_PAIRS} pairs", "detector", "plain Keras", "ratio", "of each pair"]
    print_table(header, rows)
    print(f"Scores of both are equal to a relative difference of {scores['difference']:.0e}.\n")
    promises = []
    for which in FITS:
        ratio = median_ratio(fits[which, "time"])
        promises.append((f"{which} fit: at most 1.10 times", f"{ratio:.2f}", ratio <= 1.1))
    ratio, speed_up = median_ratio(scores["many"]), 1 / median_ratio(scores["one"])
    promise = f"scores of {N_IMAGES:,} images: at most 0.9 times"
    promises.append((promise, f"{ratio:.2f}", ratio <= 0.9))
    promise = "score of one image: at least 20 times faster"
    promises.append((promise, f"{speed_up:.0f} times", speed_up >= 20))
    print_promises(promises)


def _row(what, times, unit):
    factor = {"s": 1, "ms": 1000}[unit]
    detector, keras = (f"{factor * seconds:.2f} {unit}" for seconds in median_times(times))
    ratios = ", ".join(f"{ours / theirs:.3g}" for ours, theirs in times)
    return what, detector, keras, f"{median_ratio(times):.3g}", ratios


def fit_times():
    """Time both in fresh processes, alternately: the first fit and the second, wall and CPU."""
    times = {}
    for _ in range(N_PAIRS):
        detector, _ = run_measure(__file__, "detector_fits")
        keras, _ = run_measure(__file__, "keras_fits")
        for which in FITS:
            for clock in ("time", "CPU time"):
                pair = (detector[which][clock], keras[which][clock])
                times.setdefault((which, clock), []).append(pair)
    return times


def detector_fits():
    """Time two complete fits: from images to a detector with its threshold."""
    from sklearn_ae import AutoencoderAnomalyDetector, DenseAutoencoder

    images = training_images()
    # Imports and TensorFlow's start do not count, so another network comes first.
    AutoencoderAnomalyDetector(architecture=DenseAutoencoder(units=(4,)), epochs=1).fit(images)
    return {which: _clocks(fit_detector, images, seed) for seed, which in enumerate(FITS)}


def keras_fits():
    """Time two complete fits of plain Keras: from images to the best weights."""
    import keras
    from keras import layers

    images = training_images()
    x = (images[..., np.newaxis] / 255).astype("float32")
    tiny = [layers.Flatten(), layers.Dense(4), layers.Dense(784), layers.Reshape((28, 28, 1))]
    tiny = keras.Sequential([keras.Input((28, 28, 1)), *tiny])
    tiny.compile(optimizer="adam", loss="mse")
    tiny.fit(x, x, validation_data=(x[:32], x[:32]), verbose=0)
    return {which: _clocks(fit_keras, images, seed) for seed, which in enumerate(FITS)}


def _clocks(fit, *arguments):
    begin, cpu_begin = time.perf_counter(), time.process_time()
    fit(*arguments)
    return {
        "time": time.perf_counter() - begin,
        "CPU time": time.process_time() - cpu_begin,
    }


def scoring():
    """Time the scores of a fitted detector against `predict` of the plain model, same weights."""
    detector = fit_detector(training_images()[:1000], seed=0, epochs=1)
    model = plain_autoencoder()
    model.set_weights(detector.model_.get_weights())
    with np.load(data_path("mnist.npz")) as file:
        many = file["x_test"][:N_IMAGES]
    one = many[:1]
    # Once unmeasured, for each compiles what it runs.
    ours, theirs = -detector.score_samples(many), score_with_keras(model, many)
    detector.score_samples(one), score_with_keras(model, one)

    def one_by_one(score):
        for _ in range(N_SINGLE_IMAGES):
            score(one)

    def keras_score(images):
        return score_with_keras(model, images)

    many_times = times_of_pairs(
        lambda: detector.score_samples(many), lambda: keras_score(many), N_PAIRS
    )
    one_times = times_of_pairs(
        lambda: one_by_one(detector.score_samples), lambda: one_by_one(keras_score), N_PAIRS
    )
    return {
        "difference": float(np.max(np.abs(ours - theirs) / theirs)),
        "many": many_times,
        "one": [[time / N_SINGLE_IMAGES for time in pair] for pair in one_times],
    }


def training_images():
    """Return every training 1 of MNIST, uint8."""
    with np.load(data_path("mnist.npz")) as file:
        return file["x_train"][file["y_train"] == 1]


def fit_detector(images, seed, epochs=EPOCHS):
    from sklearn_ae import AutoencoderAnomalyDetector

    detector = AutoencoderAnomalyDetector(
        latent_dim=32,
        epochs=epochs,
        patience=None,
        anomaly_score="absolute_error",
        validation_fraction=HELD_OUT,
        random_state=seed,
    )
    return detector.fit(images)


def fit_keras(images, seed):
    """Train as an introductory article does, with the best epoch saved to a file."""
    import keras

    x = (images[..., np.newaxis] / 255).astype("float32")
    rows = np.random.default_rng(seed).permutation(len(x))
    n_held_out = int(np.ceil(HELD_OUT * len(x)))
    x_validation, x_training = x[rows[:n_held_out]], x[rows[n_held_out:]]
    model = plain_autoencoder()
    model.compile(optimizer="adam", loss="binary_crossentropy")
    with tempfile.TemporaryDirectory() as folder:
        best = str(Path(folder) / "best.keras")
        model.fit(
            x_training,
            x_training,
            epochs=EPOCHS,
            batch_size=32,
            shuffle=True,
            validation_data=(x_validation, x_validation),
            callbacks=[keras.callbacks.ModelCheckpoint(best, save_best_only=True)],
            verbose=0,
        )
        model.load_weights(best)
    return model


def plain_autoencoder():
    """Build the network of ConvAutoencoder() at 28×28×1 and a code of 32, as an article would."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, strides=2, activation="relu", padding="same"),
            layers.Conv2D(64, 3, strides=2, activation="relu", padding="same"),
            layers.Flatten(),
            layers.Dense(32),
            layers.Dense(7 * 7 * 64, activation="relu"),
            layers.Reshape((7, 7, 64)),
            layers.Conv2DTranspose(64, 3, strides=2, activation="relu", padding="same"),
            layers.Conv2DTranspose(32, 3, strides=2, activation="relu", padding="same"),
            layers.Conv2D(1, 3, activation="sigmoid", padding="same"),
        ]
    )


def score_with_keras(model, images):
    x = (images[..., np.newaxis] / 255).astype("float32")
    return np.abs(x - model.predict(x, verbose=0)).sum(axis=(1, 2, 3))


MEASURES = {"detector_fits": detector_fits, "keras_fits": keras_fits, "scoring": scoring}

if __name__ == "__main__":
    use_repository()
    dispatch(MEASURES, main)
