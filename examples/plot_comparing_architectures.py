"""
Comparing architectures
=======================

Which kind of network, and how large? Architectures are parameter objects: a grid search takes them
as values of ``architecture``, and reaches inside them by, say, ``architecture__filters``. Each kind
has parameters of its own, so a list of grids, one for each kind, compares them in one search.
"""

# Before the first fit, as the seconds that this takes are no part of a fit.
import keras  # noqa: F401
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sklearn_ae import AutoencoderAnomalyDetector, ConvAutoencoder, DenseAutoencoder, NormalsOnly
from sklearn_ae.datasets import load_mnist_one_zero
from sklearn_ae.metrics import anomaly_scorer

# %%
# The data are the digits of the first example the other way round, which is harder: 500 0s are
# normal, labeled +1, and 200 1s are the anomalies, labeled -1. A 1 has few bright pixels, so a
# network that reconstructs it badly makes no large error.

digits = load_mnist_one_zero()
chosen = np.concatenate(
    [np.flatnonzero(digits.digit_train == 0)[:500], np.flatnonzero(digits.digit_train == 1)[:200]]
)
X, y = digits.X_train[chosen], np.where(digits.digit_train[chosen] == 0, 1, -1)
X_test, y_test = digits.X_test, np.where(digits.digit_test == 0, 1, -1)

# %%
# One grid for convolutional networks, and one for dense networks. The first line of each puts an
# architecture into the detector, the second sets a parameter that this one has. Every candidate
# gets a copy: the two objects here stay as they are.

grids = [
    {
        "estimator__architecture": [ConvAutoencoder()],
        "estimator__architecture__filters": [(8, 16), (16, 32)],
        "estimator__latent_dim": [2, 16],
    },
    {
        "estimator__architecture": [DenseAutoencoder()],
        "estimator__architecture__units": [(64,), (128, 32)],
        "estimator__latent_dim": [2, 16],
    },
]

# %%
# Candidates are compared by the ROC AUC, so whatever the threshold.
# :class:`~sklearn_ae.NormalsOnly` keeps the labeled anomalies out of every training.

detector = AutoencoderAnomalyDetector(learning_rate=0.005, epochs=10, batch_size=16, random_state=0)
search = GridSearchCV(
    NormalsOnly(detector),
    grids,
    scoring=anomaly_scorer("roc_auc"),
    cv=StratifiedKFold(n_splits=2, shuffle=True, random_state=0),
    error_score="raise",
).fit(X, y)

# %%
# All candidates, best first. The results list an architecture as it stands in the grid, and beside
# it the parameters that are set on a copy of it; put together, they print as what was trained.


def architecture_of(params):
    prefix = "estimator__architecture__"
    own = {
        name.removeprefix(prefix): value
        for name, value in params.items()
        if name.startswith(prefix)
    }
    return clone(params["estimator__architecture"]).set_params(**own)


results = search.cv_results_
order = np.argsort(results["rank_test_score"], kind="stable")
names = [
    f"{architecture_of(params)}, {params['estimator__latent_dim']}" for params in results["params"]
]
folds = np.stack([results["split0_test_score"], results["split1_test_score"]])
means, seconds = results["mean_test_score"], results["mean_fit_time"]

print(f"{'architecture, latent_dim':<40}{'ROC AUC':>9}{'folds':>17}{'fit, seconds':>15}")
for i in order:
    both = " ".join(f"{score:.4f}" for score in folds[:, i])
    print(f"{names[i]:<40}{means[i]:>9.4f}{both:>17}{seconds[i]:>15.1f}")

# %%
# The best one, refitted to all of the 0s, on images that it has not seen:

print(search.best_estimator_.estimator_.architecture)
print(f"ROC AUC of the test images {search.score(X_test, y_test):.4f}")

# %%
# The score beside its price, the time of a fit, which includes building and compiling the network.

colors = {"ConvAutoencoder": "#0072B2", "DenseAutoencoder": "#D55E00"}
color = [colors[type(results["params"][i]["estimator__architecture"]).__name__] for i in order]
positions = np.arange(len(order))

figure, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4.5), sharey=True, width_ratios=[3, 2], layout="constrained"
)
left.hlines(positions, *folds[:, order], color=color, alpha=0.4, linewidth=6)
left.scatter(means[order], positions, color=color, zorder=2)
left.set_yticks(positions, [names[i] for i in order])
left.invert_yaxis()
left.grid(axis="x", alpha=0.3)
left.set(
    title="Score: the mean, and from one fold to the other",
    xlabel="ROC AUC of the held-out images",
    ylabel="architecture, latent_dim",
)
right.barh(positions, seconds[order], color=color)
right.set(title="Price", xlabel="Mean time of a fit (seconds)")

# %%
# Where the lines of two candidates overlap, the search does not tell which is the better one, and
# the cheaper one is the better choice. A long line is a warning of its own: what comes of such a
# training depends on a few rows more or less.

plt.show()
