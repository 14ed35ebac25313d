"""Keras's draws from generators that are the user's."""

import random
import threading
from contextlib import contextmanager

# Of whatever changes the process for a moment. One for all, or two could wait for each other.
KERAS_LOCK = threading.RLock()


@contextmanager
def python_random_restored():
    """Undo the draws of unseeded Keras initialisers and layers from Python's global generator."""
    # One thread at a time, or one would restore what another has drawn.
    with KERAS_LOCK:
        state = random.getstate()
        try:
            yield
        finally:
            random.setstate(state)
