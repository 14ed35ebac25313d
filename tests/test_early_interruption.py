"""Ctrl-C while the command still imports what it needs: no traceback, the status as elsewhere."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from folders_of_images import draw, fit, run, save_images
from PIL import Image

from sklearn_ae import AutoencoderAnomalyDetector
from sklearn_ae._base.early_interrupts import is_command
from sklearn_ae.deployment.cli import _main

REPOSITORY = Path(__file__).resolve().parent.parent

# Python imports this module before anything else. It presses Ctrl-C when another one is looked for.
PRESS = """
import os, signal, sys

class Finder:
    def find_spec(name, path=None, target=None):
        if name == os.environ["PRESS_AT"]:
            sys.meta_path.remove(Finder)
            os.kill(os.getpid(), signal.SIGINT)
            if "MAKE_IMPORT_ERROR" in os.environ:
                try:
                    sum(range(100))  # Python heeds signals between such steps
                except KeyboardInterrupt:
                    raise ImportError("numpy.core.multiarray failed to import") from None

sys.meta_path.insert(0, Finder)
if "IGNORE" not in os.environ:
    signal.signal(signal.SIGINT, signal.default_int_handler)
"""

# As a user's: the command hides what TensorFlow says itself.
WITHOUT_SETTINGS = {name: os.environ[name] for name in os.environ if not name.startswith("TF_CPP")}

# What pip writes as the command's script.
SCRIPT = "import sys\nfrom sklearn_ae.deployment.cli import main\nsys.exit(main())\n"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def heed_interrupts():
    """Let Ctrl-C interrupt, also where the tests themselves run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def press(tmp_path):
    """Run Python with Ctrl-C pressed as soon as a module is looked for."""
    (tmp_path / "sitecustomize.py").write_text(PRESS, encoding="utf-8")
    (tmp_path / "good").mkdir()
    for n in range(3):
        Image.fromarray(np.full((16, 16), n, np.uint8)).save(tmp_path / "good" / f"{n}.png")
    (tmp_path / "temporary").mkdir()

    def press_at(module, arguments, **environment):
        environment |= {"PRESS_AT": module, "TMPDIR": str(tmp_path / "temporary")}
        result = subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env=WITHOUT_SETTINGS | {"PYTHONPATH": f"{tmp_path}:{REPOSITORY}", **environment},
            text=True,
        )
        assert list((tmp_path / "temporary").iterdir()) == []
        return result.returncode, result.stdout, result.stderr

    return press_at


EARLY = [
    "numpy",
    "sklearn.base",
    "sklearn_ae.autoencoder.detector",
    "sklearn_ae.deployment.cli",
    "sklearn_ae.deployment.cli._parser",
]
LATE = ["PIL.Image", "tensorflow", "tensorflow.python", "keras"]
FIT = ["fit", "good", "-o", "model.skae"]


@pytest.mark.parametrize("module", [*EARLY, *LATE])
def test_no_traceback_wherever_it_is(press, module):
    assert press(module, ["-m", "sklearn_ae", *FIT]) == (130, "", "sklearn-ae: interrupted\n")


@pytest.mark.parametrize("module", ["sklearn.base", "tensorflow"])
def test_installed_script_is_the_same(press, tmp_path, module):
    (tmp_path / "sklearn-ae").write_text(SCRIPT, encoding="utf-8")
    assert press(module, ["sklearn-ae", *FIT]) == (130, "", "sklearn-ae: interrupted\n")


@pytest.mark.parametrize("module", ["sklearn.base", "keras"])
def test_extension_modules_may_make_another_error_of_it(press, module):
    result = press(module, ["-m", "sklearn_ae", *FIT], MAKE_IMPORT_ERROR="1")
    assert result == (130, "", "sklearn-ae: interrupted\n")


def test_programs_that_import_the_package_are_left_alone(press):
    code = "try:\n    import sklearn_ae\nexcept KeyboardInterrupt:\n    print('theirs')"
    assert press("sklearn.base", ["-c", code, "sklearn-ae"]) == (0, "theirs\n", "")
    code = "import signal, sklearn_ae as _, sys\n"
    code += "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    assert press("nothing", ["-c", code]) == (0, "True\n", "")


def test_ctrl_c_that_is_to_be_ignored_is_ignored(press, tmp_path):
    (tmp_path / "sklearn-ae").write_text(SCRIPT, encoding="utf-8")
    ignore = "import signal, runpy\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    ignore += "runpy.run_path('sklearn-ae', run_name='__main__')\n"
    code = f"import sys; sys.argv = ['sklearn-ae', 'info', 'nowhere.skae']\n{ignore}"
    status, _, stderr = press("sklearn.base", ["-c", code])
    assert (status, "interrupted" in stderr) == (1, False)
    assert "nowhere.skae" in stderr


def test_ctrl_c_while_arguments_are_read(capsys, monkeypatch):
    def interrupt():
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(_main, "make_parser", interrupt)
    assert run("info", "model.skae") == 130
    assert capsys.readouterr().err == "sklearn-ae: interrupted\n"
    assert signal.getsignal(signal.SIGINT) is before


def press_twice():
    try:
        signal.raise_signal(signal.SIGINT)
    finally:
        signal.raise_signal(signal.SIGINT)
        cleaned.append("all")


def make_another_error():
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise RuntimeError("an operation failed") from None


def swallow():
    with suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


class Deleted:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def press_where_it_cannot_be_raised():
    Deleted()
    for _ in range(600):
        time.sleep(0.1)
    raise AssertionError("not interrupted")


cleaned = []
LOSSES = [press_twice, make_another_error, swallow, press_where_it_cannot_be_raised]


@pytest.mark.parametrize("press_somewhere", LOSSES)
def test_ctrl_c_counts_whatever_becomes_of_its_exception(
    capsys, monkeypatch, tmp_path, press_somewhere
):
    before = signal.getsignal(signal.SIGINT), sys.unraisablehook
    cleaned.clear()

    def interrupted_fit(detector, images):
        press_somewhere()
        return detector

    save_images(tmp_path / "good", [draw(n) for n in range(3)])
    monkeypatch.setattr(AutoencoderAnomalyDetector, "fit", interrupted_fit)
    assert fit(tmp_path / "good", tmp_path / "m.skae") == 130
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "sklearn-ae: interrupted\n")
    assert cleaned == (["all"] if press_somewhere is press_twice else [])
    assert not (tmp_path / "m.skae").exists()
    assert (signal.getsignal(signal.SIGINT), sys.unraisablehook) == before


def test_other_exceptions_that_cannot_be_raised_are_shown(capsys, monkeypatch):
    class Failing:
        def __del__(self):
            raise ValueError("of this")

    shown = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: shown.append(unraisable.exc_type))
    monkeypatch.setitem(_main.COMMANDS, "info", lambda options: Failing() and 0)
    assert run("info", "model.skae") == 0
    assert shown == [ValueError]


@pytest.mark.parametrize(
    ("arguments", "original", "expected"),
    [
        (["/usr/bin/sklearn-ae", "fit"], ["python", "/usr/bin/sklearn-ae", "fit"], True),
        (["sklearn-ae.exe"], ["python", "sklearn-ae.exe"], True),
        (["-m", "fit"], ["python", "-W", "error", "-m", "sklearn_ae", "fit"], True),
        (["-m", "fit"], ["python", "-msklearn_ae", "fit"], True),
        (["-m", "fit"], ["python", "-Im", "sklearn_ae", "fit"], True),
        (["-m", "sklearn_ae"], ["python", "-m", "pytest", "sklearn_ae"], False),
        (["-m", "-m", "sklearn_ae"], ["python", "-m", "pytest", "-m", "sklearn_ae"], False),
        (["-c", "sklearn_ae"], ["python", "-c", "import sklearn_ae"], False),
        (["serve.py", "-m", "sklearn_ae"], ["python", "serve.py", "-m", "sklearn_ae"], False),
        ([""], ["python"], False),
        ([], [], False),
    ],
)
def test_which_processes_are_the_command(arguments, original, expected):
    assert is_command(arguments, original) == expected
