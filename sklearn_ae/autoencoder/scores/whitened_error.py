"""The distance of the error from the errors of normal samples."""

import math

from sklearn_ae.autoencoder.scores.whitening import WhitenedDistance

# The whitening matrix of more values takes more than 128 MiB, and minutes to compute.
LARGEST_WHITENED = 4096


class WhitenedError(WhitenedDistance):
    r"""Mahalanobis distance of the error, :math:`\sqrt{(e - \mu)^T \Sigma^{-1} (e - \mu)}`.

    :math:`e = x - \hat x`, in scaled units; :math:`\mu` and :math:`\Sigma` are its mean and
    covariance over the held-out normal rows, the latter with Ledoit and Wolf's shrinkage [2]_, so
    that there may be fewer rows than features. Features that are rebuilt badly as a rule count
    less, and errors that usually come together count once. Helps rows of features and hurts images,
    in which it makes much of the noise of pixels that hardly vary.

    Costs :math:`d^2` products a sample of d values, at most 4,096, and :math:`d^3` once a fit.

    Attributes
    ----------
    mean_ : ndarray of shape (d,)
        Mean error of normal samples.
    whitening_ : ndarray of shape (d, d)
        ``(error - mean_) @ whitening_`` has covariance 1 for them.

    References
    ----------
    .. [1] P. C. Mahalanobis, "On the generalised distance in statistics", Proceedings of the
       National Institute of Sciences of India 2(1), 1936.
    .. [2] O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance
       matrices", Journal of Multivariate Analysis 88(2), 2004,
       :doi:`10.1016/S0047-259X(03)00096-4`.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector
    >>> from sklearn_ae.scores import WhitenedError
    >>> AutoencoderAnomalyDetector(anomaly_score=WhitenedError())
    AutoencoderAnomalyDetector(anomaly_score=WhitenedError())
    """

    def features(self, response):
        """Return what is whitened.

        Parameters
        ----------
        response : object
            What the network makes of the samples: see :mod:`sklearn_ae.scores`.

        Returns
        -------
        errors : tensor of shape (n, d), float64
            Inputs minus reconstructions, flat.

        Raises
        ------
        ValueError
            If d is above 4,096.
        """
        from keras import ops

        size = math.prod(response.inputs.shape[1:])
        if size > LARGEST_WHITENED:
            raise ValueError(
                f"anomaly_score=WhitenedError() takes samples of at most {LARGEST_WHITENED} "
                "values. Pass anomaly_score=SmoothedError() for images, or SquaredError(). "
                f"Received: samples of shape {tuple(response.inputs.shape[1:])}."
            )
        return ops.reshape(response.inputs - response.reconstructions, (-1, size))
