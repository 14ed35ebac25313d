"""What a forked process has to know: TensorFlow hangs in one whose parent has it."""

import os
import sys
from contextlib import suppress
from pathlib import Path

_THREADS = Path("/proc/self/task")


def _is_tensorflow_without_threads():
    """Tell whether TensorFlow has run in this process and its threads are gone.

    A fork takes along the memory of a process, and no thread but the one that forks. That can be
    seen on Linux, where TensorFlow's threads have names.
    """
    context = getattr(sys.modules.get("tensorflow.python.eager.context"), "_context", None)
    if getattr(context, "_context_handle", None) is None:
        return False
    names = []
    with suppress(OSError):
        for thread in _THREADS.iterdir():
            with suppress(OSError):  # It may end meanwhile.
                names.append((thread / "comm").read_text())
    return bool(names) and not any(name.startswith("tf_") for name in names)


# Of a fork before this import, nothing else tells.
_FORKED_WITH_TENSORFLOW = _is_tensorflow_without_threads()


def is_forked_with_tensorflow():
    """Tell whether this process was forked from one that had imported TensorFlow.

    If it was forked before this package was imported, TensorFlow must have run in the parent.

    Returns
    -------
    is_forked : bool
    """
    return _FORKED_WITH_TENSORFLOW


def _note_fork():
    global _FORKED_WITH_TENSORFLOW  # noqa: PLW0603  it is the process that changes
    _FORKED_WITH_TENSORFLOW |= "tensorflow" in sys.modules


# As early as the package is imported: the parent may use Keras itself, and the child alone import
# the part of the package that does.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)
