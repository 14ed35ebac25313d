"""The command sklearn-ae on models that were made in Python, by all that its interface allows."""

import numpy as np
import pytest
from folders_of_images import draw, read_table, run, save_images
from sklearn.frozen import FrozenEstimator
from tiny_networks import tiny, tiny_conv

from sklearn_ae import ConformalDetector, FixedThresholdDetector, NormalsOnly
from sklearn_ae.deployment import load, save

GOOD = np.stack([draw(n) for n in range(24)])
LABELS = np.repeat([1, -1], [20, 4])

MODELS = {
    "tile size a number": lambda: tiny_conv(tile_size=12).fit(GOOD),
    "tile size of NumPy": lambda: tiny_conv(tile_size=np.int64(12)).fit(GOOD),
    "tile size a list": lambda: tiny_conv(tile_size=[12, 8]).fit(GOOD),
    "tile size changed since": lambda: tiny_conv(tile_size=12).fit(GOOD).set_params(tile_size=None),
    "tile size set since": lambda: tiny_conv().fit(GOOD).set_params(tile_size=8),
    "rows": lambda: tiny(input_shape=(16, 16)).fit(GOOD.reshape(24, -1)),
    "channels": lambda: tiny_conv().fit(GOOD[..., np.newaxis]),
    "region": lambda: tiny_conv(region_of_interest=np.eye(16, dtype=bool)).fit(GOOD),
    "normals": lambda: NormalsOnly(tiny_conv(tile_size=12)).fit(GOOD, LABELS),
    "threshold": lambda: FixedThresholdDetector(
        FrozenEstimator(tiny_conv(tile_size=12).fit(GOOD)), threshold=3
    ),
    "conformal": lambda: ConformalDetector(tiny_conv(tile_size=12), false_alarm_rate=0.3).fit(GOOD),
    "normals conformal": lambda: NormalsOnly(
        ConformalDetector(tiny_conv(), false_alarm_rate=0.3)
    ).fit(GOOD, LABELS),
}


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return save_images(tmp_path_factory.mktemp("files") / "other", [draw(50 + n) for n in range(9)])


@pytest.mark.parametrize("kind", MODELS)
def test_models_are_scored_calibrated_and_described(tmp_path, other, kind):
    model = MODELS[kind]()
    save(model, tmp_path / "m.skae")
    assert run("score", tmp_path / "m.skae", other, "--csv", tmp_path / "s.csv") == 0
    expected = model.score_samples(_images_for(kind))
    scores = [float(row["score"]) for row in read_table(tmp_path / "s.csv")]
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    arguments = ["calibrate", tmp_path / "m.skae", other, "-o", tmp_path / "c.skae"]
    assert run(*arguments, "--false-alarm-rate", 0.2) == 0
    calibrated = load(tmp_path / "c.skae")
    np.testing.assert_allclose(calibrated.calibration_scores_, np.sort(expected), rtol=1e-5)
    assert run("info", tmp_path / "m.skae") == 0


def test_maps_of_a_model_whose_tile_size_is_a_number(tmp_path, other):
    save(MODELS["tile size a number"](), tmp_path / "m.skae")
    assert run("score", tmp_path / "m.skae", other, "--maps", tmp_path / "maps") == 0
    assert len(list((tmp_path / "maps").iterdir())) == 9


def test_images_smaller_than_a_tile_are_named(tmp_path, capsys):
    save(MODELS["tile size a number"](), tmp_path / "m.skae")
    save_images(tmp_path / "in", [draw(0, size=11)])
    assert run("score", tmp_path / "m.skae", tmp_path / "in") == 1
    error = capsys.readouterr().err
    assert "large as the tiles, 12x12" in error
    assert "00.png' (11x11)." in error


def test_model_that_shows_its_progress_is_silent(tmp_path, other, capsys):
    save(tiny_conv(tile_size=12).fit(GOOD).set_params(verbose=1), tmp_path / "m.skae")
    capsys.readouterr()
    assert run("score", tmp_path / "m.skae", other, "--csv", tmp_path / "s.csv") == 0
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("sklearn-ae: anomalies: ")


def test_float_model_takes_files_of_floats_only(tmp_path, other, capsys):
    from PIL import Image

    model = tiny_conv().fit(GOOD / 255)
    save(model, tmp_path / "m.skae")
    assert run("score", tmp_path / "m.skae", other) == 1
    assert "float64, in units that are not known: fit the model to" in capsys.readouterr().err
    image = (draw(50) / 255).astype(np.float32)
    (tmp_path / "in").mkdir()
    Image.fromarray(image).save(tmp_path / "in" / "a.tif")
    assert run("score", tmp_path / "m.skae", tmp_path / "in", "--csv", tmp_path / "s.csv") == 0
    [row] = read_table(tmp_path / "s.csv")
    [expected] = model.score_samples([draw(50) / 255])
    assert float(row["score"]) == pytest.approx(expected, rel=1e-4)


def _images_for(kind):
    images = np.stack([draw(50 + n) for n in range(9)])
    return {"rows": images.reshape(9, -1), "channels": images[..., np.newaxis]}.get(kind, images)
