"""The callbacks that a fit used: kept for their states, as long as a pickle can hold them."""

import pickle


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
