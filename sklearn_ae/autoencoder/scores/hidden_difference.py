"""The difference between a sample and its reconstruction all along the encoder."""

import math

from sklearn.base import BaseEstimator

from sklearn_ae._base.sklearn_compat import StrOptions
from sklearn_ae.autoencoder.scores.computing import sum_over_sample


class HiddenDifference(BaseEstimator):
    r"""Difference of what the encoder's layers make of x and of its reconstruction.

    Let :math:`h_i(x)` be the output, after its activation, of the i-th of l encoder layers that
    have weights; the last one is the code. A model within the encoder counts as one layer.

    - "squared" is :math:`\sum_{i=1}^{l} \lVert h_i(x) - h_i(\hat x) \rVert^2`, the SAP ("simple
      aggregation along pathway") of [1]_ over the hidden layers.
    - "cosine" is the cosine distance of the layer before the code,
      :math:`1 - \cos(h_{l-1}(x), h_{l-1}(\hat x))`, or of the code if there is no such layer. It
      asks which parts are there and not how strong they are, and is at most 2.

    Where units of the encoder die or saturate, far from the data, either may be small: there it
    needs another score beside it, as in :class:`.CombinedScore`.

    Costs one more pass through the encoder. Needs an architecture whose encoder is a functional or
    sequential Keras model.

    Parameters
    ----------
    metric : {"squared", "cosine"}, default="squared"
        How outputs are compared, and of which layers.

    See Also
    --------
    CodeDifference : The last layer alone, whitened.

    References
    ----------
    .. [1] K. H. Kim et al., "RaPP: Novelty detection with reconstruction along projection pathway",
       ICLR 2020, https://openreview.net/forum?id=HkgeGeBYDB.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector
    >>> from sklearn_ae.scores import HiddenDifference
    >>> AutoencoderAnomalyDetector(anomaly_score=HiddenDifference(metric="cosine"))
    AutoencoderAnomalyDetector(anomaly_score=HiddenDifference(metric='cosine'))
    """

    _parameter_constraints = {"metric": [StrOptions({"squared", "cosine"})]}

    def __init__(self, *, metric="squared"):
        self.metric = metric

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

        pairs = list(zip(response.hidden, response.reconstruction_hidden, strict=True))
        if self.metric == "cosine":
            one, other = (_to_unit_length(values) for values in pairs[-2:][0])
            # For vectors of length 1, and not 1 - cos, which loses the digits of small distances.
            return ops.sum(ops.square(one - other), axis=1) / 2
        return sum(sum_over_sample(ops.square(one - other)) for one, other in pairs)


def _to_unit_length(values):
    from keras import ops

    values = ops.reshape(values, (-1, math.prod(values.shape[1:])))
    lengths = ops.sqrt(ops.sum(ops.square(values), axis=1, keepdims=True))
    # Where all units are dead the vector stays zero, which is unlike any other.
    return values / ops.maximum(lengths, 1e-30)
