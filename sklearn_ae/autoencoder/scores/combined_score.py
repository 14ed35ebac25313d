"""One score of several."""

import numpy as np

from sklearn_ae._base.sklearn_compat import _BaseComposition
from sklearn_ae.autoencoder.scores.computing import compute_score
from sklearn_ae.autoencoder.scores.squared_error import SquaredError

# Numbers beyond float32, in which the network computes, count as its largest: see _network.scoring.
_LARGEST = float(np.finfo(np.float32).max)

# A part that hardly varies among normal samples must not outweigh the others by its rounding
# errors. The logarithm of a sum of 10,000 independent squares still varies by 0.014.
_SMALLEST_DEVIATION = 1e-3

# So many standard deviations of its logarithm above or below the mean, the error speaks for itself.
# Hardly a normal sample is there, so that it decides nothing among samples like the normal ones.
_GUARD_ABOVE, _GUARD_BELOW = 6.0, 2.5


class CombinedScore(_BaseComposition):
    r"""Mean of the standardized logarithms of several scores.

    .. math:: \max\Bigl(\frac{1}{m} \sum_{i=1}^{m} u_i,\; u_0 - 6,\; -u_0 - 2.5\Bigr), \quad
       u_i = \frac{\log \max(s_i, f_i) - \mu_i}{\sigma_i}

    of the m scores :math:`s_i`, where :math:`\mu_i` and :math:`\sigma_i` are mean and standard
    deviation of the logarithm over the held-out normal samples. Parts that are fitted to those
    score each of them by a fit to the others: a sample is too near to a covariance that it is part
    of. Errors and distances are more nearly log-normal than normal, and logarithms keep the order
    of far samples, which the p-values of Fisher's method [1]_ lose.

    Two things keep far samples from being normal where units of the network die or saturate. The
    floor :math:`f_i` is the smallest score of a held-out normal row, so no part makes up for
    another by being more normal than any normal sample is. And :math:`s_0`, the sum of squared
    errors, takes over where it is far from what is normal: above, and below, where an empty image
    is rebuilt better than any in which there is something to rebuild. Its :math:`f_0` is a
    thousandth of the median, and so is any :math:`f_i` at least, or of the mean if the median is 0.

    Normal samples score about 0 on average. Costs what the parts cost, each thing that they share
    once.

    Parameters
    ----------
    scores : list of (str, object) tuples
        Names and scores, neither of which is negative. Their parameters are those of the
        combination: `code__method` for the parameter `method` of the part "code". Parts whose
        attribute `min_rows` is above the number of rows that the network is fitted to
        (:class:`.LatentDistance`: 100) are left out, unless none would be left.

    Attributes
    ----------
    scores_ : list of (str, object) tuples
        The fitted parts, without those that are left out.
    floors_ : ndarray of shape (m + 1,)
        Smallest score that counts, of each part and, last, of the sum of squared errors.
    means_ : ndarray of shape (m + 1,)
        Mean logarithm of normal samples.
    deviations_ : ndarray of shape (m + 1,)
        Its standard deviation, at least 0.001.

    References
    ----------
    .. [1] R. A. Fisher, "Statistical methods for research workers", Oliver and Boyd 1925, section
       21.1 (combination of p-values).

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector
    >>> from sklearn_ae.scores import CombinedScore
    >>> from sklearn_ae.scores import CodeDifference, LatentDistance
    >>> score = CombinedScore([("difference", CodeDifference()), ("code", LatentDistance())])
    >>> detector = AutoencoderAnomalyDetector(anomaly_score=score)
    >>> detector = detector.set_params(anomaly_score__code__method="neighbors")
    >>> detector.anomaly_score.scores[1]
    ('code', LatentDistance(method='neighbors'))
    """

    _fitted_attributes = ("scores_", "floors_", "means_", "deviations_")

    def __init__(self, scores):
        self.scores = scores

    def get_params(self, deep=True):
        """Return the parameters of the combination and of its parts.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the parts and their parameters too.

        Returns
        -------
        params : dict
            Values by name.
        """
        return self._get_params("scores", deep=deep)

    def set_params(self, **params):
        """Set parameters of the combination and of its parts.

        Parameters
        ----------
        **params : dict
            Values by name; ``code=…`` replaces the part "code", ``code__method=…`` sets a
            parameter of it.

        Returns
        -------
        self : CombinedScore
            The combination itself.
        """
        self._set_params("scores", **params)
        return self

    def features(self, response):
        """Return the scores of the parts and the sum of squared errors.

        Parameters
        ----------
        response : object
            What the network makes of the samples: see :mod:`sklearn_ae.scores`.

        Returns
        -------
        scores : tensor of shape (n, m + 1), float64
            At most the largest number of float32.
        """
        from keras import ops

        parts = [*(part for _, part in self.scores_), SquaredError()]
        scores = [ops.cast(compute_score(part, response), "float64") for part in parts]
        scores = ops.stack(scores, axis=1)
        return ops.where(scores <= _LARGEST, scores, _LARGEST)

    def fit(self, features):
        """Estimate how the logarithms of the parts are distributed.

        Parameters
        ----------
        features : ndarray of shape (n, m + 1), float64
            Scores of normal samples.

        Returns
        -------
        self : CombinedScore
            The fitted score.

        Raises
        ------
        ValueError
            If a score is negative.
        """
        if features.min() < 0:
            names = [name for name, _ in self.scores_]
            raise ValueError(
                "Scores that CombinedScore takes the logarithm of must not be negative: pass "
                "errors and distances, and no CombinedScore. Received: "
                f"{features.min():.6g} from {names[features.min(axis=0).argmin()]!r}."
            )
        # A zero (a sample that is its own neighbor, a constant feature) is no logarithm at all.
        # The median of distances is one where most rows have copies.
        medians = np.median(features, axis=0)
        floors = 1e-3 * np.where(medians > 0, medians, features.mean(axis=0))
        floors[:-1] = np.maximum(floors[:-1], features[:, :-1].min(axis=0))
        self.floors_ = np.maximum(floors, np.finfo(np.float32).tiny)
        logarithms = np.log(np.maximum(features, self.floors_))
        self.means_ = logarithms.mean(axis=0)
        self.deviations_ = np.maximum(logarithms.std(axis=0), _SMALLEST_DEVIATION)
        return self

    def compute_from(self, response):
        """Compute the score of each sample.

        Parameters
        ----------
        response : object
            What the network makes of the samples: see :mod:`sklearn_ae.scores`.

        Returns
        -------
        scores : tensor of shape (n,), float64
            Higher is more abnormal.
        """
        return self.combine(self.features(response))

    def combine(self, scores):
        """Combine the scores of the parts.

        Parameters
        ----------
        scores : tensor of shape (n, m + 1), float64
            What `features` gives.

        Returns
        -------
        scores : tensor of shape (n,), float64
            Higher is more abnormal.
        """
        from keras import ops

        logarithms = ops.log(ops.maximum(scores, self.floors_))
        standardized = (logarithms - self.means_) / self.deviations_
        error = standardized[:, -1]
        guard = ops.maximum(error - _GUARD_ABOVE, -error - _GUARD_BELOW)
        return ops.maximum(ops.mean(standardized[:, :-1], axis=1), guard)
