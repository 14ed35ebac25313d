"""What a forked process has to know: TensorFlow hangs in one whose parent has it."""

import os
import sys

_FORKED_WITH_TENSORFLOW = False


def is_forked_with_tensorflow():
    """Tell whether this process was forked from one that had imported TensorFlow.

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
