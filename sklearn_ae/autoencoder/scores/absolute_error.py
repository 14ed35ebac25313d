"""The sum of absolute errors."""

from sklearn.base import BaseEstimator

from sklearn_ae.autoencoder.scores.computing import sum_over_sample


class AbsoluteError(BaseEstimator):
    r"""Sum of absolute errors, :math:`\sum_j |x_j - \hat x_j|`.

    The sum runs over all pixels and channels of an image, or all features of a row, in scaled
    units. Costs one subtraction a value.

    References
    ----------
    .. [1] M. Sakurada and T. Yairi, "Anomaly detection using autoencoders with nonlinear
       dimensionality reduction", MLSDA 2014, :doi:`10.1145/2689746.2689747` (reconstruction error
       as an anomaly score).

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector
    >>> from sklearn_ae.scores import AbsoluteError
    >>> AutoencoderAnomalyDetector(anomaly_score=AbsoluteError())
    AutoencoderAnomalyDetector(anomaly_score=AbsoluteError())
    """

    def compute(self, inputs, reconstructions):
        """Compute the score of each sample.

        Parameters
        ----------
        inputs, reconstructions : tensor of shape (n, ...), float64
            What the network was given and what it made of it, in scaled units.

        Returns
        -------
        scores : tensor of shape (n,), float64
            Higher is more abnormal.
        """
        from keras import ops

        return sum_over_sample(ops.abs(inputs - reconstructions))
