"""What an anomaly score is: from an input and its reconstruction to one number a sample.

An anomaly score is a parameter object with one method, `compute(inputs, reconstructions)`, which
runs inside the scoring graph. Both arguments are float64 tensors of the network's input shape, in
scaled units; the result has one number a sample, and higher means more abnormal.
"""

from sklearn.base import BaseEstimator, clone


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
    >>> from sklearn_ae import AbsoluteError, AutoencoderAnomalyDetector
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

        return _sum_over_sample(ops.abs(inputs - reconstructions))


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
    >>> from sklearn_ae import AutoencoderAnomalyDetector, SquaredError
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

        return _sum_over_sample(ops.square(inputs - reconstructions))


ANOMALY_SCORES = {"absolute_error": AbsoluteError, "squared_error": SquaredError}


def resolve_anomaly_score(anomaly_score):
    """Return a score object for the detector's parameter.

    Parameters
    ----------
    anomaly_score : {"absolute_error", "squared_error"} or object with `compute`

    Returns
    -------
    anomaly_score : object with `compute`
        A new object: the parameter itself is never fitted.

    Raises
    ------
    TypeError
        If it is a class.
    """
    if isinstance(anomaly_score, str):
        return ANOMALY_SCORES[anomaly_score]()
    if isinstance(anomaly_score, type):
        raise TypeError(
            "anomaly_score must be an object, not a class. Pass "
            f"anomaly_score={anomaly_score.__name__}(). Received: {anomaly_score!r}."
        )
    return clone(anomaly_score, safe=False)


def _sum_over_sample(errors):
    from keras import ops

    return ops.sum(errors, axis=tuple(range(1, len(errors.shape))))
