"""ConformalDetector: p-values, and a threshold whose false-alarm rate is guaranteed."""

from numbers import Integral, Real

import numpy as np
from scipy.stats import false_discovery_control
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import indexable
from sklearn.utils.validation import check_is_fitted

from sklearn_ae._base.checks import warn
from sklearn_ae._base.order_statistics import choose_rank, conformal_p_values, count_rows_needed
from sklearn_ae._base.outlier_scores import check_has_anomaly_scores, compute_anomaly_scores
from sklearn_ae._base.sklearn_compat import (
    HasMethods,
    Interval,
    _fit_context,
    _num_samples,
    _safe_indexing,
)
from sklearn_ae.metrics._labels import warn_if_anomalies_are_labeled
from sklearn_ae.thresholds._independence import check_no_labels_are_lost, check_rows_are_new
from sklearn_ae.thresholds._report import CalibrationReport
from sklearn_ae.thresholds._wrapper import ThresholdWrapper


class ConformalDetector(ThresholdWrapper):
    """Outlier detector with p-values and a guaranteed false-alarm rate.

    Part of the rows that `fit` gets train the wrapped detector; the others, which it never learns,
    calibrate: where a new score falls among theirs says how likely a normal sample is to score so
    low [1]_ [2]_. The guarantee holds for any detector, good or bad, and any distribution of the
    data, if new normal samples are exchangeable with the calibration rows: drawn independently from
    the same source, say. It says nothing of samples from elsewhere, and nothing of how many
    anomalies are found.

    Parameters
    ----------
    estimator : estimator object
        Outlier detector with `score_samples` or `decision_function`, both of which must be high for
        normal samples, or a pipeline that ends in one. A clone of it is fitted. To calibrate a
        detector that is fitted already, wrap it in a :class:`~sklearn.frozen.FrozenEstimator`: then
        all rows of `fit` calibrate, and none of them may have been used to fit it.
    false_alarm_rate : float, default=0.05
        Share of new normal samples, in (0, 1), that may be flagged as anomalies.
    confidence : float or None, default=None
        If None, `false_alarm_rate` is kept to on average over calibrations; a single one may exceed
        it. Otherwise a probability in (0, 1), such as 0.95: that of drawing calibration rows whose
        threshold keeps to `false_alarm_rate` for all samples to come [2]_ [3]_.
    calibration_size : float or int, default=0.3
        Share of the rows, in (0, 1), or number of rows that calibrate. Not used with a
        :class:`~sklearn.frozen.FrozenEstimator`.
    random_state : int, RandomState instance or None, default=None
        Source of the choice of calibration rows.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted clone of `estimator`, or the frozen estimator.
    offset_ : float
        Threshold on `score_samples`: the k-th smallest of `calibration_scores_`, where k is
        ⌊false_alarm_rate · (n + 1)⌋ without `confidence`, else the largest k such that
        P(Beta(k, n + 1 − k) ≤ false_alarm_rate) ≥ confidence.
    calibration_scores_ : ndarray of shape (n_calibration,), float64
        `score_samples` of the calibration rows, ascending: the most abnormal first.
    calibration_indices_ : ndarray of shape (n_calibration,), int
        Which rows of X these are, in the same order, and in that of X where scores are equal.
        Inside of a :class:`.NormalsOnly`, X are the rows that it keeps, those labeled as normal.
    n_features_in_ : int
        Number of features seen during `fit`, if the wrapped estimator has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if the wrapped estimator has them.

    See Also
    --------
    NormalsOnly : Around this detector, it drops labeled anomalies before training and calibration.
    TunedThresholdDetectorCV : Finds a threshold from labeled anomalies, without a guarantee.

    Notes
    -----
    Let n be the number of calibration rows and s₍ₖ₎ the k-th smallest of their scores. A sample is
    flagged if its score is below s₍ₖ₎, not if it is equal. That is the case if and only if at most
    k − 1 calibration scores are at most as high as its own, so that its p-value is at most
    k / (n + 1), whether scores have ties or not. Without `confidence`, it is therefore flagged if
    and only if its p-value is at most `false_alarm_rate`. Ties can only lower the false-alarm rate.
    If all calibration scores are equal, which gives a warning, samples are flagged that score lower
    than all of them.

    Scores are equal if they are the same number. With some detectors, convolutional networks among
    them, the last digits of a score depend on how many rows are scored at once. Where a large share
    of the normal samples is one and the same row, and scores low, that share may be flagged as a
    whole if samples are scored one by one.

    The guarantee needs calibration rows that are normal. Anomalies among them that score low lower
    the threshold: there are fewer false alarms than asked for, and fewer anomalies are found. Those
    that the detector does not see, a share c of the rows, may raise the rate, at most to
    false_alarm_rate / (1 − c). Look at the first rows that `calibration_indices_` names. Those that
    are anomalies should be dropped, and the rest may calibrate again, with the fitted detector
    frozen. The price of an error: if m of the dropped rows were normal and no anomaly is left, then
    the mean false-alarm rate is at most (k + m) / (n + m + 1), with the n and k after dropping,
    instead of k / (n + 1). With `confidence`, the rate asked for is then kept to with a probability
    of P(Beta(k + m, n + 1 − k) ≤ false_alarm_rate) only, for the k-th smallest score that is left
    is at worst the (k + m)-th of all n + m.

    Rows that a frozen detector was fitted to score higher than new ones and would set the threshold
    too high. :class:`.AutoencoderAnomalyDetector` keeps a hash of each row that its `fit` got,
    training and held-out rows alike, and `fit` here refuses rows that are among them. It looks into
    pipelines, searches and the wrappers of this package, and for what is frozen at any depth; of
    other detectors nothing is known. A row is recognized if it reaches the detector with exactly
    the values that it had in the fit, in any container, order in memory or type that holds them; a
    row that was rounded, or that a transformer such as PCA computes anew with other last digits, is
    not. New rows may equal earlier ones by nature, as in a table of a few discrete features.
    If at most as many rows are equal to rows of the fit as repeat within either of the two sets,
    `fit` warns instead. Without repeated rows, a single row of the fit is an error: drop it, if it
    is equal by coincidence.

    References
    ----------
    .. [1] R. Laxhammar and G. Falkman, "Inductive conformal anomaly detection for sequential
       detection of anomalous sub-trajectories", Annals of Mathematics and Artificial Intelligence
       74, 2015, :doi:`10.1007/s10472-013-9381-7`.
    .. [2] S. Bates, E. Candès, L. Lei, Y. Romano and M. Sesia, "Testing for outliers with conformal
       p-values", Annals of Statistics 51(1), 2023, :doi:`10.1214/22-AOS2244`.
    .. [3] V. Vovk, "Conditional validity of inductive conformal predictors", ACML 2012,
       :arxiv:`1209.2673`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from sklearn_ae import ConformalDetector
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> detector = ConformalDetector(
    ...     LocalOutlierFactor(novelty=True), confidence=0.95, random_state=0
    ... ).fit(X)
    >>> detector.predict([[0, 0], [4, 4]])
    array([ 1, -1])
    >>> detector.p_values([[0, 0], [4, 4]]).round(3)
    array([0.551, 0.003])
    >>> detector.calibration_report().rank
    9
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit"])],
        "false_alarm_rate": [Interval(Real, 0, 1, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither"), None],
        "calibration_size": [
            Interval(Real, 0, 1, closed="neither"),
            Interval(Integral, 1, None, closed="left"),
        ],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator,
        *,
        false_alarm_rate=0.05,
        confidence=None,
        calibration_size=0.3,
        random_state=None,
    ):
        self.estimator = estimator
        self.false_alarm_rate = false_alarm_rate
        self.confidence = confidence
        self.calibration_size = calibration_size
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the wrapped estimator to part of the rows, and calibrate with the others.

        If the fit fails, the detector is left as it was.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Normal samples, as the wrapped estimator takes them.
        y : Ignored
            As in every outlier detector of scikit-learn. :class:`.NormalsOnly` around this detector
            reads it. If there is one inside, which would read it for the training rows alone, it is
            refused.

        Returns
        -------
        self : ConformalDetector
            The fitted estimator.

        Raises
        ------
        ValueError
            If there are too few calibration rows, a frozen detector was fitted to some, their
            scores are not one for each and finite, or `y` is given around a :class:`.NormalsOnly`.
        TypeError
            If the estimator gives no scores, or is a classifier.
        """
        check_has_anomaly_scores(self.estimator)
        check_no_labels_are_lost(self.estimator, y)
        warn_if_anomalies_are_labeled(y)
        (X,) = indexable(X)
        training, calibration = self._split(_num_samples(X))
        rank = self._choose_rank(len(calibration), _num_samples(X))
        estimator = clone(self.estimator)
        if len(training):
            # y by position, as FrozenEstimator has no default for it.
            estimator.fit(_safe_indexing(X, training), None)
            X = _safe_indexing(X, calibration)
        check_rows_are_new(estimator, X, calibration)
        scores = -compute_anomaly_scores(estimator, X)
        _check_calibration_scores(scores)
        order = np.argsort(scores, kind="stable")
        self.estimator_ = estimator
        self.calibration_scores_ = scores[order]
        self.calibration_indices_ = calibration[order]
        self.offset_ = float(self.calibration_scores_[rank - 1])
        # Made here, as the parameters may be set to something else after the fit.
        self._report = CalibrationReport(
            self.false_alarm_rate, self.confidence, len(scores), rank, self.offset_
        )
        return self

    def _split(self, n_rows):
        """Return the rows that train and those that calibrate."""
        rows = np.arange(n_rows)
        if isinstance(self.estimator, FrozenEstimator):
            return rows[:0], rows
        size = self.calibration_size
        if isinstance(size, bool | np.bool_):
            raise ValueError(
                "calibration_size must be a share of the rows, in (0, 1), or a number of rows. "
                f"Received: calibration_size={size!r}."
            )
        if n_rows == 0:
            raise ValueError(
                "X must hold samples: some to fit to and some to calibrate with. Received: "
                "n_samples=0."
            )
        # As train_test_split counts.
        if np.ceil(size * n_rows if size < 1 else size) >= n_rows:
            raise ValueError(
                "calibration_size must leave rows to fit to: lower it, or pass more rows. "
                f"Received: calibration_size={size} of n_samples={n_rows} rows."
            )
        # scikit-learn refuses NumPy's other floats.
        size = size if isinstance(size, Integral) else float(size)
        split = train_test_split(rows, test_size=size, random_state=self.random_state)
        return tuple(map(np.sort, split))

    def _choose_rank(self, n_calibration, n_rows):
        rank = choose_rank(n_calibration, self.false_alarm_rate, self.confidence)
        if rank < 1:
            n_needed = count_rows_needed(self.false_alarm_rate, self.confidence)
            raise ValueError(
                f"false_alarm_rate={self.false_alarm_rate} with confidence={self.confidence} needs "
                f"{n_needed} calibration rows at least: pass more rows, or raise calibration_size "
                f"or false_alarm_rate. Received: {n_calibration} calibration rows of "
                f"n_samples={n_rows} rows."
            )
        return rank

    def score_samples(self, X):
        """Compute minus the anomaly scores.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Data, as the wrapped estimator takes them.

        Returns
        -------
        scores : ndarray of shape (n,), float64
            `score_samples` of the wrapped estimator, or its `decision_function` if there is no
            other: the higher, the more normal.

        Raises
        ------
        ValueError
            If a score is NaN, which no threshold and no p-value belongs to.
        """
        check_is_fitted(self)
        scores = -compute_anomaly_scores(self.estimator_, X)
        if np.any(np.isnan(scores)):
            raise ValueError(
                "estimator must give each row a score: one that is NaN is neither normal nor "
                f"abnormal. Received: {np.sum(np.isnan(scores))} scores that are NaN, of "
                f"{len(scores)}."
            )
        return scores

    def p_values(self, X):
        """Compute how rare scores as low as those of X are among normal samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Data, as the wrapped estimator takes them.

        Returns
        -------
        p_values : ndarray of shape (n_samples,), float64
            (1 + number of calibration scores that are at most as high) / (n + 1), where n is the
            number of calibration rows. Over calibrations and normal samples, P(p ≤ t) ≤ t for each
            t. A single sample is flagged by `predict` if this is small; for the anomalies among
            many samples see `discoveries`.
        """
        return conformal_p_values(self.score_samples(X), self.calibration_scores_)

    def discoveries(self, X, fdr=0.1):
        """Flag samples of a batch such that few of those flagged are false alarms.

        Of many samples, `predict` flags the same share of the normal ones, even if there is no
        anomaly. Here the threshold depends on the batch, and the false alarms are limited as a
        share of what is flagged, by the procedure of Benjamini and Hochberg [1]_.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Data, as the wrapped estimator takes them.
        fdr : float, default=0.1
            Expected share of false alarms among the samples flagged, in (0, 1); on average over
            calibrations, and counted as 0 if nothing is flagged.

        Returns
        -------
        discovered : ndarray of shape (n_samples,), bool
            True for the samples that are flagged.

        Raises
        ------
        ValueError
            If `fdr` is not in (0, 1).

        Notes
        -----
        All p-values share the calibration scores, so they depend on each other. They do so
        positively (PRDS), which Bates et al. [2]_ prove for scores without ties, and under which
        the procedure keeps to its rate [3]_.

        No p-value is less than 1 / (n + 1) with n calibration rows. To find a anomalies in a batch
        of m samples, n must be at least m / (a · fdr) − 1.

        References
        ----------
        .. [1] Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate: a practical and
           powerful approach to multiple testing", Journal of the Royal Statistical Society B 57(1),
           1995, :doi:`10.1111/j.2517-6161.1995.tb02031.x`.
        .. [2] S. Bates, E. Candès, L. Lei, Y. Romano and M. Sesia, "Testing for outliers with
           conformal p-values", Annals of Statistics 51(1), 2023, :doi:`10.1214/22-AOS2244`.
        .. [3] Y. Benjamini and D. Yekutieli, "The control of the false discovery rate in multiple
           testing under dependency", Annals of Statistics 29(4), 2001,
           :doi:`10.1214/aos/1013699998`.
        """
        if not (isinstance(fdr, Real) and 0 < fdr < 1):
            raise ValueError(f"fdr must be a number in (0, 1). Received: fdr={fdr!r}.")
        adjusted = false_discovery_control(self.p_values(X), method="bh")
        # Fractions that are equal may differ in their last digit.
        return adjusted <= fdr * (1 + 1e-9)

    def calibration_report(self):
        """Say what the calibration guarantees, and how sure it is.

        Returns
        -------
        report : CalibrationReport
            Rate and confidence asked for, number of calibration rows, bound, threshold, and an
            interval for the true false-alarm rate. Printed, it is a table.
        """
        check_is_fitted(self)
        return self._report


def _check_calibration_scores(scores):
    if not np.all(np.isfinite(scores)):
        raise ValueError(
            "estimator must give the calibration rows finite scores. Received: "
            f"{np.sum(~np.isfinite(scores))} scores that are NaN or infinite, of {len(scores)}."
        )
    if len(scores) > 1 and np.ptp(scores) == 0:
        warn(
            f"All {len(scores)} calibration rows have the score {scores[0]:.6g}. Only samples that "
            "score lower are flagged, whatever false_alarm_rate is.",
        )
