"""The distance of the features of an image on the whole."""

from sklearn_ae.autoencoder.scores.computing import positions_of
from sklearn_ae.autoencoder.scores.whitening import WhitenedDistance


class PooledDistance(WhitenedDistance):
    r"""Mahalanobis distance of the mean and the standard deviation of an image's features.

    Both over the positions of the image, for each feature; center and covariance [2]_ are those of
    the images that the network is fitted to. It sees what is unusual on the whole and nothing of
    where, as the errors at positions do not. For :class:`.FeatureAutoencoder`; see [1]_ for
    Gaussians of pretrained features.

    Costs :math:`4 d^2` products an image of d features.

    Attributes
    ----------
    mean_ : ndarray of shape (2 d,)
        Center of normal images.
    whitening_ : ndarray of shape (2 d, 2 d)
        ``(pooled - mean_) @ whitening_`` has covariance 1 for them.

    References
    ----------
    .. [1] O. Rippel, P. Mertens and D. Merhof, "Modeling the distribution of normal data in
       pre-trained deep features for anomaly detection", ICPR 2020, :arxiv:`2005.14140`.
    .. [2] O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance
       matrices", Journal of Multivariate Analysis 88(2), 2004,
       :doi:`10.1016/S0047-259X(03)00096-4`.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector, FeatureAutoencoder
    >>> from sklearn_ae.scores import PooledDistance
    >>> detector = AutoencoderAnomalyDetector(
    ...     architecture=FeatureAutoencoder(), anomaly_score=PooledDistance()
    ... )
    """

    fits_training_rows = True

    # Of fewer images, the covariance of so many numbers says little: see `CombinedScore`.
    min_rows = 100

    def features(self, response):
        """Return mean and standard deviation of each feature.

        Parameters
        ----------
        response : object
            What the network makes of the samples: see :mod:`sklearn_ae.scores`.

        Returns
        -------
        pooled : tensor of shape (n, 2 d), float64
            Means, then standard deviations.
        """
        from keras import ops

        values = positions_of(response, response.inputs)
        deviations = ops.sqrt(ops.var(values, axis=1) + 1e-12)
        return ops.concatenate([ops.mean(values, axis=1), deviations], axis=1)
