"""compare_with_baselines: whether a detector is worth its price, on the user's own data."""

import math
from numbers import Integral
from time import perf_counter

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_ae._base.outlier_scores import compute_anomaly_scores, has_anomaly_scores
from sklearn_ae.inspection.baselines._advice import write_advice
from sklearn_ae.inspection.baselines._data import prepare_data
from sklearn_ae.inspection.baselines._detectors import count_transformed, make_baselines
from sklearn_ae.inspection.baselines._intervals import METRICS, bootstrap, interval, measure
from sklearn_ae.inspection.baselines._probes import judge_probe, make_probes
from sklearn_ae.inspection.baselines._table import format_comparison
from sklearn_ae.metrics import anomaly_scorer
from sklearn_ae.thresholds._unwrapping import find_innermost


def compare_with_baselines(
    detector,
    X_normal,
    X_test=None,
    y_test=None,
    *,
    pos_label=None,
    kind="mixed",
    input_shape=None,
    n_resamples=200,
    random_state=0,
):
    r"""Compare an outlier detector with simple ones, and probe it far from the data.

    The detector and four baselines are fitted to the same normal samples and judged on the same
    others. A sentence says whether the detector is worth its price, and a table what each of them
    takes for normal that is nothing like the data, at which autoencoders are known to fail [1]_.

    Parameters
    ----------
    detector : estimator object
        Outlier detector with `score_samples` or `decision_function`, or a pipeline that ends in
        one. A clone of it is fitted, without labels. In a :class:`~sklearn.frozen.FrozenEstimator`
        it stays as it is: pass the samples that it was fitted to as `X_normal`, and `X_test`.
    X_normal : array-like of shape (n, n_features) or (n, height, width[, channels])
        Normal samples to fit to, at least 20, of numbers. A data frame may have columns of words
        and dates if the detector is a pipeline whose transformers encode them.
    X_test : array-like of shape (n_test, ...), default=None
        Other samples to judge on, normal ones and anomalies. If None, a quarter of `X_normal` is
        held out instead, and an anomaly is made of each of its samples.
    y_test : array-like of shape (n_test,), default=None
        Their labels, under any convention of :func:`sklearn_ae.metrics.is_anomaly`.
    pos_label : int, float, bool or str, default=None
        The label of an anomaly, where the convention does not tell. If None, the `pos_label` of the
        detector is used if it has one.
    kind : str, default="mixed"
        What synthetic anomalies look like: see :func:`~sklearn_ae.datasets.make_anomalies`.
    input_shape : tuple of int or None, default=None
        Height and width, and channels if any, of the images that the rows of `X_normal` are.
    n_resamples : int, default=200
        Number of resamples that the intervals come from.
    random_state : int, default=0
        Seed of the held-out samples, the synthetic anomalies, the resamples, the probes and the
        baselines. That of the detector is its own.

    Returns
    -------
    comparison : BaselineComparison
        Figures, probes, advice and fitted detectors. Printing it shows all but the last.

    Raises
    ------
    TypeError
        If the detector is no outlier detector, or `random_state` is no int.
    ValueError
        Before anything is fitted, if the data are too few, of different shapes, missing or not
        finite, or the labels are of one class. After that, if a detector gives a score that is not
        finite.

    See Also
    --------
    sklearn_ae.metrics.anomaly_scorer : The metrics.
    sklearn_ae.datasets.make_anomalies : The synthetic anomalies.

    Notes
    -----
    If the detector is a pipeline, the baselines come behind clones of its own transformers. They
    take images as rows of pixels, and standardize the columns of other rows:

    - PCA: squared distance to the reconstruction from as many principal components as hold 90 % of
      the variance, but at most 32, which is the default length of an autoencoder's code: it is the
      linear autoencoder;
    - Mahalanobis distance: squared, under a covariance with Ledoit's and Wolf's shrinkage; of
      samples with more than 1,024 values, that of their 256 first principal components;
    - k nearest neighbors: mean distance to the 5 nearest training samples;
    - isolation forest: :class:`~sklearn.ensemble.IsolationForest` with its defaults.

    Intervals hold 95 % of the values on resamples of the test samples, drawn with replacement from
    the normal ones and from the anomalies apart (percentile bootstrap), the same for all methods.
    They tell what other test samples might have given, not what another training would have.

    The advice compares the detector with the baseline that has the largest ROC AUC on these
    samples, which flatters this baseline a little. It is that of the first of these rules that
    applies, where the difference is the detector's ROC AUC minus the baseline's:

    1. fewer than 10 anomalies, or normal test samples: not enough to tell;
    2. the intervals of both reach down to 0.5: neither is better than chance;
    3. the interval of the difference is above 0: the detector is better, "a little" if the
       difference is at most 0.01;
    4. it is below 0: the baseline is better, "a little" as above;
    5. it ends at most at 0.01: the baseline is as good, and the cheaper of the two is to be used.
       A time counts if it is twice the other, and a tenth of a second longer;
    6. else they cannot be told apart.

    Probes are made of up to 20 normal samples that nothing was fitted to. A probe passes for normal
    if its anomaly score is at most that of the 95th percentile of these samples; a method fails if
    more than 5 % of the probes of a kind pass.

    - "rays" and "components", except of integer images: the points :math:`\bar x + t (x - \bar x)`
      with t from 1 to a million, where :math:`\bar x` is the mean of the training samples, and x a
      sample, or a standard deviation away along one of the first five principal components, where
      a linear autoencoder rebuilds everything. Those ten times as far out as the farthest training
      sample must not pass. A method also fails if its score falls along a ray outside of the
      smallest ball around the training samples, by more than 5 % of what it had risen over the
      median of normal samples.
    - Of a data frame with words or dates, probes and synthetic anomalies change columns of numbers
      alone. The others hold what held-out normal samples have.
    - Of rows, "scaled": 1,000 times the row; "shifted": up or down by 10 times the range of each
      feature; "one feature": one is off by 1,000 times its range.
    - Of images, "black", "gray" and "white": constant images; "inverted"; "noise": each pixel is
      uniform over the range; "shuffled": the pixels of an image in random order. The range is that
      of an unsigned integer type, or of the training images.

    Times are wall times, and those of a network include what is done once, such as compiling it.
    The baselines and the rays take the training samples as float64: a few thousand large images are
    enough for a comparison.

    References
    ----------
    .. [1] R. Bouman and T. Heskes, "Autoencoders for anomaly detection are unreliable", 2025,
       :arxiv:`2501.13864`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import OneClassSVM
    >>> from sklearn_ae.inspection import compare_with_baselines
    >>> X, y = load_breast_cancer(return_X_y=True)  # 1 is benign, 0 malignant
    >>> benign, malignant = X[y == 1], X[y == 0]
    >>> comparison = compare_with_baselines(
    ...     make_pipeline(StandardScaler(), OneClassSVM()),
    ...     benign[:200],
    ...     np.vstack([benign[200:], malignant]),
    ...     np.repeat([1, -1], [len(benign) - 200, len(malignant)]),
    ...     n_resamples=50,
    ... )
    >>> comparison.advice.partition(" (")[0]
    'Isolation forest is as good here as the detector'
    >>> [entry["method"] for entry in comparison.probes if entry["failed"]]
    ['PCA', 'isolation forest']
    """
    _check_parameters(detector, n_resamples)
    estimators = {"detector": clone(detector)}
    is_frozen = estimators["detector"] is detector
    if is_frozen and X_test is None:
        raise ValueError(
            "X_test must be given with a frozen detector, which may have been fitted to the "
            "samples that would be held out of X_normal. Pass X_test and y_test, or a detector to "
            "fit. Received: X_test=None."
        )
    if pos_label is None:
        pos_label = anomaly_scorer("roc_auc").find_pos_label(detector)
    transformers = _find_transformers(estimators["detector"])
    data = prepare_data(
        X_normal,
        X_test,
        y_test,
        pos_label=pos_label,
        kind=kind,
        input_shape=input_shape,
        takes_words=bool(transformers),
        random_state=random_state,
    )
    n_train, *shape = data.train_values.shape
    estimators |= make_baselines(
        n_train,
        count_transformed(transformers, data.X_train) if transformers else math.prod(shape),
        is_image=data.is_image,
        transformers=transformers,
        random_state=random_state,
    )
    results, scores = _fit_and_score(estimators, data, is_frozen=is_frozen)
    figures = _measure(data.anomalies, scores, n_resamples, random_state)
    for entry, of_entry in zip(results, figures, strict=True):
        entry |= of_entry
    return BaselineComparison(
        results=results,
        probes=_probe(estimators, scores, data, random_state),
        estimators=estimators,
        n_train=n_train,
        n_normals=int(np.sum(~data.anomalies)),
        n_anomalies=int(np.sum(data.anomalies)),
        synthetic=data.is_synthetic,
    )


class BaselineComparison:
    """How a detector compares with simple ones: what `compare_with_baselines` returns.

    Printing it shows all figures. All parameters are stored as attributes.

    Parameters
    ----------
    results : list of dict
        An entry for each method, "detector" first, which `pandas.DataFrame` takes as they are:

        - "method" : its name;
        - "roc_auc", "average_precision", "recall_at_1_percent" and "recall_at_5_percent" (of false
          alarms), each with the ends of its interval, such as "roc_auc_low" and "roc_auc_high";
        - "difference", "difference_low" and "difference_high" : ROC AUC of the detector minus that
          of the method, and the ends of its interval;
        - "fit_seconds" and "score_seconds" : wall times; that to fit is NaN if the detector was
          fitted before.
    probes : list of dict
        An entry for each method and kind of probe:

        - "method" and "probe" : their names;
        - "n_samples" : number of probes;
        - "share_accepted" and "share_typical" : shares of them that are at most as abnormal as the
          95th percentile and the median of normal samples;
        - "falls_from" : of rays, the smallest t at which a score is lower than before; NaN if there
          is none;
        - "fall" : depth of the deepest fall; 1 goes back to the median of normal samples;
        - "failed" : whether too many pass, or a score falls.
    estimators : dict of str to estimator object
        The fitted methods. Baselines take the same samples as the detector.
    n_train : int
        Number of normal samples that were fitted to.
    n_normals : int
        Number of normal samples to judge on.
    n_anomalies : int
        Number of anomalies to judge on.
    synthetic : bool
        Whether the anomalies were made of normal samples.

    Attributes
    ----------
    advice : str
        Whether the detector is worth its price, in a sentence.

    See Also
    --------
    compare_with_baselines : Makes one, and says what the figures mean.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from sklearn_ae.inspection import compare_with_baselines
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> comparison = compare_with_baselines(LocalOutlierFactor(novelty=True), X, n_resamples=20)
    >>> [entry["method"] for entry in comparison.results]
    ['detector', 'PCA', 'Mahalanobis distance', 'k nearest neighbors', 'isolation forest']
    >>> comparison.n_train, comparison.n_normals, comparison.n_anomalies, comparison.synthetic
    (150, 50, 50, True)
    >>> print(comparison)
                                       ROC AUC     average precision ...
    detector              0... [0..., 0...]  ...
    ...
    On synthetic anomalies, which real ones may not resemble: ...
    """

    def __init__(self, *, results, probes, estimators, n_train, n_normals, n_anomalies, synthetic):
        self.results = results
        self.probes = probes
        self.estimators = estimators
        self.n_train = n_train
        self.n_normals = n_normals
        self.n_anomalies = n_anomalies
        self.synthetic = synthetic

    @property
    def advice(self):
        """Whether the detector is worth its price, in a sentence."""
        detector, *baselines = self.results
        return write_advice(
            detector,
            max(baselines, key=lambda entry: entry["roc_auc"]),
            n_normals=self.n_normals,
            n_anomalies=self.n_anomalies,
            is_synthetic=self.synthetic,
        )

    def __repr__(self):
        return format_comparison(self)


def _check_parameters(detector, n_resamples):
    # A pipeline or a search has the scores of the detector inside before it is fitted, too.
    if not hasattr(detector, "fit") or not has_anomaly_scores(detector):
        raise TypeError(
            "detector must be an outlier detector with fit and with score_samples or "
            "decision_function, such as LocalOutlierFactor(novelty=True). Received: an object of "
            f"type {type(detector).__name__}."
        )
    if not isinstance(n_resamples, Integral) or n_resamples < 1:
        raise ValueError(
            "n_resamples must be a positive int, 200 for intervals that are worth reading. "
            f"Received: n_resamples={n_resamples!r}."
        )


def _find_transformers(detector):
    """Return what transforms samples before the detector, frozen if it is frozen."""
    innermost = find_innermost(detector)
    wrap = FrozenEstimator if innermost.is_frozen else lambda transformer: transformer
    return [wrap(transformer) for transformer in innermost.transformers]


def _fit_and_score(estimators, data, *, is_frozen):
    """Return the entries of results with the times alone, and the anomaly scores."""
    results, scores = [], []
    for name, estimator in estimators.items():
        begin = perf_counter()
        # y by position, as FrozenEstimator has no default for it.
        estimator.fit(data.X_train, None)
        fitted = perf_counter()
        scores.append(compute_anomaly_scores(estimator, data.X_test))
        score_seconds = perf_counter() - fitted
        _check_finite(name, scores[-1])
        was_fitted = is_frozen and name == "detector"
        fit_seconds = np.nan if was_fitted else fitted - begin
        results.append({"method": name, "fit_seconds": fit_seconds, "score_seconds": score_seconds})
    return results, np.array(scores)


def _check_finite(name, scores):
    if not np.all(np.isfinite(scores)):
        raise ValueError(
            "detector must give finite scores, or there is no ranking to judge. Received: "
            f"{np.sum(~np.isfinite(scores))} of {len(scores)} scores of {name} that are not."
        )


def _measure(anomalies, scores, n_resamples, random_state):
    """Return the metrics of each method and their intervals, as the entries of results."""
    values = measure(anomalies, scores)
    resampled = bootstrap(anomalies, scores, n_resamples=n_resamples, random_state=random_state)
    figures = [{} for _ in values]
    for i, name in enumerate(METRICS):
        _add(figures, name, values[:, i], resampled[:, :, i])
    roc_auc = list(METRICS).index("roc_auc")
    _add(
        figures,
        "difference",
        values[0, roc_auc] - values[:, roc_auc],
        resampled[:, :1, roc_auc] - resampled[:, :, roc_auc],
    )
    return figures


def _add(figures, name, values, resampled):
    lows, highs = interval(resampled)
    for entry, value, low, high in zip(figures, values, lows, highs, strict=True):
        entry |= {name: float(value), f"{name}_low": float(low), f"{name}_high": float(high)}


def _probe(estimators, scores, data, random_state):
    """Return what each method makes of each probe."""
    probes = make_probes(
        data.train_values, data.X_held_out, is_image=data.is_image, random_state=random_state
    )
    return [
        {
            "method": name,
            **judge_probe(estimator, probe, one[~data.anomalies], to_container=data.to_container),
        }
        for (name, estimator), one in zip(estimators.items(), scores, strict=True)
        for probe in probes
    ]
