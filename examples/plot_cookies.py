"""
Broken cookies
==============

A few dozen photographs of good products are enough to find defects and to show where they are, if
the network has seen photographs before. Here the products are cookies, whole or broken. The example
also shows what else a map finds, and how to keep that out.

It needs the extras ``images`` and ``pretrained``, and the environment variable ``SKLEARN_AE_DATA``
must name a folder with ``cookies_128.npz``: 85 photographs of the repository
``aws-samples/amazon-lookout-for-vision`` on GitHub as 128×96 pixels, ``X``; which are broken,
``y``; those to train and to test with, ``split``; where they are broken, ``masks``, as far as that
is known, ``has_mask``.
"""

import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.metrics import roc_auc_score

from sklearn_ae import AutoencoderAnomalyDetector, FeatureAutoencoder, maps
from sklearn_ae.inspection import AnomalyMapDisplay
from sklearn_ae.metrics import aupro, pixel_roc_auc

file = Path(os.environ.get("SKLEARN_AE_DATA", "")) / "cookies_128.npz"
if not file.is_file():
    sys.exit("Set the environment variable SKLEARN_AE_DATA to a folder with cookies_128.npz")

# %%
# The whole cookies of the first split train. All others are to test on, and so are the broken ones
# of both. Images are enlarged to twice their size, as one position of the network is 8×8 pixels.

with np.load(file) as data:
    small, y, split, masks, has_mask = (
        data[name] for name in ["X", "y", "split", "masks", "has_mask"]
    )
height, width = 2 * np.array(small.shape[1:3])
images = np.stack(
    [
        np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
        for image in small
    ]
)
masks = masks.repeat(2, axis=1).repeat(2, axis=2) == 1

is_broken = y == 1
is_train = (split == "train") & ~is_broken
test = np.flatnonzero(~is_train)
print(f"{is_train.sum()} whole cookies to train with")
print(f"{np.sum(~is_broken[test])} whole and {is_broken[test].sum()} broken ones to test on")

# %%
# Which?
# ------
#
# All parameters are defaults. Three of the 31 images are held out, too few for a threshold (see
# :doc:`/guarantee` for how many it takes), so what follows is about all thresholds.

detector = AutoencoderAnomalyDetector(architecture=FeatureAutoencoder(), random_state=0)
detector.fit(images[is_train])
scores = -detector.score_samples(images[test])
print(f"{'ROC AUC of images':<26}{roc_auc_score(is_broken[test], scores):.3f}")

# %%
# Where?
# ------
#
# Figures of pixels are those of whole cookies and of those with a mask. AUPRO counts small defects
# as much as large ones. Cookies lie in the middle, and so do defects: a map that knows nothing but
# that says what the figures are worth.

SIGMA = 8.0

is_located = has_mask[test] | ~is_broken[test]
located = test[is_located]
raw_maps = detector.anomaly_map(images[located])
whole_maps = maps.smooth(raw_maps, sigma=SIGMA)

rows, columns = np.linspace(-1, 1, height), np.linspace(-1, 1, width)
middle = np.broadcast_to(-np.hypot(rows[:, np.newaxis], columns), whole_maps.shape)


def print_figures(name, pixel_maps, **kwargs):
    area = pixel_roc_auc(masks[located], pixel_maps, **kwargs)
    overlap = aupro(masks[located], pixel_maps, **kwargs)
    print(f"{name:<26}{area:>15.3f}{overlap:>9.3f}")


print(f"{'maps':<26}{'pixel ROC AUC':>15}{'AUPRO':>9}")
print_figures("FeatureAutoencoder", whole_maps)
print_figures("the middle", middle)

display = AnomalyMapDisplay.from_maps(
    images[located],
    whole_maps,
    anomaly_scores=scores[is_located],
    masks=masks[located],
    n_samples=8,
)
display.figure_.suptitle("The most abnormal cookies")

# %%
# What else is abnormal
# ---------------------
#
# The largest values are not in the gaps. Beside many of the broken cookies there are crumbs or
# others at the border, as beside none to train with: they are abnormal, and nothing in images of
# whole cookies tells that they do not matter. A part of the first figure is their merit.
#
# Where it is known what matters, a region of interest says so; here it is all but a margin, within
# which most of them are.

MARGIN = 24

inside = np.zeros((height, width), dtype=bool)
inside[MARGIN:-MARGIN, MARGIN:-MARGIN] = True
inner_maps = maps.smooth(raw_maps, sigma=SIGMA, region_of_interest=inside)

print(f"{'maps inside':<26}{'pixel ROC AUC':>15}{'AUPRO':>9}")
print_figures("FeatureAutoencoder", inner_maps, region_of_interest=inside)
print_figures("the middle", middle, region_of_interest=inside)
largest = inner_maps.max(axis=(1, 2))
area = roc_auc_score(is_broken[located], largest)
print(f"ROC AUC of images by the largest value inside: {area:.3f}")

# %%
# The gaps stand out now. The colors begin at the median, and end at the largest value inside.

display = AnomalyMapDisplay.from_maps(
    images[located],
    inner_maps,
    masks=masks[located],
    n_samples=12,
    map_kwargs={"vmin": np.median(inner_maps[:, inside])},
)
display.figure_.suptitle("The most abnormal cookies, without the margin")

plt.show()
