"""What several scores compute alike, in the graph."""

import math


def sum_over_sample(errors):
    """Sum over all axes but the first."""
    from keras import ops

    return ops.sum(errors, axis=tuple(range(1, len(errors.shape))))


def positions_of(response, maps):
    """Return feature maps as positions, of shape (n, n_positions, d)."""
    from keras import ops

    if not getattr(response, "is_positionwise", False):
        raise ValueError(
            "anomaly_score is one of features at the positions of an image: pass "
            "architecture=FeatureAutoencoder(), or another score, such as anomaly_score='auto'. "
            f"Received: samples of shape {tuple(response.inputs.shape[1:])}."
        )
    return ops.reshape(maps, (-1, math.prod(maps.shape[1:3]), maps.shape[3]))


def compute_score(score, response):
    """Compute any score from a response, in the graph.

    Parameters
    ----------
    score : object with `compute_from` or `compute`
    response : object

    Returns
    -------
    scores : tensor of shape (n,)
    """
    if hasattr(score, "compute_from"):
        return score.compute_from(response)
    return score.compute(response.inputs, response.reconstructions)
