"""What is around every subcommand: errors, warnings, interrupts and the exit status."""

import os
import signal
import sys
import threading
import traceback
import warnings
from contextlib import contextmanager
from pathlib import Path

from sklearn_ae.deployment.cli._commands import COMMANDS
from sklearn_ae.deployment.cli._interrupts import noting_interrupts, raise_if_interrupted
from sklearn_ae.deployment.cli._messages import in_own_words, tell
from sklearn_ae.deployment.cli._parser import make_parser

# As shells report a process that a signal ended: 128 and its number.
_ENDED_BY_SIGNAL = 128


def main(arguments=None):
    """Run the command ``sklearn-ae``.

    Parameters
    ----------
    arguments : list of str or None, default=None
        What follows the name of the command. None takes that of this process.

    Returns
    -------
    status : int
        0 if all went well, 1 after an error, which is named on the standard error stream, 130 if
        interrupted by Ctrl-C.

    Raises
    ------
    SystemExit
        With the code 2 if the arguments are wrong, 0 after ``--help`` or ``--version``, 143 if the
        system asks the process to end, by SIGTERM, and 129 if its terminal is closed, by SIGHUP.

    Examples
    --------
    >>> from sklearn_ae.deployment.cli import main
    >>> main(["info", "no_such_file.skae"])
    1
    """
    _open_closed_streams()
    try:
        with noting_interrupts():
            status = _run(arguments)
            raise_if_interrupted()
            return status
    except KeyboardInterrupt:
        tell("interrupted")
        _drop_output()
        return _ENDED_BY_SIGNAL + signal.SIGINT


def _run(arguments):
    """Run the command and return its status, unless it is interrupted."""
    options = None
    try:
        options = make_parser().parse_args(arguments)
        # Before anything imports matplotlib: no windows.
        os.environ.setdefault("MPLBACKEND", "Agg")
        with _warnings_of_one_line(), _ending_in_order():
            status = COMMANDS[options.command](options)
            # Here, where an error of what reads it is noticed.
            sys.stdout.flush()
            return status
    except BrokenPipeError:  # What reads the output wants no more of it, as `head` does.
        _drop_output()
        return 1
    except Exception as error:
        if options is not None and options.debug:
            traceback.print_exc()
        # Whatever it is, it may come of that.
        raise_if_interrupted()
        # A folder may have several.
        for message in getattr(error, "faults", [str(error) or type(error).__name__]):
            tell(f"error: {in_own_words(message)}")
        _drop_output()
        return 1


@contextmanager
def _warnings_of_one_line():
    """Print warnings without the line of code that they come from, which is not the user's."""

    def show(message, category, filename, lineno, file=None, line=None):
        tell(f"warning: {in_own_words(str(message))}")

    with warnings.catch_warnings():
        # Files of images are images, of whatever size.
        warnings.filterwarnings("ignore", message="X of shape .* is taken for")
        warnings.showwarning = show
        yield


def _open_closed_streams():
    """Open the streams that a shell closed, by ``>&-``, for Python makes them None."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # To the end of the process.
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


def _drop_output():
    """Let go of output that cannot be written: Python would complain of it at the exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _ending_in_order():
    """Turn SIGTERM and SIGHUP into an exception, so that temporary files are deleted."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread may set what happens at signals.
        return

    def end(signum, frame):
        raise SystemExit(_ENDED_BY_SIGNAL + signum)

    # Windows has no SIGHUP.
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    # Told to ignore it, as by nohup, the command goes on. None is a handler not of Python.
    heeded = {n: handler for n, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    try:
        for number in heeded:
            signal.signal(number, end)
        yield
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)
