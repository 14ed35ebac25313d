"""A full disk, an interruption and a killed process leave the file that was there."""

import errno
import os
import stat
import subprocess
import sys
import threading

import pytest
from persistence_cases import fitted_kind, saved_bytes

from sklearn_ae.deployment import load, save

NAMES = ["model.skae"]


@pytest.fixture
def path(tmp_path):
    """The path of a file that is there already, of another detector."""
    path = tmp_path / "model.skae"
    path.write_bytes(saved_bytes("threshold"))
    return path


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_who_may_read_the_old_file_may_read_the_new_one(path):
    path.chmod(0o600)
    save(fitted_kind("rows")[0], path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
@pytest.mark.parametrize(
    "function", ["os.fsync", "zipfile.ZipFile.writestr", "pathlib.Path.replace"]
)
def test_failure_leaves_the_old_file(function, error, path, monkeypatch):
    def fail(*args, **kwargs):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(function, fail)
        with pytest.raises(type(error)):
            save(fitted_kind("rows")[0], path)
    assert os.listdir(path.parent) == NAMES
    assert path.read_bytes() == saved_bytes("threshold")
    save(fitted_kind("rows")[0], path)
    assert path.read_bytes() == saved_bytes("rows")


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        save(fitted_kind("rows")[0], tmp_path / "nowhere" / "model.skae")


def test_long_names_of_files(tmp_path):
    path = tmp_path / ("m" * 250 + ".skae")
    save(fitted_kind("rows")[0], path)
    load(path)


def test_files_are_equal_if_detectors_are(tmp_path):
    save(fitted_kind("rows")[0], tmp_path / "model.skae")
    assert (tmp_path / "model.skae").read_bytes() == saved_bytes("rows")


def test_two_threads_that_save_to_one_file(path):
    kinds = ["rows", "threshold"]
    threads = [
        threading.Thread(target=save, args=(fitted_kind(kind)[0], path)) for kind in kinds * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.listdir(path.parent) == NAMES
    assert path.read_bytes() in [saved_bytes(kind) for kind in kinds]


FULL_DISK_THEN_ENDLESS_WRITING = """
import os, resource, sys, time
from sklearn_ae.deployment import load, save

path = sys.argv[1]
detector = load(path).set_params(false_alarm_rate=0.1)
_, largest = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, largest))
try:
    save(detector, path)
except OSError as error:
    print(type(error).__name__, *os.listdir(), flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

def never_ends(file):
    print("writing", *sorted(os.listdir()), flush=True)
    time.sleep(600)

os.fsync = never_ends
save(detector, path)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits and signals are of POSIX")
def test_processes_that_run_out_of_space_or_are_killed(path):
    process = subprocess.Popen(
        [sys.executable, "-c", FULL_DISK_THEN_ENDLESS_WRITING, path.name],
        cwd=path.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline().split() == ["OSError", *NAMES]
        # It is in the middle of it, with a temporary file.
        assert len(process.stdout.readline().split()) == 3
    finally:
        process.kill()
        process.communicate()
    assert process.returncode < 0
    assert path.read_bytes() == saved_bytes("threshold")
    load(path, verify=True)
    save(fitted_kind("rows")[0], path)
    assert path.read_bytes() == saved_bytes("rows")


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be replaced there")
def test_reader_never_meets_half_a_file(path):
    ended = threading.Event()

    def keep_saving():
        while not ended.is_set():
            save(fitted_kind("rows")[0], path)

    thread = threading.Thread(target=keep_saving)
    thread.start()
    try:
        for _ in range(20):
            load(path, verify=True)
    finally:
        ended.set()
        thread.join()
    assert os.listdir(path.parent) == NAMES
