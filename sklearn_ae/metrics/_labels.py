"""Label conventions, and balanced accuracy under them."""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils import column_or_1d

from sklearn_ae._base.checks import warn

_KINDS = {"b": "boolean", "i": "number", "u": "number", "f": "number", "U": "string", "T": "string"}


def is_anomaly(y, *, pos_label=None):
    """Tell which labels mark an anomaly.

    Without `pos_label`, three conventions are understood: −1 is the anomaly among −1 and +1, 1 is
    the anomaly among 0 and 1, True is the anomaly among booleans. Nothing else is guessed.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, 1)
        Labels: numbers, booleans, or strings with `pos_label`.
    pos_label : int, float, bool or str, default=None
        The label of an anomaly, of the type of the labels. All other labels are normal, and it
        need not occur. If None, the labels must follow one of the conventions.

    Returns
    -------
    is_anomaly : ndarray of shape (n,), bool
        True where the label is that of an anomaly.

    Raises
    ------
    ValueError
        If a label is missing, the labels follow no convention or are all 1 (which could mean
        either) and `pos_label` is None, or `pos_label` is of another type than they are.

    Examples
    --------
    >>> from sklearn_ae.metrics import is_anomaly
    >>> is_anomaly([1, -1, 1])
    array([False,  True, False])
    >>> is_anomaly([1, 0, 1])
    array([ True, False,  True])
    >>> is_anomaly(["good", "crack", "good"], pos_label="crack")
    array([False,  True, False])
    """
    y = _read_labels(y)
    if pos_label is not None:
        _check_is_of_type(pos_label, y)
        return np.asarray(y == pos_label, dtype=bool)
    kind = _kind(y)
    if kind == "boolean":
        return y.copy()
    values = set(np.unique(y).tolist()) if kind == "number" else None
    if values == {1}:
        raise ValueError(
            "y is ambiguous where all labels are 1: these are normal among -1 and 1, and anomalies "
            "among 0 and 1. Name the label of an anomaly with pos_label (-1 or 1), or pass "
            f"booleans, True for an anomaly. Received: {_describe(y)}."
        )
    if values is not None and values <= {-1, 1}:
        return y == -1
    if values is not None and values <= {0, 1}:
        return y == 1
    raise ValueError(
        "y must hold -1 (anomaly) and 1, or 0 and 1 (anomaly), or booleans (True for an anomaly). "
        "For other labels, name that of an anomaly with pos_label, or pass booleans such as "
        f"y == 'defect'. Received: {_describe(y)}."
    )


def balanced_accuracy(y, predictions, *, pos_label=None):
    """Score predictions of an outlier detector against labels of any convention.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels, under any convention of :func:`is_anomaly`.
    predictions : ndarray of shape (n,)
        What `predict` returned: −1 for an anomaly, +1 for a normal sample.
    pos_label : int, float, bool or str, default=None
        The label of an anomaly, where the convention does not tell.

    Returns
    -------
    balanced_accuracy : float
        Mean of the share of anomalies that were found and the share of normal samples that were
        left alone.

    Raises
    ------
    ValueError
        If there are no labels, none of an anomaly, none of a normal sample, or not one for each
        prediction.
    """
    if y is None:
        raise ValueError(
            "score needs labels: pass y. Without labels, compare score_samples(X), such as its "
            "mean over normal samples, or the validation loss in history_ of an autoencoder. "
            "Received: y=None."
        )
    anomalies = read_two_classes(y, pos_label=pos_label, metric="the balanced accuracy")
    return float(balanced_accuracy_score(anomalies, predictions == -1))


def read_two_classes(y, *, pos_label, metric):
    """Tell which labels mark an anomaly, where both kinds must occur.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels, under any convention of :func:`is_anomaly`.
    pos_label : int, float, bool, str or None
        The label of an anomaly, where the convention does not tell.
    metric : str
        What needs both kinds, for the error.

    Returns
    -------
    is_anomaly : ndarray of shape (n,), bool

    Raises
    ------
    ValueError
        If the labels are not understood, or all of one kind.
    """
    anomalies = is_anomaly(y, pos_label=pos_label)
    n_anomalies = int(np.sum(anomalies))
    if n_anomalies in (0, len(anomalies)):
        raise ValueError(
            f"y must label both anomalies and normal samples: of one class, {metric} is not "
            "defined. In a cross-validation, use cv=StratifiedKFold(shuffle=True). Received: "
            f"{n_anomalies} anomalies among {len(anomalies)} labels."
        )
    return anomalies


def find_pos_label(estimator, *, asked=None):
    """Find the label of an anomaly that an estimator, or one inside of it, names.

    Parameters
    ----------
    estimator : object
    asked : int, float, bool or str, default=None
        The label that a scorer was told.

    Returns
    -------
    pos_label : int, float, bool, str or None
        None if none names one.

    Raises
    ------
    ValueError
        If they name several: what is learned as normal would be judged as an anomaly. If `asked`
        is no label.
    """
    found = _named_labels(estimator)
    if asked is not None:
        check_pos_label(asked)
        found.add(asked)
    if len(found) > 1:
        raise ValueError(
            "pos_label must be one label of an anomaly: what one part leaves out of the training, "
            "another must not take for normal. Give the estimator, all that it wraps and the "
            f"scorer the same. Received: several labels, pos_label={sorted(map(repr, found))}."
        )
    return found.pop() if found else None


def check_pos_label(pos_label):
    """Raise a ValueError unless `pos_label` is one label, whatever the labels are.

    Parameters
    ----------
    pos_label : object

    Raises
    ------
    ValueError
        If it is several, or missing.
    """
    if not np.isscalar(pos_label) or _is_missing(pos_label):
        raise ValueError(f"pos_label must be one label. Received: pos_label={pos_label!r}.")


def warn_if_anomalies_are_labeled(y):
    """Warn if y labels anomalies, which a detector would learn as normal samples.

    Parameters
    ----------
    y : object
        What was passed to `fit`. Labels of no known convention mean nothing here.
    """
    if y is None:
        return
    try:
        anomalies = is_anomaly(y)
    except (ValueError, TypeError):
        return
    n_anomalies = int(np.sum(anomalies))
    if 0 < n_anomalies < len(anomalies):
        warn(
            f"y labels {n_anomalies} of {len(anomalies)} samples as anomalies (-1 among -1 and 1, "
            "1 among 0 and 1, True among booleans), and fit ignores y: the detector learns them "
            "as normal. Wrap it, or the pipeline around it, in NormalsOnly, which drops them, or "
            "pass normal samples without y."
        )


def _named_labels(estimator):
    # What judges is what a search has found: its grid may name the label, or the whole detector.
    estimator = getattr(estimator, "best_estimator_", estimator)
    parameters = estimator.get_params() if hasattr(estimator, "get_params") else {}
    found = {
        value
        for name, value in parameters.items()
        if name.rpartition("__")[2] == "pos_label" and value is not None
    }
    # The parameters of a frozen estimator are not among those of what is around it.
    for part in [estimator, *parameters.values()]:
        if isinstance(part, FrozenEstimator):
            found |= _named_labels(part.estimator)
    return found


def _read_labels(y):
    """Return labels as a vector of one type, in which none is missing."""
    if y is None:
        raise ValueError("y must be labels, one for each sample. Received: y=None.")
    if isinstance(y, list | tuple):
        # NumPy would turn numbers, None and NaN among strings into text.
        y = np.array(y, dtype=object)
    if np.ma.isMaskedArray(y):
        _check_none_is_missing(y, np.ma.getmaskarray(y))
        y = y.data
    y = column_or_1d(y)
    if y.dtype == object:
        _check_none_is_missing(y, np.array([_is_missing(label) for label in y], dtype=bool))
        one_of_each_type = {type(label): label for label in y}.values()
        kinds = sorted({_kind(np.asarray(label)) for label in one_of_each_type})
        if len(kinds) > 1:
            raise ValueError(
                "y must hold labels of one type; convert them. Received: labels of the types "
                f"{', '.join(kinds)}: {_describe(y)}."
            )
        return np.array(y.tolist())
    _check_none_is_missing(y, y != y)
    return y


def _is_missing(label):
    # NaN equals nothing, and comparing pandas's NA gives no boolean.
    equals_itself = label == label
    return label is None or not (isinstance(equals_itself, bool | np.bool_) and equals_itself)


def _check_none_is_missing(y, missing):
    if np.any(missing):
        raise ValueError(
            "y must have a label for each sample; leave out those without. Received: "
            f"{np.sum(missing)} missing labels (None or NaN) among {len(y)}."
        )


def _check_is_of_type(pos_label, y):
    check_pos_label(pos_label)
    label = np.asarray(pos_label)
    # Labels of another type would match nothing, and pass for normal ones.
    if len(y) > 0 and _kind(label) != _kind(y):
        raise ValueError(
            f"pos_label must be of the type of the labels in y, {_kind(y)}. Received: "
            f"pos_label={pos_label!r}, a {_kind(label)}, and {_describe(y)}."
        )


def _kind(labels):
    return _KINDS.get(labels.dtype.kind, labels.dtype.name)


def _describe(y):
    values = list(dict.fromkeys(map(repr, y.tolist())))
    return f"labels {', '.join(values[:5])}{', …' if len(values) > 5 else ''}"
