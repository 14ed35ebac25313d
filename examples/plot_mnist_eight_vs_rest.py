"""
The 8s of MNIST against all other digits
========================================

8 is among the hardest digits to tell from the rest: strokes of other digits are parts of an 8, and
an autoencoder that can draw an 8 can draw them too. It then matters what is made of the error. Two
anomaly scores are compared here, of one and the same network.

This example needs all of MNIST, which is downloaded once unless the folder that the environment
variable ``SKLEARN_AE_DATA`` names has it.
"""

from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.metrics import average_precision_score, roc_auc_score

from sklearn_ae import AutoencoderAnomalyDetector
from sklearn_ae.datasets import fetch_mnist
from sklearn_ae.inspection import DetectionCurveDisplay

# %%
# 2,000 8s are normal. The test images are of all digits.

digits = fetch_mnist()
eights = digits.X_train[digits.digit_train == 8][:2000]
X_test, digit_test = digits.X_test[:2000], digits.digit_test[:2000]
y_test = np.where(digit_test == 8, 1, -1)
print(f"{np.sum(y_test == 1)} 8s and {np.sum(y_test == -1)} other digits to test on")

# %%
# ``memory``, a folder, keeps the trained network: the second fit differs in the score alone, and
# trains nothing. ``"absolute_error"`` adds up the errors of the pixels. ``"auto"`` looks into the
# network as well: at the code, at how it differs from that of the reconstruction, and at the hidden
# layers.

cache = TemporaryDirectory()
detector = AutoencoderAnomalyDetector(memory=cache.name, random_state=0)
detectors = {
    name: clone(detector).set_params(anomaly_score=name).fit(eights)
    for name in ["absolute_error", "auto"]
}
cache.cleanup()

scores = {name: -fitted.score_samples(X_test) for name, fitted in detectors.items()}
print(f"{'anomaly score':<18}{'ROC AUC':>9}{'average precision':>19}")
for name, score in scores.items():
    area = roc_auc_score(y_test == -1, score)
    precision = average_precision_score(y_test == -1, score)
    print(f"{name:<18}{area:>9.3f}{precision:>19.3f}")

figure, ax = plt.subplots(layout="constrained")
for (name, fitted), linestyle in zip(detectors.items(), ["--", "-"], strict=True):
    DetectionCurveDisplay.from_estimator(
        fitted, X_test, y_test, name=name, ax=ax, curve_kwargs={"linestyle": linestyle}
    )
ax.set(
    title="Other digits found among 8s",
    xlabel="Share of 8s that are flagged",
    ylabel="Share of other digits that are flagged",
)

# %%
# Which digits pass for 8s? The share of each that is flagged, at the thresholds that flag a
# twentieth of the 8s held out of the training.

print(f"{'digit':<18}" + "".join(f"{digit:>6}" for digit in range(10)))
for name, fitted in detectors.items():
    flagged = fitted.predict(X_test) == -1
    shares = [flagged[digit_test == digit].mean() for digit in range(10)]
    print(f"{name:<18}" + "".join(f"{share:>6.2f}" for share in shares))

# %%
# The test images at both ends of the order of each score.


def plot_rows(rows, title):
    figure, axes = plt.subplots(
        len(rows), 12, figsize=(9, 0.95 * len(rows) + 0.4), layout="constrained", squeeze=False
    )
    figure.suptitle(title)
    for row, (name, images) in zip(axes, rows.items(), strict=True):
        for ax in row:
            ax.set_axis_off()
        for ax, image in zip(row, images[:12], strict=False):
            ax.imshow(X_test[image], cmap="gray_r")
        row[0].text(-0.2, 0.5, name, ha="right", va="center", transform=row[0].transAxes)


for name in detectors:
    order = np.argsort(scores[name])
    plot_rows(
        {"most normal": order[:12], "most abnormal": order[::-1][:12]},
        f'anomaly_score="{name}": the ends of the order',
    )

# %%
# The sum of errors takes 1s for the most normal images of all, more so than any 8: they have little
# ink, and so little that can be drawn wrongly. The other score puts 8s first. It flags few of the
# 1s either, as the table above says.
#
# Its mistakes: the most abnormal of the 8s that it flags, and, of each other digit that it misses,
# the most normal image.

order = np.argsort(scores["auto"])
flagged = detectors["auto"].predict(X_test) == -1
wrongly_flagged = [image for image in order[::-1] if flagged[image] and y_test[image] == 1]
missed = [image for image in order if not flagged[image] and y_test[image] == -1]
print(f'"auto" flags {len(wrongly_flagged)} 8s and misses {len(missed)} other digits')

# The first of each digit.
_, first = np.unique(digit_test[missed], return_index=True)
plot_rows(
    {"8s flagged": wrongly_flagged, "others missed": np.array(missed)[first]},
    'anomaly_score="auto": mistakes',
)

plt.show()
