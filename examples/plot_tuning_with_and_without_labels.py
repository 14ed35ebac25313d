"""
Tuning with labels, and without
===============================

How long should the code be, and where do anomalies begin? With a few labeled anomalies, a search
answers both: the first part does so on MNIST. Without labels, anomalies that are made from the
normal images stand in for real ones: the second part does so on Fashion-MNIST, and then compares
what was chosen with the truth.
"""

from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold

from sklearn_ae import (
    AutoencoderAnomalyDetector,
    ConvAutoencoder,
    NormalsOnly,
    TunedThresholdDetectorCV,
)
from sklearn_ae.datasets import fetch_fashion_mnist, load_mnist_one_zero, make_anomalies
from sklearn_ae.inspection import DetectionCurveDisplay, GridHeatmapDisplay, ThresholdCurveDisplay
from sklearn_ae.metrics import synthetic_anomaly_scorer

# %%
# The network is small, as many are trained here. ``memory``, a folder, keeps them: candidates that
# differ only in the threshold or in the anomaly score share one.

cache = TemporaryDirectory()
detector = AutoencoderAnomalyDetector(
    architecture=ConvAutoencoder(filters=(8, 16)),
    learning_rate=0.005,
    epochs=10,
    batch_size=16,
    anomaly_score="absolute_error",
    memory=cache.name,
    random_state=0,
)

# %%
# With labels
# -----------
#
# 500 1s of MNIST are normal, and 100 0s are anomalies. The labels are 0 and 1, of which 1 marks an
# anomaly, as detectors read them.

digits = load_mnist_one_zero()
chosen = np.concatenate(
    [np.flatnonzero(digits.digit_train == 1)[:500], np.flatnonzero(digits.digit_train == 0)[:100]]
)
X, y = digits.X_train[chosen], np.where(digits.digit_train[chosen] == 0, 1, 0)
X_test, y_test = digits.X_test, np.where(digits.digit_test == 0, 1, 0)

# %%
# :class:`~sklearn_ae.NormalsOnly` keeps the anomalies out of every training. Candidates are
# compared by the balanced accuracy, the mean of the share of anomalies found and the share of
# normal images left alone. A threshold is in the units of the anomaly score: the sum of the
# absolute errors of the 784 pixels.

folds = StratifiedKFold(n_splits=2, shuffle=True, random_state=0)
search = GridSearchCV(
    NormalsOnly(detector),
    {
        "estimator__latent_dim": [1, 4, 16],
        "estimator__threshold": [20, 40, 60, 80, 100, 120],
    },
    cv=folds,
    error_score="raise",
).fit(X, y)
print(search.best_params_)

# %%
# The longer the code, the smaller the errors, and so the thresholds that serve: the two must be
# chosen together.

display = GridHeatmapDisplay.from_estimator(
    search, x="estimator__threshold", y="estimator__latent_dim"
)
display.ax_.set_title("Balanced accuracy of codes and thresholds")

# %%
# The grid knows six thresholds. :class:`~sklearn_ae.TunedThresholdDetectorCV` tries a hundred,
# which it places between the scores of the images that the folds hold out. As these are the folds
# of the search, ``memory`` has all of the networks already.

tuned = TunedThresholdDetectorCV(search.best_estimator_.estimator, cv=folds).fit(X, y)
display = ThresholdCurveDisplay.from_estimator(tuned)
display.ax_.set_title(f"A hundred thresholds, with latent_dim={tuned.estimator_.latent_dim}")

# %%
# What both are worth on images that they have not seen. They have one network and so one curve, and
# each threshold is a point of it. They differ by a few images: for so easy a task, a grid of six
# was fine enough. The axis of false alarms is logarithmic.

fitted = {"best of the grid": search, "tuned threshold": tuned}
for name, estimator in fitted.items():
    print(f"{name:<18}balanced accuracy of the test images {estimator.score(X_test, y_test):.4f}")

figure, ax = plt.subplots(layout="constrained")
ax.set_xscale("log")
for (name, estimator), linestyle in zip(fitted.items(), ["-", "--"], strict=True):
    DetectionCurveDisplay.from_estimator(
        estimator, X_test, y_test, name=name, ax=ax, curve_kwargs={"linestyle": linestyle}
    )
ax.set(title="0s found among 1s, in the test images", xlim=(5e-4, 1.2), ylim=(0.9, 1.005))

# %%
# Without labels
# --------------
#
# Of Fashion-MNIST, bags are normal. The search sees a thousand of them and nothing else.

clothes = fetch_fashion_mnist()
is_bag = clothes.class_names[clothes.class_train] == "Bag"
bags = clothes.X_train[is_bag][:1000]

# %%
# :func:`~sklearn_ae.metrics.synthetic_anomaly_scorer` makes an anomaly of each held-out bag, and
# scores a candidate by how well it tells these from the bags as they are: the ROC AUC, which needs
# no threshold.

# There are twice as many images as above: larger batches keep the trainings as short.
bag_detector = clone(detector).set_params(batch_size=32)
blind_search = GridSearchCV(
    bag_detector,
    {
        "latent_dim": [2, 8, 32, 128],
        "anomaly_score": ["absolute_error", "squared_error"],
    },
    scoring=synthetic_anomaly_scorer("mixed"),
    cv=KFold(n_splits=2, shuffle=True, random_state=0),
    error_score="raise",
).fit(bags)
print(blind_search.best_params_)

# %%
# Only to judge that choice: the ROC AUC of each candidate, fitted to all of these bags, on test
# images whose classes are known. Everything but a bag is an anomaly there.

X_test = clothes.X_test[:2000]
y_test = np.where(clothes.class_names[clothes.class_test[:2000]] == "Bag", 0, 1)
candidates = blind_search.cv_results_["params"]
synthetic = blind_search.cv_results_["mean_test_score"]
true = np.array(
    [
        roc_auc_score(
            y_test, -clone(bag_detector).set_params(**params).fit(bags).score_samples(X_test)
        )
        for params in candidates
    ]
)
correlation = spearmanr(synthetic, true).statistic

print(f"{'anomaly_score':<17}{'latent_dim':>10}{'made anomalies':>17}{'true anomalies':>17}")
for params, made, real in zip(candidates, synthetic, true, strict=True):
    print(f"{params['anomaly_score']:<17}{params['latent_dim']:>10}{made:>17.3f}{real:>17.3f}")
print(f"Spearman's correlation of the two orders: {correlation:.2f}")
print(
    f"True ROC AUC of the choice {true[blind_search.best_index_]:.3f}, of the best candidate "
    f"{true.max():.3f}, of the median {np.median(true):.3f}"
)

# %%
# In the picture, each point is a candidate, beside its length of the code. If the made anomalies
# told how to choose, the points would rise from left to right.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
GridHeatmapDisplay.from_estimator(blind_search, x="latent_dim", y="anomaly_score", ax=left)
left.set_title("ROC AUC against made anomalies")
left.set_yticks([0, 1], left.get_yticklabels(), rotation=90, va="center")
for name, color in [("absolute_error", "#0072B2"), ("squared_error", "#D55E00")]:
    points = [i for i, params in enumerate(candidates) if params["anomaly_score"] == name]
    right.scatter(synthetic[points], true[points], color=color, label=name)
    for i in points:
        right.annotate(
            candidates[i]["latent_dim"],
            (synthetic[i], true[i]),
            xytext=(5, 5),
            textcoords="offset points",
        )
best = blind_search.best_index_
right.scatter(
    synthetic[best], true[best], s=150, facecolor="none", edgecolor="black", label="chosen"
)
right.legend()
# Room for the numbers beside the points.
right.margins(0.12)
right.set(
    title=f"Spearman's correlation {correlation:.2f}",
    xlabel="ROC AUC, made anomalies (mean of the test folds)",
    ylabel="ROC AUC, true anomalies (test images)",
)

# %%
# **The two orders do not agree: their correlation is negative.** The made anomalies ask for the
# longest code, the true ones for the shortest, and what was chosen is about as good as the median
# of the candidates, so as a choice at random. The images suggest why. A made anomaly is a bag with
# a defect. A true one is no bag at all, and a long code can reconstruct that as well.

made_anomalies, _ = make_anomalies(bags[:8], kind="mixed", random_state=0)
rows = {
    "normal": bags[:8],
    "made anomalies": made_anomalies,
    "true anomalies": X_test[y_test == 1][:8],
}
figure, axes = plt.subplots(3, 8, figsize=(9, 3.6), layout="constrained")
for row, (name, images) in zip(axes, rows.items(), strict=True):
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for ax, image in zip(row, images, strict=True):
        ax.imshow(image, cmap="gray_r")
        ax.set(xticks=[], yticks=[])

# %%
# So a search without labels finds the best detector of anomalies that look like those made, and no
# more. Choose their ``kind`` by what is expected, and where anything may come, do not rely on it: a
# few labeled anomalies, as in the first part, are worth more.

cache.cleanup()
plt.show()
