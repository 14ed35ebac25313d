"""What a fit leaves: nothing if it fails, and callbacks as long as a pickle can hold them."""

import pickle
from contextlib import contextmanager


class KeptCallbacksMixin:
    """Leaves `callbacks_` out of pickles and copies that cannot hold them."""

    def __getstate__(self):
        # A copy: object's own may be the dictionary of the attributes itself.
        state = dict(super().__getstate__())
        if state.get("callbacks_") and not _can_be_pickled(state["callbacks_"]):
            # Nothing but the user reads them, and a detector must reach workers and disks.
            del state["callbacks_"]
        return state


def _can_be_pickled(value):
    try:
        pickle.dumps(value)
    except Exception:  # whatever a callback of the user's raises
        return False
    return True


@contextmanager
def restored_on_failure(estimator):
    """Undo every change of attributes if the block does not end, not even by an interrupt."""
    attributes = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(attributes)
        raise
