"""Scorers of outlier detectors, right under every convention of labels."""

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)
from sklearn.utils import assert_all_finite

from sklearn_ae._base.outlier_scores import compute_anomaly_scores, predict_anomalies
from sklearn_ae._base.sklearn_compat import Interval
from sklearn_ae.metrics._labels import check_pos_label, find_pos_label, read_two_classes


def anomaly_scorer(name, *, pos_label=None, **kwargs):
    """Make a scorer of outlier detectors, with the anomalies as the positive class.

    The scorer goes wherever scikit-learn takes `scoring`, and judges any outlier detector, pipeline
    or search around one. scikit-learn's own "roc_auc" takes a detector for a classifier whose
    scores are high for the label 1: with labels 0 and 1, where 1 is the anomaly, it prefers the
    worst detector.

    Parameters
    ----------
    name : str
        The metric. These judge the ranking by −`score_samples`, or by −`decision_function` if there
        is no other, whatever the threshold:

        - "roc_auc": area under the ROC curve; with `max_fpr`, in (0, 1], the partial area up to
          this false-alarm rate, standardized so that chance is 0.5 [1]_;
        - "average_precision": area under the precision–recall curve, as a sum of steps;
        - "recall_at_false_alarm_rate": the largest recall among thresholds that flag at most the
          share `false_alarm_rate`, in [0, 1), of the normal samples;
        - "precision_at_k": share of anomalies among the `k` samples that are the most abnormal.

        These judge `predict`, so the detector's own threshold:

        - "balanced_accuracy", "f1", "matthews_corrcoef", "precision", "recall"; "f1" and
          "precision" are 0 if nothing is flagged;
        - "neg_cost": minus the mean cost a sample, where a false alarm costs 1 and a missed anomaly
          `cost_ratio`.

    pos_label : int, float, bool or str, default=None
        The label of an anomaly, where the convention does not tell: see :func:`is_anomaly`. If
        None, the `pos_label` of the estimator is used if it has one, such as that of
        :class:`.NormalsOnly`; else it must be the same.
    **kwargs : dict
        Options of the metric: `max_fpr`, `false_alarm_rate`, `k`, `cost_ratio`.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y)`` returns a float; higher is better.

    Raises
    ------
    ValueError
        If there is no such metric, or an option or `pos_label` has no such value. The scorer itself
        raises it if `y` is of one class, or does not tell which label marks an anomaly, or the
        estimator takes another label than `pos_label` for that of an anomaly.
    TypeError
        If there is no such option, or one is missing. The scorer itself raises it if the estimator
        is no outlier detector.

    See Also
    --------
    is_anomaly : The conventions of labels.
    sklearn.metrics.make_scorer : Scorers of classifiers and regressors.

    Notes
    -----
    The figures are those of scikit-learn's functions of the same names. Equal scores never count as
    ranked: a threshold flags all of them or none, and where they straddle the k-th place,
    "precision_at_k" is its expected value over all orders of the equal ones [2]_.

    A cost counts anomalies at their share in `y`; labeled samples often hold more of them than
    there are in use, and then `cost_ratio` must be lowered by as much.

    References
    ----------
    .. [1] D. K. McClish, "Analyzing a portion of the ROC curve", Medical Decision Making 9(3),
       1989, :doi:`10.1177/0272989X8900900307`.
    .. [2] F. McSherry and M. Najork, "Computing information retrieval performance measures
       efficiently in the presence of tied scores", ECIR 2008,
       :doi:`10.1007/978-3-540-78646-7_38`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.model_selection import StratifiedKFold, cross_validate
    >>> from sklearn_ae import NormalsOnly
    >>> from sklearn_ae.metrics import anomaly_scorer
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> X[:20] += 6
    >>> y = np.repeat([1, 0], [20, 80])
    >>> results = cross_validate(
    ...     NormalsOnly(IsolationForest(n_estimators=20, random_state=0)),
    ...     X,
    ...     y,
    ...     scoring={
    ...         "partial_auc": anomaly_scorer("roc_auc", max_fpr=0.1),
    ...         "recall": anomaly_scorer("recall"),
    ...     },
    ...     cv=StratifiedKFold(n_splits=2, shuffle=True, random_state=0),
    ...     error_score="raise",
    ... )
    >>> results["test_partial_auc"]
    array([1., 1.])
    """
    if not isinstance(name, str) or name not in RANKING_METRICS | DECISION_METRICS:
        raise ValueError(
            f"name must be a metric: {', '.join(sorted(RANKING_METRICS | DECISION_METRICS))}. "
            f"Received: name={name!r}."
        )
    if pos_label is not None:
        check_pos_label(pos_label)
    _check_options(name, kwargs)
    return AnomalyScorer(name, pos_label, kwargs)


class AnomalyScorer:
    """What `anomaly_scorer` returns.

    Parameters
    ----------
    name : str
    pos_label : int, float, bool, str or None
    options : dict
        Keyword arguments of the metric.
    """

    def __init__(self, name, pos_label, options):
        self.name = name
        self.pos_label = pos_label
        self.options = options

    # scikit-learn leaves y out if there is none; the default serves the error about it.
    def __call__(self, estimator, X, y=None):
        pos_label = self.find_pos_label(estimator)
        anomalies = read_two_classes(y, pos_label=pos_label, metric=self.name)
        return self.measure(anomalies, self.respond(estimator, X))

    def find_pos_label(self, estimator):
        """Return the label of an anomaly, the scorer's or the estimator's, or None."""
        if self.pos_label is None:
            return find_pos_label(estimator)
        return find_pos_label(estimator, asked=self.pos_label)

    def respond(self, estimator, X):
        """Return what the metric judges: anomaly scores, or which samples are flagged."""
        is_ranking = self.name in RANKING_METRICS
        return (compute_anomaly_scores if is_ranking else predict_anomalies)(estimator, X)

    def measure(self, anomalies, response):
        """Return the metric of what `respond` returned."""
        metric = (RANKING_METRICS | DECISION_METRICS)[self.name]
        return float(metric(anomalies, response, **self.options))

    def __repr__(self):
        arguments = [repr(self.name)]
        if self.pos_label is not None:
            arguments.append(f"pos_label={self.pos_label!r}")
        arguments += [f"{name}={value!r}" for name, value in self.options.items()]
        return f"anomaly_scorer({', '.join(arguments)})"


def _recall_at_false_alarm_rate(anomalies, scores, *, false_alarm_rate):
    rates, recalls, _ = roc_curve(anomalies, scores, drop_intermediate=False)
    # A rate computed in floating point, such as 1 - 0.9, must not miss the count that it means.
    return np.max(recalls[rates <= false_alarm_rate + 1e-9])


def _precision_at_k(anomalies, scores, *, k):
    if k > len(scores):
        raise ValueError(
            "k must be at most the number of samples; in a cross-validation, that of a test fold. "
            f"Received: k={k}, and {len(scores)} samples."
        )
    # NaN equals nothing, and would leave no sample at the k-th place.
    assert_all_finite(scores, input_name="anomaly scores")
    kth_score = np.partition(scores, -k)[-k]
    above, tied = scores > kth_score, scores == kth_score
    # The places that are left go to a random choice of those that share the k-th score.
    expected = (k - np.sum(above)) * np.mean(anomalies[tied])
    return (np.sum(anomalies[above]) + expected) / k


def _neg_cost(anomalies, flagged, *, cost_ratio):
    # No cost is 0.0, not -0.0.
    return 0.0 - np.mean(np.where(anomalies, cost_ratio * ~flagged, flagged))


# Functions of which samples are anomalies and of their anomaly scores, ...
RANKING_METRICS = {
    "average_precision": average_precision_score,
    "precision_at_k": _precision_at_k,
    "recall_at_false_alarm_rate": _recall_at_false_alarm_rate,
    "roc_auc": roc_auc_score,
}
# ... and of which samples are anomalies and which are flagged.
DECISION_METRICS = {
    "balanced_accuracy": balanced_accuracy_score,
    "f1": partial(f1_score, zero_division=0),
    "matthews_corrcoef": matthews_corrcoef,
    "neg_cost": _neg_cost,
    "precision": partial(precision_score, zero_division=0),
    "recall": recall_score,
}

_REQUIRED_OPTIONS = {
    "neg_cost": {"cost_ratio": Interval(Real, 0, None, closed="neither")},
    "precision_at_k": {"k": Interval(Integral, 1, None, closed="left")},
    "recall_at_false_alarm_rate": {"false_alarm_rate": Interval(Real, 0, 1, closed="left")},
}
_OPTIONS = _REQUIRED_OPTIONS | {"roc_auc": {"max_fpr": Interval(Real, 0, 1, closed="right")}}


def _check_options(name, given):
    allowed = _OPTIONS.get(name, {})
    for option, value in given.items():
        if option not in allowed:
            raise TypeError(
                f"anomaly_scorer({name!r}) takes {', '.join(allowed) or 'no option'} beside "
                f"pos_label. Received: {option}={value!r}."
            )
        if not allowed[option].is_satisfied_by(value):
            raise ValueError(f"{option} must be {allowed[option]}. Received: {option}={value!r}.")
    for option, constraint in _REQUIRED_OPTIONS.get(name, {}).items():
        if option not in given:
            raise TypeError(
                f"anomaly_scorer({name!r}) needs {option}, {constraint}. Received: no {option}."
            )
