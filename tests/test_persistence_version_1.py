"""Files of format version 1, which stay as they are, can be read."""

import json
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_ae import AutoencoderAnomalyDetector, NormalsOnly
from sklearn_ae.deployment import describe, load, save
from sklearn_ae.scores import CombinedScore

FILES = sorted((Path(__file__).resolve().parent / "data" / "version_1").glob("*.skae"))


def golden(path):
    """Read inputs, scores and decisions without the package."""
    with ZipFile(path) as archive:
        nodes = json.loads(archive.read("manifest.json"))["golden"]
        for name in ("inputs", "scores", "decisions"):
            with archive.open(nodes[name]["array"]) as file:
                yield np.lib.format.read_array(file, allow_pickle=False)


def test_all_kinds_are_there():
    assert [path.stem for path in FILES] == ["features", "region", "rows", "tiles", "wrappers"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_gives_the_scores_that_it_was_written_with(path, tmp_path):
    detector = load(path, verify=True)
    X, scores, decisions = golden(path)
    assert_allclose(detector.score_samples(X), scores, rtol=1e-5)
    assert_allclose(detector.decision_function(X), decisions, rtol=1e-5, atol=1e-5)
    assert describe(path)["version"] == 1
    assert describe(path)["detector"] == type(detector).__name__
    save(detector, tmp_path / "again.skae")
    assert_allclose(load(tmp_path / "again.skae").score_samples(X), detector.score_samples(X))


def test_what_else_is_in_the_files():
    files = {path.stem: load(path) for path in FILES}
    rows, wrappers, features = (files[name] for name in ("rows", "wrappers", "features"))
    assert type(rows) is AutoencoderAnomalyDetector
    assert type(rows.anomaly_score_) is CombinedScore
    assert type(wrappers) is NormalsOnly
    assert wrappers.calibration_report().n_calibration == 12
    assert features.anomaly_map(np.zeros((1, 9, 8), dtype=np.uint8)).shape == (1, 9, 8)
