"""What is fitted to and what is judged on, the same for all detectors."""

import math
from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array, check_consistent_length, check_random_state

from sklearn_ae._base.checks import check_not_masked
from sklearn_ae._base.holdout import hold_out
from sklearn_ae._base.sklearn_compat import _safe_indexing
from sklearn_ae.datasets._synthetic import make_anomalies
from sklearn_ae.metrics._labels import read_two_classes
from sklearn_ae.metrics._synthetic_scorer import as_container

# Of fewer, no detector learns anything, and nothing can be held out.
MIN_NORMALS = 20
# Of normal samples, where there are none to test on. Few detectors need the rest, and of fewer
# held-out ones no recall at a low false-alarm rate can be told.
_HELD_OUT_SHARE = 0.25


class ComparisonData(NamedTuple):
    """Samples to fit to and to judge on.

    Parameters
    ----------
    X_train, X_test : array-like of shape (n, ...)
        As the detector takes them: data frames stay such.
    anomalies : ndarray of shape (n_test,), bool
    X_held_out : ndarray of shape (n_normal, ...)
        The normal ones of `X_test`, as an array.
    train_values : ndarray of shape (n_train, ...)
        `X_train` as an array.
    is_image : bool
    is_synthetic : bool
        Whether the anomalies were made.
    words : data frame or None
        Held-out normal samples, if some of their columns are not numbers. `X_held_out` and
        `train_values` are the others.
    """

    X_train: object
    X_test: object
    anomalies: np.ndarray
    X_held_out: np.ndarray
    train_values: np.ndarray
    is_image: bool
    is_synthetic: bool
    words: object = None

    def to_container(self, values):
        """Return samples, of which an array has the numbers, as the detector takes them."""
        template = self.X_train if self.words is None else self.words
        return to_container(values, template, has_words=self.words is not None)


def prepare_data(
    X_normal, X_test, y_test, *, pos_label, kind, input_shape, takes_words, random_state
):
    """Check and, without labeled samples, split the data and make anomalies.

    Parameters
    ----------
    X_normal, X_test, y_test, pos_label, kind, input_shape, random_state
        Those of :func:`.compare_with_baselines`.
    takes_words : bool
        Whether the detector may take a data frame with columns that are not numbers.

    Returns
    -------
    data : ComparisonData

    Raises
    ------
    TypeError, ValueError
        If they are not what they must be.
    """
    if not isinstance(random_state, Integral):
        raise TypeError(
            "random_state must be an int, so that the comparison can be repeated. Received: "
            f"random_state={random_state!r}."
        )
    if (X_test is None) != (y_test is None):
        missing, given = ("y_test", "X_test") if y_test is None else ("X_test", "y_test")
        raise ValueError(
            f"X_test and y_test must come together: pass {missing} too, or neither, to be judged "
            f"on synthetic anomalies. Received: {given} without {missing}."
        )
    X_normal, values = _check_samples(
        X_normal, "X_normal", min_samples=MIN_NORMALS, takes_words=takes_words
    )
    if np.all(values == values[0]):
        raise ValueError(
            "X_normal must vary, or there is nothing to learn. Received: X_normal of shape "
            f"{values.shape}, all of whose rows are equal."
        )
    is_image = _check_is_image(values, input_shape)
    if X_test is None:
        return _hold_out(X_normal, values, kind, input_shape, is_image, random_state)
    X_test, test_values = _check_samples(X_test, "X_test", min_samples=2, takes_words=takes_words)
    if test_values.shape[1:] != values.shape[1:]:
        raise ValueError(
            "X_test must hold samples of the shape of those of X_normal. Received: X_normal of "
            f"shape {values.shape} and X_test of shape {test_values.shape}."
        )
    anomalies = read_two_classes(y_test, pos_label=pos_label, metric="the comparison")
    check_consistent_length(test_values, anomalies)
    return ComparisonData(
        X_train=X_normal,
        X_test=X_test,
        anomalies=anomalies,
        X_held_out=test_values[~anomalies],
        train_values=values,
        is_image=is_image,
        is_synthetic=False,
        words=_take_words(X_test, np.flatnonzero(~anomalies)),
    )


def _hold_out(X_normal, values, kind, input_shape, is_image, random_state):
    training_rows, rows = hold_out(len(values), _HELD_OUT_SHARE, check_random_state(random_state))
    held_out = values[rows]
    words = _take_words(X_normal, rows)
    template = X_normal if words is None else words
    made, _ = make_anomalies(
        held_out, kind=kind, input_shape=input_shape, random_state=random_state
    )
    return ComparisonData(
        X_train=_safe_indexing(X_normal, training_rows),
        X_test=to_container(
            np.concatenate([held_out, made]), template, has_words=words is not None
        ),
        anomalies=np.repeat([False, True], len(rows)),
        X_held_out=held_out,
        train_values=values[training_rows],
        is_image=is_image,
        is_synthetic=True,
        words=words,
    )


def to_container(values, template, *, has_words):
    """Return samples as the detector takes them.

    Parameters
    ----------
    values : ndarray of shape (n, ...)
        Their numbers.
    template : array-like
        Samples as the detector takes them.
    has_words : bool
        Whether other columns of a data frame are to be those of the template, over and over.

    Returns
    -------
    samples : ndarray or data frame
    """
    if not has_words:
        return as_container(values, template)
    numbers = _columns_of_numbers(template)
    samples = _safe_indexing(template, np.arange(len(values)) % len(template))
    if not hasattr(samples, "iloc"):
        columns = {name: values[:, i] for i, name in enumerate(numbers)}
        return samples.with_columns(**columns)
    samples = samples.reset_index(drop=True)
    for i, name in enumerate(numbers):
        samples[name] = values[:, i]
    return samples


def _columns_of_numbers(X):
    """Return the names of the columns of a data frame that are of numbers."""
    if hasattr(X, "select_dtypes"):
        return list(X.select_dtypes("number", exclude="timedelta").columns)
    return [name for name, dtype in zip(X.columns, X.dtypes, strict=True) if dtype.is_numeric()]


def _take_words(X, rows):
    """Return rows of a data frame with columns that are not all numbers, or None."""
    return _safe_indexing(X, rows) if _has_words(X) else None


def _has_words(X):
    """Tell whether this is a data frame that is no array of numbers."""
    if not hasattr(X, "columns"):
        return False
    try:
        check_array(X, dtype=np.float64, ensure_all_finite=False)
    except (TypeError, ValueError):
        return len(_columns_of_numbers(X)) < len(X.columns)
    return False


def _check_samples(X, name, *, min_samples, takes_words):
    """Return samples as the detector takes them, and their numbers as an array."""
    check_not_masked(X, name)
    numbers = X
    if _has_words(X):
        names = _columns_of_numbers(X)
        _check_words(X, name, names, takes_words)
        numbers = X[names]
    values = check_array(
        numbers, allow_nd=True, dtype="numeric", input_name=name, ensure_min_samples=min_samples
    )
    if values.ndim > 4:
        raise ValueError(
            f"{name} must be rows (n, n_features) or images (n, height, width) or (n, height, "
            f"width, channels). Received: {name} of shape {values.shape}."
        )
    return (X if hasattr(X, "columns") else values), values


def _check_words(X, name, numbers, takes_words):
    others = ", ".join(repr(column) for column in X.columns if column not in numbers)
    if not takes_words:
        raise ValueError(
            f"{name} must hold numbers, unless detector is a pipeline that encodes words and dates."
            " Put a ColumnTransformer with a OneHotEncoder in front, say. Received: columns "
            f"{others:.300} that are not of numbers."
        )
    if not numbers:
        raise ValueError(
            f"{name} must have a column of numbers, which probes and synthetic anomalies change. "
            f"Encode one before the pipeline. Received: columns {others:.300} alone."
        )


def _check_is_image(values, input_shape):
    if input_shape is None:
        return values.ndim > 2
    if values.ndim != 2 or math.prod(input_shape) != values.shape[1]:
        raise ValueError(
            "input_shape must be the (height, width) or (height, width, channels) of the images "
            f"that the rows of X_normal are. Received: input_shape={input_shape} and X_normal of "
            f"shape {values.shape}."
        )
    return True
