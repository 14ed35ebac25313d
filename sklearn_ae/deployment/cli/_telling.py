"""What the command tells its user, on the standard error stream."""

import sys


def tell(message):
    """Print a message, as one line."""
    print(f"sklearn-ae: {' '.join(message.split())}", file=sys.stderr, flush=True)


def is_progress_shown():
    """Return whether a person watches: in a log file, a bar would be a mess."""
    return sys.stderr.isatty()
