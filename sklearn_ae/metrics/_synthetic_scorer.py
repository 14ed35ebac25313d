"""A scorer that needs no labels: normal samples against anomalies made from them."""

from numbers import Integral

import numpy as np

from sklearn_ae._base.sklearn_compat import _safe_indexing
from sklearn_ae.datasets._synthetic import IMAGE_KINDS, ROW_KINDS, make_anomalies
from sklearn_ae.metrics._labels import is_anomaly
from sklearn_ae.metrics._scorers import anomaly_scorer


def synthetic_anomaly_scorer(
    kind="mixed", metric="roc_auc", *, input_shape=None, random_state=0, **kwargs
):
    """Make a scorer that tells normal samples from anomalies made from them.

    With it, a search over parameters needs no labels: ``GridSearchCV(detector, grid,
    scoring=synthetic_anomaly_scorer()).fit(X)`` runs on normal samples alone. The winner is the
    best at finding anomalies of these kinds, and may be a poor choice for others: where anomalies
    are other things than normal samples with a defect, the order of detectors has been seen to be
    the opposite (see the user guide). Check it on a few real ones.

    Parameters
    ----------
    kind : str, default="mixed"
        What the anomalies look like: see :func:`~sklearn_ae.datasets.make_anomalies`.
    metric : str, default="roc_auc"
        Name of a metric of :func:`anomaly_scorer`.
    input_shape : tuple of int or None, default=None
        Height and width, and channels if any, of the images that the rows of X are.
    random_state : int, default=0
        Seed of the anomalies: all candidates of a search see the same.
    **kwargs : dict
        Options of the metric, and `pos_label` where `y` is given and the convention does not
        tell which label is the anomaly: see :func:`anomaly_scorer`.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y=None)`` returns a float; higher is better. Samples that `y`, if
        given, labels as anomalies are left out.

    Raises
    ------
    ValueError, TypeError
        If there is no such kind, metric or option, or `random_state` is no int.

    See Also
    --------
    anomaly_scorer : Scorers with labels.
    sklearn_ae.datasets.make_anomalies : The anomalies.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from sklearn_ae.metrics import synthetic_anomaly_scorer
    >>> position = np.random.default_rng(0).uniform(size=(200, 1))
    >>> search = GridSearchCV(
    ...     LocalOutlierFactor(novelty=True),
    ...     {"n_neighbors": [5, 100]},
    ...     scoring=synthetic_anomaly_scorer("permuted"),
    ...     error_score="raise",
    ... )
    >>> search.fit(np.hstack([position, position**2])).best_params_
    {'n_neighbors': 5}
    """
    kinds = ("mixed", *IMAGE_KINDS, *ROW_KINDS)
    if kind not in kinds:
        raise ValueError(
            f"kind must be one of {', '.join(map(repr, kinds))}. Received: kind={kind!r}."
        )
    if not isinstance(random_state, Integral):
        raise TypeError(
            "random_state must be an int, so that all candidates are scored with the same "
            f"anomalies. Received: random_state={random_state!r}."
        )
    return _SyntheticAnomalyScorer(
        anomaly_scorer(metric, **kwargs), kind, input_shape, int(random_state)
    )


class _SyntheticAnomalyScorer:
    def __init__(self, scorer, kind, input_shape, random_state):
        self.scorer = scorer
        self.kind = kind
        self.input_shape = input_shape
        self.random_state = random_state

    def __call__(self, estimator, X, y=None):
        if y is not None:
            is_normal = ~is_anomaly(y, pos_label=self.scorer.find_pos_label(estimator))
            X = _safe_indexing(X, np.flatnonzero(is_normal))
        anomalies, _ = make_anomalies(
            X, kind=self.kind, input_shape=self.input_shape, random_state=self.random_state
        )
        responses = [
            self.scorer.respond(estimator, samples) for samples in (X, as_container(anomalies, X))
        ]
        labels = np.repeat([False, True], [len(response) for response in responses])
        return self.scorer.measure(labels, np.concatenate(responses))

    def __repr__(self):
        arguments = [repr(self.kind), repr(self.scorer.name)]
        if self.scorer.pos_label is not None:
            arguments.append(f"pos_label={self.scorer.pos_label!r}")
        if self.input_shape is not None:
            arguments.append(f"input_shape={self.input_shape!r}")
        arguments.append(f"random_state={self.random_state}")
        arguments += [f"{name}={value!r}" for name, value in self.scorer.options.items()]
        return f"synthetic_anomaly_scorer({', '.join(arguments)})"


def as_container(rows, X):
    """Return rows as a data frame if X is one: pipelines may select columns by name.

    Parameters
    ----------
    rows : ndarray of shape (n, ...)
    X : array-like
        A data frame, or anything else.

    Returns
    -------
    rows : ndarray or data frame of the columns of X
    """
    if not hasattr(X, "columns"):
        return rows
    names = {"columns": X.columns} if hasattr(X, "iloc") else {"schema": list(X.columns)}
    return type(X)(rows, **names)
