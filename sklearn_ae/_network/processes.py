"""What TensorFlow needs of a process: a share of the cores, no fork, and its usual modes."""

import multiprocessing
import os

import tensorflow as tf

from sklearn_ae._forks import is_forked_with_tensorflow


def take_share_of_cores():
    """Let TensorFlow use as many threads as this worker process has been given.

    joblib and Dask tell their workers by OMP_NUM_THREADS, which TensorFlow does not read: without
    this, each worker uses all cores, and they fight over them.
    """
    share = os.environ.get("OMP_NUM_THREADS", "")
    if multiprocessing.parent_process() is None or not share.isdigit() or int(share) < 1:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(int(share))
        tf.config.threading.set_inter_op_parallelism_threads(int(share))
    except RuntimeError:
        # TensorFlow runs already: then somebody else has decided.
        return


def check_not_forked():
    """Refuse to go on in a process that was forked after TensorFlow was imported, and may hang.

    Raises
    ------
    RuntimeError
        If it was.
    """
    if is_forked_with_tensorflow():
        raise RuntimeError(
            "TensorFlow hangs in a process that is forked from one that uses it. Start worker "
            "processes anew: with joblib's default backend 'loky', with Dask, or with "
            "multiprocessing.get_context('spawn'). Received: a process forked from one that has "
            "imported TensorFlow."
        )


def check_eager():
    """Refuse to go on where TensorFlow builds graphs instead of computing.

    Raises
    ------
    RuntimeError
        If eager execution is off.
    """
    if not tf.executing_eagerly():
        raise RuntimeError(
            "sklearn_ae needs TensorFlow's eager execution, which is its default. Leave out "
            "tf.compat.v1.disable_eager_execution() or tf.compat.v1.disable_v2_behavior(), and "
            "call the detector outside of tf.function and tf.Graph. Received: "
            "tf.executing_eagerly() = False."
        )


def check_modes():
    """Refuse to build a network in modes of TensorFlow in which it cannot be built.

    Raises
    ------
    RuntimeError
        If eager execution is off, or a distribution strategy's scope is entered.
    """
    check_eager()
    if tf.distribute.has_strategy():
        raise RuntimeError(
            "sklearn_ae fits and restores networks on one device. Leave the scope of the "
            "distribution strategy first; for many fits at a time use n_jobs or Dask. Received: "
            f"the scope of a {type(tf.distribute.get_strategy()).__name__}."
        )


take_share_of_cores()
