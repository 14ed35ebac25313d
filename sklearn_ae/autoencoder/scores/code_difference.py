"""The distance between the codes of a sample and of its reconstruction."""

from sklearn_ae.autoencoder.scores.whitening import WhitenedDistance


class CodeDifference(WhitenedDistance):
    r"""Mahalanobis distance between the codes of a sample and of its reconstruction.

    :math:`\sqrt{(d - \mu)^T \Sigma^{-1} (d - \mu)}` with :math:`d = z(x) - z(\hat x)`, where
    :math:`z` is the encoder and :math:`\mu` and :math:`\Sigma` are mean and covariance of d over
    the held-out normal rows, the latter with Ledoit and Wolf's shrinkage [2]_. It compares in the
    terms of the network, in which a shifted stroke is a small difference, and is
    :class:`.HiddenDifference` of the last layer alone, whitened as the NAP of [1]_.

    Costs one more pass through the encoder, and :math:`k^2` products for codes of k numbers. Needs
    an architecture with a code.

    Attributes
    ----------
    mean_ : ndarray of shape (k,)
        Mean difference of normal samples.
    whitening_ : ndarray of shape (k, k)
        ``(difference - mean_) @ whitening_`` has covariance 1 for them.

    References
    ----------
    .. [1] K. H. Kim et al., "RaPP: Novelty detection with reconstruction along projection pathway",
       ICLR 2020, https://openreview.net/forum?id=HkgeGeBYDB.
    .. [2] O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance
       matrices", Journal of Multivariate Analysis 88(2), 2004,
       :doi:`10.1016/S0047-259X(03)00096-4`.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector
    >>> from sklearn_ae.scores import CodeDifference
    >>> AutoencoderAnomalyDetector(anomaly_score=CodeDifference())
    AutoencoderAnomalyDetector(anomaly_score=CodeDifference())
    """

    def features(self, response):
        """Return what is whitened.

        Parameters
        ----------
        response : object
            What the network makes of the samples: see :mod:`sklearn_ae.scores`.

        Returns
        -------
        differences : tensor of shape (n, k), float64
            Codes of the samples minus those of their reconstructions.
        """
        return response.codes - response.reconstruction_codes
