"""Modes of TensorFlow, missing consoles and other distributions of TensorFlow."""

import copy
import importlib.metadata
import io
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from tiny_networks import tiny

from sklearn_ae import deployment
from sklearn_ae._base.progress import progress_bar

ROWS = np.random.default_rng(0).normal(size=(40, 6))

# Modes of a whole process.
WITHOUT_EAGER = """
import numpy, tensorflow as tf
from sklearn_ae import AutoencoderAnomalyDetector, deployment
X = numpy.random.default_rng(0).normal(size=(40, 4))
detector = AutoencoderAnomalyDetector(epochs=1, random_state=0)
fitted = AutoencoderAnomalyDetector(epochs=1, random_state=0).fit(X)
deployment.save(fitted, {path!r})
tf.compat.v1.{call}()
before = dict(vars(detector))
for use in (
    lambda: detector.fit(X),
    lambda: fitted.score_samples(X),
    lambda: deployment.load({path!r}),
):
    try:
        use()
    except RuntimeError as error:
        print("Leave out tf.compat.v1.disable_eager_execution()" in str(error))
print(vars(detector) == before)
"""


@pytest.mark.parametrize("call", ["disable_eager_execution", "disable_v2_behavior"])
def test_eager_execution_is_asked_for(call, tmp_path):
    code = WITHOUT_EAGER.format(call=call, path=str(tmp_path / "model.skae"))
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert result.stdout.split() == ["True"] * 4


def test_functions_of_tensorflow_are_no_place_for_a_detector(fitted_detector):
    with pytest.raises(RuntimeError, match=r"outside of tf.function and tf.Graph\. Received: "):
        tf.function(lambda: fitted_detector.score_samples(ROWS))()


def test_scope_of_a_strategy_is_for_scores_alone(fitted_detector, tmp_path, trainings):
    deployment.save(fitted_detector, tmp_path / "model.skae")
    expected = fitted_detector.score_samples(ROWS)
    detector = tiny()
    uses = (
        lambda: detector.fit(ROWS),
        lambda: copy.deepcopy(fitted_detector),
        lambda: deployment.load(tmp_path / "model.skae"),
    )
    with tf.distribute.MirroredStrategy().scope():
        assert_allclose(fitted_detector.score_samples(ROWS), expected, rtol=1e-6)
        for use in uses:
            with pytest.raises(RuntimeError, match=r"Leave the scope .* of a MirroredStrategy"):
                use()
    assert trainings == []


class Closed(io.StringIO):
    def __init__(self):
        super().__init__()
        self.close()


@pytest.mark.parametrize("make_stream", [lambda: None, Closed])
@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_fit_without_a_console_shows_nothing(make_stream, verbose, monkeypatch):
    expected = tiny().fit(ROWS).score_samples(ROWS)
    monkeypatch.setattr(sys, "stdout", make_stream())
    monkeypatch.setattr(sys, "stderr", make_stream())
    detector = tiny(verbose=verbose).fit(ROWS)
    assert (detector.score_samples(ROWS) == expected).all()


@pytest.mark.parametrize("make_stream", [lambda: None, Closed])
def test_progress_is_not_shown_elsewhere(make_stream, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", make_stream())
    with progress_bar(2, unit="samples", is_shown=True) as advance:
        advance(1)
    assert capsys.readouterr().out == ""


def test_verbose_fit_still_shows_its_epochs(capsys):
    tiny(verbose=2).fit(ROWS)
    assert "loss: " in capsys.readouterr().out


def test_versions_are_those_of_the_modules(fitted_detector, tmp_path, monkeypatch):
    """The distribution may be called otherwise: tensorflow-cpu."""

    def version(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    deployment.save(fitted_detector, tmp_path / "model.skae")
    assert deployment.describe(tmp_path / "model.skae")["libraries"]["tensorflow"] == tf.__version__
    from sklearn_ae.deployment.onnx._writing import _describe

    decision = type("Decision", (), {"offset": 0.0, "calibration_scores": None})
    assert _describe([fitted_detector], decision)["libraries"]["tensorflow"] == tf.__version__
