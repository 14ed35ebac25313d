"""TensorFlow's messages about processors and drivers: hidden by the command, else left alone.

Each test runs a process whose TensorFlow writes such messages, and others, when it is imported.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from folders_of_images import draw, save_images

REPOSITORY = Path(__file__).resolve().parent.parent

# Of TensorFlow 2.21 and 2.16, at import, on a machine without a GPU.
START_UP_LINES = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795943141.336520   11678 cudart_stub.cc:31] Could not find cuda drivers, GPU not used.
I1129 08:14:39.390312   11678 cpu_feature_guard.cc:227] This TensorFlow binary is optimized to use.
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow with them.
E0000 00:00:1795943145.683256   11678 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA.
2026-11-29 08:14:39.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.
2026-11-29 08:14:39.123456: E external/xla/cuda_fft.cc:467] Unable to register cuFFT factory.
2026-11-29 08:14:39.123456: W tensorflow/compiler/tf2tensorrt/utils/py_utils.cc:38] no TensorRT
"""
OTHER_LINES = """\
a warning of the user's own
F0000 00:00:1795943141.336520   11678 cpu_feature_guard.cc:31] no AVX
WARNING: the disk of checkpoints is nearly full
I am no log
"""
DIE = "print(os.environ.get('TF_CPP_MIN_LOG_LEVEL'), file=sys.stderr); os._exit(7)"
FAIL = "raise ImportError('no libtensorflow')\n"

# Python imports this module before anything else. It has TensorFlow say more than it would.
WRITE = """
import os, sys

class Finder:
    def find_spec(name, path=None, target=None):
        if name == "tensorflow":
            sys.meta_path.remove(Finder)
            os.write(2, os.environ["LINES"].encode())
            print("by Python", file=sys.stderr)
            exec(os.environ.get("THEN", ""))

sys.meta_path.insert(0, Finder)
"""


@pytest.fixture
def start(tmp_path):
    """Run Python in a folder with images, and return the status and the lines of its errors."""
    (tmp_path / "sitecustomize.py").write_text(WRITE, encoding="utf-8")
    save_images(tmp_path / "good", [draw(n) for n in range(24)])
    environment = {name: os.environ[name] for name in os.environ if not name.startswith("TF_")}
    environment |= {
        "LINES": START_UP_LINES + OTHER_LINES,
        "PYTHONPATH": f"{tmp_path}:{REPOSITORY}",
    }

    def run(*arguments, **variables):
        result = subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env=environment | variables,
            text=True,
        )
        return result.returncode, result.stderr

    return run


FIT = ["-m", "sklearn_ae", "fit", "good", "-o", "m.skae", "--epochs", 1, "--false-alarm-rate", 0.3]


def test_command_says_only_what_is_its_own(start):
    nothing = {"LINES": START_UP_LINES}
    for arguments, begin in {
        tuple(FIT): "sklearn-ae: fitted to ",
        ("-m", "sklearn_ae", "score", "m.skae", "good"): "sklearn-ae: anomalies: ",
    }.items():
        status, stderr = start(*arguments, **nothing)
        assert status == 0
        by_python, line = stderr.splitlines()
        assert by_python == "by Python"
        assert line.startswith(begin)


def test_command_shows_all_other_lines(start):
    status, stderr = start(*FIT)
    assert status == 0
    assert stderr.startswith(f"{OTHER_LINES}by Python\nsklearn-ae: fitted to ")


@pytest.mark.parametrize("setting", ["0", "3"])
def test_what_the_user_has_set_stays(start, setting):
    # Nothing could be shown later.
    result = start(*FIT, TF_CPP_MIN_LOG_LEVEL=setting, THEN=DIE)
    assert result == (7, f"{START_UP_LINES}{OTHER_LINES}by Python\n{setting}\n")


def test_debug_hides_nothing(start):
    result = start(*FIT, "--debug", THEN=DIE)
    assert result == (7, f"{START_UP_LINES}{OTHER_LINES}by Python\nNone\n")


def test_error_of_the_import_comes_with_all_that_was_said(start):
    status, stderr = start(*FIT, THEN=FAIL)
    said = f"{START_UP_LINES}{OTHER_LINES}by Python\n"
    assert (status, stderr) == (1, f"{said}sklearn-ae: error: no libtensorflow\n")


def test_streams_that_are_closed(start, tmp_path):
    code = "import os, sys; [os.close(n) for n in (0, 2)]; sys.stderr = None\n"
    code += "from sklearn_ae.deployment.cli import main; sys.exit(main(sys.argv[1:]))"
    assert start("-c", code, *FIT[2:], LINES="") == (0, "")
    assert (tmp_path / "m.skae").exists()


def test_library_leaves_them_alone(start):
    code = """
import os
before = dict(os.environ)
import sklearn_ae.deployment.cli
from sklearn_ae import AutoencoderAnomalyDetector
AutoencoderAnomalyDetector(epochs=1, threshold=1e9).fit([[n, n % 3] for n in range(24)])
added = {name for name in os.environ if before.get(name) != os.environ[name]}
assert not [name for name in added if "LOG" in name or "ONEDNN" in name], added
"""
    status, stderr = start("-c", code)
    assert stderr.startswith(START_UP_LINES + OTHER_LINES)
    assert status == 0


def test_main_example_says_only_what_is_its_own(start):
    example = REPOSITORY / "examples" / "plot_mnist_one_vs_zero.py"
    fit_less = """
from sklearn_ae import AutoencoderAnomalyDetector as Detector
Detector.fit = lambda self, X, fit=Detector.fit: fit(self.set_params(epochs=1), X[:1100])
"""
    status, stderr = start(example, LINES=START_UP_LINES, MPLBACKEND="Agg", THEN=fit_less)
    assert (status, stderr) == (0, "by Python\n")
