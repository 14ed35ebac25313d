"""Worker processes: TensorFlow's threads in them, and forks that would hang."""

import multiprocessing
import os
import subprocess
import sys

import joblib
import numpy as np
import pytest
import tensorflow as tf
from training_cases import X, small


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
    before, environment = threads_of_worker(detector), dict(os.environ)
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        shares = joblib.Parallel(n_jobs=2)(
            joblib.delayed(threads_of_worker)(detector) for _ in range(2)
        )
    assert shares == [(1, 1), (1, 1)]
    assert threads_of_worker(detector) == before
    assert dict(os.environ) == environment


def test_threads_of_a_process_of_ones_own_are_left_alone():
    code = "import sklearn_ae.autoencoder.network.scoring, tensorflow as tf\n"
    code += "print(tf.config.threading.get_intra_op_parallelism_threads())"
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
    )
    assert result.stdout.split()[-1] == "0"  # TensorFlow's own choice


def report(function, connection):
    try:
        connection.send(function())
    except RuntimeError as error:
        connection.send(str(error))


can_fork = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork"
)


@can_fork
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


# The parent has used Keras itself, and of the package only what imports no TensorFlow.
FIT_IN_A_FORK = """
import multiprocessing, keras, numpy, sklearn_ae
keras.Sequential([keras.layers.Dense(1)])(numpy.ones((1, 2)))
detector = sklearn_ae.AutoencoderAnomalyDetector(epochs=1, random_state=0)
X = numpy.random.default_rng(0).normal(size=(40, 3))

def fit(sender):
    try:
        sender.send(str(detector.fit(X)))
    except RuntimeError as error:
        sender.send(str(error))

context = multiprocessing.get_context("fork")
receiver, sender = context.Pipe(duplex=False)
process = context.Process(target=fit, args=(sender,))
process.start()
print(receiver.recv() if receiver.poll(60) else "it hangs")
process.kill()
"""


@can_fork
def test_fork_of_a_process_that_used_keras_itself_says_so():
    result = subprocess.run(
        [sys.executable, "-c", FIT_IN_A_FORK], capture_output=True, check=True, text=True
    )
    assert "forked from one that has imported TensorFlow" in result.stdout


# The parent has used Keras, and only the child imports the package.
IMPORT_IN_A_FORK = """
import multiprocessing, keras, numpy, sys
X = numpy.random.default_rng(0).normal(size=(40, 3))
if {is_parent_user}:
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]).predict(X, verbose=0)

def fit(sender):
    if not {is_parent_user}:
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]).predict(X, verbose=0)
    import sklearn_ae
    try:
        detector = sklearn_ae.AutoencoderAnomalyDetector(epochs=1, random_state=0)
        sender.send(type(detector.fit(X)).__name__)
    except RuntimeError as error:
        sender.send(str(error))

context = multiprocessing.get_context("fork")
receiver, sender = context.Pipe(duplex=False)
process = context.Process(target=fit, args=(sender,))
process.start()
print(receiver.recv() if receiver.poll(60) else "it hangs")
process.kill()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are counted on Linux")
@pytest.mark.parametrize(
    ("is_parent_user", "answer"),
    [
        (True, "forked from one that has imported TensorFlow"),
        (False, "AutoencoderAnomalyDetector"),
    ],
)
def test_fork_before_the_first_import_says_so_if_the_parent_used_tensorflow(is_parent_user, answer):
    code = IMPORT_IN_A_FORK.format(is_parent_user=is_parent_user)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert answer in result.stdout


def test_import_after_tensorflow_has_run_is_no_fork():
    code = """
import tensorflow as tf
tf.function(lambda x: x + 1)(tf.zeros(3))
from sklearn_ae._base.keras_environment import is_forked_with_tensorflow
print(is_forked_with_tensorflow())
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert result.stdout.split()[-1] == "False"
