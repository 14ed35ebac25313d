"""The distance of the code from the codes of normal samples."""

from numbers import Integral

from sklearn.utils.metaestimators import available_if

from sklearn_ae._base.sklearn_compat import Interval, StrOptions
from sklearn_ae.autoencoder.scores.neighbor_distance import distance_of_neighbor
from sklearn_ae.autoencoder.scores.whitening import WhitenedDistance, fit_whitening, whiten


class LatentDistance(WhitenedDistance):
    r"""Distance of the code z from the codes of normal samples.

    "mahalanobis" is :math:`\sqrt{(z - \mu)^T \Sigma^{-1} (z - \mu)}`, where :math:`\mu` and
    :math:`\Sigma` are mean and covariance of normal codes, the latter with Ledoit and Wolf's
    shrinkage [1]_. "neighbors" is the Euclidean distance from the whitened code,
    :math:`\Sigma^{-1/2} (z - \mu)`, to its k-th nearest among those of normal samples [2]_, which
    follows normal data of several kinds or on a curve.

    Sees samples that are rebuilt well although they are unlike the normal ones, and nothing of what
    the code does not hold. Normal samples are here the rows that the network was fitted to: there
    are more of them than held-out rows, and no row that sets the threshold is its own neighbor.
    Needs an architecture with a code, and enough normal samples to estimate :math:`\Sigma`: below
    100, :class:`.CombinedScore` leaves it out.

    Costs :math:`k^2` products for codes of k numbers, "neighbors" k more for each normal code, of
    which 10,000 at most are kept.

    Parameters
    ----------
    method : {"mahalanobis", "neighbors"}, default="mahalanobis"
        Distance from the mean or to the nearest codes.
    n_neighbors : int, default=5
        Which neighbor counts, for "neighbors"; the last if there are fewer.

    Attributes
    ----------
    mean_ : ndarray of shape (k,)
        Mean of normal codes.
    whitening_ : ndarray of shape (k, k)
        ``(code - mean_) @ whitening_`` has covariance 1 for them.
    references_ : ndarray of shape (n, k)
        Their whitened codes. For "neighbors" only.
    n_neighbors_ : int
        The smaller of `n_neighbors` and the number of normal codes. For "neighbors" only.

    References
    ----------
    .. [1] O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance
       matrices", Journal of Multivariate Analysis 88(2), 2004,
       :doi:`10.1016/S0047-259X(03)00096-4`.
    .. [2] S. Ramaswamy, R. Rastogi and K. Shim, "Efficient algorithms for mining outliers from
       large data sets", SIGMOD 2000, :doi:`10.1145/342009.335437`.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector
    >>> from sklearn_ae.scores import LatentDistance
    >>> AutoencoderAnomalyDetector(anomaly_score=LatentDistance(method="neighbors"))
    AutoencoderAnomalyDetector(anomaly_score=LatentDistance(method='neighbors'))
    """

    _parameter_constraints = {
        "method": [StrOptions({"mahalanobis", "neighbors"})],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    _fitted_attributes = ("mean_", "whitening_", "references_", "n_neighbors_")

    fits_training_rows = True

    # With 25 to 30 images the distance said little, and a sum of scores was better without it.
    min_rows = 100

    def __init__(self, *, method="mahalanobis", n_neighbors=5):
        self.method = method
        self.n_neighbors = n_neighbors

    def features(self, response):
        """Return what is whitened.

        Parameters
        ----------
        response : object
            What the network makes of the samples: see :mod:`sklearn_ae.scores`.

        Returns
        -------
        codes : tensor of shape (n, k), float64
            What the encoder gives.
        """
        return response.codes

    def fit(self, features):
        """Estimate mean and covariance of normal codes, and keep them for "neighbors".

        Parameters
        ----------
        features : ndarray of shape (n, k), float64
            Codes of normal samples.

        Returns
        -------
        self : LatentDistance
            The fitted score.
        """
        self.mean_, self.whitening_ = fit_whitening(features)
        if self.method == "neighbors":
            self.references_ = (features - self.mean_) @ self.whitening_
            self.n_neighbors_ = min(int(self.n_neighbors), len(features))
        return self

    @available_if(lambda self: self.method == "mahalanobis")
    def leave_one_out(self, features):
        """Compute the score of each sample that the score is fitted to, as if it were new.

        Parameters
        ----------
        features : ndarray of shape (n, k), float64
            What `fit` gets.

        Returns
        -------
        scores : ndarray of shape (n,), float64
            Scores by the mean and the covariance of the other samples.
        """
        return super().leave_one_out(features)

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
        if self.method == "mahalanobis":
            return super().compute_from(response)
        whitened = whiten(self.features(response), self.mean_, self.whitening_)
        return distance_of_neighbor(whitened, self.references_, self.n_neighbors_)
