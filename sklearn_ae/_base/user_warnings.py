"""Warnings that point at the user's line."""

import sys
import warnings

# A wrapper, a pipeline or a search may stand between the user and the code that warns. Python 3.11
# has no `skip_file_prefixes`.
_SKIPPED = ("sklearn_ae", "sklearn", "joblib")


def warn(message, category=UserWarning):
    """Warn at the first line outside this package, scikit-learn and joblib.

    Parameters
    ----------
    message : str or Warning
    category : type of Warning, default=UserWarning
    """
    frame, stacklevel = sys._getframe(1), 2
    while frame.f_back is not None and _is_skipped(frame):
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)


def _is_skipped(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] in _SKIPPED
