"""
Mislabeled rows of a training set
==================================

Training data are said to be normal, and a few per cent of them are not. This example finds such
images by their scores: as the detector that was fitted to them sees them, as detectors see them
that were not, and as ``trim`` does, which leaves the worst out and trains anew.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from sklearn_ae import AutoencoderAnomalyDetector, ConvAutoencoder
from sklearn_ae.datasets import load_mnist_one_zero

# %%
# 1,200 images are labeled as 1s, and 120 of them are 0s. Nothing below knows which but the figures
# and the frames in the picture.

N_IMAGES, N_PLANTED = 1200, 120

digits = load_mnist_one_zero()
ones, zeros = (digits.X_train[digits.y_train == label] for label in (1, -1))
images = np.concatenate([ones[: N_IMAGES - N_PLANTED], zeros[:N_PLANTED]])
is_planted = np.arange(N_IMAGES) >= N_IMAGES - N_PLANTED

# %%
# In-sample
# ---------
# The network has seen these images, and 120 0s are enough to learn what a 0 looks like. The fit
# keeps the scores of its rows, those that the network was fitted to and those that were held out;
# ``score_samples(images)`` would be the same.

detector = AutoencoderAnomalyDetector(
    architecture=ConvAutoencoder(filters=(8, 16)),
    learning_rate=0.005,
    epochs=12,
    anomaly_score="squared_error",
    random_state=0,
).fit(images)
in_sample = np.empty(N_IMAGES)
is_held_out = np.isin(np.arange(N_IMAGES), detector.validation_indices_)
in_sample[~is_held_out] = detector.training_scores_
in_sample[is_held_out] = detector.validation_scores_

# %%
# Out-of-sample
# -------------
# Each image is scored by a detector that was fitted to the others. No image speaks for itself that
# way, but the other 0s still speak for it. The folds are shuffled, as the rows may be sorted. (Of
# an outlier detector, ``cross_val_predict`` takes ``decision_function`` only, in which each fold
# has a threshold of its own.)

folds = KFold(n_splits=3, shuffle=True, random_state=0)
out_of_sample = np.empty(N_IMAGES)
for rows, others in folds.split(images):
    out_of_sample[others] = clone(detector).fit(images[rows]).score_samples(images[others])

# %%
# Trimmed
# -------
# The share is a guess, made without labels: here 15 %, and a tenth is wrong. The rows that are left
# out are in ``trimmed_indices_``; their scores are in no attribute, so all images are scored.

trimming = clone(detector).set_params(trim=0.15).fit(images)
trimmed = trimming.score_samples(images)
left_out = trimming.trimmed_indices_
print(f"trim left out {len(left_out)} images, {is_planted[left_out].sum()} of them 0s")

# %%
# What was found
# --------------
# How many of the 120 are among the 120 that look the most abnormal, and what a detector trained on
# such data is worth on new images. Out-of-sample scores gain nothing here, as the 0s are alike and
# there are enough of them to teach each other; odd 1s, which nothing teaches, come up instead. What
# helps is that trimming leaves most of the teachers out:

rankings = {
    "in-sample": np.argsort(in_sample),
    "out-of-sample": np.argsort(out_of_sample),
    "with trim": np.argsort(trimmed),
}
for name, ranking in rankings.items():
    print(f"{name:<14} {is_planted[ranking[:N_PLANTED]].sum():3} of {N_PLANTED} 0s found")
for name, fitted in {"all images": detector, "with trim": trimming}.items():
    area = roc_auc_score(digits.y_test, fitted.score_samples(digits.X_test))
    print(f"ROC AUC on test images, trained on {name:<10} {area:.4f}")

# %%
# The sixteen most abnormal training images of each ranking, the worst first. Those in a frame are
# the planted 0s.

N_SHOWN = 16

figure = plt.figure(figsize=(12, 3.4), layout="constrained")
for part, (name, ranking) in zip(figure.subfigures(3, 1), rankings.items(), strict=True):
    n_found = is_planted[ranking[:N_PLANTED]].sum()
    part.suptitle(f"{name}: {n_found} of {N_PLANTED} 0s are among the {N_PLANTED} most abnormal")
    row = part.subplots(1, N_SHOWN)
    for ax, index in zip(row, ranking, strict=False):
        ax.imshow(images[index], cmap="gray_r")
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(
            color="#D55E00" if is_planted[index] else "#CCCCCC",
            linewidth=3 if is_planted[index] else 0.5,
        )

# %%
# What to do with them is for somebody who looks at them: odd 1s are among them, and a detector that
# never sees odd normal images will flag them.

plt.show()
