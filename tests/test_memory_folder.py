"""The folder of kept trainings: who may use it at a time, what is in it, and bad folders."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import joblib
import keras
import numpy as np
import pytest
from memory_cases import X, assert_equal_fits, small

from sklearn_ae._base import files
from sklearn_ae.exceptions import TrainingDivergedError


def test_threads_train_one_network(tmp_path, trainings_done):
    together = threading.Barrier(4)

    def fit(_):
        together.wait()
        return small(tmp_path).fit(X)

    with ThreadPoolExecutor(4) as threads:
        first, *others = threads.map(fit, range(4))
    assert len(trainings_done) == 1
    for other in others:
        assert_equal_fits(first, other)


HOLDS_THE_LOCK = """
import pathlib, sys, time
from sklearn_ae._base.files import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_process_that_is_killed_is_not_waited_for(tmp_path, trainings_done):
    first = small(tmp_path).fit(X)
    [lock] = tmp_path.rglob("*.lock")
    [entry] = tmp_path.rglob("output.pkl")
    entry.unlink()
    command = [sys.executable, "-c", HOLDS_THE_LOCK, str(lock)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other,
        ThreadPoolExecutor(1) as threads,
    ):
        try:
            assert other.stdout.readline() == "held\n"
            fit = threads.submit(small(tmp_path).fit, X)
            done, _ = wait([fit], timeout=1)
            assert not done
            assert len(trainings_done) == 1
        finally:
            other.kill()
        assert_equal_fits(first, fit.result(timeout=300))
    assert len(trainings_done) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_lock_is_free_though_a_forked_child_has_its_file_open(tmp_path):
    with files.locked(tmp_path / "lock"):
        child = os.fork()
        if child == 0:
            time.sleep(600)
            os._exit(0)
    try:
        with (tmp_path / "lock").open("ab") as file:
            assert files._try_to_lock(file.fileno())
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_failed_training_lets_the_next_begin(tmp_path, trainings_done):
    bad = small(tmp_path, optimizer=keras.optimizers.SGD(1e30))
    for _ in range(2):
        with pytest.raises(TrainingDivergedError):
            bad.fit(X)
    assert len(trainings_done) == 2
    assert not list(tmp_path.rglob("output.pkl"))


def test_folder_without_locks_serves_all_the_same(tmp_path, trainings_done, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files, "_try_to_lock", refuse)
    for _ in range(2):
        small(tmp_path).fit(X)
    assert len(trainings_done) == 1


def test_joblib_clears_and_reduces_the_folder(tmp_path, trainings_done):
    memory = joblib.Memory(tmp_path, verbose=0)
    small(memory).fit(X)
    small(memory, latent_dim=1).fit(X)
    memory.reduce_size(items_limit=1)
    assert len(list(tmp_path.rglob("output.pkl"))) == 1
    memory.clear(warn=False)
    assert not [path for path in tmp_path.rglob("*") if path.name != ".gitignore"]
    small(memory).fit(X)
    small(memory).fit(X)
    assert len(trainings_done) == 3


# As on a full disk, no file may grow beyond so many bytes from then on.
FULL_DISK = """
import resource, sys
from memory_cases import X, small
small(None).fit(X)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, -1))
detector = small(sys.argv[1]).fit(X)
print((detector.score_samples(X) == small(None).fit(X).score_samples(X)).all())
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_full_disk_leaves_no_part_of_an_entry(tmp_path, trainings_done):
    command = [sys.executable, "-W", "always", "-c", FULL_DISK, str(tmp_path)]
    result = subprocess.run(
        command,
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert result.stdout == "True\n"
    assert "Unable to cache to disk" in result.stderr
    files = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert not [name for name in files if name.startswith("output")]
    small(tmp_path).fit(X)
    small(tmp_path).fit(X)
    assert len(trainings_done) == 1


def test_part_of_an_entry_is_replaced(tmp_path, trainings_done):
    """Which a process left that was killed while it wrote."""
    small(tmp_path).fit(X)
    [entry] = tmp_path.rglob("output.pkl")
    part = entry.rename(entry.with_name("output.pkl.thread-1-pid-2"))
    small(tmp_path).fit(X)
    assert len(trainings_done) == 2
    assert entry.exists()
    assert not part.exists()


def in_other_shape(content):
    weights, log = content
    return [[array.T for array in part] for part in weights], log


# What a file may hold that can be read, made of the weights and the log that were in it.
WRONG_CONTENTS = {
    "weights of another shape": in_other_shape,
    "weights of another type": lambda content: (
        [[array.astype(int) for array in part] for part in content[0]],
        content[1],
    ),
    "a part without weights": lambda content: ([content[0][0], []], content[1]),
    "one part": lambda content: (content[0][:1], content[1]),
    "no log": lambda content: (content[0], None),
    "no validation loss": lambda content: (content[0], ({"loss": [1.0, 0.5]}, 0)),
    "no such epoch": lambda content: (content[0], (content[1][0], 2)),
    "text for numbers": lambda content: (
        content[0],
        ({"loss": ["a", "b"], "val_loss": ["a", "b"]}, 0),
    ),
    "a dictionary": lambda content: {"weights": content[0]},
    "nothing": lambda content: None,
}


@pytest.mark.parametrize("damage", ["cut", "emptied", "overwritten", *WRONG_CONTENTS])
def test_entry_of_no_use_is_computed_again_and_replaced(tmp_path, trainings_done, damage):
    first = small(tmp_path).fit(X)
    [entry] = tmp_path.rglob("output.pkl")
    kept = entry.read_bytes()
    if damage in WRONG_CONTENTS:
        joblib.dump(WRONG_CONTENTS[damage](joblib.load(entry)), entry)
    else:
        damaged = {"cut": kept[: len(kept) // 2], "emptied": b"", "overwritten": b"no pickle"}
        entry.write_bytes(damaged[damage])
    with pytest.warns(UserWarning, match="kept in memory cannot be read, so it is done again"):
        second = small(tmp_path).fit(X)
    assert_equal_fits(first, second)
    assert_equal_fits(first, small(tmp_path).fit(X))
    assert len(trainings_done) == 2


def test_entry_holds_weights_and_no_keras_model(tmp_path):
    detector = small(tmp_path).fit(X)
    [entry] = tmp_path.rglob("output.pkl")
    weights, (history, best_epoch) = joblib.load(entry)
    assert all(type(weight) is np.ndarray for part in weights for weight in part)
    assert (history, best_epoch) == (detector.history_, detector.best_epoch_)


@pytest.mark.parametrize("make", [str, Path, joblib.Memory], ids=["str", "Path", "Memory"])
@pytest.mark.parametrize("file", ["folder", "folder/joblib", "folder/joblib/sklearn_ae"])
def test_file_in_place_of_a_folder_is_refused(tmp_path, trainings_done, file, make):
    memory = make(str(tmp_path / "folder"))
    shutil.rmtree(tmp_path / "folder", ignore_errors=True)  # a Memory has made it
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("")
    with pytest.raises(ValueError, match=r"memory must be a folder that.*Received: memory="):
        small(memory).fit(X)
    assert not trainings_done


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder not even root can write to")
@pytest.mark.parametrize("path", ["/proc", "/proc/folder", "with\0null"])
def test_folder_that_cannot_be_written_is_refused(trainings_done, path):
    with pytest.raises(ValueError, match=r"memory must be a folder that.*Received: memory="):
        small(path).fit(X)
    assert not trainings_done


def test_folder_may_be_named_from_home(tmp_path, trainings_done, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        small("~/folder").fit(X)
    assert len(trainings_done) == 1
    assert len(list((tmp_path / "folder").rglob("output.pkl"))) == 1
    assert not (tmp_path / "~").exists()
