"""The sum of squared errors."""

from sklearn.base import BaseEstimator

from sklearn_ae.autoencoder.scores.computing import sum_over_sample


class SquaredError(BaseEstimator):
    r"""Sum of squared errors, :math:`\sum_j (x_j - \hat x_j)^2`.

    Weighs a few large errors more than many small ones. Costs one subtraction and one product a
    value.

    References
    ----------
    .. [1] M. Sakurada and T. Yairi, "Anomaly detection using autoencoders with nonlinear
       dimensionality reduction", MLSDA 2014, :doi:`10.1145/2689746.2689747`.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector
    >>> from sklearn_ae.scores import SquaredError
    >>> AutoencoderAnomalyDetector(anomaly_score=SquaredError())
    AutoencoderAnomalyDetector(anomaly_score=SquaredError())
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

        return sum_over_sample(ops.square(inputs - reconstructions))
