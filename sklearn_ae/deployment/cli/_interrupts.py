"""Ctrl-C while the command runs."""

import _thread
import signal
import sys
import threading
import time
from contextlib import contextmanager

from sklearn_ae._base.early_interrupts import end_early

# When Ctrl-C was pressed while the command ran. Extension modules may make another error of it, or
# none, so the command looks here.
interrupts = []

# In seconds. Pressed twice, it must not end the deletion of temporary files that it began.
_SAME_PRESS = 1

# In seconds, until the code that cannot be interrupted has probably ended.
_LATER = 0.05


@contextmanager
def noting_interrupts():
    """Note in `interrupts` that Ctrl-C was pressed, and see to it that no such exception is lost.

    Python drops exceptions of some code, such as the `__del__` of what garbage collection finds:
    then it is raised again.
    """
    interrupts.clear()
    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    # Told to ignore it, the command goes on.
    if not is_main or before not in (signal.default_int_handler, end_early):
        yield
        return
    is_lost = threading.Event()
    drop = sys.unraisablehook

    def note(signum, frame):
        is_same = bool(interrupts) and time.monotonic() - interrupts[-1] < _SAME_PRESS
        if is_same and not is_lost.is_set():
            return
        is_lost.clear()
        interrupts.append(time.monotonic())
        raise KeyboardInterrupt

    def raise_later(unraisable):
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            drop(unraisable)
            return
        is_lost.set()
        timer = threading.Timer(_LATER, _thread.interrupt_main)
        timer.daemon = True
        timer.start()

    try:
        signal.signal(signal.SIGINT, note)
        sys.unraisablehook = raise_later
        yield
    finally:
        sys.unraisablehook = drop
        signal.signal(signal.SIGINT, before)


def raise_if_interrupted():
    """Raise KeyboardInterrupt if Ctrl-C was pressed, whatever became of its exception."""
    if interrupts:
        raise KeyboardInterrupt
