"""
Save, ship, and whom to trust
=============================

A fitted detector has to go where the samples are: to another process, another machine, another
company. Files of pickle and joblib run what they say when they are loaded, so they are for people
who trust each other. This example writes a detector to a file that is loaded without trust, and a
whole pipeline to one that says whom to trust first.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import joblib
import matplotlib.pyplot as plt
import numpy as np
import skops.io
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ae import AutoencoderAnomalyDetector, ConformalDetector, deployment
from sklearn_ae.datasets import load_mnist_one_zero
from sklearn_ae.exceptions import PersistenceError

# %%
# A detector of 1s, calibrated so that 5 of 100 normal images are flagged at most:

digits = load_mnist_one_zero()
ones = digits.X_train[digits.y_train == 1][:1000]
detector = ConformalDetector(AutoencoderAnomalyDetector(epochs=5, random_state=0), random_state=0)
detector.fit(ones)

# %%
# One file
# --------
# :func:`~sklearn_ae.deployment.save` writes JSON and arrays of numbers, and no code. The file is
# complete before it takes the place of an older one.

folder = TemporaryDirectory()
path = Path(folder.name) / "ones.skae"
deployment.save(detector, path)
for name, value in deployment.describe(path).items():
    print(f"{name:<10} {value}")

# %%
# :func:`~sklearn_ae.deployment.load` gives the same detector. With ``verify=True`` it scores a few
# samples that are in the file, golden inputs, and compares with the scores that they had when it
# was written. They are made up, unless some are given: no image of the training data is in the
# file.

loaded = deployment.load(path, verify=True)
X_test = digits.X_test
print(
    "scores are equal:  ",
    np.array_equal(loaded.score_samples(X_test), detector.score_samples(X_test)),
)
print("p-values are equal:", np.array_equal(loaded.p_values(X_test), detector.p_values(X_test)))

# %%
# A file that was damaged, or altered, is refused:

damaged = bytearray(path.read_bytes())
damaged[len(damaged) // 2] ^= 1
(Path(folder.name) / "damaged.skae").write_bytes(damaged)
try:
    deployment.load(Path(folder.name) / "damaged.skae")
except PersistenceError as error:
    print(str(error).replace(folder.name, "…"))

# %%
# Whole pipelines
# ---------------
# A file of ``persistence`` holds detectors of this package. A pipeline with transformers of
# scikit-learn goes through `skops <https://skops.readthedocs.io>`_, which has its own rule: what it
# does not know is not loaded, unless its type is named as trusted. Look at the list, and ask where
# each type comes from. These are of this package, but for NumPy's data type:

rows = ones.reshape(len(ones), -1)
pipeline = make_pipeline(
    StandardScaler(), AutoencoderAnomalyDetector(epochs=5, input_shape=(28, 28), random_state=0)
).fit(rows)
skops.io.dump(pipeline, Path(folder.name) / "pipeline.skops")
types = skops.io.get_untrusted_types(file=Path(folder.name) / "pipeline.skops")
print(*types, sep="\n")

# %%
# Having read it, we trust these types:

reloaded = skops.io.load(Path(folder.name) / "pipeline.skops", trusted=types)
X_rows = X_test.reshape(len(X_test), -1)
print("decisions are equal:", np.array_equal(reloaded.predict(X_rows), pipeline.predict(X_rows)))

# %%
# Sizes
# -----
# A file of ``persistence`` is not compressed, as weights hardly shrink. It is about as large as the
# weights and what the detector keeps beside them.

joblib.dump(detector, Path(folder.name) / "ones.joblib")
skops.io.dump(detector, Path(folder.name) / "ones.skops")
parts = detector.estimator_.model_.weights
sizes = {
    "weights": sum(int(np.prod(weight.shape)) * 4 for weight in parts),
    "persistence": path.stat().st_size,
    "skops": (Path(folder.name) / "ones.skops").stat().st_size,
    "joblib": (Path(folder.name) / "ones.joblib").stat().st_size,
}
figure, ax = plt.subplots(figsize=(6, 2.5), layout="constrained")
bars = ax.barh(list(sizes), [size / 1000 for size in sizes.values()])
ax.bar_label(bars, fmt="{:,.0f} kB", padding=3)
ax.set(xlabel="Size (kB)", title="One detector, three kinds of files")
ax.margins(x=0.15)
ax.invert_yaxis()

folder.cleanup()
plt.show()
