"""An exported detector says in ONNX Runtime what the detector says."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from persistence_cases import BYTES, LABELS, ROWS, cases, fitted_kind
from score_cases import fitted
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from tiny_networks import tiny, tiny_conv, two_models

from sklearn_ae import (
    ConformalDetector,
    FixedThresholdDetector,
    NormalsOnly,
    TunedThresholdDetectorCV,
)
from sklearn_ae.deployment import to_onnx

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "serve_onnx.py"
# Every score of images, and those of rows whose graph is another one.
OF_ROWS = {f"{score} of rows" for score in ("whitened", "samples", "auto")}
CASES = {
    name: case
    for name, case in cases()
    if "tiles" not in name and (name in OF_ROWS or not name.endswith("of rows"))
}


def open_model(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def run(session, X):
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"input": X}), strict=True))


@pytest.fixture
def export(tmp_path):
    """Export a detector and open the model."""

    def export(detector, **options):
        path = tmp_path / "model.onnx"
        to_onnx(detector, path, **options)
        return open_model(path)

    return export


def check_outputs(outputs, detector, X):
    scores, decisions = detector.score_samples(X), detector.decision_function(X)
    # Scores that are centered at 0 are of about 1.
    size = np.maximum(np.maximum(np.abs(scores), np.abs(scores - decisions)), 1)
    assert (np.abs(outputs["score"] - scores) <= 1e-5 * size).all()
    assert (np.abs(outputs["decision"] - decisions) <= 1e-5 * size).all()
    is_clear = np.abs(decisions) > 1e-5 * size
    assert_array_equal(outputs["label"][is_clear], detector.predict(X)[is_clear])
    assert outputs["label"].dtype == np.int64


@pytest.mark.parametrize("name", CASES)
def test_model_says_what_the_detector_says(name, export):
    """Every architecture, score and wrapper, on samples that the export did not compare."""
    detector, X = CASES[name]()
    session = export(detector)
    outputs = run(session, X)
    check_outputs(outputs, detector, X)
    if hasattr(detector, "anomaly_map"):
        maps = detector.anomaly_map(X)
        assert outputs["anomaly_map"].shape == maps.shape
        assert_allclose(outputs["anomaly_map"], maps, rtol=1e-4, atol=1e-5)
    assert ("p_value" in outputs) == hasattr(detector, "p_values")
    # A free batch axis, and no sample has to do with another.
    for output, alone in run(session, X[:1]).items():
        assert_allclose(alone, outputs[output][:1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda detector: ConformalDetector(FrozenEstimator(detector)).fit(ROWS + 1),
        lambda detector: NormalsOnly(ConformalDetector(detector, random_state=0)).fit(ROWS, LABELS),
    ],
    ids=["conformal", "normals only"],
)
def test_p_values_and_their_threshold(wrap, export):
    detector = wrap(fitted_kind("rows")[0])
    X = np.concatenate([ROWS[::3], ROWS[::3] + 1, 9 * ROWS[:3], 1e3 * ROWS[:3]])
    outputs = run(export(detector), X)
    check_outputs(outputs, detector, X)
    # One rank at most of 27 or more: scores may differ by their last digit.
    assert_allclose(outputs["p_value"], detector.p_values(X), atol=1.01 / 28)
    assert outputs["p_value"].min() < 0.05
    assert outputs["p_value"].max() > 0.5


def test_every_count_of_the_calibration_is_right(export):
    """Bisection ends at each of its numbers, at both ends, and between equal ones."""
    detector = ConformalDetector(FrozenEstimator(fitted_kind("rows")[0])).fit(ROWS + 1)
    for n in (1, 2, 7, 8):
        scores = np.sort(detector.score_samples(ROWS)[:n])
        scores[n // 2 :] = scores[n // 2]
        detector.calibration_scores_ = scores + 1e-4
        session = export(detector)
        assert_array_equal(run(session, ROWS)["p_value"], detector.p_values(ROWS))


def test_threshold_of_the_outermost_wrapper_counts(export):
    detector = fitted_kind("rows")[0]
    threshold = float(np.median(-detector.score_samples(ROWS)))
    fixed = FixedThresholdDetector(FrozenEstimator(detector), threshold=threshold)
    session = export(fixed)
    assert (run(session, ROWS)["label"] == -1).sum() == 50
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["threshold"]) == threshold
    classes = ["FixedThresholdDetector", "FrozenEstimator", "AutoencoderAnomalyDetector"]
    assert json.loads(metadata["detector"]) == classes


def test_searches_and_pipelines_without_transformers_are_exported(export):
    y = LABELS.copy()
    y[::10] = -1
    tuned = TunedThresholdDetectorCV(tiny(), cv=2, random_state=0).fit(ROWS, y)
    check_outputs(run(export(tuned), ROWS), tuned, ROWS)
    search = GridSearchCV(NormalsOnly(tiny()), {"estimator__latent_dim": [1, 2]}, cv=2)
    check_outputs(run(export(search.fit(ROWS, y)), ROWS), search, ROWS)
    pipeline = make_pipeline("passthrough", tiny()).fit(ROWS)
    check_outputs(run(export(pipeline), ROWS), pipeline, ROWS)
    pipeline = make_pipeline("passthrough", ConformalDetector(tiny(), random_state=0)).fit(ROWS)
    outputs = run(export(pipeline), ROWS)
    check_outputs(outputs, pipeline, ROWS)
    assert_allclose(outputs["p_value"], pipeline[-1].p_values(ROWS), atol=1.01 / 20)


def test_sample_at_the_threshold_is_normal(export):
    """As the detector has it: below 0 is an anomaly."""
    detector = fitted_kind("rows")[0]
    score = run(export(detector), ROWS)["score"][0]
    fixed = FixedThresholdDetector(FrozenEstimator(detector), threshold=-score)
    outputs = run(export(fixed), ROWS)
    assert outputs["decision"][0] == 0
    assert outputs["label"][0] == 1


def test_golden_inputs_are_compared_a_part_at_a_time(export, monkeypatch):
    """As many as there are would not fit into memory."""
    n_rows = []

    class Session(onnxruntime.InferenceSession):
        def run(self, names, inputs):
            n_rows.append(len(inputs["input"]))
            return super().run(names, inputs)

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    export(fitted_kind("rows")[0], golden_inputs=np.concatenate([ROWS] * 30))
    assert max(n_rows) == 256
    assert sum(n_rows) >= 2 * 30 * len(ROWS)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("uint8", "tensor(uint8)"),
        ("uint16", "tensor(uint16)"),
        ("float32", "tensor(float)"),
        ("float64", "tensor(double)"),
        ("float16", "tensor(double)"),
    ],
)
def test_raw_samples_go_in_as_they_were_in_the_fit(dtype, expected, export):
    X = BYTES.astype(dtype)
    detector = tiny_conv().fit(X)
    session = export(detector)
    [contract] = session.get_inputs()
    assert (contract.name, contract.type, contract.shape) == ("input", expected, ["n", 16, 16])
    described = json.loads(session.get_modelmeta().custom_metadata_map["input"])
    assert described["shape"] == ["n", 16, 16]
    as_input = X.astype(described["dtype"])
    check_outputs(run(session, as_input), detector, X)


def test_columns_far_from_zero_keep_their_differences(export):
    """Scaling is in float64: in float32, seconds since 1970 differ by minutes."""
    X = ROWS + 1.7e9
    detector = tiny().fit(X)
    outputs = run(export(detector, golden_inputs=X), X)
    check_outputs(outputs, detector, X)
    assert len(np.unique(outputs["score"])) == len(X)


def test_what_the_detector_refuses_is_an_anomaly(export):
    X = np.random.default_rng(0).random((9, 9, 8, 2))
    normal, detector = X[:5], fitted("images", "auto")
    X[5:, 2, 3, 0] = np.nan, np.inf, -np.inf, 1e300
    calibration = np.concatenate([normal + i / 100 for i in range(1, 5)])
    detector = ConformalDetector(FrozenEstimator(detector)).fit(calibration)
    outputs = run(export(detector), X)
    assert outputs["label"][5:].tolist() == [-1] * 4
    assert outputs["p_value"][5:].tolist() == [1 / 21] * 4
    check_outputs({name: output[:5] for name, output in outputs.items()}, detector, normal)


def test_the_model_says_what_it_is(export, tmp_path):
    frame = pd.DataFrame(ROWS, columns=list("abcdef"))
    session = export(ConformalDetector(tiny(), random_state=0).fit(frame), golden_inputs=frame[:9])
    about = session.get_modelmeta().custom_metadata_map
    about = {name: json.loads(text) for name, text in about.items()}
    assert about["labels"] == {"1": "normal", "-1": "anomaly"}
    assert about["input"] == {"shape": ["n", 6], "dtype": "float64", "feature_names": [*"abcdef"]}
    outputs = [output.name for output in session.get_outputs()]
    assert (
        outputs == ["score", "decision", "label", "anomaly_map", "p_value"] == [*about["outputs"]]
    )
    assert about["libraries"]["keras"] == keras.__version__
    model = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version >= 17


def gelu_and_normalization(input_shape, latent_dim):
    _, decoder = two_models(input_shape, latent_dim)
    normalization = keras.layers.Normalization()
    normalization.adapt(ROWS)
    hidden = keras.layers.Dense(4, activation="gelu")
    layers = [keras.Input(input_shape), normalization, hidden, keras.layers.Dense(latent_dim)]
    return keras.Sequential(layers), decoder


def recurrent(input_shape, latent_dim):
    _, decoder = two_models(input_shape, latent_dim)
    layers = [keras.layers.Reshape((3, 2)), keras.layers.GRU(3), keras.layers.Dense(latent_dim)]
    return keras.Sequential([keras.Input(input_shape), *layers]), decoder


def images_of_many_layers(input_shape, latent_dim):
    layers = [
        keras.layers.SeparableConv2D(4, 3),
        keras.layers.BatchNormalization(),
        keras.layers.MaxPooling2D(2),
        keras.layers.UpSampling2D(2, interpolation="bilinear"),
        keras.layers.GaussianNoise(0.1),
        keras.layers.Flatten(),
        keras.layers.Dense(latent_dim),
    ]
    decoder = [keras.layers.Dense(256), keras.layers.Reshape(input_shape)]
    return (
        keras.Sequential([keras.Input(input_shape), *layers]),
        keras.Sequential([keras.Input((latent_dim,)), *decoder]),
    )


@pytest.mark.parametrize(
    ("architecture", "X"),
    [(gelu_and_normalization, ROWS), (recurrent, ROWS), (images_of_many_layers, BYTES / 255)],
)
def test_models_of_the_users_own(architecture, X, export):
    detector = tiny(architecture=architecture, anomaly_score="auto").fit(X)
    check_outputs(run(export(detector), X), detector, X)


class LargestError(BaseEstimator):
    """The largest error, in units of what is usual."""

    def features(self, response):
        return keras.ops.max(abs(response.inputs - response.reconstructions), axis=1)[:, None]

    def fit(self, features):
        self.usual_ = features.mean(axis=0)
        return self

    def compute_from(self, response):
        return self.features(response)[:, 0] / self.usual_[0]


class ErrorOfTheWorst(LargestError):
    """The same of some features, with arrays of other types and without axes."""

    def fit(self, features):
        self.usual_ = np.asarray(features.mean())
        self.worst_ = np.array([0, 2])
        self.mask_ = np.array([True, False])
        self.n_rows_ = np.asarray(len(features))
        return self

    def compute_from(self, response):
        errors = abs(response.inputs - response.reconstructions)
        errors = keras.ops.take(errors, self.worst_, axis=1)
        errors = keras.ops.where(self.mask_, errors, 0.5 * errors)
        return keras.ops.multiply(keras.ops.sum(errors, axis=1) / self.usual_, self.n_rows_)


@pytest.mark.parametrize("score", [LargestError(), ErrorOfTheWorst()])
def test_scores_of_the_users_own(score, export):
    detector = tiny(anomaly_score=score).fit(ROWS)
    check_outputs(run(export(detector), ROWS), detector, ROWS)


BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ImportError(name)

sys.meta_path.insert(0, Blocker())
sys.argv = sys.argv[1:]
import runpy
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_example_serves_with_onnx_runtime_alone(tmp_path):
    """In a process that can import nothing of what trained the model."""
    detector, _ = fitted_kind("bytes")
    detector = ConformalDetector(FrozenEstimator(detector)).fit(BYTES[::-1] // 2)
    to_onnx(detector, tmp_path / "model.onnx")
    np.save(tmp_path / "samples.npy", BYTES)
    blocked = {"tensorflow", "keras", "sklearn", "sklearn_ae", "scipy", "onnx", "tf2onnx", "joblib"}
    printed = subprocess.run(
        [
            *(sys.executable, "-c", BLOCKED.replace("{names}", repr(blocked)), EXAMPLE),
            *(tmp_path / "model.onnx", tmp_path / "samples.npy"),
        ],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    header, *lines = (line.split(",") for line in printed.splitlines())
    assert header == ["sample", "score", "decision", "label", "p_value", "meaning"]
    columns = dict(zip(header, zip(*lines, strict=True), strict=True))
    assert_allclose(np.double(columns["score"]), detector.score_samples(BYTES), rtol=1e-5)
    assert_array_equal(np.int64(columns["label"]), detector.predict(BYTES))
    assert_allclose(np.double(columns["p_value"]), detector.p_values(BYTES), atol=0.03)
    assert set(columns["meaning"]) <= {"normal", "anomaly"}
