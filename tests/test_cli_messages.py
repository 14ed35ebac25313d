"""The command sklearn-ae speaks of its own options, and names all that is wrong in one go."""

import re
import shlex

import numpy as np
import pytest
from folders_of_images import draw, fit, run, save_images
from PIL import Image
from tiny_networks import tiny_conv

import sklearn_ae
from sklearn_ae import ConformalDetector
from sklearn_ae.deployment import load, save
from sklearn_ae.deployment.cli._messages import in_own_words

GOOD = [draw(n) for n in range(24)]

# Names of the library's parameters, and what it calls images.
NAMES = {
    *(name for name in sklearn_ae.AutoencoderAnomalyDetector().get_params() if "_" in name),
    *(name for name in ConformalDetector(None).get_params() if "_" in name),
    *("folder_or_paths", "load_images", "X", "rows", "samples", "sklearn_ae", "mode="),
}
PYTHON = re.compile("|".join(rf"\b{name}" for name in NAMES if name != "X") + r"|\bX\b|Autoencoder")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    save_images(folder / "good", GOOD)
    save_images(folder / "equal", GOOD[:1] * 24)
    save_images(folder / "one", GOOD[:1])
    save_images(folder / "new", [draw(50 + n) for n in range(3)])
    save_images(folder / "thin", [image[:2] for image in GOOD])
    (folder / "empty").mkdir()
    (folder / "text.txt").write_text("no image")
    save(tiny_conv(random_state=0).fit(np.stack(GOOD)), folder / "model.skae")
    return folder


@pytest.fixture
def said(files, capsys, monkeypatch):
    """Run the command in the folder, and return its status and lines, which name no parameter."""
    monkeypatch.chdir(files)

    def say(arguments):
        before = {path: path.stat().st_mtime_ns for path in files.rglob("*.skae")}
        status = run(*shlex.split(arguments))
        lines = capsys.readouterr().err.splitlines()
        assert [line for line in lines if PYTHON.search(line)] == []
        if status:
            assert {path: path.stat().st_mtime_ns for path in files.rglob("*.skae")} == before
        return status, lines

    return say


ERRORS = {
    "fit one -o x.skae": "FOLDER must hold at least 2 images to fit to",
    "fit empty -o x.skae": "FOLDER must hold images, at any depth",
    "fit nowhere -o x.skae": "FOLDER must be a folder or an image that exists. Received: 'nowhere'",
    "fit text.txt -o x.skae": "'text.txt' (no BMP, JPEG, PNG or TIFF file",
    "fit good -o x.skae --tile-size 20": "as large as the tiles, 20x20: remove or pad smaller ones",
    "fit good -o x.skae --architecture features": "or --architecture conv. Received: images of 16x",
    "fit thin -o x.skae --architecture conv": "use --architecture dense for smaller ones",
    "fit thin -o x.skae --architecture conv-dense": "use --architecture conv, which takes any size",
    "score good model.skae": "MODEL must come before FOLDER: sklearn-ae score model.skae good.",
    "score new/00.png model.skae": "MODEL must come before FOLDER: sklearn-ae score model.skae new",
    "calibrate good model.skae -o x.skae": "FOLDER: sklearn-ae calibrate model.skae good.",
    "score good good": "wrote, and come before FOLDER. Received: 'good', a folder.",
    "score nowhere.skae good": "Received: 'nowhere.skae', which does not exist.",
    "score text.txt good": "text.txt is no complete file that `sklearn-ae fit`",
    "export good --onnx m.onnx": "wrote. Received: 'good', a folder.",
    "info good": "MODEL must be a file that `sklearn-ae fit` or `calibrate` wrote. Received: 'g",
    "score model.skae empty": "FOLDER must hold images, at any depth",
    "score model.skae nowhere": "FOLDER must be a folder or an image that exists",
    "score model.skae text.txt": "1 that cannot be read, and 0 others. 'text.txt' (no BMP",
    "calibrate model.skae new -o x.skae": (
        "FOLDER must hold at least 19 images for --false-alarm-rate 0.05: add images, or raise "
        "--false-alarm-rate. Received: 3 images."
    ),
    "calibrate model.skae new -o x.skae --confidence 0.9": (
        "at least 45 images for --false-alarm-rate 0.05 and --confidence 0.9: add images, or raise "
        "--false-alarm-rate, or lower --confidence. Received: 3 images."
    ),
    "calibrate model.skae good -o x.skae": (
        "Received: 24 of 24 images that it was fitted to. 'good/00.png', 'good/01.png'"
    ),
}


@pytest.mark.parametrize("arguments", ERRORS)
def test_errors_speak_of_options(said, arguments):
    status, [line] = said(arguments)
    assert status == 1
    assert line.startswith("sklearn-ae: error: ")
    assert ERRORS[arguments] in line


WARNINGS = {
    "fit good -o y.skae": "Hold out at least 19, by more images in FOLDER, a tenth of which is",
    "fit equal -o y.skae": "All images of FOLDER are equal",
    "fit new -o y.skae": "more than --false-alarm-rate of new normal images may be flagged",
}


@pytest.mark.parametrize("arguments", WARNINGS)
def test_warnings_speak_of_options(said, arguments):
    status, lines = said(f"{arguments} --epochs 1")
    assert status == 0
    assert any(f"{WARNINGS[arguments]}" in line for line in lines)


def test_small_images_are_not_taken_for_something_else(said):
    _, lines = said("fit thin -o y.skae --epochs 1")
    assert not any("taken for" in line for line in lines)


def test_images_in_other_units(said, files):
    save_images(files / "dark", [(image > 128).astype(np.uint8) * 5 for image in GOOD[:3]])
    save(tiny_conv().fit(256 * np.stack(GOOD).astype(np.uint16)), files / "wide.skae")
    save_images(files / "narrow", [image.astype(np.uint16) for image in GOOD[:3]])
    status, lines = said("score wide.skae narrow --csv s.csv")
    assert status == 0
    assert "FOLDER holds uint16 of at most" in lines[0]
    assert "multiply the values of its images by 257" in lines[0]


def test_all_that_is_wrong_with_a_folder_is_named_at_once(said, files):
    images = [draw(n) for n in range(8)] + [draw(8, size=20), np.stack([draw(9)] * 3, axis=-1)]
    save_images(files / "mess", [*images, 256 * draw(10).astype(np.uint16)])
    for n in range(13):
        (files / "mess" / f"broken{n:02}.png").write_bytes(b"no image")
    (files / "mess" / "gone.png").symlink_to("nowhere.png")
    status, lines = said("fit mess -o x.skae")
    assert status == 1
    unreadable, modes, types, sizes = lines
    assert "14 that cannot be read, and 11 others" in unreadable
    assert all(f"'mess/broken{n:02}.png' (no BMP" in unreadable for n in range(10))
    assert unreadable.endswith(" and 4 more.")
    assert "pass --mode gray or --mode color" in modes
    assert modes.endswith("10 of 11 are gray, such as 'mess/00.png'; others 'mess/09.png' (color).")
    assert types.endswith(
        "10 of 11 are uint8, such as 'mess/00.png'; others 'mess/10.png' (uint16)."
    )
    assert "--image-size" in sizes
    assert sizes.endswith(
        "10 of 11 are 16x16, such as 'mess/00.png'; others 'mess/08.png' (20x20)."
    )
    # What options see to is not wrong; nor is, for a model, what it turns images into.
    _, lines = said("fit mess -o x.skae --mode gray --image-size 16")
    assert lines == [unreadable, types]
    _, [line] = said("score model.skae mess")
    assert line.endswith("1 of 11 images of another type. 'mess/10.png' (uint16).")
    _, lines = said("calibrate model.skae mess -o x.skae")
    assert lines[0] == unreadable
    assert lines[1:] == [line]


def test_names_of_files_stay_as_they_are(said, files):
    folder = files / "X false_alarm_rate"
    save_images(folder, [draw(0), np.stack([draw(1)] * 3, axis=-1)])
    assert run("fit", folder, "-o", files / "x.skae") == 1
    message = "folder_or_paths has 'X false_alarm_rate=3', Keras's \"X\" and false_alarm_rate=0.1"
    expected = "FOLDER has 'X false_alarm_rate=3', Keras's \"X\" and --false-alarm-rate 0.1"
    assert in_own_words(message) == expected


@pytest.mark.parametrize(
    ("mode", "shape"),
    [
        ("gray", (16, 16, 1)),
        ("grey", (16, 16, 1)),
        ("color", (16, 16, 3)),
        ("colour", (16, 16, 3)),
    ],
)
def test_modes_in_both_spellings(tmp_path, mode, shape):
    save_images(tmp_path / "in", [draw(0), np.stack([draw(1)] * 3, axis=-1), draw(2)])
    assert fit(tmp_path / "in", tmp_path / "m.skae", "--mode", mode) == 0
    assert load(tmp_path / "m.skae").input_shape_ == shape


def test_another_mode_is_refused(tmp_path, capsys):
    Image.fromarray(draw(0)).save(tmp_path / "a.png")
    with pytest.raises(SystemExit):
        run("fit", tmp_path, "-o", tmp_path / "m.skae", "--mode", "red")
    err = capsys.readouterr().err
    assert "argument --mode: must be gray or color. Received: 'red'." in err
    assert "--mode {gray,color}" in err
