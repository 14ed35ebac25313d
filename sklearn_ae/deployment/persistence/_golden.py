"""Samples with the scores that a detector gave them, by which it is known again."""

import warnings

import numpy as np

from sklearn_ae.autoencoder.detector import AutoencoderAnomalyDetector
from sklearn_ae.exceptions import PersistenceError
from sklearn_ae.thresholds._unwrapping import walk_inwards

N_SAMPLES = 8

# Machines differ in how they add up float32.
TOLERANCE = 1e-5

OTHER_WAYS = (
    "Pipelines with transformers and other estimators go through skops (skops.io.dump) or, among "
    "people who trust each other, through joblib: see SECURITY.md."
)


def innermost(detector):
    """Return the autoencoder inside of wrappers."""
    *_, detector = walk_inwards(detector)
    if type(detector) is not AutoencoderAnomalyDetector:
        raise TypeError(
            f"detector must be, or wrap, an AutoencoderAnomalyDetector. {OTHER_WAYS} Received: "
            f"{type(detector).__name__}."
        )
    return detector


def make_golden_inputs(detector):
    """Make samples of the kind that a detector takes, and none of those that it was fitted to.

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector

    Returns
    -------
    X : ndarray of shape (n, *sample_shape)
        Drawn from a fixed generator: scaled values that are standard normal or, where values are
        not standardized, uniform up to the largest of the training data.
    """
    rng = np.random.default_rng(0)
    network, dtype = detector._network, detector._fitted_dtype
    shape = network.input_shape
    scale, offset = network.scaling
    if network.scaling.region is not None:
        top, left = np.argwhere(network.scaling.region)[0]
        scale, offset = scale[top, left], offset[top, left]
    if np.any(offset):
        X = (rng.normal(size=(N_SAMPLES, *shape)) - offset) / scale
    else:
        X = rng.uniform(0, max(detector._fitted_max, 0), size=(N_SAMPLES, *shape))
    if dtype.kind in "iu":
        X = X.round()
    if dtype.kind in "iuf":
        limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
        X = X.clip(limits.min, limits.max)
    X = X.astype(dtype)
    return X if detector._tiling is not None else X.reshape(N_SAMPLES, *detector._sample_shape)


def score_golden(detector, X):
    """Return scores and decisions of golden inputs, without warnings of what they are like."""
    with warnings.catch_warnings():
        # They have no names of features, and their units may look like others.
        warnings.simplefilter("ignore", UserWarning)
        return tuple(
            np.asarray(score(X), dtype=np.float64)
            for score in (detector.score_samples, detector.decision_function)
        )


def find_golden_error(detector, X, scores, decisions):
    """Return the largest relative difference from the scores and decisions that were written."""
    pairs = zip(score_golden(detector, X), (scores, decisions), strict=True)
    # A decision is a difference of two scores.
    size = np.maximum(np.abs(scores), np.abs(scores - decisions)) + 1e-12
    return max(float(np.max(np.abs(now - then) / size)) for now, then in pairs)


def check_golden_error(error):
    """Refuse a detector that scores in another way than when it was saved.

    Raises
    ------
    PersistenceError
        If the error is above `TOLERANCE`.
    """
    if not error <= TOLERANCE:
        raise PersistenceError(
            "The detector does not give the golden inputs in the file the scores that it gave them "
            "when it was saved: it was altered, or libraries or hardware differ in more than "
            "rounding. Compare the versions in sklearn_ae.deployment.describe(path), and do not "
            f"use it. Received: a relative difference of {error:.2g}, more than {TOLERANCE:g}."
        )
