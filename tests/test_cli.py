"""The command sklearn-ae: what it does, which is what the package does."""

import csv
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from folders_of_images import draw, fit, read_table, run, save_images
from PIL import Image
from scipy.stats import beta

import sklearn_ae
from sklearn_ae import AutoencoderAnomalyDetector, ConformalDetector
from sklearn_ae.datasets import load_images
from sklearn_ae.deployment import load
from sklearn_ae.inspection import AnomalyMapDisplay


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with images and a model of them."""
    folder = tmp_path_factory.mktemp("files")
    save_images(folder / "good", [draw(n) for n in range(40)])
    save_images(folder / "other", [draw(100 + n) for n in range(40)])
    save_images(folder / "today", [draw(200 + n) for n in range(3)])
    save_images(folder / "today" / "bad", [draw(300, is_defective=True)])
    assert run("fit", folder / "good", "-o", folder / "model.skae", "--epochs", 3) == 0
    status = run("calibrate", folder / "model.skae", folder / "other", "-o", folder / "cal.skae")
    assert status == 0
    return folder


def test_fit_says_what_held_out_images_show(files, tmp_path, capsys):
    options = ["--false-alarm-rate", 0.4]
    assert fit(files / "good", tmp_path / "model.skae", *options) == 0
    detector = load(tmp_path / "model.skae")
    n = len(detector.validation_scores_)
    n_flagged = int(np.sum(detector.validation_scores_ < detector.offset_))
    assert (n, n_flagged) == (4, 1)
    # The law of Clopper and Pearson: 1 of 4.
    interval = beta.ppf(0.025, 1, 4), beta.ppf(0.975, 2, 3)
    expected = (
        f"fitted to 36 images; 1 of 4 held out are flagged, so {interval[0]:.1%} to "
        f"{interval[1]:.1%} of new normal images may be (95% interval)\n"
    )
    assert "0.6% to 80.6%" in expected
    assert capsys.readouterr().err.endswith(expected)


def test_fit_says_that_few_held_out_images_cannot_show_the_rate(files, tmp_path, capsys):
    assert fit(files / "good", tmp_path / "model.skae") == 0
    *_, cannot, flagged = capsys.readouterr().err.splitlines()
    assert "0 of 4 held out are flagged, so 0.0% to 60.2% of new normal images" in flagged
    assert "4 held-out images cannot show --false-alarm-rate 0.05" in cannot
    assert "Hold out at least 19" in cannot
    for rate in [0.2, 0.26]:  # exactly enough of them, and more
        assert fit(files / "good", tmp_path / "model.skae", "--false-alarm-rate", rate) == 0
        assert "cannot show" not in capsys.readouterr().err


def test_fit_gives_the_detector_of_the_api(files):
    images = load_images(files / "good").images
    expected = AutoencoderAnomalyDetector(epochs=3, random_state=0).fit(images)
    loaded = load(files / "model.skae")
    np.testing.assert_array_equal(loaded.score_samples(images), expected.score_samples(images))
    assert loaded.offset_ == expected.offset_
    assert loaded.verbose == 0


def test_options_of_fit_are_the_parameters(files, tmp_path):
    options = ["--architecture", "dense", "--trim", 0.1, "--random-state", 7]
    options += ["--false-alarm-rate", 0.2]
    assert fit(files / "good", tmp_path / "a.skae", *options) == 0
    detector = load(tmp_path / "a.skae")
    assert type(detector.architecture).__name__ == "DenseAutoencoder"
    assert (detector.trim, detector.random_state) == (0.1, 7)
    assert (detector.false_alarm_rate, detector.epochs) == (0.2, 1)
    assert fit(files / "good", tmp_path / "a.skae", "--tile-size", "8x12") == 0
    assert load(tmp_path / "a.skae").tile_size == (8, 12)


# The second has a batch for each image.
@pytest.mark.parametrize("bytes_per_batch", [2**26, 1])
@pytest.mark.parametrize("name", ["model.skae", "cal.skae"])
def test_table_holds_what_the_detector_says(
    files, tmp_path, name, bytes_per_batch, capsys, monkeypatch
):
    monkeypatch.setattr("sklearn_ae.deployment.cli._table._BYTES_PER_BATCH", bytes_per_batch)
    status = run("score", files / name, files / "today", "--csv", tmp_path / "s.csv")
    assert status == 0
    rows = read_table(tmp_path / "s.csv")
    detector, photographs = load(files / name), load_images(files / "today")
    assert [row["file"] for row in rows] == photographs.filenames.tolist()
    columns = {key: [float(row[key]) for row in rows] for key in rows[0] if key != "file"}
    np.testing.assert_allclose(
        columns["score"], detector.score_samples(photographs.images), rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(
        columns["decision"], detector.decision_function(photographs.images), rtol=1e-4, atol=1e-4
    )
    assert columns["label"] == detector.predict(photographs.images).tolist()
    assert ("p_value" in columns) == (name == "cal.skae")
    if name == "cal.skae":
        assert columns["p_value"] == detector.p_values(photographs.images).tolist()
    assert np.argmin(columns["score"]) == 3  # today/bad/00.png
    assert list(tmp_path.iterdir()) == [tmp_path / "s.csv"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"anomalies: {columns['label'].count(-1)} of 4 images" in captured.err


def test_without_a_file_the_table_is_printed(files, tmp_path, capsys):
    run("score", files / "model.skae", files / "today", "--csv", tmp_path / "s.csv")
    assert run("score", files / "model.skae", files / "today") == 0
    assert capsys.readouterr().out == (tmp_path / "s.csv").read_text(encoding="utf-8")


def test_maps_are_pictures_in_folders_as_the_images_are(files, tmp_path):
    assert run("score", files / "cal.skae", files / "today", "--maps", tmp_path / "maps") == 0
    maps = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    names = ["00.png.png", "01.png.png", "02.png.png", "bad/00.png.png"]
    assert maps == [Path("maps") / name for name in names]
    for path in maps:
        with Image.open(tmp_path / path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        # Colors of the map, over the gray of the image.
        assert np.ptp(pixels.astype(int), axis=-1).max() > 100


@pytest.mark.parametrize("options", [[], ["--map-max", 0.5]])
def test_maps_are_those_of_the_api_on_one_scale(files, tmp_path, monkeypatch, capsys, options):
    monkeypatch.setattr("sklearn_ae.deployment.cli._table._BYTES_PER_BATCH", 600)
    drawn, displays, draw_maps = [], [], AnomalyMapDisplay.from_maps

    def record(images, maps, **parameters):
        drawn.append((images[0], maps[0], parameters["map_kwargs"]))
        displays.append(draw_maps(images, maps, **parameters))
        return displays[-1]

    monkeypatch.setattr(AnomalyMapDisplay, "from_maps", record)
    arguments = ["score", files / "model.skae", files / "today", "--maps", tmp_path / "maps"]
    assert run(*arguments, *options) == 0
    images = load_images(files / "today").images
    expected = load(files / "model.skae").anomaly_map(images)
    for i, (image, one_map, scale) in enumerate(drawn):
        np.testing.assert_array_equal(image, images[i])
        np.testing.assert_allclose(one_map, expected[i], rtol=1e-5, atol=1e-6)
        highest = 0.5 if options else pytest.approx(expected.max(), rel=1e-5)
        assert scale == {"vmin": 0, "vmax": highest}
    labels = load(files / "model.skae").predict(images)
    titles = [display.axes_[0, 0].get_title() for display in displays]
    verdicts = [title.rpartition(", ")[2] for title in titles]
    assert verdicts == ["anomaly" if label < 0 else "normal" for label in labels]
    assert [title.partition("\n")[0] for title in titles] == [
        *("00.png", "01.png", "02.png"),
        str(Path("bad", "00.png")),
    ]
    said = f"the darkest color of the maps is {expected.max():.4g}"
    assert (said in capsys.readouterr().err) == (not options)


def test_names_of_files_may_be_anything(files, tmp_path, capfd):
    names = [
        "a,b.png",
        'a"b\n.png',
        "ä.png",
        "=1+1.png",
        r"$\frac$.png",
        "字.png",
        f"{'x' * 250}.png",
    ]
    names.append(os.fsdecode(b"\xff.png"))
    save_images(tmp_path, [draw(0)])
    (tmp_path / "in").mkdir()
    for name in names:
        shutil.copy(tmp_path / "00.png", tmp_path / "in" / name)
    options = ["--csv", tmp_path / "s.csv", "--maps", tmp_path / "maps"]
    assert run("score", files / "model.skae", tmp_path / "in", *options) == 0
    written = {Path(row["file"]).name for row in read_table(tmp_path / "s.csv")}
    assert written == {*names[:-1], r"\udcff.png"}
    assert len(list((tmp_path / "maps").iterdir())) == len(names)
    assert "warning" not in capfd.readouterr().err
    command = [sys.executable, "-m", "sklearn_ae", "score", files / "model.skae", tmp_path / "in"]
    encoding = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, capture_output=True, check=True, text=True, env=encoding)
    assert len(list(csv.DictReader(io.StringIO(result.stdout)))) == len(names)


def test_calibration_is_that_of_the_api(files, tmp_path, capsys):
    options = ["--false-alarm-rate", 0.1, "--confidence", 0.8]
    out = tmp_path / "again.skae"
    # Of a calibrated model too, whose calibration is replaced.
    for name in ["model.skae", "cal.skae"]:
        assert run("calibrate", files / name, files / "other", "-o", out, *options) == 0
        detector = load(out)
        assert isinstance(detector, ConformalDetector)
        assert (detector.false_alarm_rate, detector.confidence) == (0.1, 0.8)
        images = load_images(files / "other").images
        scores = np.sort(load(files / "model.skae").score_samples(images))
        np.testing.assert_allclose(detector.calibration_scores_, scores, rtol=1e-5)
        assert capsys.readouterr().out == f"{detector.calibration_report()}\n"


def test_calibration_with_images_of_the_fit_is_refused(files, tmp_path, capsys):
    out = tmp_path / "out.skae"
    assert run("calibrate", files / "model.skae", files / "good", "-o", out) == 1
    assert "that it was fitted to" in capsys.readouterr().err
    assert not out.exists()


def test_exported_model_gives_the_labels_of_the_table(files, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    assert run("export", files / "model.skae", "--onnx", tmp_path / "model.onnx") == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "model.onnx"]
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    images = load_images(files / "today").images
    [labels] = session.run(["label"], {session.get_inputs()[0].name: images})
    assert labels.ravel().tolist() == load(files / "model.skae").predict(images).tolist()


def test_info_and_help_say_much_without_tensorflow(files):
    code = """
import sys
from sklearn_ae.deployment.cli import main
for name in sys.argv[1:]:
    assert main(["info", name]) == 0
for command in [[], ["fit"], ["score"], ["calibrate"], ["export"], ["info"]]:
    try:
        main([*command, "--help"])
    except SystemExit as end:
        assert end.code == 0
assert not {"tensorflow", "keras", "matplotlib"} & set(sys.modules)
"""
    result = subprocess.run(
        [sys.executable, "-c", code, files / "model.skae", files / "cal.skae"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert "images of 16x16, gray, uint8" in result.stdout
    for name in ("model.skae", "cal.skae"):
        assert f"scores below {load(files / name).offset_:.6g} are" in result.stdout
    assert f"sklearn_ae             {sklearn_ae.__version__}" in result.stdout
    assert result.stdout.count("example:") == 6


def test_module_is_the_command():
    command = [sys.executable, "-m", "sklearn_ae", "--version"]
    result = subprocess.run(command, capture_output=True, check=True, text=True)
    assert result.stdout == f"{sklearn_ae.__version__}\n"


def test_images_are_resized_as_those_of_the_fit(files, tmp_path):
    model = tmp_path / "model.skae"
    assert fit(files / "good", model, "--image-size", "8x12") == 0
    assert load(model).input_shape_ == (8, 12, 1)
    save_images(tmp_path / "large", [draw(0, size=24)])
    assert run("score", model, tmp_path / "large", "--csv", tmp_path / "s.csv") == 0
    [row] = read_table(tmp_path / "s.csv")
    resized = load_images(tmp_path / "large", size=(8, 12)).images
    assert float(row["score"]) == pytest.approx(load(model).score_samples(resized)[0], rel=1e-5)


def test_colors_are_turned_into_what_the_model_takes(files, tmp_path):
    color = [np.stack([draw(n)] * 3, axis=-1) for n in range(3)]
    save_images(tmp_path / "color", color)
    assert run("score", files / "model.skae", tmp_path / "color") == 0
    assert fit(files / "good", tmp_path / "c.skae", "--mode", "color") == 0
    assert load(tmp_path / "c.skae").input_shape_ == (16, 16, 3)


def test_tiles_take_images_of_any_size(tmp_path):
    sizes = [16, 24, 19]
    save_images(tmp_path / "good", [draw(n, size=sizes[n % 3]) for n in range(24)])
    model = tmp_path / "model.skae"
    assert fit(tmp_path / "good", model, "--tile-size", 12) == 0
    assert run("score", model, tmp_path / "good", "--maps", tmp_path / "maps") == 0
    assert len(list((tmp_path / "maps").iterdir())) == 24


def test_progress_is_shown_to_persons_on_standard_error(files, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert fit(files / "good", tmp_path / "model.skae") == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "40/40 files" in captured.err
    assert "━" in captured.err
    run("score", files / "cal.skae", files / "today", "--csv", tmp_path / "s.csv")
    assert "4/4 images scored, 0:00:0" in capsys.readouterr().err
