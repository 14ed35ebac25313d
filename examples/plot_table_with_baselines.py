"""
A table, against other detectors
================================

Rows of numbers work as images do. Here benign tumors are normal and malignant ones are to be
found, from 30 measurements of cell nuclei. On small tables, simple detectors are strong rivals, and
cost far less: :func:`~sklearn_ae.inspection.compare_with_baselines` says how strong.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from sklearn_ae import AutoencoderAnomalyDetector
from sklearn_ae.inspection import (
    DetectionCurveDisplay,
    ScoreHistogramDisplay,
    compare_with_baselines,
)

# %%
# Half of the benign tumors are to train on. The others and all malignant ones are to test on,
# labeled +1 and -1.

data = load_breast_cancer()
is_benign = data.target_names[data.target] == "benign"
X_train, X_benign = train_test_split(data.data[is_benign], test_size=0.5, random_state=0)
X_test = np.concatenate([X_benign, data.data[~is_benign]])
y_test = np.repeat([1, -1], [len(X_benign), np.sum(~is_benign)])
print(f"{len(X_train)} benign tumors to train on")
print(f"{len(X_benign)} benign and {np.sum(~is_benign)} malignant ones to test on")

# %%
# The autoencoder standardizes the columns itself, and goes over so few rows as often as it takes.
# No detector was tuned: all parameters are defaults. The autoencoder's time to fit includes the
# import of TensorFlow.

detector = AutoencoderAnomalyDetector(random_state=0)
comparison = compare_with_baselines(detector, X_train, X_test, y_test)
print(comparison)

# %%
# The last lines are the advice. The intervals are wide: with a few hundred tumors, areas that
# differ by a hundredth may be equal. The second table shows what no test sample does: PCA, which is
# a linear autoencoder, takes rows for normal that are a million standard deviations away, if that
# is along its components, and the forest hardly notices that one of 30 columns is off.
#
# The fitted detectors are kept. The pictures: the autoencoder's scores and its threshold, and all
# thresholds of it and of two others. The threshold comes from the few rows that the autoencoder
# holds out: a twentieth of 18 rows is less than one, so none of them may be flagged, and the
# threshold is a cautious one.

autoencoder = comparison.estimators["detector"]
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
ScoreHistogramDisplay.from_estimator(autoencoder, X_test, y_test, bins=40, ax=left)
left.set(
    title="Autoencoder: benign is normal, malignant is an anomaly",
    xlabel="Anomaly score (standardized: about 0 for normal samples)",
    ylabel="Number of tumors",
)
for name in ["detector", "k nearest neighbors", "isolation forest"]:
    estimator = comparison.estimators[name]
    DetectionCurveDisplay.from_estimator(estimator, X_test, y_test, name=name, ax=right)
right.set(
    title="Malignant tumors found against false alarms",
    xlabel="Share of benign tumors that are flagged",
    ylabel="Share of malignant tumors that are flagged",
)

# %%
# What the autoencoder tells beyond the score is where its reconstruction fails: ``anomaly_map`` is
# the absolute error of each column. The score does not add these up: it counts each in units of
# normal errors, and the distance from the nearest benign tumors as well.

errors = autoencoder.anomaly_map(X_test)
mean_errors = {
    "malignant": errors[y_test == -1].mean(axis=0),
    "benign": errors[y_test == 1].mean(axis=0),
}
top = np.argsort(mean_errors["malignant"])[-10:]

figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
positions = np.arange(len(top))
for name, color, offset in [("malignant", "#D55E00", 0.2), ("benign", "#0072B2", -0.2)]:
    ax.barh(positions + offset, mean_errors[name][top], height=0.4, color=color, label=name)
ax.set_yticks(positions, data.feature_names[top])
ax.set(
    title="The ten columns with the largest errors",
    xlabel="Mean absolute error (standard deviations of the training rows)",
)
ax.legend(loc="lower right")

plt.show()
