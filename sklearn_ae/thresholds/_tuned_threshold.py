"""TunedThresholdDetectorCV: the best threshold, by cross-validation, at one fit a fold."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit, check_cv
from sklearn.utils import indexable
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from sklearn_ae._base.checks import warn
from sklearn_ae._base.outlier_scores import find_threshold
from sklearn_ae._base.sklearn_compat import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    _safe_indexing,
)
from sklearn_ae.metrics import anomaly_scorer, is_anomaly
from sklearn_ae.metrics._labels import find_pos_label, read_two_classes
from sklearn_ae.metrics._scorers import RANKING_METRICS, AnomalyScorer
from sklearn_ae.thresholds._threshold_search import compare_thresholds, fit_and_score_fold
from sklearn_ae.thresholds._wrapper import POS_LABEL_CONSTRAINTS, ThresholdWrapper

DEFAULT_N_FOLDS = 5


class TunedThresholdDetectorCV(ThresholdWrapper):
    """Outlier detector whose threshold is chosen by cross-validation on labeled samples.

    It is to outlier detectors what :class:`~sklearn.model_selection.TunedThresholdClassifierCV` is
    to classifiers. In each fold a clone of the estimator is fitted once, to the normal samples of
    the training part, and scores all of the held-out samples. The thresholds are compared on these
    out-of-fold scores, so trying one more costs no fit. Then the estimator is fitted to all normal
    samples. No fit ever sees an anomaly.

    Parameters
    ----------
    estimator : estimator object
        Outlier detector with `score_samples`, or a pipeline that ends in one. Clones of it are
        fitted. To tune the threshold of a detector that is fitted already, wrap it in a
        :class:`~sklearn.frozen.FrozenEstimator`.
    scoring : {"balanced_accuracy", "f1", "matthews_corrcoef", "precision", "recall"} or callable, \
default="balanced_accuracy"
        What is maximized: a metric of :func:`sklearn_ae.metrics.anomaly_scorer`; a scorer that it
        makes, such as ``anomaly_scorer("neg_cost", cost_ratio=20)`` where a missed anomaly costs
        as much as 20 false alarms; or any other ``scorer(estimator, X, y)``, to which `estimator`
        offers nothing but `predict`. It must depend on the predictions, not on scores: those are
        the same for every threshold.
    max_false_alarm_rate : float, default=None
        Largest share of the held-out normal samples, in [0, 1), that a threshold may flag to be
        chosen. With ``scoring="recall"``, this finds the most anomalies at a tolerable number of
        false alarms. If None, there is no limit.
    thresholds : int or array-like of shape (n_thresholds,), default=100
        Thresholds to try: anomaly scores, in the units of −`score_samples`, above which a sample is
        an anomaly. An array must be ascending. If int, at most so many are placed halfway between
        out-of-fold scores that follow each other: first where a normal sample lies below and an
        anomaly above, then evenly over the ranks of the scores.
    pos_label : int, float, bool or str, default=None
        The label of an anomaly, where the convention does not tell: see
        :func:`sklearn_ae.metrics.is_anomaly`.
    cv : int, float, cross-validation generator or iterable, default=None
        How samples are held out. None stands for 5 folds, an int for another number of them:
        ``StratifiedKFold(cv, shuffle=True, random_state=random_state)``. A float in (0, 1) is the
        share of the samples that is held out, once. A generator is given the labels 0 and 1 for
        normal samples and anomalies. For groups, pass ``list(splitter.split(X, y, groups))``.
    refit : bool, default=True
        Whether to fit the estimator to all normal samples in the end. If False, which needs a
        single split, such as a float `cv`, the one fitted to the training part is kept.
    n_jobs : int, default=None
        Number of folds that are fitted at a time. None means 1, unless in a
        :func:`joblib.parallel_config` context; −1 means all processors.
    random_state : int, RandomState instance or None, default=None
        Source of the folds that None, an int or a float `cv` stands for.
    store_cv_results : bool, default=True
        Whether to keep `cv_results_`, five numbers per threshold, which
        :class:`.ThresholdCurveDisplay` draws.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted detector.
    best_threshold_ : float
        The threshold chosen, or that of `estimator_` if there were no labels.
    best_score_ : float or None
        Mean over the folds of `scoring` at `best_threshold_`. None if there were no labels.
    cv_results_ : dict of ndarray of shape (n_thresholds,)
        The "thresholds"; the mean of `scoring` over the folds ("scores") and its standard
        deviation ("std_scores"); the shares of all held-out anomalies ("recalls") and normal
        samples ("false_alarm_rates") that are flagged. Missing without labels, or with
        ``store_cv_results=False``.
    offset_ : float
        −`best_threshold_`: `decision_function` is `score_samples` − `offset_`.
    n_features_in_ : int
        Number of features seen during `fit`, if the wrapped estimator has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if the wrapped estimator has them.

    See Also
    --------
    FixedThresholdDetector : Outlier detector with a threshold that is given.
    sklearn_ae.inspection.ThresholdCurveDisplay : Picture of `cv_results_`.
    sklearn.model_selection.TunedThresholdClassifierCV : The same for classifiers.

    Notes
    -----
    As in scikit-learn, the score of a threshold is the mean of its scores in the folds: each fold
    has a detector of its own, whose scores are compared with its own samples only. Three things
    differ. There is no interpolation, since each threshold is tried in each fold. An int
    `thresholds` places them by rank: spread evenly from the lowest score to the highest, they would
    all lie above the normal samples if a single anomaly scores a thousand times higher. And among
    equally good thresholds, the one with the largest difference of recall and false-alarm rate is
    chosen, the middle one if there are several.

    The threshold is chosen for detectors that are fitted to the training parts, and used with one
    that is fitted to all normal samples, whose scores may differ a little. `best_score_` is the
    highest of many: judge the detector on samples of its own, or by an outer cross-validation.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from sklearn_ae import TunedThresholdDetectorCV
    >>> from sklearn_ae.metrics import anomaly_scorer, is_anomaly
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> X[::10] += 2
    >>> y = np.where(np.arange(200) % 10 == 0, "defect", "good")
    >>> detector = TunedThresholdDetectorCV(
    ...     LocalOutlierFactor(novelty=True),
    ...     scoring=anomaly_scorer("neg_cost", cost_ratio=20),
    ...     pos_label="defect",
    ...     random_state=0,
    ... )
    >>> round(detector.fit(X, y).best_threshold_, 2)
    1.11
    >>> careful = detector.set_params(scoring="recall", max_false_alarm_rate=0.05)
    >>> round(careful.fit(X, y).best_threshold_, 2)
    1.64
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "score_samples"])],
        "scoring": [
            StrOptions({"balanced_accuracy", "f1", "matthews_corrcoef", "precision", "recall"}),
            callable,
        ],
        "max_false_alarm_rate": [Interval(Real, 0, 1, closed="left"), None],
        "thresholds": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "pos_label": POS_LABEL_CONSTRAINTS,
        "cv": ["cv_object", Interval(Real, 0, 1, closed="neither")],
        "refit": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "store_cv_results": ["boolean"],
    }

    def __init__(
        self,
        estimator,
        *,
        scoring="balanced_accuracy",
        max_false_alarm_rate=None,
        thresholds=100,
        pos_label=None,
        cv=None,
        refit=True,
        n_jobs=None,
        random_state=None,
        store_cv_results=True,
    ):
        self.estimator = estimator
        self.scoring = scoring
        self.max_false_alarm_rate = max_false_alarm_rate
        self.thresholds = thresholds
        self.pos_label = pos_label
        self.cv = cv
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.store_cv_results = store_cv_results

    @property
    def offset_(self):
        """Minus the threshold."""
        check_is_fitted(self)
        return -self.best_threshold_

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Choose the threshold, and fit the estimator to the normal samples.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.
        y : array-like of shape (n,), default=None
            Labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`. If None, all
            samples are taken for normal and the estimator keeps its own threshold, with a warning.

        Returns
        -------
        self : TunedThresholdDetectorCV
            The fitted estimator.

        Raises
        ------
        ValueError
            If the labels are not understood or of one class, a fold lacks anomalies or normal
            samples, a parameter cannot be used, or no threshold keeps to `max_false_alarm_rate`.
        """
        thresholds = _check_thresholds(self.thresholds)
        pos_label = find_pos_label(self)
        scorer = self._make_scorer(pos_label)
        if y is None:
            return self._fit_without_labels(X)
        X, y = indexable(X, y)
        anomalies = read_two_classes(y, pos_label=pos_label, metric="the best threshold")
        _check_reads_alike(scorer, y, anomalies)
        folds = self._make_folds(X, anomalies)
        scores, estimators = zip(
            *Parallel(n_jobs=self.n_jobs)(
                delayed(fit_and_score_fold)(
                    clone(self.estimator), X, *fold, keep_estimator=not self.refit
                )
                for fold in folds
            ),
            strict=True,
        )
        test_rows = [rows for _, rows in folds]
        results = compare_thresholds(
            thresholds, scorer, X, y, anomalies, test_rows, scores, pos_label=pos_label
        )
        best = self._choose(results)
        estimator = estimators[0]
        if self.refit:
            estimator = clone(self.estimator).fit(
                _safe_indexing(X, np.flatnonzero(~anomalies)), None
            )
        self._set_fitted(
            estimator, results["thresholds"][best], float(results["scores"][best]), results
        )
        return self

    def _make_scorer(self, pos_label):
        if isinstance(self.scoring, str):
            return anomaly_scorer(self.scoring, pos_label=pos_label)
        if isinstance(self.scoring, AnomalyScorer) and self.scoring.name in RANKING_METRICS:
            raise ValueError(
                "scoring must judge predictions, not the ranking, which is the same for every "
                "threshold: pass 'balanced_accuracy', say, or 'recall' with max_false_alarm_rate. "
                f"Received: scoring={self.scoring!r}."
            )
        return self.scoring

    def _make_folds(self, X, anomalies):
        """Return the normal rows to fit to and the rows to test on, of each fold."""
        folds = []
        for training_rows, test_rows in self._make_splitter(anomalies).split(X, anomalies * 1):
            rows = np.arange(len(anomalies))
            training_rows, test_rows = rows[training_rows], rows[test_rows]
            training_rows = training_rows[~anomalies[training_rows]]
            n_anomalies = int(np.sum(anomalies[test_rows]))
            n_normals = len(test_rows) - n_anomalies
            if min(n_anomalies, n_normals, len(training_rows) - 1) < 1:
                raise ValueError(
                    "Each fold of cv must have two normal samples to fit to, and anomalies and "
                    "normal samples to test on: use StratifiedKFold(shuffle=True), with fewer "
                    f"folds if there are few anomalies. Received: a fold of {len(training_rows)} "
                    f"normal samples to fit to, and {n_anomalies} anomalies and {n_normals} normal "
                    "samples to test on."
                )
            folds.append((training_rows, test_rows))
        if not folds:
            raise ValueError("cv must have at least one split. Received: none.")
        if not self.refit and len(folds) > 1:
            raise ValueError(
                "refit must be True with several folds, as each has a detector of its own; for a "
                f"single split, pass a share as cv, such as cv=0.2. Received: {len(folds)} folds."
            )
        return folds

    def _make_splitter(self, anomalies):
        if isinstance(self.cv, Real) and not isinstance(self.cv, Integral):
            return StratifiedShuffleSplit(1, test_size=self.cv, random_state=self.random_state)
        if self.cv is not None and not isinstance(self.cv, Integral):
            return check_cv(self.cv)
        n_folds = DEFAULT_N_FOLDS if self.cv is None else self.cv
        n_anomalies = int(np.sum(anomalies))
        if n_folds > min(n_anomalies, len(anomalies) - n_anomalies):
            raise ValueError(
                "cv must be at most the number of anomalies and that of normal samples, for each "
                f"fold needs both. Received: cv={self.cv}, which is {n_folds} folds, "
                f"{n_anomalies} anomalies and {len(anomalies) - n_anomalies} normal samples."
            )
        return StratifiedKFold(n_folds, shuffle=True, random_state=self.random_state)

    def _choose(self, results):
        """Return the index of the best threshold."""
        allowed = np.isfinite(results["scores"])
        if self.max_false_alarm_rate is not None:
            # A rate computed in floating point must not miss the count that it means.
            allowed &= results["false_alarm_rates"] <= self.max_false_alarm_rate + 1e-9
        if not np.any(allowed):
            raise ValueError(
                "thresholds must hold one with a finite score that keeps to max_false_alarm_rate; "
                "try larger ones. Received: false-alarm rates down to "
                f"{np.min(results['false_alarm_rates']):.4g}, "
                f"max_false_alarm_rate={self.max_false_alarm_rate}, and "
                f"{np.sum(np.isfinite(results['scores']))} finite scores."
            )
        scores = np.where(allowed, results["scores"], -np.inf)
        best = np.flatnonzero(scores == np.max(scores))
        gains = (results["recalls"] - results["false_alarm_rates"])[best]
        best = best[gains == np.max(gains)]
        # The middle one is the farthest from where samples are.
        return best[(len(best) - 1) // 2]

    def _fit_without_labels(self, X):
        if not hasattr(self.estimator, "decision_function"):
            raise ValueError(
                "y must be labels, as the estimator has no threshold of its own to keep. Received: "
                "y=None, and an estimator without decision_function, "
                f"{type(self.estimator).__name__}."
            )
        warn(
            "A threshold cannot be tuned without labels: the estimator is fitted to all samples "
            "and keeps its own. Pass y to tune it.",
        )
        (X,) = indexable(X)
        estimator = clone(self.estimator).fit(X, None)
        threshold = find_threshold(estimator, X, estimator.score_samples(X))
        self._set_fitted(estimator, threshold, None, None)
        return self

    def _set_fitted(self, estimator, threshold, score, results):
        self.estimator_ = estimator
        self.best_threshold_ = float(threshold)
        self.best_score_ = score
        vars(self).pop("cv_results_", None)
        if self.store_cv_results and results is not None:
            self.cv_results_ = results


def _check_thresholds(thresholds):
    """Return a positive int as it is, and an array as ascending finite numbers."""
    if isinstance(thresholds, Integral):
        return thresholds
    try:
        values = np.asarray(thresholds)
    except ValueError:  # lists of several lengths
        values = np.empty(0)
    is_vector = values.ndim == 1 and len(values) > 0 and values.dtype.kind in "iuf"
    if not (is_vector and np.all(np.isfinite(values)) and np.all(np.diff(values) > 0)):
        raise ValueError(
            "thresholds must be a positive int, or finite numbers in ascending order, each once. "
            f"Received: thresholds={thresholds!r}."
        )
    return values.astype(np.float64)


def _check_reads_alike(scorer, y, anomalies):
    """Refuse a scorer for which other samples are anomalies than those that no fit is to see."""
    label = scorer.pos_label if isinstance(scorer, AnomalyScorer) else None
    if label is not None and np.any(is_anomaly(y, pos_label=label) != anomalies):
        raise ValueError(
            "scoring must take the same samples for anomalies as the detector: give both one "
            f"pos_label. Received: scoring={scorer!r}, and a detector that reads the labels "
            "otherwise."
        )
