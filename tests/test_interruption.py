"""Ctrl-C, killed workers and full disks, in real processes: nothing hangs, nothing is lost."""

import os
import signal
import subprocess
import sys

import pytest
from folders_of_images import draw, fit, save_images

# The command in a process that says when it is about to do what shall be interrupted.
COMMAND = """
import sys, time
import sklearn_ae.autoencoder.training.keras_fit as training
from sklearn_ae import AutoencoderAnomalyDetector
from sklearn_ae.deployment import cli

train, score = training.train, AutoencoderAnomalyDetector.score_samples

def tell_and_train(*arguments, **options):
    print("begun", file=sys.stderr, flush=True)
    return train(*arguments, **options)

def tell_and_score(self, X):
    print("begun", file=sys.stderr, flush=True)
    time.sleep(600)

training.train = tell_and_train
AutoencoderAnomalyDetector.score_samples = tell_and_score
sys.exit(cli.main(sys.argv[1:]))
"""


def interrupt(code, *arguments, number=signal.SIGINT, **options):
    """Start Python code, send it a signal once it has begun, and return status and messages."""
    # It is not to inherit from whatever runs the tests, such as nohup, that a signal is ignored.
    heed = "default_int_handler" if number == signal.SIGINT else "SIG_DFL"
    code = f"import signal\nsignal.signal({int(number)}, signal.{heed})\n{code}"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes, **options) as process:
        try:
            while "begun" not in process.stderr.readline():
                assert process.poll() is None
            # Into the training, whose first step is compiled now.
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(2)
            process.send_signal(number)
            stdout, stderr = process.communicate(timeout=120)
        finally:
            process.kill()
    return process.returncode, stdout, stderr


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    save_images(folder / "good", [draw(n) for n in range(24)])
    assert fit(folder / "good", folder / "model.skae") == 0
    return folder


posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@posix
@pytest.mark.parametrize(
    ("what", "number", "expected_status", "message"),
    [
        ("fit", signal.SIGINT, 130, "sklearn-ae: interrupted\n"),
        ("score", signal.SIGINT, 130, "sklearn-ae: interrupted\n"),
        ("fit", signal.SIGTERM, 143, ""),
        ("score", getattr(signal, "SIGHUP", None), 129, ""),
    ],
)
def test_interrupted_command_leaves_files_as_they_were(
    files, tmp_path, what, number, expected_status, message
):
    out, temporary = tmp_path / "out", tmp_path / "temporary"
    temporary.mkdir()
    out.write_bytes(b"of an earlier call")
    arguments = {
        "fit": ["fit", files / "good", "-o", out, "--epochs", 1_000_000],
        "score": ["score", files / "model.skae", files / "good", "--csv", out],
    }[what]
    # TensorFlow, which is imported here before the command can hide its messages, is silent.
    environment = {**os.environ, "TMPDIR": str(temporary), "TF_CPP_MIN_LOG_LEVEL": "3"}
    status, stdout, stderr = interrupt(COMMAND, *arguments, number=number, env=environment)
    # It trains again if it has come to the end.
    assert (status, stdout) == (expected_status, "")
    assert stderr.replace("begun\n", "") == message
    assert out.read_bytes() == b"of an earlier call"
    assert sorted(tmp_path.iterdir()) == [out, temporary]
    assert list(temporary.iterdir()) == []


@posix
def test_command_that_nohup_started_outlives_its_terminal(files, tmp_path):
    ignore = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    sleep = "time.sleep(600)"
    assert sleep in COMMAND
    goes_on = COMMAND.replace(sleep, "time.sleep(5); return score(self, X)")
    arguments = ["score", files / "model.skae", files / "good", "--csv", tmp_path / "scores.csv"]
    status, _, _ = interrupt(ignore + goes_on, *arguments, number=signal.SIGHUP)
    assert status == 0
    assert (tmp_path / "scores.csv").exists()


INTERRUPTED_FIT = """
import sys
import keras, numpy as np
from sklearn_ae import AutoencoderAnomalyDetector

class Tell(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        print("begun", file=sys.stderr, flush=True)

X = np.random.default_rng(0).normal(size=(60, 4))
detector = AutoencoderAnomalyDetector(epochs=1, random_state=0).fit(X)
scores = detector.score_samples(X)
detector.set_params(epochs=1_000_000, patience=None, callbacks=[Tell()])
before = dict(vars(detector))
try:
    detector.fit(X + 1)
except KeyboardInterrupt:
    assert vars(detector) == before
    assert (detector.score_samples(X) == scores).all()
    detector.set_params(epochs=1, callbacks=None).fit(X)
    print("as it was, and fits again")
"""


@posix
def test_ctrl_c_during_a_fit_leaves_the_detector_as_it_was():
    status, stdout, _ = interrupt(INTERRUPTED_FIT)
    assert (status, stdout) == (0, "as it was, and fits again\n")


KILLED_WORKER = """
import os, signal
import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.model_selection import GridSearchCV
from sklearn_ae import AutoencoderAnomalyDetector

parent = os.getpid()

def die(input_shape, latent_dim):
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)

X, y = np.random.default_rng(0).normal(size=(60, 4)), np.tile([1, -1], 30)
search = GridSearchCV(
    AutoencoderAnomalyDetector(architecture=die), {"latent_dim": [1, 2]}, cv=2, n_jobs=2,
    error_score="raise",
)
try:
    search.fit(X, y)
except TerminatedWorkerError:
    print("a worker died")
"""


@posix
def test_search_whose_worker_is_killed_ends_with_an_error():
    command = [sys.executable, "-c", KILLED_WORKER]
    result = subprocess.run(command, capture_output=True, check=True, text=True, timeout=300)
    assert result.stdout == "a worker died\n"


# As on a full disk, no file may grow beyond so many bytes from then on.
FULL_DISK = """
import resource, sys
from sklearn_ae.deployment import cli
from sklearn_ae.deployment.cli import _commands

name, n_bytes, *arguments = sys.argv[1:]
function = getattr(_commands, name)

def on_full_disk(*arguments, **options):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(n_bytes), -1))
    return function(*arguments, **options)

setattr(_commands, name, on_full_disk)
sys.exit(cli.main(arguments))
"""


@posix
@pytest.mark.parametrize("what", ["images", "table", "maps"])
def test_full_disk_is_an_error_and_leaves_files_as_they_were(files, tmp_path, what):
    out = tmp_path / "out.csv"
    out.write_bytes(b"of an earlier call")
    function = {"images": "images_in", "table": "write_table", "maps": "write_maps"}[what]
    options = ["--maps", tmp_path / "maps"] if what == "maps" else []
    command = [sys.executable, "-c", FULL_DISK, function, "1000"]
    command += ["score", files / "model.skae", files / "good", "--csv", out, *options]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL")  # as a user's: the command hides what is said itself
    result = subprocess.run(
        list(map(str, command)), capture_output=True, check=False, env=environment, text=True
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("sklearn-ae: error: ")
    assert "File too large" in result.stderr
    if what == "maps":
        assert out.read_text(encoding="utf-8").startswith("file,score")
    else:
        assert out.read_bytes() == b"of an earlier call"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [out]
