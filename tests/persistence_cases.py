"""Fitted detectors of every kind, saved and loaded, for tests of persistence."""

import functools
import io
import json
import zipfile
from hashlib import sha256

import keras
import numpy as np
from score_cases import CASES, data_of, fitted
from sklearn.frozen import FrozenEstimator
from tiny_networks import one_model, tiny, tiny_conv

from sklearn_ae import (
    ConformalDetector,
    ConvDenseAutoencoder,
    FeatureAutoencoder,
    FixedThresholdDetector,
    NormalsOnly,
    deployment,
)

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(100, 6))
LABELS = np.repeat([1, -1], [90, 10])
BYTES = GENERATOR.integers(0, 256, size=(40, 16, 16), dtype=np.uint8)
COLORS = GENERATOR.random((24, 32, 32, 3), dtype=np.float32)


def backbone():
    maps = keras.layers.Conv2D(3, 3, strides=2, padding="same")
    return keras.Sequential([keras.Input((None, None, 1)), maps])


def of_features(**parameters):
    architecture = FeatureAutoencoder(backbone=backbone(), units=(4,))
    return tiny(**({"architecture": architecture, "anomaly_score": "auto"} | parameters))


def conv_dense():
    return ConvDenseAutoencoder(filters=(2, 2), units=(8,))


# What is fitted, to what.
KINDS = {
    "rows": lambda: (tiny(), ROWS),
    "folded rows": lambda: (tiny_conv(input_shape=(8, 8)), GENERATOR.random((40, 64))),
    "bytes": lambda: (tiny_conv(scaling="range"), BYTES),
    "conv and dense": lambda: (tiny(architecture=conv_dense()), BYTES / 255),
    "one model": lambda: (tiny(architecture=one_model, anomaly_score="squared_error"), ROWS),
    "features": lambda: (of_features(), BYTES),
    "pretrained": lambda: (
        tiny(architecture=FeatureAutoencoder(units=(4,)), anomaly_score="auto"),
        COLORS,
    ),
    "features of tiles": lambda: (of_features(tile_size=12), BYTES),
    "tiles": lambda: (tiny_conv(tile_size=(8, 10), tile_overlap=0.5), BYTES),
    "region": lambda: (tiny_conv(region_of_interest=np.tri(16) > 0), BYTES),
    "region of features": lambda: (of_features(region_of_interest=np.tri(16) > 0), BYTES),
    "trimmed": lambda: (tiny(trim=0.1), ROWS),
    "no rows held out": lambda: (tiny(validation_fraction=0), ROWS),
    "threshold": lambda: (tiny(threshold=2), ROWS),
    "conformal": lambda: (ConformalDetector(tiny(), random_state=0), ROWS),
    "frozen in conformal": lambda: (ConformalDetector(FrozenEstimator(tiny().fit(ROWS))), ROWS + 1),
    "fixed": lambda: (FixedThresholdDetector(tiny(), threshold=3.5), ROWS),
    "frozen in fixed": lambda: (
        FixedThresholdDetector(FrozenEstimator(tiny().fit(ROWS)), threshold=3, pos_label="bad"),
        None,
    ),
    "fitted in fixed": lambda: (FixedThresholdDetector(tiny().fit(ROWS), threshold=3.0), None),
    "normals only": lambda: (NormalsOnly(tiny()), ROWS),
    "three deep": lambda: (
        NormalsOnly(ConformalDetector(FixedThresholdDetector(tiny(), threshold=1), random_state=0)),
        ROWS,
    ),
}


@functools.cache
def fitted_kind(name):
    """Return a fitted detector and samples for it. Tests only read them."""
    detector, X = KINDS[name]()
    if X is None:
        return detector, ROWS
    y = LABELS if len(X) == len(LABELS) else None
    return detector.fit(X, y) if y is not None else detector.fit(X), X


def cases():
    """Every detector, with a name: each architecture and wrapper, and each score."""
    for name in KINDS:
        yield name, functools.partial(fitted_kind, name)
    for kind, score in CASES:
        yield f"{score} of {kind}", lambda k=kind, s=score: (fitted(k, s), data_of(k)[:60])


@functools.cache
def saved_bytes(name):
    """Return what is in a file of a fitted detector."""
    file = io.BytesIO()
    detector, _ = fitted_kind(name)
    with _temporary_path() as path:
        deployment.save(detector, path)
        file.write(path.read_bytes())
    return file.getvalue()


def _temporary_path():
    import contextlib
    import tempfile
    from pathlib import Path

    @contextlib.contextmanager
    def manage():
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "model.skae"

    return manage()


def members_of(data):
    """Return the members of a file, by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members, **options):
    """Return a file with members, a dict or a list of pairs, stored as `save` stores them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, data in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, data)
    return file.getvalue()


def altered(data, change):
    """Return a file whose manifest somebody has changed who knows how files are made."""
    members = members_of(data)
    manifest = json.loads(members.pop("manifest.json"))
    manifest = change(manifest, members) or manifest
    if isinstance(manifest.get("members"), dict):
        manifest["members"] = {name: sha256(data).hexdigest() for name, data in members.items()}
    return packed(members | {"manifest.json": json.dumps(manifest)})


def find(node, test):
    """Return the first dict inside of JSON that passes a test."""
    stack = [node]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if test(value):
                return value
            stack += reversed(list(value.values()))
        elif isinstance(value, list):
            stack += reversed(value)
    raise LookupError
