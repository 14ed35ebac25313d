"""Time `deployment.save` and `load` against joblib, and measure files against the weights in them.

Both write the same fitted detectors and read them again, alternately, each in a process that has
TensorFlow loaded. How well the detectors detect does not matter: they are fitted for one epoch.
"""

import tempfile
from pathlib import Path

import joblib
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

N_PAIRS = 7
LARGEST_RATIO_TO_WEIGHTS = 1.05


def make_detector(name):
    """Return a fitted detector and samples for it."""
    import sklearn_ae

    rng = np.random.default_rng(0)
    architectures = {
        "rows of 20": "auto",
        "28×28, ConvAutoencoder": "auto",
        "28×28, ConvDenseAutoencoder": sklearn_ae.ConvDenseAutoencoder(),
        "64×64, FeatureAutoencoder": sklearn_ae.FeatureAutoencoder(),
    }
    shape = {"rows of 20": (20,), "64×64, FeatureAutoencoder": (64, 64, 3)}.get(name, (28, 28))
    detector = sklearn_ae.AutoencoderAnomalyDetector(
        architecture=architectures[name], epochs=1, random_state=0
    )
    X = rng.random((64, *shape), dtype=np.float32)
    return detector.fit(X), X


def measure(name):
    """Return times and sizes of one detector, in seconds and bytes."""
    from sklearn_ae import deployment

    detector, X = make_detector(name)
    network = detector._network
    models = [*network.parts, *network.front.models]
    weights = sum(weight.nbytes for model in models for weight in model.get_weights())
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "model.skae", Path(folder) / "model.joblib"
        pairs = {
            "save": (
                lambda: deployment.save(detector, ours),
                lambda: joblib.dump(detector, theirs),
            ),
            "load": (lambda: deployment.load(ours), lambda: joblib.load(theirs)),
        }
        times = {}
        for task, functions in pairs.items():
            times_of_pairs(*functions, 1)  # unmeasured: the first call compiles what scores
            times[task] = times_of_pairs(*functions, N_PAIRS)
        is_equal = np.array_equal(deployment.load(ours).score_samples(X), detector.score_samples(X))
        sizes = [ours.stat().st_size, theirs.stat().st_size, weights]
    return {"times": times, "sizes": sizes, "is_equal": bool(is_equal)}


def main():
    figures = {name: run_measure(__file__, "measure", name)[0] for name in NAMES}
    print_setting("tensorflow", "keras", "joblib", "scikit-learn", "numpy")
    rows = []
    for name, figure in figures.items():
        for task, times in figure["times"].items():
            ours, theirs = (f"{1000 * time:.0f}" for time in median_times(times))
            rows.append((name, task, ours, theirs, f"{median_ratio(times):.2f}"))
    print_table(["detector", "", "persistence, ms", "joblib, ms", "ratio"], rows)
    ratios = {name: figure["sizes"][0] / figure["sizes"][2] for name, figure in figures.items()}
    print_table(
        ["detector", "weights, kB", "persistence, kB", "joblib, kB", "persistence / weights"],
        [
            (
                name,
                *(f"{figures[name]['sizes'][i] / 1000:,.0f}" for i in (2, 0, 1)),
                f"{ratio:.3f}",
            )
            for name, ratio in ratios.items()
        ],
    )
    largest = max(NAMES, key=lambda name: figures[name]["sizes"][2])
    n_equal = sum(figure["is_equal"] for figure in figures.values())
    print_promises(
        [
            (
                f"file of the largest network: at most {LARGEST_RATIO_TO_WEIGHTS} of its weights",
                f"{ratios[largest]:.3f}",
                ratios[largest] <= LARGEST_RATIO_TO_WEIGHTS,
            ),
            (
                "scores equal to the last bit after loading",
                f"{n_equal} of {len(NAMES)}",
                n_equal == len(NAMES),
            ),
        ]
    )


NAMES = [
    "rows of 20",
    "28×28, ConvAutoencoder",
    "64×64, FeatureAutoencoder",
    "28×28, ConvDenseAutoencoder",
]
MEASURES = {"measure": measure}

if __name__ == "__main__":
    use_repository()
    dispatch(MEASURES, main)
