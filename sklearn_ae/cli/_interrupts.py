"""Ctrl-C while the command runs."""

import signal
import threading
from contextlib import contextmanager

from sklearn_ae._early_interrupts import end_early

# The signals of the command that runs, empty unless Ctrl-C was pressed: extension modules may make
# another error of it.
interrupts = []


@contextmanager
def noting_interrupts():
    """Keep in mind that Ctrl-C was pressed, in `interrupts`."""
    interrupts.clear()

    def note(signum, frame):
        interrupts.append(signum)
        signal.default_int_handler(signum, frame)

    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    # Told to ignore it, the command goes on.
    if not is_main or before not in (signal.default_int_handler, end_early):
        yield
        return
    try:
        signal.signal(signal.SIGINT, note)
        yield
    finally:
        signal.signal(signal.SIGINT, before)
