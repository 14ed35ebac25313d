"""Whole pipelines go through skops, which asks whom to trust."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tiny_networks import tiny

from sklearn_ae import ConformalDetector, NormalsOnly

io = pytest.importorskip("skops.io")
exceptions = pytest.importorskip("skops.io.exceptions")

X = np.random.default_rng(0).normal(size=(100, 6))
Y = np.repeat([1, -1], [90, 10])


@pytest.fixture(scope="module")
def pipeline():
    detector = NormalsOnly(ConformalDetector(tiny(anomaly_score="auto"), random_state=0))
    return make_pipeline(StandardScaler(), PCA(4), detector).fit(X, Y)


def test_pipeline_is_the_dumped_one(pipeline, tmp_path):
    io.dump(pipeline, tmp_path / "pipeline.skops")
    types = io.get_untrusted_types(file=tmp_path / "pipeline.skops")
    loaded = io.load(tmp_path / "pipeline.skops", trusted=types)
    assert_array_equal(loaded.score_samples(X), pipeline.score_samples(X))
    assert_array_equal(loaded.predict(X), pipeline.predict(X))
    assert_array_equal(loaded[-1].p_values(X[:, :4]), pipeline[-1].p_values(X[:, :4]))


def test_nothing_but_types_of_the_package_is_to_be_trusted(pipeline, tmp_path):
    io.dump(pipeline, tmp_path / "pipeline.skops")
    types = io.get_untrusted_types(file=tmp_path / "pipeline.skops")
    assert {name for name in types if not name.startswith("sklearn_ae.")} <= {"numpy.dtype"}
    assert "sklearn_ae.autoencoder.detector.AutoencoderAnomalyDetector" in types
    with pytest.raises(exceptions.UntrustedTypesFoundException, match="AutoencoderAnomalyDetector"):
        io.load(tmp_path / "pipeline.skops", trusted=[])
