"""
A scaler, a detector and a grid search
======================================

The detector is a scikit-learn estimator: it stands behind a scaler in a pipeline, and a grid search
chooses its parameters with the help of a few labeled anomalies. This example searches twice over
the length of the code: together with a threshold, and together with a false-alarm rate.
"""

from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sklearn_ae import AutoencoderAnomalyDetector, ConvAutoencoder, NormalsOnly
from sklearn_ae.datasets import load_mnist_one_zero

# %%
# The data: 500 1s of MNIST, labeled +1, and 100 0s, the anomalies, labeled -1. Scalers take rows,
# so each image is a row of 784 pixels.

digits = load_mnist_one_zero()
chosen = np.concatenate(
    [np.flatnonzero(digits.y_train == 1)[:500], np.flatnonzero(digits.y_train == -1)[:100]]
)
X, y = digits.X_train[chosen].reshape(len(chosen), -1), digits.y_train[chosen]

# %%
# Behind the scaler, ``input_shape`` folds the rows into images again. The network is small, as
# several are trained here. With ``memory``, a folder, a network that was trained before is taken
# from there: candidates that differ only in the threshold or the false-alarm rate share one.

cache = TemporaryDirectory()
pipeline = make_pipeline(
    MinMaxScaler(clip=True),
    AutoencoderAnomalyDetector(
        input_shape=(28, 28),
        architecture=ConvAutoencoder(filters=(8, 16)),
        learning_rate=0.005,
        epochs=15,
        batch_size=8,
        validation_fraction=0.2,
        anomaly_score="absolute_error",
        memory=cache.name,
        random_state=0,
    ),
)

# %%
# A search hands labeled anomalies to every fit, also to the last one on all rows, but an
# autoencoder must not learn them: :class:`~sklearn_ae.NormalsOnly` drops them there, and keeps them
# where parameters are compared. Candidates are compared by the balanced accuracy, the mean of the
# share of anomalies found and the share of normal images left alone.
#
# Two arguments are not to be forgotten. Without ``cv=StratifiedKFold(shuffle=True)``, scikit-learn
# would split an outlier detector's rows in their order, which here puts all anomalies into one
# fold. Without ``error_score="raise"``, a candidate that fails would only be a missing number.


DETECTOR = "estimator__autoencoderanomalydetector"
LATENT_DIMS = [1, 4, 16]
VALUES = {
    # In the units of the anomaly score: the sum of the absolute errors of the 784 pixels.
    "threshold": [20, 40, 80],
    # The share of held-out normal images that may be flagged.
    "false_alarm_rate": [0.02, 0.05, 0.2],
}

searches = {}
for parameter, values in VALUES.items():
    searches[parameter] = GridSearchCV(
        NormalsOnly(pipeline),
        {f"{DETECTOR}__latent_dim": LATENT_DIMS, f"{DETECTOR}__{parameter}": values},
        cv=StratifiedKFold(n_splits=2, shuffle=True, random_state=0),
        error_score="raise",
    )
    searches[parameter].fit(X, y)

# %%
# A threshold is a number in the units of the score, and what it means depends on the code: the
# longer the code, the smaller the errors, also those of normal images. A false-alarm rate means the
# same for every code, so it is the one to search over, unless the threshold itself is given.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="compressed")
for ax, (parameter, search) in zip(axes, searches.items(), strict=True):
    means = {
        (candidate[f"{DETECTOR}__latent_dim"], candidate[f"{DETECTOR}__{parameter}"]): mean
        for candidate, mean in zip(
            search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
        )
    }
    values = VALUES[parameter]
    table = np.array([[means[latent_dim, value] for value in values] for latent_dim in LATENT_DIMS])
    image = ax.imshow(table, vmin=0.5, vmax=1, cmap="viridis")
    for (row, column), mean in np.ndenumerate(table):
        color = "black" if mean > 0.8 else "white"
        ax.text(column, row, f"{mean:.3f}", ha="center", va="center", color=color)
    ax.set_xticks(range(len(values)), values)
    ax.set_yticks(range(len(LATENT_DIMS)), LATENT_DIMS)
    ax.set(title=f"latent_dim and {parameter}", xlabel=parameter, ylabel="latent_dim")
figure.colorbar(image, ax=axes, label="Balanced accuracy, mean of the test folds")

# %%
# What the two searches chose, refitted on all 1s, on images that they have not seen:

X_test = digits.X_test.reshape(len(digits.X_test), -1)
for parameter, search in searches.items():
    latent_dim = search.best_params_[f"{DETECTOR}__latent_dim"]
    value = search.best_params_[f"{DETECTOR}__{parameter}"]
    print(f"{parameter}={value}, latent_dim={latent_dim}")
    print(f"    balanced accuracy of the test images  {search.score(X_test, digits.y_test):.4f}")
    auc = roc_auc_score(digits.y_test, search.decision_function(X_test))
    print(f"    ROC AUC of the test images            {auc:.4f}")

cache.cleanup()
plt.show()
