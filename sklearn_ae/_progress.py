"""A progress bar on the standard error stream."""

import sys
from contextlib import contextmanager

_WIDTH = 30


@contextmanager
def progress_bar(n_items, *, unit, is_shown):
    """Show how many of some items are done, until the block ends, by an error too.

    Keras has a bar too, but importing Keras takes seconds. This one is drawn once for each percent,
    so that a log file stays short.

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
    if not is_shown:
        yield lambda n_done: None
        return
    percents_drawn = set()

    def advance(n_done):
        percent = 100 * n_done // n_items
        if percent not in percents_drawn:
            percents_drawn.add(percent)
            bar = ("=" * (_WIDTH * n_done // n_items)).ljust(_WIDTH)
            print(f"\r[{bar}] {n_done}/{n_items} {unit}", end="", file=sys.stderr, flush=True)

    try:
        advance(0)
        yield advance
    finally:
        print(file=sys.stderr, flush=True)
