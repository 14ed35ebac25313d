"""Checks of what several displays are given."""

from numbers import Real

import numpy as np
from sklearn.utils import check_array


def check_vector(values, name):
    """Return finite numbers as a vector.

    Parameters
    ----------
    values : array-like of shape (n,)
    name : str
        Name of the values in errors.

    Returns
    -------
    values : ndarray of shape (n,), float64

    Raises
    ------
    ValueError
        If the values are no vector, none at all, or not all finite.
    """
    values = check_array(
        values, dtype=np.float64, ensure_2d=False, ensure_min_samples=0, input_name=name
    )
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(
            f"{name} must have one dimension and at least one value. Received: an array of shape "
            f"{values.shape}."
        )
    return values


def check_has(estimator, attribute, advice):
    """Raise a TypeError if an estimator lacks an attribute.

    Parameters
    ----------
    estimator : object
    attribute : str
    advice : str
        What to pass instead; the end of the error's first sentence.
    """
    if not hasattr(estimator, attribute):
        raise TypeError(
            f"This picture needs an estimator with {attribute}; {advice} Received: an estimator "
            f"of type {type(estimator).__name__}."
        )


def check_threshold(threshold):
    """Raise a ValueError unless the threshold is None or a finite number.

    Parameters
    ----------
    threshold : object
    """
    if threshold is not None and not (isinstance(threshold, Real) and np.isfinite(threshold)):
        raise ValueError(
            "threshold must be a finite number in the units of anomaly_scores, or None. "
            f"Received: threshold={threshold!r}."
        )
