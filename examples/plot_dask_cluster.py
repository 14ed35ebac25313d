"""
A search and scores on a Dask cluster
=====================================

A grid search, and the scores of data that do not fit into memory, spread over the processes of a
Dask cluster. Here it is a cluster of two processes on one machine; on many machines only the line
that makes the client differs. It needs the extra ``distributed``.
"""

import dask
import dask.array as da
import joblib
import matplotlib.pyplot as plt
import numpy as np
from dask.distributed import Client, LocalCluster
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sklearn_ae import AutoencoderAnomalyDetector, ConvAutoencoder, NormalsOnly
from sklearn_ae.datasets import load_mnist_one_zero
from sklearn_ae.deployment.distributed import score_samples

# %%
# 400 1s of MNIST are normal, 80 0s are labeled anomalies.

digits = load_mnist_one_zero()
chosen = np.concatenate(
    [np.flatnonzero(digits.y_train == 1)[:400], np.flatnonzero(digits.y_train == -1)[:80]]
)
X, y = digits.X_train[chosen], digits.y_train[chosen]

search = GridSearchCV(
    NormalsOnly(
        AutoencoderAnomalyDetector(
            architecture=ConvAutoencoder(filters=(8, 16)),
            epochs=5,
            learning_rate=0.005,
            random_state=0,
        )
    ),
    {"estimator__latent_dim": [2, 8, 32], "estimator__false_alarm_rate": [0.02, 0.1]},
    cv=StratifiedKFold(n_splits=2, shuffle=True, random_state=0),
    error_score="raise",
)

# %%
# The images to be scored come in chunks of 1,000, each of which is made when a worker asks for it:
# 0s and 1s of the test set, drawn with noise. As a whole, they would take 47 MB; ten thousand times
# as many would be handled the same way.


def make_chunk(block_id):
    rng = np.random.default_rng(block_id[0])
    images = digits.X_test[rng.integers(len(digits.X_test), size=1000)]
    return np.clip(images + rng.normal(scale=10, size=images.shape), 0, 255).astype(np.uint8)


stream = da.map_blocks(
    make_chunk,
    chunks=((1000,) * 60, (28,), (28,)),
    dtype=np.uint8,
    meta=np.empty((0, 0, 0), dtype=np.uint8),
)

# %%
# Worker processes import the script that starts them, so what starts them must be guarded. One
# thread a worker is right: Dask then tells TensorFlow to use one core in each.
#
# In the ``parallel_config`` context, the search hands its fits to the workers. ``score_samples``
# returns a Dask array at once; it is computed when it is asked for. Each worker is sent the
# detector once.

if __name__ == "__main__":
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster),
    ):
        with joblib.parallel_config(backend="dask"):
            search.fit(X, y)
        print(f"{search.best_params_}: balanced accuracy {search.best_score_:.3f}")

        scores = score_samples(search, stream)
        print(scores)
        share = (scores < search.best_estimator_.offset_).mean()
        lowest, share, counts = dask.compute(
            scores.min(), share, da.histogram(-scores, bins=60, range=(0, 250))[0]
        )
    print(f"{len(stream):,} images: {share:.1%} anomalies, lowest score {lowest:.1f}")

    figure, ax = plt.subplots(layout="constrained")
    ax.stairs(counts, np.linspace(0, 250, 61), fill=True)
    ax.axvline(-search.best_estimator_.offset_, color="black", linestyle="--", label="Threshold")
    ax.set(xlabel="Anomaly score", ylabel="Number of images", title="Scores of 60,000 images")
    ax.legend()
    plt.show()
