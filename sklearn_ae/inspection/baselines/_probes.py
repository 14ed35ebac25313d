"""Samples far from all data, which no detector may take for normal."""

from itertools import starmap
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from sklearn_ae._base.outlier_scores import compute_anomaly_scores

# Of each kind, made of as many held-out normal samples.
_MOST_PROBES = 20
# Of the components along which linear autoencoders rebuild everything.
_MOST_COMPONENTS = 5
# Times the distance from the mean: up to a million, four steps for each power of ten.
_STEPS = np.logspace(0, 6, 25)
# What is called far, in units of the training sample farthest from the mean.
_FAR = 10
# A probe passes for normal below this share of the scores of held-out normal samples, ...
_ACCEPTED_SHARE = 0.95
# ... and a detector fails if more of the probes pass than of normal samples are flagged.
_MOST_ACCEPTED = 0.05
# A fall by less than this share of the rise brings nothing back to normal: networks compute in
# float32, and forests have plateaus with dents.
_SMALLEST_FALL = 0.05


class Probe(NamedTuple):
    """Samples of one kind.

    Parameters
    ----------
    name : str
    X : ndarray of shape (n, ...)
    far_from : ndarray of shape (n_rays,) or None
        Of rays, whose samples come ray by ray: the step from which on each is outside of the data.
    """

    name: str
    X: np.ndarray
    far_from: np.ndarray | None = None


def make_probes(X_train, X_held_out, *, is_image, random_state):
    """Make samples that are far from the training samples.

    Parameters
    ----------
    X_train, X_held_out : ndarray of shape (n, ...)
        Normal samples: those that were fitted to, and others, which probes are made of.
    is_image : bool
    random_state : int

    Returns
    -------
    probes : list of Probe
    """
    random_state = check_random_state(random_state)
    n = min(_MOST_PROBES, len(X_held_out))
    samples = X_held_out[random_state.choice(len(X_held_out), size=n, replace=False)]
    probes = []
    # Rays of integer images would leave the range of their type.
    if not (is_image and X_train.dtype.kind in "iu"):
        train = X_train.reshape(len(X_train), -1).astype(np.float64)
        ends = {
            "rays": samples.reshape(n, -1).astype(np.float64),
            "components": _go_along_components(train, is_image, random_state),
        }
        probes += [_make_rays(name, X_train, train, rows) for name, rows in ends.items()]
    make_others = _change_images if is_image else _change_rows
    others = make_others(X_train, samples, random_state)
    return [probe for probe in (*probes, *starmap(Probe, others.items())) if len(probe.X)]


def judge_probe(estimator, probe, normal_scores, *, to_container):
    """Find out how normal a detector takes a probe to be.

    Parameters
    ----------
    estimator : estimator object
        Fitted outlier detector.
    probe : Probe
    normal_scores : ndarray of shape (n_normal,)
        Its anomaly scores of normal samples that it was not fitted to.
    to_container : callable
        Makes of samples what the detector takes, a data frame say.

    Returns
    -------
    result : dict
        An entry of :attr:`.BaselineComparison.probes`, without the method.
    """
    try:
        scores = compute_anomaly_scores(estimator, to_container(probe.X))
    except ValueError:
        # Who refuses a probe does not take it for normal.
        scores = np.full(len(probe.X), np.inf)
    typical, limit = np.quantile(normal_scores, [0.5, _ACCEPTED_SHARE])
    falls_from, fall = np.nan, 0.0
    if probe.far_from is not None:
        rays = scores.reshape(len(probe.far_from), -1)
        falls_from, fall = _find_fall(rays, probe.far_from, typical)
        scores = rays[_FAR * probe.far_from[:, np.newaxis] <= _STEPS]
    # NaN passes for normal: comparing it with a threshold flags nothing.
    share_accepted = float(np.mean(~(scores > limit)))
    return {
        "probe": probe.name,
        "n_samples": len(scores),
        "share_accepted": share_accepted,
        "share_typical": float(np.mean(~(scores > typical))),
        "falls_from": falls_from,
        "fall": fall,
        "failed": share_accepted > _MOST_ACCEPTED or fall > 0,
    }


def _find_fall(scores, far_from, typical):
    """Return the first step outside of the data at which a score falls, and the deepest fall.

    A fall is a share of the rise over what is typical, so that 1 is back among normal samples.
    """
    scores = np.where(far_from[:, np.newaxis] <= _STEPS, scores, -np.inf)
    highest = np.maximum.accumulate(scores, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        falls = np.where(highest > typical, (highest - scores) / (highest - typical), 0.0)
    falls = np.where(falls > _SMALLEST_FALL, falls, 0.0)
    if not np.any(falls):
        return np.nan, 0.0
    return float(_STEPS[np.argmax(np.any(falls, axis=0))]), float(np.max(falls))


def _go_along_components(train, is_image, random_state):
    """Return the points one standard deviation from the mean, both ways, along each component."""
    scaler = StandardScaler(with_std=not is_image).set_output(transform="default").fit(train)
    n_components = min(_MOST_COMPONENTS, *train.shape)
    pca = PCA(n_components, random_state=random_state).fit(scaler.transform(train))
    steps = pca.components_ * np.sqrt(pca.explained_variance_)[:, np.newaxis]
    return scaler.inverse_transform(np.concatenate([steps, -steps]))


def _make_rays(name, X_train, train, rows):
    """Go from the mean through each row, and on to where no data are."""
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    rows = rows[np.any(rows != mean, axis=1)]
    # Outside of the smallest ball around the data, distances to all of them grow along a ray. The
    # ball is one of raw values for some detectors, of standardized ones for others.
    units = [1.0, 1 / np.where(deviation > 0, deviation, 1.0)]
    far_from = np.max(
        [
            np.max(np.linalg.norm((train - mean) * unit, axis=1))
            / np.linalg.norm((rows - mean) * unit, axis=1)
            for unit in units
        ],
        axis=0,
    )
    # Of a sample next to the mean, the last step may not be far.
    is_long = _FAR * far_from <= _STEPS[-1]
    rows, far_from = rows[is_long], far_from[is_long]
    points = mean + _STEPS[:, np.newaxis] * (rows - mean)[:, np.newaxis]
    points = points.reshape(-1, *X_train.shape[1:])
    return Probe(name, points.astype(_real_type(X_train)), far_from)


def _change_rows(X_train, samples, random_state):
    dtype = _real_type(samples)
    samples = samples.astype(np.float64)
    spread = np.ptp(X_train.astype(np.float64), axis=0)
    one_far = samples.copy()
    features = random_state.choice(np.flatnonzero(spread), size=len(samples))
    rows = np.arange(len(samples))
    one_far[rows, features] += 1000 * spread[features]
    scaled = 1000 * samples[np.any(samples != 0, axis=1)]
    changed = {
        "scaled": scaled,
        "shifted": np.concatenate([samples - 10 * spread, samples + 10 * spread]),
        "one feature": one_far,
    }
    return {name: X.astype(dtype) for name, X in changed.items()}


def _change_images(X_train, samples, random_state):
    low, high = float(X_train.min()), float(X_train.max())
    if X_train.dtype.kind == "u":
        low, high = 0.0, float(np.iinfo(X_train.dtype).max)
    shape = samples.shape
    pixels = samples.astype(np.float64)
    shuffled = random_state.permutation
    changed = {
        "black": np.full((1, *shape[1:]), low),
        "gray": np.full((1, *shape[1:]), (low + high) / 2),
        "white": np.full((1, *shape[1:]), high),
        "inverted": low + high - pixels,
        "noise": random_state.uniform(low, high, size=shape),
        "shuffled": np.array([shuffled(image.ravel()).reshape(shape[1:]) for image in pixels]),
    }
    is_integer = samples.dtype.kind in "iu"
    return {
        name: (X.round() if is_integer else X).astype(samples.dtype) for name, X in changed.items()
    }


def _real_type(X):
    """Return the type of X, or one with the range that far-off samples need."""
    return np.result_type(X.dtype, np.float32)
