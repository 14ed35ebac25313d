"""The command sklearn-ae: what it refuses, how it says so, and that nothing else is lost."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from folders_of_images import draw, fit, read_table, run, save_images

from sklearn_ae.deployment import load
from sklearn_ae.deployment.cli import main


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    save_images(folder / "good", [draw(n) for n in range(24)])
    assert fit(folder / "good", folder / "model.skae") == 0
    return folder


@pytest.fixture
def complaint(capsys):
    """Return what the command said, which must be one line on the standard error stream."""

    def read():
        captured = capsys.readouterr()
        assert captured.out == ""
        [line] = captured.err.splitlines()
        assert line.startswith("sklearn-ae: error: ")
        return line

    return read


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["train"],
        ["fit", "good"],
        ["fit", "good", "-o", "m.skae", "--image-size", "0"],
        ["fit", "good", "-o", "m.skae", "--image-size", "12x"],
        ["fit", "good", "-o", "m.skae", "--tile-size", "big"],
        ["fit", "good", "-o", "m.skae", "--tile-size", "8", "--image-size", "8"],
        ["fit", "good", "-o", "m.skae", "--epochs", "many"],
        ["fit", "good", "-o", "m.skae", "--architecture", "transformer"],
        ["fit", "good", "-o", "m.skae", "--epochs", "0"],
        ["fit", "good", "-o", "m.skae", "--image-size", "3000000"],
        ["fit", "good", "-o", "m.skae", "--trim", "0.5"],
        ["fit", "good", "-o", "m.skae", "--false-alarm-rate", "0"],
        ["fit", "good", "-o", "m.skae", "--random-state", "-1"],
        ["fit", "", "-o", "m.skae"],
        ["score", "m.skae", "good", "--maps", ""],
        ["score", "m.skae", "good", "--map-max", "0"],
        ["calibrate", "m.skae", "good", "-o", "c.skae", "--confidence", "1"],
        ["score", "m.skae"],
        ["export", "m.skae"],
    ],
)
def test_wrong_arguments_have_a_status_of_their_own(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: sklearn-ae" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["fit", "calibrate"])
def test_images_that_cannot_be_read_are_named_and_nothing_is_learned(
    files, tmp_path, what, complaint
):
    save_images(tmp_path / "in", [draw(n) for n in range(3)])
    for name in ["a.png", "sub/b.jpg"]:
        path = tmp_path / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"no image")
    model = [files / "model.skae"] if what == "calibrate" else []
    status = run(what, *model, tmp_path / "in", "-o", tmp_path / "out.skae")
    assert status == 1
    error = complaint()
    assert "2 that cannot be read, and 3 others" in error
    assert all(f"{name}' (no BMP" in error for name in ("a.png", "b.jpg"))
    assert not (tmp_path / "out.skae").exists()


def test_images_that_cannot_be_read_have_a_row_without_a_score(files, tmp_path, capsys):
    save_images(tmp_path / "in", [draw(n) for n in range(3)])
    (tmp_path / "in" / "01.png").write_bytes(b"no image")
    options = ["--csv", tmp_path / "s.csv", "--maps", tmp_path / "maps"]
    assert run("score", files / "model.skae", tmp_path / "in", *options) == 1
    rows = read_table(tmp_path / "s.csv")
    assert [bool(row["score"]) for row in rows] == [True, False, True]
    assert rows[1] == {
        "file": f"{tmp_path / 'in' / '01.png'}",
        **dict.fromkeys(list(rows[0])[1:], ""),
    }
    assert f"cannot read '{tmp_path / 'in' / '01.png'}'" in capsys.readouterr().err
    # The right maps, those of the others.
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == [
        "00.png.png",
        "02.png.png",
    ]


def test_images_of_different_sizes_are_named(tmp_path, complaint):
    save_images(tmp_path / "in", [draw(0), draw(1), draw(2, size=20)])
    assert fit(tmp_path / "in", tmp_path / "out.skae") == 1
    line = complaint()
    assert "--image-size" in line
    assert "--tile-size" in line
    assert "2 of 3 are 16x16, such as '" in line
    assert "00.png'; others '" in line
    assert "02.png' (20x20)." in line


def test_images_of_another_type_are_refused(files, tmp_path, complaint):
    save_images(tmp_path / "in", [256 * draw(0).astype(np.uint16)])
    assert run("score", files / "model.skae", tmp_path / "in", "--csv", tmp_path / "s.csv") == 1
    error = complaint()
    assert "fitted to, uint8: save them so. Received: 1 of 1 images of another type" in error
    assert "00.png' (uint16)." in error
    assert not (tmp_path / "s.csv").exists()


def test_images_smaller_than_a_tile_are_named(tmp_path, complaint, capsys):
    save_images(tmp_path / "good", [draw(n) for n in range(24)])
    assert fit(tmp_path / "good", tmp_path / "model.skae", "--tile-size", 12) == 0
    capsys.readouterr()
    save_images(tmp_path / "in", [draw(0), draw(1, size=10)])
    assert run("score", tmp_path / "model.skae", tmp_path / "in") == 1
    error = complaint()
    assert "as the tiles, 12x12" in error
    assert "1 of 2 images that are smaller" in error
    assert "01.png' (10x10)." in error


def test_detector_of_rows_is_refused(files, tmp_path, complaint, fitted_detector):
    from sklearn_ae.deployment import save

    save(fitted_detector, tmp_path / "rows.skae")
    assert run("score", tmp_path / "rows.skae", files / "good") == 1
    assert "MODEL must be a detector of images" in complaint()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (
            ["fit", "good", "-o", "nowhere/m.skae"],
            "--output must be a file in a folder that exists",
        ),
        (["fit", "good", "-o", "good"], "--output must be a file"),
        (["fit", "good", "-o", "link.skae"], "--output must be a file in a folder that exists"),
        (["fit", "good", "-o", "good/00.png"], "--output must not have the name of an image"),
        (["score", "model.skae", "good", "--csv", "good/00.png"], "--csv must not have the name"),
        (["score", "model.skae", "good", "--csv", "model.skae"], "--csv must not be MODEL"),
        (["score", "model.skae", "good", "--csv", "/dev/stdout"], "--csv must be a file"),
        (["score", "model.skae", "good", "--maps", "good"], "--maps must be a folder outside of"),
        (["score", "model.skae", "good", "--maps", "good/maps"], "--maps must be a folder outside"),
        (["export", "model.skae", "--onnx", "model.skae"], "--onnx must not be MODEL"),
        (["fit", "nowhere", "-o", "new.skae"], "'nowhere', which does not exist"),
        (["score", "nowhere.skae", "good"], "nowhere.skae"),
        (["score", "junk.skae", "good"], "junk.skae is no complete file"),
        (["score", "model.skae", "nowhere"], "'nowhere', which does not exist"),
        (["score", "model.skae", "good", "--csv", "nowhere/s.csv"], "--csv must be a file"),
        (["score", "model.skae", "good", "--maps", "junk.skae"], "--maps must be a folder"),
        (["calibrate", "junk.skae", "good", "-o", "new.skae"], "junk.skae is no complete file"),
        (["export", "model.skae", "--onnx", "nowhere/m.onnx"], "--onnx must be a file"),
        (["info", "junk.skae"], "junk.skae is no complete file"),
    ],
)
def test_errors_are_one_line_and_leave_no_file(files, monkeypatch, complaint, arguments, named):
    monkeypatch.chdir(files)
    (files / "junk.skae").write_bytes(b"junk")
    if not (files / "link.skae").is_symlink():
        (files / "link.skae").symlink_to("nowhere/model.skae")
    before = {path: path.read_bytes() for path in files.iterdir() if path.is_file()}
    assert main(arguments) == 1
    assert named in complaint()
    assert {path: path.read_bytes() for path in files.iterdir() if path.is_file()} == before


def test_debug_shows_where_an_error_came_from(tmp_path, capsys):
    assert run("info", tmp_path / "nowhere.skae", "--debug") == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("sklearn-ae: error: ")


def test_warnings_are_one_line(tmp_path, capsys):
    save_images(tmp_path / "good", [draw(n) for n in range(4)])
    show = warnings.showwarning
    assert fit(tmp_path / "good", tmp_path / "m.skae") == 0
    line, end = capsys.readouterr().err.splitlines()
    assert line.startswith("sklearn-ae: warning: No image is held out, for FOLDER holds 4, fewer")
    assert "fitted to 4 images; none is held out, so nothing shows" in end
    assert warnings.showwarning is show


def test_maps_without_matplotlib_are_refused_before_scoring(
    files, tmp_path, complaint, monkeypatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    arguments = ["score", files / "model.skae", files / "good", "--csv", tmp_path / "s.csv"]
    assert run(*arguments, "--maps", tmp_path / "maps") == 1
    assert "pip install 'sklearn-ae[plot]'" in complaint()
    assert list(tmp_path.iterdir()) == []


# What may be connected to the standard output, and what then becomes of `info`.
STREAMS = {
    "closed": (">&-", 0, ""),
    "full": (">/dev/full", 1, "sklearn-ae: error: [Errno 28] No space left on device\n"),
    "read no further": ("| true", 1, ""),
}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("stream", STREAMS)
def test_standard_output_that_takes_nothing(files, tmp_path, stream):
    redirection, status, message = STREAMS[stream]
    # Written only when the interpreter decides to, as a user's would be.
    environment = {name: os.environ[name] for name in os.environ if name != "PYTHONUNBUFFERED"}
    begin = f"set -o pipefail; '{sys.executable}' -m sklearn_ae info"
    result = subprocess.run(
        ["bash", "-c", f"{begin} '{files / 'model.skae'}' {redirection}"],
        capture_output=True,
        check=False,
        text=True,
        env=environment,
    )
    assert (result.returncode, result.stderr) == (status, message)


def test_standard_error_that_is_closed(files):
    command = f"'{sys.executable}' -m sklearn_ae info '{files / 'nowhere.skae'}' 2>&-"
    result = subprocess.run(command, shell=True, stdout=subprocess.PIPE, check=False)
    assert (result.returncode, result.stdout) == (1, b"")


def test_temporary_files_are_gone(files, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run("score", files / "model.skae", files / "good", "--csv", tmp_path / "s.csv")
    run("score", files / "model.skae", files / "nowhere")
    assert os.listdir(tmp_path) == ["s.csv"]
    assert load(files / "model.skae").predict([draw(0)]).shape == (1,)
