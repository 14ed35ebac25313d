"""Small data, detectors and scores that the tests of anomaly scores share."""

import functools

import numpy as np
from tiny_networks import tiny

from sklearn_ae import ConvAutoencoder, DenseAutoencoder
from sklearn_ae.scores import (
    AbsoluteError,
    CodeDifference,
    CombinedScore,
    HiddenDifference,
    LatentDistance,
    NeighborDistance,
    SmoothedError,
    SquaredError,
    WhitenedError,
)

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(240, 6)) @ GENERATOR.normal(size=(6, 6))
IMAGES = GENERATOR.random((240, 9, 8, 2)).round(3)


def combined():
    return CombinedScore(
        [
            ("error", SquaredError()),
            ("difference", CodeDifference()),
            ("hidden", HiddenDifference()),
            ("neighbors", LatentDistance(method="neighbors")),
        ]
    )


SCORES = {
    "absolute": AbsoluteError(),
    "squared": SquaredError(),
    "smoothed": SmoothedError(),
    "whitened": WhitenedError(),
    "hidden": HiddenDifference(),
    "cosine": HiddenDifference(metric="cosine"),
    "difference": CodeDifference(),
    "code": LatentDistance(),
    "neighbors": LatentDistance(method="neighbors"),
    "samples": NeighborDistance(),
    "combined": combined(),
    "auto": "auto",
}

# Every kind of data with every score that takes it.
CASES = [
    (kind, name)
    for kind in ("rows", "images")
    for name in SCORES
    if (kind, name) != ("rows", "smoothed")
]


def data_of(kind):
    return ROWS if kind == "rows" else IMAGES


def fit(kind, score, X=None, **parameters):
    # Of a handful of units all would be dead for some rows, which then have one code.
    architecture = (
        DenseAutoencoder(units=(24,)) if kind == "rows" else ConvAutoencoder(filters=(2,))
    )
    defaults = {"scaling": None, "latent_dim": 3, "anomaly_score": score, "epochs": 2}
    return tiny(**({"architecture": architecture} | defaults | parameters)).fit(
        data_of(kind) if X is None else X
    )


@functools.cache
def fitted(kind, name):
    """A detector that several tests share: they only read it."""
    return fit(kind, SCORES[name])
