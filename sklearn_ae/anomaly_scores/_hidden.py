"""The difference between a sample and its reconstruction all along the encoder."""

from sklearn.base import BaseEstimator

from sklearn_ae.anomaly_scores._errors import sum_over_sample


class HiddenDifference(BaseEstimator):
    r"""Squared differences of what each encoder layer gives, for x and for its reconstruction.

    :math:`\sum_{i=0}^{l} \lVert h_i(x) - h_i(\hat x) \rVert^2`, the SAP ("simple aggregation along
    pathway") of [1]_: :math:`h_0(x) = x` in scaled units, and :math:`h_i(x)` is the output, after
    its activation, of the i-th encoder layer that has weights; the last one is the code. A model
    within the encoder counts as one layer.

    Costs one more pass through the encoder. Needs an architecture whose encoder is a functional or
    sequential Keras model.

    See Also
    --------
    CodeDifference : The last layer alone, whitened.

    References
    ----------
    .. [1] K. H. Kim et al., "RaPP: Novelty detection with reconstruction along projection pathway",
       ICLR 2020, https://openreview.net/forum?id=HkgeGeBYDB.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector, HiddenDifference
    >>> AutoencoderAnomalyDetector(anomaly_score=HiddenDifference())
    AutoencoderAnomalyDetector(anomaly_score=HiddenDifference())
    """

    def compute_from(self, response):
        """Compute the score of each sample.

        Parameters
        ----------
        response : object
            What the network makes of the samples: see :mod:`sklearn_ae.anomaly_scores`.

        Returns
        -------
        scores : tensor of shape (n,), float64
            Higher is more abnormal.
        """
        from keras import ops

        # The inputs hold the score up where every unit behind them is dead or saturated.
        pairs = [(response.inputs, response.reconstructions)]
        pairs += zip(response.hidden, response.reconstruction_hidden, strict=True)
        return sum(sum_over_sample(ops.square(one - other)) for one, other in pairs)
