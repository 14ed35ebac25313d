"""Time a search and scores on a Dask cluster of one and of two workers, and in this process.

The search fits 12 networks, the scores are those of 100,000 images. Workers have one thread each,
and have imported TensorFlow and fitted once before anything is timed. Beside the public function,
the scores are computed with the detector as part of each task, which sends it with each chunk. The
last figure is the memory of a worker while it scores a million images, made chunk by chunk.
"""

import statistics

import numpy as np
from _measuring import (
    MEGABYTE,
    PeakMemory,
    dispatch,
    print_promises,
    print_setting,
    print_table,
    run_measure,
    seconds,
    use_repository,
)

N_IMAGES, CHUNK = 100_000, 2_000
N_REPEATS = 3


def main():
    figures = {}
    for _ in range(N_REPEATS):
        for n_workers in (0, 1, 2):
            run, _ = run_measure(__file__, "measure", n_workers)
            figures.setdefault(n_workers, []).append(run)
    print_setting("dask", "distributed", "tensorflow", "keras", "scikit-learn", "joblib", "numpy")
    names = {0: "none: this process, all cores", 1: "1 worker", 2: "2 workers"}
    rows = []
    for n_workers, runs in figures.items():
        median = {
            name: statistics.median(run[name] for run in runs)
            for name in ("search", "scores", "with each chunk")
            if name in runs[0]
        }
        cells = [f"{median[name]:.1f} s" if name in median else "" for name in _COLUMNS]
        rows.append((names[n_workers], *cells))
    print_table(["cluster", *_COLUMNS], rows)
    of_each = {
        name: [one[name] / two[name] for one, two in zip(figures[1], figures[2], strict=True)]
        for name in ("search", "scores")
    }
    for name, ratios in of_each.items():
        print(f"{name}: 1 worker / 2 workers {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    growth = max(run["growth"] for run in figures[2])
    print(f"Largest growth of a worker while scoring 1,000,000 images: {growth:.0f} MB\n")
    is_equal = all(run["mean"] == figures[0][0]["mean"] for run in figures[1] + figures[2])
    deviation = max(run["deviation"] for run in figures[1] + figures[2])
    print_promises(
        [
            ("search: the same mean test scores", str(is_equal), is_equal),
            ("scores: at most 1e-6 from those in memory", f"{deviation:.1e}", deviation <= 1e-6),
        ]
    )


_COLUMNS = ("search", "scores", "with each chunk")


def measure(n_workers):
    """Time the search and the scores with a number of workers, 0 for this process."""
    n_workers = int(n_workers)
    if n_workers == 0:
        detector, search, X = prepare()
        figures = {"search": seconds(lambda: search.fit(*labeled()))}
        figures["scores"] = seconds(lambda: detector.score_samples(X))
        return figures | {"mean": search.cv_results_["mean_test_score"].tolist()}
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        return measure_on(client)


def measure_on(client):
    import dask.array as da
    import joblib

    from sklearn_ae.deployment.distributed import score_samples

    detector, search, X = prepare()
    client.run(prepare)
    figures = {"growth": growth_while_scoring(client, detector)}
    chunks = da.from_array(X, chunks=(CHUNK, 28, 28)).persist()
    with joblib.parallel_config(backend="dask"):
        figures["search"] = seconds(lambda: search.fit(*labeled()))
    figures["mean"] = search.cv_results_["mean_test_score"].tolist()
    lazy = score_samples(detector, chunks)
    figures["scores"] = seconds(lazy.compute)
    bound = chunks.map_blocks(detector.score_samples, drop_axis=(1, 2), meta=np.empty(0))
    figures["with each chunk"] = seconds(bound.compute)
    figures["deviation"] = float(np.max(np.abs(lazy.compute() / detector.score_samples(X) - 1)))
    return figures


def growth_while_scoring(client, detector):
    """Return by how many megabytes a worker grows while a million images are scored."""
    import dask.array as da

    from sklearn_ae.deployment.distributed import score_samples

    images = da.random.default_rng(0).integers(
        0, 256, size=(1_000_000, 28, 28), dtype=np.uint8, chunks=(CHUNK, 28, 28)
    )
    before = client.run(begin_to_watch)
    score_samples(detector, images).min().compute()
    peaks = client.run(end_watch)
    return max(peaks[worker] - before[worker] for worker in before) / MEGABYTE


def begin_to_watch(dask_worker):
    """Record the memory of a worker from now on, and return how much it is."""
    dask_worker.watch = PeakMemory()
    dask_worker.watch.__enter__()
    return dask_worker.watch.peak


def end_watch(dask_worker):
    """Return the largest memory of a worker since `begin_to_watch`."""
    dask_worker.watch.__exit__()
    return dask_worker.watch.peak


def labeled():
    """Return 900 ones and 180 zeros, and their labels."""
    from sklearn_ae.datasets import load_mnist_one_zero

    digits = load_mnist_one_zero()
    ones, zeros = (np.flatnonzero(digits.y_train == label) for label in (1, -1))
    rows = np.concatenate([ones[:900], zeros[:180]])
    return digits.X_train[rows], digits.y_train[rows]


def prepare():
    """Return a fitted detector, a search, and images to score."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    from sklearn_ae import AutoencoderAnomalyDetector, DenseAutoencoder, NormalsOnly

    X, _ = labeled()
    detector = AutoencoderAnomalyDetector(
        architecture=DenseAutoencoder(units=(128,)),
        epochs=8,
        patience=None,
        anomaly_score="absolute_error",
        random_state=0,
    )
    search = GridSearchCV(
        NormalsOnly(detector),
        {"estimator__latent_dim": [4, 8, 16, 32], "estimator__false_alarm_rate": [0.05]},
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        error_score="raise",
        refit=False,
    )
    for code in (4, 8, 16, 32):  # what is compiled once in a process does not count
        detector.set_params(latent_dim=code, epochs=1).fit(X[:64])
    detector.set_params(epochs=8)
    detector.score_samples(X[:1])
    return detector, search, np.tile(X, (N_IMAGES // len(X) + 1, 1, 1))[:N_IMAGES]


if __name__ == "__main__":
    use_repository()
    dispatch({"measure": measure}, main)
