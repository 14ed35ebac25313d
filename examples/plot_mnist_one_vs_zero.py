"""
MNIST: 1s are normal, 0s are not
================================

An autoencoder that has seen nothing but 1s cannot draw a 0. So how badly it reconstructs an image
says how little that image resembles a 1.

The script prints its results and writes its pictures to the folder ``mnist_one_vs_zero``, or to
another one (``--output``). It runs in less than a minute on two processor cores. With ``--article``
it trains a large network for 30 epochs instead, which takes the better part of an hour.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import (
    RocCurveDisplay,
    accuracy_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from sklearn_ae import AutoencoderAnomalyDetector, ConvDenseAutoencoder
from sklearn_ae.datasets import load_mnist_one_zero
from sklearn_ae.deployment.cli import start_tensorflow
from sklearn_ae.inspection import LossCurveDisplay, ReconstructionDisplay, ScoreHistogramDisplay

parser = argparse.ArgumentParser(description="Train on the 1s of MNIST, find the 0s.")
parser.add_argument(
    "--article", action="store_true", help="the large network of the introductory article"
)
parser.add_argument(
    "--output", type=Path, default=Path("mnist_one_vs_zero"), help="folder for the pictures"
)
arguments = parser.parse_args()
arguments.output.mkdir(parents=True, exist_ok=True)

# Hide TensorFlow's messages about processors and drivers, which would come first. Any fit and any
# load of a detector starts TensorFlow by itself.
start_tensorflow()

# %%
# The data
# --------
# The digits are shipped with the package, as images of 28×28 pixels with values from 0 to 255. They
# are labeled as scikit-learn labels outliers: +1 is normal, -1 is an anomaly. The training images
# contain some 0s for tuning; the detector must not learn them, so they are left out.

digits = load_mnist_one_zero()
ones = digits.X_train[digits.y_train == 1]
print(f"{len(ones)} training images, all of them 1s")

# %%
# The detector
# ------------
# Images need no preparation: the detector scales them, picks a convolutional network, keeps a tenth
# of them away from the training, and sets its threshold so that it would flag one in a hundred of
# those.

if arguments.article:
    detector = AutoencoderAnomalyDetector(
        architecture=ConvDenseAutoencoder(),
        latent_dim=32,
        loss="binary_crossentropy",
        optimizer="adam",
        batch_size=32,
        epochs=30,
        patience=None,
        anomaly_score="absolute_error",
        false_alarm_rate=0.01,
        random_state=0,
        verbose=2,
    )
else:
    detector = AutoencoderAnomalyDetector(
        latent_dim=32,
        epochs=5,
        anomaly_score="absolute_error",
        false_alarm_rate=0.01,
        random_state=0,
        verbose=2,
    )
detector.fit(ones)

# %%
# The loss falls on the training images and on the held-out ones alike: the network learns what 1s
# have in common. The weights of the epoch with the lowest validation loss are kept.

display = LossCurveDisplay.from_estimator(detector)
display.ax_.set(title="Training on 1s", ylabel="Loss (binary cross-entropy)")
display.figure_.savefig(arguments.output / "loss_curve.png")

# %%
# What the network makes of images
# --------------------------------
# New 1s come back as they were. What comes back for a 0 is made of strokes of 1s.

figure = plt.figure(figsize=(12, 6), layout="constrained")
for part, label, title in zip(
    figure.subfigures(1, 2, wspace=0.04), [1, -1], ["1s: normal", "0s: anomalies"], strict=True
):
    part.suptitle(title)
    images = digits.X_test[digits.y_test == label]
    ReconstructionDisplay.from_estimator(detector, images, ax=part.subplots())
figure.savefig(arguments.output / "reconstructions.png", dpi=68)

# %%
# Scores and threshold
# --------------------
# The anomaly score is the sum of absolute differences between the pixels of an image and those of
# its reconstruction: minus what ``score_samples`` returns. Above the threshold, ``predict`` is -1.

scores = detector.score_samples(digits.X_test)
display = ScoreHistogramDisplay.from_predictions(
    digits.y_test, -scores, threshold=-detector.offset_, bins=100
)
display.ax_.set(
    title="Test images: 1s are normal, 0s are anomalies",
    xlabel="Anomaly score (sum of absolute errors of pixels)",
    ylabel="Number of images",
)
display.figure_.savefig(arguments.output / "score_histogram.png")

# %%
# How well the two are told apart
# -------------------------------
# The ROC curve shows every possible threshold, the dot the detector's own.
# ``RocCurveDisplay.from_estimator`` takes classifiers only, so the curve is made from scores; with
# the anomalies as the positive class, these are negated.

predicted = np.where(scores < detector.offset_, -1, 1)
is_zero = digits.y_test == -1
found = np.mean(predicted[is_zero] == -1)
false_alarms = np.mean(predicted[~is_zero] == -1)

figure, ax = plt.subplots(layout="constrained")
RocCurveDisplay.from_predictions(digits.y_test, -scores, pos_label=-1, name="detector", ax=ax)
ax.plot(false_alarms, found, "o", color="black", label="at the detector's threshold")
ax.set(
    title="0s found against false alarms",
    xlabel="Share of 1s that are flagged",
    ylabel="Share of 0s that are flagged",
)
ax.legend(loc="lower right")
corner = ax.inset_axes([0.3, 0.4, 0.6, 0.4], xlim=(-0.001, 0.03), ylim=(0.97, 1.001))
for line in ax.lines[:2]:
    corner.plot(*line.get_data(), color=line.get_color(), marker=line.get_marker())
ax.indicate_inset_zoom(corner)
figure.savefig(arguments.output / "roc_curve.png")

# %%
# The same in numbers. In precision and recall the anomalies are what is looked for: precision is
# the share of 0s among the flagged images, recall is the share of flagged images among the 0s.

results = {
    "ROC AUC": roc_auc_score(digits.y_test, scores),
    "accuracy": accuracy_score(digits.y_test, predicted),
    "precision of anomalies": precision_score(digits.y_test, predicted, pos_label=-1),
    "recall of anomalies": recall_score(digits.y_test, predicted, pos_label=-1),
    "share of 1s flagged": false_alarms,
}
print(f"{len(ones)} 1s to train on; to test on, {(~is_zero).sum()} 1s and {is_zero.sum()} 0s")
for name, value in results.items():
    print(f"{name:<24}{value:8.4f}")
print(f"The pictures are in {arguments.output.resolve()}")
