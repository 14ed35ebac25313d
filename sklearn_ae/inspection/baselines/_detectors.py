"""The simple detectors that any other one has to be better than."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

# The detector's default length of a code: PCA is the linear autoencoder, and gets no longer one.
_MOST_COMPONENTS = 32
# Of a table with fewer columns than that, all components would rebuild everything. The usual
# cut leaves out a tenth of the variance.
_VARIANCE_SHARE = 0.9
_N_NEIGHBORS = 5
# A covariance of more values than this takes minutes and gigabytes.
_MOST_COVARIANCES = 1024
_COMPONENTS_BEFORE_COVARIANCE = 256


class PCAError(OutlierMixin, BaseEstimator):
    """Squared distance to the reconstruction from principal components.

    Parameters
    ----------
    random_state : int
        Seed of the solver that scikit-learn takes for large data.
    """

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit(self, X, y=None):
        """Keep the components of 90 % of the variance, but 32 and one fewer than features at most.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
        y : None

        Returns
        -------
        self : PCAError
        """
        n_components = min(_MOST_COMPONENTS, len(X) - 1, X.shape[1] - 1)
        pca = PCA(n_components, random_state=self.random_state).fit(X)
        shares = np.cumsum(pca.explained_variance_ratio_)
        n_kept = min(n_components, np.searchsorted(shares, _VARIANCE_SHARE) + 1)
        self.mean_, self.components_ = pca.mean_, pca.components_[:n_kept]
        return self

    def score_samples(self, X):
        """Compute minus the squared reconstruction errors.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)

        Returns
        -------
        scores : ndarray of shape (n,), float64
        """
        centered = X - self.mean_
        residuals = centered - centered @ self.components_.T @ self.components_
        return -np.sum(residuals**2, axis=1)


class NeighborBaseline(OutlierMixin, BaseEstimator):
    """Mean distance to the five nearest training samples."""

    def fit(self, X, y=None):
        """Keep the training samples.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
        y : None

        Returns
        -------
        self : NeighborBaseline
        """
        self.neighbors_ = NearestNeighbors(n_neighbors=_N_NEIGHBORS).fit(X)
        return self

    def score_samples(self, X):
        """Compute minus the mean distances.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)

        Returns
        -------
        scores : ndarray of shape (n,), float64
        """
        return -self.neighbors_.kneighbors(X)[0].mean(axis=1)


class MahalanobisDistance(OutlierMixin, BaseEstimator):
    """Squared Mahalanobis distance under a shrunk covariance."""

    def fit(self, X, y=None):
        """Estimate mean and covariance, with Ledoit's and Wolf's shrinkage.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
        y : None

        Returns
        -------
        self : MahalanobisDistance
        """
        self.covariance_ = LedoitWolf().fit(X)
        return self

    def score_samples(self, X):
        """Compute minus the squared distances.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)

        Returns
        -------
        scores : ndarray of shape (n,), float64
        """
        return -self.covariance_.mahalanobis(X)


def make_baselines(n_samples, n_values, *, is_image, transformers=(), random_state):
    """Make the baselines, none of them fitted.

    Parameters
    ----------
    n_samples : int
        Number of samples to fit to.
    n_values : int
        Number of values of a sample.
    is_image : bool
        Whether samples are images. The columns of others are standardized. Pixels share one unit:
        one by one, the noise of those that hardly vary would drown the rest, and one common factor
        would change no ranking.
    transformers : sequence of estimators, default=()
        What goes before: those of the detector's pipeline.
    random_state : int

    Returns
    -------
    baselines : dict of str to sklearn.pipeline.Pipeline
        Outlier detectors of samples of any shape, with `fit` and `score_samples`. On a tie, the
        first of them passes for the best.
    """
    covariance = [MahalanobisDistance()]
    if n_values > _MOST_COVARIANCES:
        n_components = min(_COMPONENTS_BEFORE_COVARIANCE, n_samples - 1)
        covariance.insert(0, PCA(n_components, random_state=random_state))
    detectors = {
        "PCA": [PCAError(random_state=random_state)],
        "Mahalanobis distance": covariance,
        "k nearest neighbors": [NeighborBaseline()],
        "isolation forest": [IsolationForest(random_state=random_state)],
    }
    # Steps of their own take arrays, whatever container the user wants from transformers.
    scalers = [] if is_image else [_with_arrays(StandardScaler())]
    flatten = _with_arrays(FunctionTransformer(_flatten))
    return {
        name: make_pipeline(
            *map(clone, transformers),
            flatten,
            *scalers,
            *(_with_arrays(step) if isinstance(step, PCA) else step for step in steps),
        )
        for name, steps in detectors.items()
    }


def count_transformed(transformers, X):
    """Count the values of a sample behind transformers, which are fitted for that.

    Parameters
    ----------
    transformers : sequence of estimators
        At least one. They stay as they are.
    X : array-like of shape (n, ...)

    Returns
    -------
    n_values : int
    """
    pipeline = make_pipeline(*map(clone, transformers), _with_arrays(FunctionTransformer(_flatten)))
    return pipeline.fit_transform(X).shape[1]


def _with_arrays(transformer):
    return transformer.set_output(transform="default")


def _flatten(X):
    if sparse.issparse(X):
        X = X.toarray()
    return np.asarray(X, dtype=np.float64).reshape(len(X), -1)
