"""
A stated false-alarm rate
=========================

How often will it stop the line for nothing? :class:`~sklearn_ae.ConformalDetector` sets the
threshold of any outlier detector so that the answer is known beforehand, and a report says what it
is worth. First on images, then on a table with few rows and labels.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ae import (
    AutoencoderAnomalyDetector,
    ConformalDetector,
    ConvAutoencoder,
    DenseAutoencoder,
    NormalsOnly,
)
from sklearn_ae.datasets import load_mnist_one_zero
from sklearn_ae.inspection import OperatingPointDisplay, PValueDisplay
from sklearn_ae.metrics import recall_interval

# %%
# Images
# ------
#
# 1s of MNIST are normal, 0s are anomalies. Of 4,000 1s, 2,000 train the autoencoder and 2,000
# calibrate. At most 1 % of all 1s to come shall be flagged, and with ``confidence=0.95``, 95 of 100
# such calibrations keep to that.

digits = load_mnist_one_zero()
ones = digits.X_train[digits.y_train == 1]

detector = ConformalDetector(
    AutoencoderAnomalyDetector(
        architecture=ConvAutoencoder(filters=(8, 16)),
        learning_rate=0.005,
        epochs=6,
        random_state=0,
    ),
    false_alarm_rate=0.01,
    confidence=0.95,
    calibration_size=2000,
    random_state=0,
).fit(ones[:4000])
detector.calibration_report()

# %%
# The 1s that are left were neither trained with nor calibrated with. The digits of the test set
# were written by other people, so nothing is promised for its 1s; its 0s are the anomalies.

new_ones, zeros = ones[4000:], digits.X_test[digits.y_test == -1]
print(f"1s flagged: {np.mean(detector.predict(new_ones) == -1):.4f} of {len(new_ones)}")
print(recall_interval(np.full(len(zeros), -1), detector.predict(zeros)))

# %%
# A p-value says how rare a score as low as that of a sample is among normal samples. Those of
# normal samples are uniform, if these are like the calibration rows: the curve follows the
# diagonal, within the band. With a few hundred recent samples, this is also the picture that tells
# of a drift. The 0s of the test set rise at once.

X_new = np.concatenate([new_ones, zeros])
y_new = np.repeat([1, -1], [len(new_ones), len(zeros)])
display = PValueDisplay.from_estimator(detector, X_new, y_new)
display.ax_.set_title("p-values of 1s and 0s")

# %%
# A table
# -------
#
# Benign tumors are normal, malignant ones are anomalies, labeled 1. Calibration rows are few, so
# 5 % is what can be asked for. :class:`~sklearn_ae.NormalsOnly` keeps labeled anomalies away from
# both training and calibration. The calibration is the outermost of what is fitted: around the
# pipeline, not inside.

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y == 0, test_size=0.4, stratify=y, random_state=0
)
pipeline = make_pipeline(
    StandardScaler(),
    AutoencoderAnomalyDetector(
        architecture=DenseAutoencoder(units=(32,)),
        latent_dim=8,
        epochs=60,
        batch_size=8,
        random_state=0,
    ),
)
table_detector = NormalsOnly(
    ConformalDetector(pipeline, false_alarm_rate=0.05, calibration_size=0.5, random_state=0)
).fit(X_train, y_train)
table_detector.calibration_report()

# %%
# What comes of other rates is read off the p-values, without another fit. The intervals say how
# much a test set of this size can tell: the false-alarm rate that was asked for lies within its
# interval, and the recall is known to a few percent.

print(recall_interval(y_test, table_detector.predict(X_test)))
display = OperatingPointDisplay.from_estimator(
    table_detector, X_test, y_test, false_alarm_rates=[0.02, 0.05, 0.1, 0.2]
)
display.figure_.suptitle("Malignant tumors found, and false alarms")

# %%
# :doc:`/guarantee` says what is promised here, and what is not.

plt.show()
