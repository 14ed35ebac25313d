"""Write the files beside this script: those of kinds that are not among them yet.

They were written by sklearn_ae 0.1 and stay as they are, for they tell whether files of format
version 1 can still be read.
"""

import sys
from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from tiny_networks import tiny, tiny_conv  # noqa: E402

from sklearn_ae import (  # noqa: E402
    ConformalDetector,
    FeatureAutoencoder,
    FixedThresholdDetector,
    NormalsOnly,
    deployment,
)
from sklearn_ae.scores import (  # noqa: E402
    CodeDifference,
    CombinedScore,
    HiddenDifference,
    LatentDistance,
    NeighborDistance,
    WhitenedError,
)

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(40, 4))
IMAGES = GENERATOR.integers(0, 256, size=(24, 9, 8), dtype=np.uint8)
SCORES = [
    ("whitened", WhitenedError()),
    ("hidden", HiddenDifference(metric="cosine")),
    ("difference", CodeDifference()),
    ("code", LatentDistance(method="neighbors")),
    ("neighbors", NeighborDistance()),
]


def features():
    maps = keras.layers.Conv2D(3, 3, strides=2, padding="same")
    backbone = keras.Sequential([keras.Input((None, None, 1)), maps])
    return FeatureAutoencoder(backbone=backbone, units=(4,))


def detectors():
    detector = tiny(optimizer=keras.optimizers.SGD(0.1))
    wrapped = ConformalDetector(
        FixedThresholdDetector(tiny(), threshold=2), false_alarm_rate=0.2, random_state=0
    )
    region = np.ones((9, 8), dtype=bool)
    region[0] = False
    return {
        "rows": (detector.set_params(anomaly_score=CombinedScore(SCORES)), ROWS),
        "wrappers": (NormalsOnly(wrapped), ROWS),
        "region": (tiny_conv(region_of_interest=region), IMAGES),
        "tiles": (tiny_conv(tile_size=8), IMAGES),
        "features": (tiny(architecture=features(), anomaly_score="auto"), IMAGES),
    }


if __name__ == "__main__":
    for name, (detector, X) in detectors().items():
        path = HERE / f"{name}.skae"
        if not path.exists():
            detector.fit(X, np.zeros(len(X), dtype=bool))
            deployment.save(detector, path, golden_inputs=X[:2])
