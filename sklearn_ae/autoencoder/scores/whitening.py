"""Distances that count each direction in units of what is normal there."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.covariance import LedoitWolf

# Directions without variance (dead units, constant features) would divide by zero, or by rounding
# errors: no direction counts more than a thousand times the root mean square of all of them.
_SMALLEST_VARIANCE = 1e-6


def fit_whitening(values):
    """Fit the map that makes the mean 0 and the covariance 1.

    Parameters
    ----------
    values : ndarray of shape (n, d)

    Returns
    -------
    mean : ndarray of shape (d,)
    whitening : ndarray of shape (d, d)
        ``(values - mean) @ whitening`` has covariance 1, as the Ledoit–Wolf estimate sees it.
    """
    estimate = LedoitWolf(store_precision=False).fit(values)
    # Not scipy.linalg.eigh, whose default driver fails where hundreds of eigenvalues are equal.
    variances, directions = np.linalg.eigh(estimate.covariance_)
    smallest = _SMALLEST_VARIANCE * variances.mean()
    # Of values that are all equal, any difference counts as it is.
    variances = np.maximum(variances, smallest) if smallest > 0 else np.ones_like(variances)
    return estimate.location_, directions / np.sqrt(variances)


def leave_one_out_distances(values):
    r"""Compute the distance of each row from the mean and the covariance of all the others.

    With :math:`c = x - \mu`, the covariance without x is :math:`\frac{n}{n - 1} \Sigma -
    \frac{n}{(n - 1)^2} c c^T`, whose inverse is a rank-one update (Sherman and Morrison). So one
    decomposition serves for all rows. Shrinkage and mean variance are those of all rows.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        At least 2 rows.

    Returns
    -------
    distances : ndarray of shape (n,)
    """
    n = len(values)
    estimate = LedoitWolf(store_precision=False).fit(values)
    variances, directions = np.linalg.eigh(estimate.covariance_)
    ridge = estimate.shrinkage_ * variances.mean()
    smallest = _SMALLEST_VARIANCE * variances.mean()
    if smallest <= 0:
        return np.zeros(n)
    factor = n / (n - 1)
    variances = np.maximum(factor * (variances - ridge) + ridge, smallest)
    squares = np.sum(np.square((values - estimate.location_) @ directions) / variances, axis=1)
    removed = (1 - estimate.shrinkage_) * factor / (n - 1) * squares
    # What a single row spans is far from all others: below 1 in exact arithmetic only.
    return factor * np.sqrt(squares / np.maximum(1 - removed, _SMALLEST_VARIANCE))


def whiten(values, mean, whitening):
    """Apply in the graph what :func:`fit_whitening` gave."""
    from keras import ops

    return ops.matmul(values - mean, whitening)


class WhitenedDistance(BaseEstimator):
    """What the Mahalanobis distances of errors, codes and their differences have in common."""

    _fitted_attributes = ("mean_", "whitening_")

    def fit(self, features):
        """Estimate mean and covariance of normal samples.

        Parameters
        ----------
        features : ndarray of shape (n, d), float64
            What `features` gave for normal samples.

        Returns
        -------
        self : object
            The fitted score.
        """
        self.mean_, self.whitening_ = fit_whitening(features)
        return self

    def leave_one_out(self, features):
        """Compute the score of each sample that the score is fitted to, as if it were new.

        Parameters
        ----------
        features : ndarray of shape (n, d), float64
            What `fit` gets.

        Returns
        -------
        scores : ndarray of shape (n,), float64
            Scores by the mean and the covariance of the other samples.
        """
        return leave_one_out_distances(features)

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

        whitened = whiten(self.features(response), self.mean_, self.whitening_)
        return ops.sqrt(ops.sum(ops.square(whitened), axis=1))
