"""The error of the most abnormal positions of an image."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_ae._base.sklearn_compat import Interval
from sklearn_ae.autoencoder.scores.computing import positions_of
from sklearn_ae.autoencoder.scores.whitening import fit_whitening, whiten

# Of each image, to estimate the covariance: neighbors have much in common.
_MAX_POSITIONS = 64


class PositionError(BaseEstimator):
    r"""Mean of the largest errors of an image's features over its positions.

    .. math:: \frac{1}{k} \sum_{p \in \text{top } k}
        \sqrt{(e_p - \mu)^T \Sigma^{-1} (e_p - \mu) / d}, \quad e_p = f_p - \hat f_p

    over the k positions of a share of all where it is largest, at least one: a defect is small, and
    the error elsewhere says nothing of it. :math:`f_p` are the d features at position p in scaled
    units; :math:`\mu` and :math:`\Sigma` are mean and covariance [2]_ of the error at positions of
    the images that the network is fitted to: the held-out ones, often few, say what is normal after
    that. For :class:`.FeatureAutoencoder` [1]_.

    Costs :math:`d^2` products a position.

    Parameters
    ----------
    share : float, default=0.1
        Share of the positions, in (0, 1], that counts.

    Attributes
    ----------
    mean_ : ndarray of shape (d,)
        Mean error of normal positions.
    whitening_ : ndarray of shape (d, d)
        ``(error - mean_) @ whitening_`` has covariance 1 for them.

    References
    ----------
    .. [1] J. Yang, Y. Shi and Z. Qi, "DFR: deep feature reconstruction for unsupervised anomaly
       segmentation", :arxiv:`2012.07122`.
    .. [2] O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance
       matrices", Journal of Multivariate Analysis 88(2), 2004,
       :doi:`10.1016/S0047-259X(03)00096-4`.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector, FeatureAutoencoder
    >>> from sklearn_ae.scores import PositionError
    >>> detector = AutoencoderAnomalyDetector(
    ...     architecture=FeatureAutoencoder(), anomaly_score=PositionError(share=0.02)
    ... )
    """

    _fitted_attributes = ("mean_", "whitening_")

    _parameter_constraints = {"share": [Interval(Real, 0, 1, closed="right")]}

    fits_training_rows = True

    # Each of them gives many positions.
    max_rows = 2000

    def __init__(self, *, share=0.1):
        self.share = share

    def features(self, response):
        """Return the errors at some positions of each image.

        Parameters
        ----------
        response : object
            What the network makes of the samples: see :mod:`sklearn_ae.scores`.

        Returns
        -------
        errors : tensor of shape (n, n_positions, d), float64
            At most 64 positions.
        """
        from keras import ops

        errors = positions_of(response, response.inputs - response.reconstructions)
        n = errors.shape[1]
        chosen = np.sort(np.random.default_rng(0).permutation(n)[:_MAX_POSITIONS])
        return ops.take(errors, chosen, axis=1)

    def fit(self, features):
        """Estimate mean and covariance of the error at normal positions.

        Parameters
        ----------
        features : ndarray of shape (n, n_positions, d), float64
            What `features` gave for normal samples.

        Returns
        -------
        self : PositionError
            The fitted score.
        """
        self.mean_, self.whitening_ = fit_whitening(features.reshape(-1, features.shape[-1]))
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
        from keras import ops

        errors = positions_of(response, response.inputs - response.reconstructions)
        # In float32, which suffices for what has variance 1 and halves the cost.
        whitened = whiten(
            *(ops.cast(values, "float32") for values in (errors, self.mean_, self.whitening_))
        )
        distances = ops.sqrt(ops.mean(ops.square(whitened), axis=-1))
        n_top = max(1, round(self.share * errors.shape[1]))
        return ops.cast(ops.mean(ops.top_k(distances, n_top)[0], axis=-1), "float64")
