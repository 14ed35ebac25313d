"""
Anomalies among the calibration rows
====================================

A calibration takes its rows for normal. Where a few of them are anomalies that nobody has noticed,
they have the lowest scores and pull the threshold down to them: the false-alarm rate stays below
what was asked for, and so does the share of anomalies that is found. This example shows by how
much, and what a look at the most abnormal rows repairs.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator

from sklearn_ae import AutoencoderAnomalyDetector, ConformalDetector, ConvAutoencoder
from sklearn_ae.datasets import load_mnist_one_zero

# %%
# 1s of MNIST are normal, 0s are anomalies. The detector learns from 2,000 1s, none of which
# calibrates.

digits = load_mnist_one_zero()
ones, zeros = (digits.X_train[digits.y_train == label] for label in (1, -1))
detector = AutoencoderAnomalyDetector(
    architecture=ConvAutoencoder(filters=(8, 16)),
    learning_rate=0.005,
    epochs=6,
    random_state=0,
).fit(ones[:2000])
new_ones, new_zeros = (digits.X_test[digits.y_test == label][:500] for label in (1, -1))

# %%
# 1,000 rows calibrate, and a share of them are 0s. Each share is drawn four times. "After a look"
# stands for somebody who looks at the 100 rows that are the most abnormal, which
# ``calibration_indices_`` names, and drops the 0s among them.

SHARES = [0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1]
RATES = [0.01, 0.05]
N_ROWS, N_DRAWS, N_LOOKED_AT = 1000, 4, 100


def rates_of(calibrated):
    """Return the share of new 1s that is flagged, and that of new 0s."""
    return [np.mean(calibrated.predict(images) == -1) for images in (new_ones, new_zeros)]


rng = np.random.default_rng(0)
found = {(rate, after): [] for rate in RATES for after in (False, True)}
for share in SHARES:
    n_zeros = round(share * N_ROWS)
    drawn = {key: [] for key in found}
    for _ in range(N_DRAWS):
        X = np.concatenate(
            [
                rng.choice(ones[2000:], N_ROWS - n_zeros, replace=False),
                rng.choice(zeros, n_zeros, replace=False),
            ]
        )
        for rate in RATES:
            calibrated = ConformalDetector(FrozenEstimator(detector), false_alarm_rate=rate).fit(X)
            drawn[rate, False].append(rates_of(calibrated))
            looked_at = calibrated.calibration_indices_[:N_LOOKED_AT]
            zeros_seen = looked_at[looked_at >= N_ROWS - n_zeros]
            calibrated = calibrated.fit(np.delete(X, zeros_seen, axis=0))
            drawn[rate, True].append(rates_of(calibrated))
    for key, values in drawn.items():
        found[key].append(np.mean(values, axis=0))

# %%
# As long as fewer rows are anomalies than may be flagged, all is nearly well. Once as many are, the
# threshold lies among the anomalies, and they are no longer found. Here the false-alarm rate only
# falls, which is why nothing else would tell.

figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", sharex=True)
COLORS = {0.01: "#0072B2", 0.05: "#D55E00"}
for (rate, after), values in found.items():
    for ax, column in zip(axes, np.transpose(values), strict=True):
        ax.plot(
            SHARES,
            column,
            color=COLORS[rate],
            linestyle="--" if after else "-",
            marker="o" if after else ".",
            fillstyle="none",
            label=f"rate {rate:.0%} asked for{', after a look' if after else ''}",
        )
for rate, color in COLORS.items():
    axes[0].axhline(rate, color=color, linewidth=0.8, linestyle=":")
axes[0].set(ylabel="1s flagged: realized false-alarm rate", ylim=(0, None))
axes[1].set(ylabel="0s flagged: recall", ylim=(0, 1.03))
for ax in axes:
    ax.set_xlabel("Share of 0s among the calibration rows")
    ax.xaxis.set_major_formatter("{x:.0%}")
axes[0].legend(loc="center right")

for (rate, after), values in found.items():
    when = "after a look" if after else "as it is"
    recalls = " ".join(f"{recall:.2f}" for _, recall in values)
    print(f"rate {rate:.0%}, {when:<12} recall at shares {SHARES}: {recalls}")

# %%
# To drop rows that are rare but normal would be an error of the other kind, and not on the safe
# side: such rows will come again, and be flagged more often than the rate says. See
# :doc:`/guarantee` for the price. Drop what you have recognized as an anomaly, nothing else.

plt.show()
