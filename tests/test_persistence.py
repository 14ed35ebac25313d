"""A detector from a file is the one that was saved, to the last bit."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from persistence_cases import ROWS, cases, fitted_kind
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from tiny_networks import tiny

from sklearn_ae import AutoencoderAnomalyDetector, ConformalDetector, NormalsOnly, deployment
from sklearn_ae.deployment import load, save
from sklearn_ae.exceptions import PersistenceError
from sklearn_ae.thresholds._unwrapping import find_innermost

CASES = dict(cases())


def reload(detector, folder, **options):
    save(detector, folder / "model.skae", **options)
    return load(folder / "model.skae", verify=True)


def check_equal(one, other):
    """Compare what fits leave, at any depth."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert_array_equal(one, other)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        check_equal(list(one.values()), list(other.values()))
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            check_equal(*pair)
    elif isinstance(one, str | int | float | np.generic | None):
        assert one == other or (one != one and other != other)
    elif hasattr(one, "get_params"):
        check_equal(one.get_params(deep=False), other.get_params(deep=False))
        check_equal(written_of(one), written_of(other))


def written_of(estimator):
    """Return its attributes but for the network and the callbacks, which no file holds."""
    left_out = ("_network", "callbacks_")
    return {name: value for name, value in vars(estimator).items() if name not in left_out}


@pytest.mark.filterwarnings("ignore:No row is held out", "ignore:The file holds no code")
@pytest.mark.parametrize("name", CASES)
def test_loaded_detector_is_the_saved_one(name, tmp_path):
    detector, X = CASES[name]()
    loaded = reload(detector, tmp_path)
    assert_array_equal(loaded.score_samples(X), detector.score_samples(X))
    assert_array_equal(loaded.decision_function(X), detector.decision_function(X))
    assert_array_equal(loaded.predict(X), detector.predict(X))
    assert hasattr(loaded, "p_values") == hasattr(detector, "p_values")
    if hasattr(detector, "p_values"):
        assert_array_equal(loaded.p_values(X), detector.p_values(X))
    inner, loaded_inner = (find_innermost(each).detector for each in (detector, loaded))
    assert_array_equal(loaded_inner.anomaly_map(X), inner.anomaly_map(X))
    if name != "one model":  # whose architecture is a function
        check_equal(detector, loaded)


LOAD_AND_SCORE = """
import sys
import numpy as np
from sklearn_ae.deployment import load
for name in sys.argv[1:]:
    detector = load(f"{name}.skae", verify=True)
    np.save(f"{name}.scores.npy", detector.score_samples(np.load(f"{name}.npy")))
"""


def test_scores_in_another_process_are_equal(tmp_path):
    names = ["rows", "bytes", "features", "conformal"]
    for name in names:
        detector, X = fitted_kind(name)
        save(detector, tmp_path / f"{name}.skae")
        np.save(tmp_path / f"{name}.npy", X)
    command = [sys.executable, "-c", LOAD_AND_SCORE, *names]
    subprocess.run(command, check=True, cwd=tmp_path)
    for name in names:
        detector, X = fitted_kind(name)
        scores = np.load(tmp_path / f"{name}.scores.npy")
        assert_array_equal(scores, detector.score_samples(X), name)


def test_what_else_a_detector_does_is_the_same(tmp_path):
    detector, X = fitted_kind("rows")
    loaded = reload(detector, tmp_path)
    assert_array_equal(loaded.transform(X), detector.transform(X))
    assert_array_equal(loaded.reconstruct(X), detector.reconstruct(X))
    assert_array_equal(loaded.model_.predict(X), detector.model_.predict(X))
    assert_array_equal(pickle.loads(pickle.dumps(loaded)).predict(X), detector.predict(X))
    assert_array_equal(clone(loaded).fit(X).score_samples(X), detector.score_samples(X))


def test_loaded_detector_goes_on_from_its_weights(tmp_path):
    detector = tiny(warm_start=True, epochs=3).fit(ROWS)
    loaded = reload(detector, tmp_path)
    again, loaded_again = detector.fit(ROWS), loaded.fit(ROWS)
    assert_array_equal(loaded_again.training_scores_, again.training_scores_)


def test_rows_of_the_fit_are_known_after_loading(tmp_path):
    loaded = reload(fitted_kind("rows")[0], tmp_path)
    with pytest.raises(ValueError, match="fitted to"):
        ConformalDetector(FrozenEstimator(loaded)).fit(ROWS)


def test_names_of_features_are_kept(tmp_path):
    X = pd.DataFrame(ROWS, columns=list("abcdef"))
    loaded = reload(tiny().fit(X), tmp_path)
    assert_array_equal(loaded.feature_names_in_, list("abcdef"))
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(X.rename(columns={"a": "z"}))


def test_container_of_transform_is_kept(tmp_path):
    loaded = reload(tiny().set_output(transform="pandas").fit(ROWS), tmp_path)
    assert isinstance(loaded.transform(ROWS), pd.DataFrame)


def test_images_of_different_sizes_may_be_golden_inputs(tmp_path):
    detector, X = fitted_kind("tiles")
    loaded = reload(detector, tmp_path, golden_inputs=[X[0], X[1, :12], X[2, :, :11]])
    assert_array_equal(loaded.predict(X), detector.predict(X))


def test_rows_of_the_user_are_not_in_the_file(tmp_path):
    save(fitted_kind("rows")[0], tmp_path / "model.skae")
    data = (tmp_path / "model.skae").read_bytes()
    assert not any(row[:2].tobytes() in data for row in ROWS)


def test_golden_inputs_tell_a_detector_that_scores_otherwise(tmp_path, monkeypatch):
    detector, _ = fitted_kind("rows")
    save(detector, tmp_path / "model.skae", golden_inputs=ROWS[:3])
    load(tmp_path / "model.skae", verify=True)
    score = AutoencoderAnomalyDetector._score_samples
    monkeypatch.setattr(
        AutoencoderAnomalyDetector, "_score_samples", lambda self, X: 1.001 * score(self, X)
    )
    load(tmp_path / "model.skae")
    with pytest.raises(PersistenceError, match="golden inputs"):
        load(tmp_path / "model.skae", verify=True)


@pytest.mark.parametrize(
    "array",
    [
        np.array(7),
        np.array(True),
        np.eye(2, dtype=bool),
        np.arange(3, dtype=np.uint8),
        np.ones(2, ">f4"),
    ],
)
def test_arrays_of_a_score_keep_type_and_axes(array, tmp_path):
    detector = tiny(anomaly_score="latent_distance").fit(ROWS)
    # An attribute that a file may have, and this score does not compute with.
    detector.anomaly_score_.references_ = array
    save(detector, tmp_path / "model.skae")
    loaded = load(tmp_path / "model.skae").anomaly_score_.references_
    assert (type(loaded), loaded.dtype, loaded.shape) == (np.ndarray, array.dtype, array.shape)
    assert_array_equal(loaded, array)


def test_golden_inputs_may_be_an_array_of_objects(tmp_path):
    detector, X = fitted_kind("bytes")
    objects = np.empty(3, dtype=object)
    objects[:] = list(X[:3])
    save(detector, tmp_path / "model.skae", golden_inputs=objects)
    assert_array_equal(load(tmp_path / "model.skae", verify=True).predict(X), detector.predict(X))


def test_file_says_what_it_is(tmp_path):
    save(fitted_kind("bytes")[0], tmp_path / "model.skae")
    description = deployment.describe(tmp_path / "model.skae")
    assert description["detector"] == "AutoencoderAnomalyDetector"
    assert description["version"] == 1
    assert description["labels"] == {"1": "normal", "-1": "anomaly"}
    assert description["threshold"] == -fitted_kind("bytes")[0].offset_
    assert description["input"]["sample_shape"] == [16, 16]
    assert description["input"]["dtype"] == "uint8"
    assert {"sklearn_ae", "keras", "numpy", "python"} <= set(description["libraries"])


@pytest.mark.parametrize("detector", [tiny(), ConformalDetector(tiny()), NormalsOnly(tiny())])
def test_unfitted_detectors_are_refused(detector, tmp_path):
    with pytest.raises(NotFittedError):
        save(detector, tmp_path / "model.skae")
    assert list(tmp_path.iterdir()) == []
