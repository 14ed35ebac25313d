"""A progress bar on the standard error stream."""

import sys
import time
from contextlib import contextmanager
from datetime import timedelta

_WIDTH = 30


def is_open(stream):
    """Tell whether there is anything to show something on.

    Parameters
    ----------
    stream : file or None
        A standard stream. Services and programs without a console have None, or a closed one.

    Returns
    -------
    is_open : bool
    """
    return stream is not None and not getattr(stream, "closed", False)


@contextmanager
def progress_bar(n_items, *, unit, is_shown):
    """Show how many of some items are done and how long the rest will take, as far as is known.

    Keras has a bar too, but importing Keras takes seconds. This one is drawn once for each percent,
    so that a log file stays short, and ends its line when the block ends, by an error too.

    Parameters
    ----------
    n_items : int
    unit : str
        What the items are, in the plural.
    is_shown : bool

    Yields
    ------
    advance : callable
        To be called with the number of items done.
    """
    if not is_shown or not is_open(sys.stderr):
        yield lambda n_done: None
        return
    percents_drawn = set()
    begin = time.monotonic()

    def advance(n_done):
        percent = 100 * n_done // n_items
        if percent not in percents_drawn:
            percents_drawn.add(percent)
            bar = ("=" * (_WIDTH * n_done // n_items)).ljust(_WIDTH)
            text = f"[{bar}] {n_done}/{n_items} {unit}{_time(begin, n_done, n_items)}"
            # As long as the longest so far, of which nothing may be left.
            lengths.append(len(text))
            print(f"\r{text.ljust(max(lengths))}", end="", file=sys.stderr, flush=True)

    lengths = [0]
    try:
        advance(0)
        yield advance
    finally:
        print(file=sys.stderr, flush=True)


def _time(begin, n_done, n_items):
    """Say how long the rest will take, if it goes on as before, or how long all have taken."""
    elapsed = time.monotonic() - begin
    if n_done == 0:
        return ""
    if n_done == n_items:
        return f", {timedelta(seconds=round(elapsed))}"
    return f", {timedelta(seconds=round(elapsed * (n_items - n_done) / n_done))} left"
