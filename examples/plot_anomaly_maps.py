"""
Where is the defect?
====================

An anomaly score says that something is wrong with an image, an anomaly map says where. The maps of
an autoencoder are its errors, pixel by pixel. This example makes regions of them, with a known rate
of false alarms, measures them by the masks of the defects, and looks at what they miss.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_ae import AutoencoderAnomalyDetector, ConvAutoencoder, maps
from sklearn_ae.datasets import load_mnist_one_zero, make_anomalies
from sklearn_ae.inspection import AnomalyMapDisplay
from sklearn_ae.metrics import aupro, pixel_roc_auc, region_recall

# %%
# 1s of MNIST are normal: 3,000 train the detector, 2,000 calibrate the threshold, and the rest are
# new. Defects are made from new ones: a rectangle is overwritten, or becomes brighter, or a blob
# lies on it. Their masks say which pixels have changed.

digits = load_mnist_one_zero()
ones = digits.X_train[digits.y_train == 1]
normals, held_out, new = ones[:3000], ones[3000:5000], ones[5000:]
defects, masks = make_anomalies(new, random_state=0)

detector = AutoencoderAnomalyDetector(
    architecture=ConvAutoencoder(filters=(8, 16)),
    latent_dim=8,
    learning_rate=0.005,
    epochs=8,
    anomaly_score="absolute_error",
    random_state=0,
).fit(normals)

# %%
# From errors to regions
# ----------------------
#
# Errors of single pixels are noisy, and those of a defect are neighbors: a Gaussian keeps the
# latter. The threshold is such that one in twenty normal images shows any region, at most, on
# average over such calibrations. It needs held-out images, as errors of the training images are
# too small. All maps are smoothed alike, those to calibrate with and those to come.
#
# To expect: about 5 % of the new 1s are flagged, and about half of those with a defect, many of
# which are small or faint.

SIGMA = 1.0


def smooth_maps(images):
    return maps.smooth(detector.anomaly_map(images), sigma=SIGMA)


threshold = maps.calibrate(smooth_maps(held_out), false_alarm_rate=0.05)
defect_maps = smooth_maps(defects)
regions_of_normals = maps.regions(smooth_maps(new), threshold)
regions_of_defects = maps.regions(defect_maps, threshold)
is_false_alarm = np.array([len(found) > 0 for found in regions_of_normals])
is_flagged = np.array([len(found) > 0 for found in regions_of_defects])
print(f"{'threshold':<31}{threshold:.3f}")
print(f"{'new 1s flagged':<31}{is_false_alarm.mean():.3f} of {len(new)}")
print(f"{'1s with a defect flagged':<31}{is_flagged.mean():.3f} of {len(defects)}")

# %%
# The worst images, by the sum of their errors. Boxes surround the regions, and outlines the pixels
# that were really changed.

display = AnomalyMapDisplay.from_estimator(
    detector, defects, sigma=SIGMA, masks=masks, threshold=threshold
)
display.figure_.suptitle("The worst of the 1s with a defect")

# %%
# How good are the maps?
# ----------------------
#
# The ROC curve of pixels is that of all pixels of all images, whose area is large because most
# pixels are easy: they are black, and nothing is wrong with them. AUPRO counts small defects as
# much as large ones, and only thresholds that flag at most 30 % of the normal pixels; chance is 0.5
# for the one and 0.15 for the other. The other lines are about the threshold from above, which is
# there to leave normal images alone, not to cover defects.

recall = region_recall(masks, defect_maps, threshold=threshold)
print(f"{'pixel ROC AUC':<31}{pixel_roc_auc(masks, defect_maps):.3f}")
print(f"{'AUPRO':<31}{aupro(masks, defect_maps):.3f}")
print(f"{'mean share of a defect covered':<31}{recall.recall:.3f}")
print(f"{'defects touched':<31}{recall.n_found} of {recall.n_regions}")

on_defect = [
    any((mask[region.slices] & region.mask).any() for region in found)
    for mask, found in zip(masks, regions_of_defects, strict=True)
    if found
]
print(f"{'flagged with a region on it':<31}{np.mean(on_defect):.3f} of {len(on_defect)}")

# %%
# What the maps do not see
# ------------------------
#
# How large a change is in all, the sum over its pixels in shares of the largest brightness, says
# most about whether it is found.

changes = np.abs(defects.astype(float) - new).sum(axis=(1, 2)) / 255
order = np.argsort(changes)
for quarter in np.array_split(order, 4):
    low, high = changes[quarter[[0, -1]]]
    print(f"change of {low:5.2f} to {high:5.2f}: {is_flagged[quarter].mean():.2f} flagged")

# The missed ones with the largest changes.
missed = [i for i in order[::-1] if not is_flagged[i]][:8]
display = AnomalyMapDisplay.from_maps(
    defects[missed],
    defect_maps[missed],
    masks=masks[missed],
    threshold=threshold,
    map_kwargs={"vmax": threshold},
)
display.figure_.suptitle("The largest defects that were missed")

# %%
# A map of a plain autoencoder compares each pixel with what the network made of it, and the network
# was never told what a defect is. So a faint defect is not seen, however wide it is: its errors are
# no larger than those at the edges of normal strokes, which the threshold must be above. A fine one
# is lost in the same way. The network draws some defects itself, such as part of a piece that is
# missing from a stroke, and there the error is smaller than the change. And a large defect changes
# the code of the whole image, so that errors, and boxes, appear where nothing is wrong.

plt.show()
