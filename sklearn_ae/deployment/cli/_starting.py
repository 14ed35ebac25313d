"""TensorFlow's start, without its messages."""

import os
import sys


def start_tensorflow(*, is_quiet=True):
    """Import TensorFlow and Keras.

    Since version 2.21, TensorFlow's messages about the processor are written before anything can
    ask it for silence, on the standard error stream, where errors of the command should stand out.

    Parameters
    ----------
    is_quiet : bool, default=True
        Whether to keep from that stream all that is written to it meanwhile.
    """
    if not is_quiet:
        _import()
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        # Not sys.stderr alone: they are written by C++.
        os.dup2(nothing, 2)
        _import()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nothing)


def _import():
    import sklearn_ae.autoencoder.network.scoring  # noqa: F401
