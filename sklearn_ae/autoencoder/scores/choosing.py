"""From the detector's parameter to a score of its own."""

import math

from sklearn.base import clone

from sklearn_ae._base.checks import warn
from sklearn_ae.autoencoder.scores.absolute_error import AbsoluteError
from sklearn_ae.autoencoder.scores.code_difference import CodeDifference
from sklearn_ae.autoencoder.scores.combined_score import CombinedScore
from sklearn_ae.autoencoder.scores.custom import check_methods
from sklearn_ae.autoencoder.scores.hidden_difference import HiddenDifference
from sklearn_ae.autoencoder.scores.latent_distance import LatentDistance
from sklearn_ae.autoencoder.scores.neighbor_distance import NeighborDistance
from sklearn_ae.autoencoder.scores.pooled_distance import PooledDistance
from sklearn_ae.autoencoder.scores.position_error import PositionError
from sklearn_ae.autoencoder.scores.smoothed_error import SmoothedError
from sklearn_ae.autoencoder.scores.squared_error import SquaredError
from sklearn_ae.autoencoder.scores.whitened_error import LARGEST_WHITENED, WhitenedError

# All that files may hold but for CombinedScore, by the names that `anomaly_score` takes.
ANOMALY_SCORES = {
    "absolute_error": AbsoluteError,
    "code_difference": CodeDifference,
    "hidden_difference": HiddenDifference,
    "latent_distance": LatentDistance,
    "neighbor_distance": NeighborDistance,
    "pooled_distance": PooledDistance,
    "position_error": PositionError,
    "smoothed_error": SmoothedError,
    "squared_error": SquaredError,
    "whitened_error": WhitenedError,
}


def is_library_score(anomaly_score):
    """Return whether a score is one of the library's, so that its parameters tell all of it.

    Parameters
    ----------
    anomaly_score : object
        Parts of a combined score are not looked at.

    Returns
    -------
    is_library_score : bool
    """
    return type(anomaly_score) in (CombinedScore, *ANOMALY_SCORES.values())


def check_anomaly_score(anomaly_score, threshold=None):
    """Refuse a score that no network could use, and warn of a threshold that it always exceeds.

    Parameters
    ----------
    anomaly_score : str or object with `compute` or `compute_from`
    threshold : float or None, default=None

    Raises
    ------
    TypeError
        If it, or a part of it, is a class or has neither method.
    ValueError
        If a parameter is out of its range, or two parts have one name.
    """
    warn_if_threshold_is_negative(threshold, anomaly_score)
    if isinstance(anomaly_score, str):
        return
    if isinstance(anomaly_score, type):
        raise TypeError(
            "anomaly_score must be an object, not a class. Pass "
            f"anomaly_score={anomaly_score.__name__}(). Received: {anomaly_score!r}."
        )
    if isinstance(anomaly_score, CombinedScore):
        _check_parts(anomaly_score)
    elif hasattr(anomaly_score, "_parameter_constraints"):
        anomaly_score._validate_params()
    check_methods(anomaly_score)


def warn_if_threshold_is_negative(threshold, anomaly_score):
    """Warn of a threshold that flags everything, since errors and distances are never negative.

    Parameters
    ----------
    threshold : float or None
    anomaly_score : str or object
        A combined score may be negative, and so may "auto" and a custom one.
    """
    is_known = type(anomaly_score) in ANOMALY_SCORES.values() or (
        isinstance(anomaly_score, str) and anomaly_score in ANOMALY_SCORES
    )
    if threshold is not None and threshold < 0 and is_known:
        warn(
            f"threshold should be at least 0: {anomaly_score!r} is never negative, so every sample "
            "is an anomaly. offset_ and score_samples are minus the anomaly score: change the "
            f"sign of a threshold that comes from them. Received: threshold={threshold!r}.",
        )


def resolve_anomaly_score(anomaly_score, network, n_rows):
    """Return a score object for the detector's parameter.

    Parameters
    ----------
    anomaly_score : str or object with `compute` or `compute_from`
    network : Network
        "auto" takes of it what it has.
    n_rows : int
        Number of rows that the network is fitted to.

    Returns
    -------
    anomaly_score : object with `compute` or `compute_from`
        A new object: the parameter itself is never fitted.
    """
    if isinstance(anomaly_score, str):
        is_auto = anomaly_score == "auto"
        anomaly_score = _choose(network) if is_auto else ANOMALY_SCORES[anomaly_score]()
    anomaly_score = clone(anomaly_score, safe=False)
    if isinstance(anomaly_score, CombinedScore):
        parts = [(name, clone(part, safe=False)) for name, part in anomaly_score.scores]
        # None is what a parameter of a custom score may well be.
        enough = [part for part in parts if n_rows >= (getattr(part[1], "min_rows", 0) or 0)]
        anomaly_score.scores_ = enough or parts
    return anomaly_score


def _choose(network):
    """Return what detected best on average, of images and of rows."""
    if network.is_positionwise:
        return CombinedScore([("positions", PositionError()), ("pooled", PooledDistance())])
    if len(network.input_shape) == 3:
        if not network.has_code:
            return SmoothedError()
        cosine = HiddenDifference(metric="cosine")
        hidden = cosine if network.has_activations else SmoothedError()
        parts = [("difference", CodeDifference()), ("hidden", hidden), ("code", LatentDistance())]
        return CombinedScore(parts)
    is_small = math.prod(network.input_shape) <= LARGEST_WHITENED
    error = WhitenedError() if is_small else SquaredError()
    return CombinedScore([("error", error), ("neighbors", NeighborDistance())])


def _check_parts(combined):
    parts = combined.scores
    is_list = isinstance(parts, list | tuple) and len(parts) > 0
    if not is_list or not all(isinstance(part, tuple | list) and len(part) == 2 for part in parts):
        raise TypeError(
            "scores of CombinedScore must be a non-empty list of (name, score) tuples. Received: "
            f"{parts!r}."
        )
    names = [name for name, _ in parts]
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"Names of the scores of CombinedScore must be strings. Received: {names}.")
    combined._validate_names(names)
    for name, score in parts:
        if isinstance(score, CombinedScore):
            raise ValueError(
                "A CombinedScore may be negative and cannot be a part of another: put its parts "
                f"into one list. Received: {name!r}."
            )
        has_method = hasattr(score, "compute") or hasattr(score, "compute_from")
        if isinstance(score, type) or not has_method:
            raise TypeError(
                "Scores of CombinedScore must be objects with compute or compute_from, such as "
                f"LatentDistance(). Received: {score!r} for {name!r}."
            )
        check_anomaly_score(score)
