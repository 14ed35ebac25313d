"""Checks of what several displays are given."""

from numbers import Integral, Real

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


def check_n_samples(n_samples):
    """Raise a ValueError unless the number of samples to draw is a positive integer.

    Parameters
    ----------
    n_samples : object
    """
    if not (isinstance(n_samples, Integral) and n_samples >= 1):
        raise ValueError(
            f"n_samples must be a positive integer. Received: n_samples={n_samples!r}."
        )


def stack_objects(X, name):
    """Return an array of objects, each an image or a row, as one array, and all else as it is.

    Parameters
    ----------
    X : array-like
    name : str
        Its name in errors.

    Returns
    -------
    X : array-like

    Raises
    ------
    ValueError
        If the arrays in an array of objects or a list are of different shapes.
    """
    is_of_objects = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    is_of_arrays = is_of_objects or isinstance(X, list | tuple)
    if not is_of_arrays or not all(hasattr(sample, "shape") for sample in X):
        return X
    shapes = list(dict.fromkeys(sample.shape for sample in X))
    if len(shapes) > 1:
        raise ValueError(
            f"{name} must be of one shape: crop or resize the images that are drawn. Received: "
            f"samples of the shapes {', '.join(map(str, shapes))}."
        )
    return np.stack(list(X)) if is_of_objects and shapes else X


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


def check_p_values(p_values, n_calibration=None):
    """Return p-values as a vector.

    Parameters
    ----------
    p_values : array-like of shape (n,)
    n_calibration : int, default=None
        Number of calibration scores that they were computed from, if it is known.

    Returns
    -------
    p_values : ndarray of shape (n,), float64

    Raises
    ------
    ValueError
        If a p-value is not in (0, 1], or less than that number allows, or the number is no
        positive integer.
    """
    p_values = check_vector(p_values, "p_values")
    smallest, largest = np.min(p_values), np.max(p_values)
    if not (smallest > 0 and largest <= 1):
        raise ValueError(
            "p_values must be in (0, 1], such as those of ConformalDetector.p_values; scores are "
            f"none. Received: values from {smallest:.4g} to {largest:.4g}."
        )
    if n_calibration is None:
        return p_values
    if not (isinstance(n_calibration, Integral) and n_calibration >= 1):
        raise ValueError(
            "n_calibration must be a positive integer, or None. Received: "
            f"n_calibration={n_calibration!r}."
        )
    # Fractions that are equal may differ in their last digit.
    if smallest * (n_calibration + 1) < 1 - 1e-9:
        raise ValueError(
            "n_calibration must be the number of calibration scores that p_values were computed "
            "from, so that none is less than 1 / (n_calibration + 1). Received: "
            f"n_calibration={n_calibration} and a p-value of {smallest:.4g}."
        )
    return p_values


def check_confidence(confidence, name="confidence"):
    """Raise a ValueError unless the confidence is a number in (0, 1).

    Parameters
    ----------
    confidence : object
    name : str, default="confidence"
        Name of the parameter in the error.
    """
    if not (isinstance(confidence, Real) and 0 < confidence < 1):
        raise ValueError(f"{name} must be a number in (0, 1). Received: {name}={confidence!r}.")


def read_p_values(detector, X):
    """Compute the p-values of samples, and say how they were calibrated.

    Parameters
    ----------
    detector : ConformalDetector
        Fitted detector, or another with a method `p_values`.
    X : array-like of shape (n, ...)

    Returns
    -------
    p_values : ndarray of shape (n,), float64
    report : CalibrationReport or None
        None if the detector has no method `calibration_report`.

    Raises
    ------
    TypeError
        If the detector has no method `p_values`.
    """
    check_has(
        detector,
        "p_values",
        "pass a ConformalDetector, or NormalsOnly around one, or pipeline[-1] with "
        "pipeline[:-1].transform(X); or p-values to from_predictions.",
    )
    has_report = hasattr(detector, "calibration_report")
    return detector.p_values(X), detector.calibration_report() if has_report else None
