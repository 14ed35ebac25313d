"""Worker processes: TensorFlow's threads in them, and forks that would hang."""

import multiprocessing
import subprocess
import sys

import joblib
import numpy as np
import pytest
import tensorflow as tf
from training_cases import X, small

from sklearn_ae._network import processes


def threads_of_worker(detector):
    """Use a detector, as a task of a search does, and return TensorFlow's numbers of threads."""
    detector.score_samples(X[:2])
    threading = tf.config.threading
    return (
        threading.get_intra_op_parallelism_threads(),
        threading.get_inter_op_parallelism_threads(),
    )


def test_workers_of_joblib_take_their_share_of_the_cores():
    detector = small().fit(X)
    before = threads_of_worker(detector)
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        shares = joblib.Parallel(n_jobs=2)(
            joblib.delayed(threads_of_worker)(detector) for _ in range(2)
        )
    assert shares == [(1, 1), (1, 1)]
    assert threads_of_worker(detector) == before


def test_threads_of_a_process_of_ones_own_are_left_alone():
    code = "import sklearn_ae._network.scoring, tensorflow as tf\n"
    code += "print(tf.config.threading.get_intra_op_parallelism_threads())"
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env={**processes.os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
    )
    assert result.stdout.split()[-1] == "0"  # TensorFlow's own choice


def report(function, connection):
    try:
        connection.send(function())
    except RuntimeError as error:
        connection.send(str(error))


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork"
)
@pytest.mark.parametrize("use", ["score", "fit"])
def test_forked_process_says_so_instead_of_hanging(use):
    detector = small().fit(X)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    function = {
        "score": lambda: detector.score_samples(X),
        "fit": lambda: detector.fit(X).offset_,
    }[use]
    process = context.Process(target=report, args=(function, sender))
    process.start()
    has_answered = receiver.poll(60)
    answer = receiver.recv() if has_answered else "it hangs"
    process.kill()
    process.join()
    assert "multiprocessing.get_context('spawn')" in answer
    assert np.isfinite(detector.score_samples(X)).all()
