"""Distances from the nearest of normal samples."""

import math
from numbers import Integral

from sklearn.base import BaseEstimator

from sklearn_ae._base.sklearn_compat import Interval


class NeighborDistance(BaseEstimator):
    r"""Euclidean distance of a sample from its k-th nearest normal one [1]_, in scaled units.

    :math:`\lVert x - x_{(k)} \rVert`, where :math:`x_{(k)}` is the k-th nearest to x of the rows
    that the network was fitted to. It does not use the network. On tables nothing alone detects
    better on average, and next to an error of the autoencoder, which knows how features depend on
    each other, either finds what the other misses. Of images, the distance of
    :class:`.LatentDistance` says more.

    Costs d products for each normal row of d values, of which 10,000 at most are kept: the fitted
    detector, and a file of it, hold rows of the training data.

    Parameters
    ----------
    n_neighbors : int, default=5
        Which neighbor counts; the last if there are fewer.

    Attributes
    ----------
    mean_ : ndarray of shape (d,)
        Mean of the normal rows.
    references_ : ndarray of shape (n, d)
        The normal rows minus their mean.
    n_neighbors_ : int
        The smaller of `n_neighbors` and the number of normal rows.

    See Also
    --------
    LatentDistance : The same for codes, whitened.

    References
    ----------
    .. [1] S. Ramaswamy, R. Rastogi and K. Shim, "Efficient algorithms for mining outliers from
       large data sets", SIGMOD 2000, :doi:`10.1145/342009.335437`.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector
    >>> from sklearn_ae.scores import NeighborDistance
    >>> AutoencoderAnomalyDetector(anomaly_score=NeighborDistance(n_neighbors=1))
    AutoencoderAnomalyDetector(anomaly_score=NeighborDistance(n_neighbors=1))
    """

    _fitted_attributes = ("mean_", "n_neighbors_", "references_")

    _parameter_constraints = {"n_neighbors": [Interval(Integral, 1, None, closed="left")]}

    fits_training_rows = True

    def __init__(self, *, n_neighbors=5):
        self.n_neighbors = n_neighbors

    def features(self, response):
        """Return what is compared.

        Parameters
        ----------
        response : object
            What the network makes of the samples: see :mod:`sklearn_ae.scores`.

        Returns
        -------
        samples : tensor of shape (n, d), float64
            The inputs, flat.
        """
        from keras import ops

        return ops.reshape(response.inputs, (-1, math.prod(response.inputs.shape[1:])))

    def fit(self, features):
        """Keep the normal rows.

        Parameters
        ----------
        features : ndarray of shape (n, d), float64
            Normal rows.

        Returns
        -------
        self : NeighborDistance
            The fitted score.
        """
        # Around zero the squares are smallest by whose differences neighbors are found.
        self.mean_ = features.mean(axis=0)
        self.references_ = features - self.mean_
        self.n_neighbors_ = min(int(self.n_neighbors), len(features))
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
        samples = self.features(response) - self.mean_
        return distance_of_neighbor(samples, self.references_, self.n_neighbors_)


def distance_of_neighbor(samples, references, n_neighbors):
    """Compute in the graph the distance from the `n_neighbors`-th nearest reference.

    Parameters
    ----------
    samples : tensor of shape (n, d), float64
    references : tensor of shape (m, d), float64
    n_neighbors : int
        At most m.

    Returns
    -------
    distances : tensor of shape (n,), float64
    """
    from keras import ops

    # One matrix product, where differences would be an array of n × m × d.
    squares = ops.sum(ops.square(samples), axis=1, keepdims=True) + ops.sum(
        ops.square(references), axis=1
    )
    squares = squares - 2 * ops.matmul(samples, ops.transpose(references))
    _, nearest = ops.top_k(-squares, n_neighbors)
    # Which one it is, the product tells; how far it is, only the difference: 0 of equal samples.
    differences = samples - ops.take(references, nearest[:, -1], axis=0)
    return ops.sqrt(ops.sum(ops.square(differences), axis=1))
