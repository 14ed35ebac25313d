"""TensorFlow's start, without its messages."""

import os
import re
import sys
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile

from sklearn_ae.deployment.cli._interrupts import interrupts

_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"

# How absl and, before version 2.18, TensorFlow begin the lines of their logs that are not fatal,
# and what else they write at their start.
_START_UP_LINES = re.compile(
    rb"[IWE]\d{4} [\d:.]+ +\d+ [^ :]+:\d+\] "
    rb"|\d{4}-\d\d-\d\d [\d:.]+: [IWE] [^ :]+:\d+\] "
    rb"|WARNING: All log messages before absl::InitializeLog\(\) is called "
    rb"|To enable the following instructions: "
    rb"|Skipping registering GPU devices\.\.\."
)


def start_tensorflow():
    """Import TensorFlow and Keras without the messages about processors and drivers.

    Programs call it before TensorFlow is imported, so before they fit or load a detector.
    TensorFlow writes these messages in C++, the first before Python can ask for silence. Therefore
    the function keeps them from the standard error stream, and shows all others. It also sets the
    environment variable TF_CPP_MIN_LOG_LEVEL to 3, which hides later ones. If that variable is
    already set, the function changes nothing and hides nothing.

    Examples
    --------
    >>> from sklearn_ae.deployment.cli import start_tensorflow
    >>> start_tensorflow()
    """
    if _LOG_LEVEL in os.environ:
        import_tensorflow()
        return
    os.environ[_LOG_LEVEL] = "3"
    with _start_up_lines_dropped():
        import_tensorflow()


def import_tensorflow():
    """Import TensorFlow and Keras with all that they say."""
    import sklearn_ae.autoencoder.network.scoring  # noqa: F401


@contextmanager
def _start_up_lines_dropped():
    """Keep back what is written to the standard error stream, and then write what matters.

    All of it matters after an error, which the messages may explain.
    """
    try:
        file, stderr = TemporaryFile(), os.dup(2)  # noqa: SIM115
    except OSError:  # The disk is full, or the stream is closed.
        yield
        return
    is_error = False
    with file:
        _flush_stderr()
        try:
            # Not sys.stderr alone: the messages are written by C++.
            os.dup2(file.fileno(), 2)
            yield
        except Exception:
            # Ctrl-C, of which an extension module may make another error, is none.
            is_error = not interrupts
            raise
        finally:
            _flush_stderr()
            os.dup2(stderr, 2)
            os.close(stderr)
            file.seek(0)
            lines = file.read().splitlines(keepends=True)
            kept = b"".join(x for x in lines if is_error or not _START_UP_LINES.match(x))
            # Nobody may read it, or its disk may be full.
            with suppress(OSError), open(2, "wb", closefd=False) as stream:
                stream.write(kept)


def _flush_stderr():
    # A service or a frozen program may have none.
    if sys.stderr is not None:
        sys.stderr.flush()
