"""The squared error after smoothing."""

from numbers import Real

import numpy as np
from scipy.ndimage import gaussian_filter1d
from sklearn.base import BaseEstimator

from sklearn_ae._base.sklearn_compat import Interval
from sklearn_ae.autoencoder.scores.computing import sum_over_sample


class SmoothedError(BaseEstimator):
    r"""Sum of squares of the smoothed error, :math:`\sum_j (g_\sigma * (x - \hat x))_j^2`.

    For images. :math:`g_\sigma` is a Gaussian over height and width with standard deviation
    :math:`\sigma`, cut off at :math:`4 \sigma` and mirrored at the borders, as
    :func:`scipy.ndimage.gaussian_filter` does it; channels are smoothed one by one. Smoothing
    removes the errors that the network makes at every edge, whose signs alternate, and keeps those
    of whole parts that are missing or too much.

    Costs :math:`h w (h + w)` products a channel of h×w pixels, little beside a network of
    convolutions.

    Parameters
    ----------
    sigma : float, default=1.0
        Standard deviation of the Gaussian, in pixels.

    References
    ----------
    .. [1] R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 4th edition, Pearson 2018,
       chapter 3 (Gaussian smoothing).

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector
    >>> from sklearn_ae.scores import SmoothedError
    >>> detector = AutoencoderAnomalyDetector(anomaly_score=SmoothedError())
    >>> detector.set_params(anomaly_score__sigma=2.0).anomaly_score
    SmoothedError(sigma=2.0)
    """

    _parameter_constraints = {"sigma": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, *, sigma=1.0):
        self.sigma = sigma

    def compute(self, inputs, reconstructions):
        """Compute the score of each sample.

        Parameters
        ----------
        inputs, reconstructions : tensor of shape (n, height, width, channels), float64
            What the network was given and what it made of it, in scaled units.

        Returns
        -------
        scores : tensor of shape (n,), float64
            Higher is more abnormal.

        Raises
        ------
        ValueError
            If the samples are no images.
        """
        from keras import ops

        shape = tuple(inputs.shape)
        if len(shape) != 4:
            raise ValueError(
                "anomaly_score=SmoothedError() smooths images. For rows pass "
                "anomaly_score=SquaredError() or WhitenedError(), or fold them into images with "
                f"input_shape=(height, width). Received: samples of shape {shape[1:]}."
            )
        # Filters of a known size are matrices: exact at the borders, whatever the size of image.
        rows, columns = (
            gaussian_filter1d(np.eye(size), self.sigma, axis=0, mode="reflect")
            for size in shape[1:3]
        )
        smoothed = ops.einsum("ij,njkc,lk->nilc", rows, inputs - reconstructions, columns)
        return sum_over_sample(ops.square(smoothed))
