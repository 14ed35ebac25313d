"""Ctrl-C before the command ``sklearn-ae`` has begun: while Python imports what it needs.

That takes a second or more, in which Python would print a traceback from the inside of a library,
or an ImportError that an interrupted extension module made of it. The command itself begins only
after it, so the package sees to it as the first thing that it imports, and only as the command.
"""

import os
import re
import signal
import sys
import threading
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

_STATUS = 128 + signal.SIGINT


def is_command(arguments, original_arguments):
    """Tell whether this process is the command, or runs anything else.

    Parameters
    ----------
    arguments : list of str
        `sys.argv`, of which the first is "-m" while Python looks for the module to run.
    original_arguments : list of str
        `sys.orig_argv`, with the interpreter and its options.

    Returns
    -------
    is_command : bool
    """
    first = arguments[0] if arguments else ""
    if first != "-m":
        # On Windows it has an ending.
        return Path(first).name.removesuffix(".exe").removesuffix("-script.py") == "sklearn-ae"
    # Of options with -m the first counts: what follows the name is the module's.
    for option, following in pairwise([*original_arguments, ""]):
        if re.fullmatch("-[A-Za-z]*m", option):
            return following == "sklearn_ae"
        if re.fullmatch("-[A-Za-z]*?msklearn_ae", option):
            return True
    return False


def end_early(signum, frame):
    """End the process as the command does when it is interrupted, wherever it is."""
    # Not by sys.stderr, which may be in the middle of something else.
    with suppress(OSError):
        os.write(2, b"sklearn-ae: interrupted\n")
    # Nothing is written so far that would have to be completed or deleted.
    os._exit(_STATUS)


def _is_heeded():
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler


if is_command(getattr(sys, "argv", []), sys.orig_argv) and _is_heeded():
    signal.signal(signal.SIGINT, end_early)
