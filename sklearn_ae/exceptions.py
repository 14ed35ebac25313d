"""Errors of sklearn_ae that a program may want to catch by name."""

__all__ = ["PersistenceError", "TrainingDivergedError"]


class TrainingDivergedError(ValueError):
    """The loss became NaN or infinite during training.

    A :class:`ValueError`, as scikit-learn's own estimators raise when a fit cannot succeed on the
    data and parameters it was given.
    """


class PersistenceError(ValueError):
    """A file of :mod:`sklearn_ae.deployment` cannot be written or read.

    It is damaged, altered, of another program or a newer version, or what it should hold cannot be
    held by a file that needs no trust.
    """


def __dir__():
    return sorted(__all__)
