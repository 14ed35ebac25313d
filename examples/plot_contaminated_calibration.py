"""
Anomalies among the calibration rows
====================================

The threshold of ``ConformalDetector`` comes from rows that should be normal. Here some of them are
anomalies that nobody noticed. The false-alarm rate falls below the one asked for, which is no harm,
and fewer anomalies are found, which is. Looking at the few most abnormal calibration rows brings
most of that back.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline

from sklearn_ae import ConformalDetector
from sklearn_ae.datasets import load_mnist_one_zero, make_anomalies

# %%
# The 1s of MNIST are normal. The anomalies are 1s with a part missing, which are hard to tell from
# normal ones. A detector that is fitted once serves for all that follows.

digits = load_mnist_one_zero()
ones = digits.X_train[digits.y_train == 1]
rows = ones.reshape(len(ones), -1) / 255
training, normals, sources = np.split(rows, [1000, 5000])
anomalies, _ = make_anomalies(sources, kind="missing", input_shape=(28, 28), random_state=0)
detector = FrozenEstimator(
    make_pipeline(PCA(30, random_state=0), LocalOutlierFactor(algorithm="brute", novelty=True)).fit(
        training
    )
)

# %%
# Calibrations of 300 rows, at a rate of 5 %, with a growing share of anomalies among them. After
# each, a person looks at the 30 rows that ``calibration_indices_`` names first, knows the anomalies
# among them, and calibrates again without these.

RATE, N_ROWS, N_SEEN, N_REPEATS = 0.05, 300, 30, 20
SHARES = np.array([0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1])
rng = np.random.default_rng(0)


def calibrate(X):
    return ConformalDetector(detector, false_alarm_rate=RATE).fit(X)


def measure(share):
    """Return false-alarm rate and recall, as calibrated and after a look at the lowest scores."""
    n_anomalies = round(share * N_ROWS)
    normal_order = rng.permutation(len(normals))
    anomaly_order = rng.permutation(len(anomalies))
    X = np.concatenate(
        [anomalies[anomaly_order[:n_anomalies]], normals[normal_order[: N_ROWS - n_anomalies]]]
    )
    first = calibrate(X)
    seen = first.calibration_indices_[:N_SEEN]
    second = calibrate(np.delete(X, seen[seen < n_anomalies], axis=0))
    new_normals = first.score_samples(normals[normal_order[N_ROWS:][:500]])
    new_anomalies = first.score_samples(anomalies[anomaly_order[n_anomalies:][:500]])
    # The scores of both are the detector's. They differ in the threshold.
    return [
        [np.mean(scores < calibrated.offset_) for scores in (new_normals, new_anomalies)]
        for calibrated in (first, second)
    ]


results = np.array([np.mean([measure(s) for _ in range(N_REPEATS)], axis=0) for s in SHARES])
print(f"{'share':>6}{'as calibrated':>22}{'after a look':>22}")
for share, ((rate, recall), (rate_again, recall_again)) in zip(SHARES, results, strict=True):
    print(f"{share:>6.3f}{rate:>14.3f}{recall:>8.3f}{rate_again:>14.3f}{recall_again:>8.3f}")

# %%
# Both are means over 20 calibrations, on new samples.

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharex=True)
for which, (ax, title) in enumerate(zip(axes, ["False-alarm rate", "Recall"], strict=True)):
    for kind, (name, color) in enumerate(
        [("as calibrated", "#D55E00"), ("after a look at 30 rows", "#0072B2")]
    ):
        ax.plot(SHARES, results[:, kind, which], marker="o", color=color, label=name)
    ax.set(title=title, xlabel="Share of anomalies among the calibration rows", ylim=(0, None))
axes[0].axhline(RATE, color="black", linestyle=":", label="asked for")
axes[0].legend(loc="lower left")

plt.show()
