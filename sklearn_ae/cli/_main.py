"""What is around every subcommand: errors, warnings, interrupts and the exit status."""

import os
import sys
import traceback
import warnings
from contextlib import contextmanager

from sklearn_ae.cli._commands import COMMANDS
from sklearn_ae.cli._parser import make_parser
from sklearn_ae.cli._telling import tell

# As shells report a process that Ctrl-C ended: 128 and the number of the signal.
_INTERRUPTED = 130


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
        With the code 2 if the arguments are wrong, and 0 after ``--help`` or ``--version``.

    Examples
    --------
    >>> from sklearn_ae.cli import main
    >>> main(["info", "no_such_file.skae"])
    1
    """
    options = make_parser().parse_args(arguments)
    # Before anything imports them: no start-up messages, no windows.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("MPLBACKEND", "Agg")
    try:
        with _warnings_of_one_line():
            return COMMANDS[options.command](options)
    except KeyboardInterrupt:
        tell("interrupted")
        return _INTERRUPTED
    except BrokenPipeError:
        # What reads the output wants no more of it, as `head` does. Python would complain when it
        # flushes the stream at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if options.debug:
            traceback.print_exc()
        tell(f"error: {str(error) or type(error).__name__}")
        return 1


@contextmanager
def _warnings_of_one_line():
    """Print warnings without the line of code that they come from, which is not the user's."""

    def show(message, category, filename, lineno, file=None, line=None):
        tell(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
