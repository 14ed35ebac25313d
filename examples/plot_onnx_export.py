"""
A detector without TensorFlow
=============================

A camera at the end of a line needs the decisions, not the tools that made them.
:func:`~sklearn_ae.deployment.to_onnx` writes a fitted detector as one ONNX file: raw images go in,
and scores, labels, p-values and maps come out. Another process, which knows nothing but ONNX
Runtime, then gives the same answers.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime

from sklearn_ae import AutoencoderAnomalyDetector, ConformalDetector, ConvAutoencoder
from sklearn_ae.datasets import load_mnist_one_zero
from sklearn_ae.deployment import to_onnx

# %%
# Train and export
# ----------------
#
# 1s of MNIST are normal. The threshold is calibrated, so that at most 2 % of all 1s to come are
# flagged, and each image gets a p-value. Before the file is written, images go through the model
# and through the detector, and a model that disagrees would be refused; which images, may be said.

digits = load_mnist_one_zero()
ones = digits.X_train[digits.y_train == 1]
detector = ConformalDetector(
    AutoencoderAnomalyDetector(
        architecture=ConvAutoencoder(filters=(8, 16)), epochs=4, random_state=0
    ),
    false_alarm_rate=0.02,
    random_state=0,
).fit(ones[:3000])

temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
model = folder / "ones.onnx"
to_onnx(detector, model, golden_inputs=ones[3000:3032])
print(f"{model.stat().st_size / 1024:.0f} KiB")

# %%
# What the model says of itself
# -----------------------------

session = onnxruntime.InferenceSession(model)
for name, text in sorted(session.get_modelmeta().custom_metadata_map.items()):
    print(f"{name}: {json.dumps(json.loads(text), indent=1)}")

# %%
# Serve it elsewhere
# ------------------
#
# :doc:`serve_onnx` is a program of its own, which imports NumPy and ONNX Runtime. Copied beside the
# model, it runs in any environment that has these two; here, in another process.

chosen = [*np.flatnonzero(digits.y_test == 1)[:4], *np.flatnonzero(digits.y_test == -1)[:4]]
samples = digits.X_test[chosen]
np.save(folder / "samples.npy", samples)
script = Path(sys.argv[0]).with_name("serve_onnx.py")
served = subprocess.run(
    [sys.executable, script, model, folder / "samples.npy"],
    capture_output=True,
    check=True,
    text=True,
).stdout
print(served)

# %%
# The decisions are those of the detector.

served_labels = [int(line.split(",")[3]) for line in served.splitlines()[1:]]
print(np.array_equal(served_labels, detector.predict(samples)))

# %%
# The map comes from the same run of the model.

maps, p_values = session.run(["anomaly_map", "p_value"], {"input": samples})
fig, axes = plt.subplots(2, len(samples), figsize=(10, 3), layout="constrained")
for image, anomaly_map, p_value, (above, below) in zip(
    samples, maps, p_values, axes.T, strict=True
):
    above.imshow(image, cmap="gray")
    above.set_title(f"p = {p_value:.3f}", fontsize=9)
    below.imshow(anomaly_map, cmap="inferno", vmin=0, vmax=maps.max())
for axis in axes.flat:
    axis.set_axis_off()
