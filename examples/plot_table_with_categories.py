"""
A table with categories: why was this row flagged?
==================================================

Tables hold words as well as numbers. A :class:`~sklearn.compose.ColumnTransformer` turns words into
columns of 0 and 1, and the autoencoder learns which numbers go with which word. So it finds rows
of which every single value is ordinary, and
:class:`~sklearn_ae.inspection.ContributionDisplay` says what does not fit.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_ae import AutoencoderAnomalyDetector, DenseAutoencoder
from sklearn_ae.inspection import ContributionDisplay

# %%
# The rows are simulated cuts of a workshop's milling machines. The harder the material, the more
# torque it takes, and heat comes of torque and speed, unless the machine cools.

MATERIALS = {"aluminium": 20.0, "steel": 45.0, "titanium": 70.0}
COOLING = {"north": 1.0, "east": 1.0, "south": 0.4, "west": 0.4}


def simulate_cuts(n_cuts, rng):
    material = rng.choice(list(MATERIALS), n_cuts)
    machine = rng.choice(list(COOLING), n_cuts)
    hardness = pd.Series(material).map(MATERIALS).to_numpy()
    cooling = pd.Series(machine).map(COOLING).to_numpy()
    speed = rng.normal(1500, 150, n_cuts)
    depth = rng.uniform(1, 3, n_cuts)
    torque = hardness * depth * rng.normal(1, 0.05, n_cuts) / 2
    power = torque * speed * 2 * np.pi / 60 / 1000
    air = rng.normal(21, 2, n_cuts)
    heat = air + 8 * power * (1.5 - cooling) + rng.normal(0, 1, n_cuts)
    return pd.DataFrame(
        {
            "material": material,
            "machine": machine,
            "speed (1/min)": speed.round(),
            "depth (mm)": depth.round(2),
            "torque (Nm)": torque.round(1),
            "power (kW)": power.round(2),
            "air (°C)": air.round(1),
            "tool (°C)": heat.round(1),
        }
    )


rng = np.random.default_rng(0)
X_train, X_test = simulate_cuts(3000, rng), simulate_cuts(1000, rng)

# %%
# Mistakes in the records make anomalies: of 50 cuts the material is a wrong one, of another 50 the
# machine. Words and numbers are as frequent as before; only what goes with what has changed.

WRONG_MATERIAL = {"aluminium": "steel", "steel": "titanium", "titanium": "aluminium"}
WRONG_MACHINE = {"north": "south", "south": "east", "east": "west", "west": "north"}

mistake = np.repeat(["none", "material", "machine"], [len(X_test) - 100, 50, 50])
for column, wrong in [("material", WRONG_MATERIAL), ("machine", WRONG_MACHINE)]:
    changed = mistake == column
    X_test.loc[changed, column] = X_test.loc[changed, column].map(wrong)
y_test = np.where(mistake == "none", 1, -1)
print(X_test.tail(3).to_string())

# %%
# Only words are encoded. Numbers pass as they are: the autoencoder standardizes all columns itself,
# and so can say later what it expected in the units of the table. Its sum of absolute errors is
# compared with two detectors of scikit-learn on the same columns. Local outlier factors, which
# compare distances to neighbors, need them standardized.


def encode_words():
    return ColumnTransformer(
        [("words", OneHotEncoder(sparse_output=False), ["material", "machine"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )


autoencoder = AutoencoderAnomalyDetector(
    architecture=DenseAutoencoder(),
    latent_dim=8,
    anomaly_score="absolute_error",
    false_alarm_rate=0.01,
    random_state=0,
)
detectors = {
    "autoencoder": make_pipeline(encode_words(), autoencoder),
    "isolation forest": make_pipeline(encode_words(), IsolationForest(random_state=0)),
    "local outlier factor": make_pipeline(
        encode_words(), StandardScaler(), LocalOutlierFactor(novelty=True)
    ),
}

print(f"{'ROC AUC':<22}{'material':>10}{'machine':>10}")
for name, detector in detectors.items():
    scores = -detector.fit(X_train).score_samples(X_test)
    areas = [
        roc_auc_score(y_test[rows] == -1, scores[rows])
        for rows in (mistake != "machine", mistake != "material")
    ]
    print(f"{name:<22}{areas[0]:>10.3f}{areas[1]:>10.3f}")

# %%
# The trees of the forest split one column at a time, at random, and hardly ever meet the pairs of
# columns that matter here. On a table whose anomalies are extreme in a column of their own, this
# may be the other way round.
#
# Why was a row flagged? The picture has the most abnormal cut of each kind of mistake. Bars are
# the absolute errors of the columns, and add up to the anomaly score. The marks, the medians of the
# training rows, show which errors are usual. A column of 0 and 1 reads as how well the word goes
# with the rest of the row.

detector = detectors["autoencoder"]
flagged = detector.predict(X_test) == -1
scores = -detector.score_samples(X_test)

figure, axes = plt.subplots(2, 1, figsize=(8, 7), layout="constrained")
for ax, kind in zip(axes, ["material", "machine"], strict=True):
    row = int(np.argmax(np.where(mistake == kind, scores, -np.inf)))
    ContributionDisplay.from_estimator(
        detector, X_test, row=row, X_normal=X_train, max_features=6, ax=ax
    )
    ax.set_title(f"Row {row}, {X_test.material[row]} on {X_test.machine[row]}: wrong {kind}")

# %%
# Bars name what does not fit together, and not which side of it is wrong: whether a cut is recorded
# with a wrong word or has a wrong number, nobody can tell from the row. So the largest bar may be
# of a number. Which column has it, and is the wrong word among the three largest?

columns = detector[:-1].get_feature_names_out()
errors = detector[-1].anomaly_map(detector[:-1].transform(X_test))
largest = columns[np.argsort(-errors, axis=1)[:, :3]]
for kind in ["material", "machine"]:
    found = flagged & (mistake == kind)
    named = np.char.startswith(largest[found].astype(str), f"{kind}_").any(axis=1)
    print(f"wrong {kind}: {found.sum()} of {(mistake == kind).sum()} rows flagged")
    print(f"  the {kind} is among the three largest bars in {named.sum()} of these")
    print(f"  largest bar: {pd.Series(largest[found, 0]).value_counts().to_dict()}")
print(f"no mistake: {(flagged & (mistake == 'none')).sum()} of {(mistake == 'none').sum()} flagged")

plt.show()
