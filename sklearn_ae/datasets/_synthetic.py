"""Plausible anomalies made from normal data."""

import math

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.utils import check_array, check_random_state

from sklearn_ae._base.checks import check_not_masked

IMAGE_KINDS = ("cut_paste", "scar", "blob", "missing", "brightness")
ROW_KINDS = ("permuted", "stretched")

# A change of fewer units of the data's range than this share would be no anomaly to anyone.
_SMALLEST_CHANGE = 0.05
_MAX_TRIALS = 50


def make_anomalies(X, *, kind="mixed", input_shape=None, random_state=None):
    """Make an anomaly of each normal sample.

    Anomalies made from the data stand in for real ones, of which there are few, in a choice
    between detectors. They tell how well a detector finds what they look like: check on a few real
    anomalies, if there are any, that these are found too.

    Parameters
    ----------
    X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, channels)
        Normal samples, at least 2.
    kind : str, default="mixed"
        What happens to a sample. Of an image, whose side is the square root of its area:

        - "cut_paste" : a rectangle of 2 to 15 % of the area is overwritten by another place of the
          image [1]_;
        - "scar" : so is a thin, rotated one, 0.2 to 0.6 of the side long [1]_;
        - "blob" : a blurred blob, 0.1 to 0.3 of the side wide, of another brightness;
        - "missing" : a rectangle of 2 to 15 % of the area becomes the image's median;
        - "brightness" : a rectangle of 5 to 30 % of the area becomes brighter or darker.

        Of a row:

        - "permuted" : about a third of its features, at least one, are taken from other rows, which
          breaks how features depend on each other, and leaves each of them plausible;
        - "stretched" : about a third of its features, at least one, go 2 to 4 times as far from
          their mean, or from their standard deviation if they are nearer than that.

        "mixed" draws one of the kinds for each sample.
    input_shape : tuple of int or None, default=None
        ``(height, width)`` or ``(height, width, channels)`` of the images that the rows of X are.
    random_state : int, RandomState instance or None, default=None
        Source of all choices.

    Returns
    -------
    X_anomalous : ndarray of the shape and type of X
        Images stay within the smallest and largest value of X.
    masks : ndarray of shape (n, n_features) or (n, height, width), bool
        What is changed: features, or pixels of any channel.

    Raises
    ------
    ValueError
        If `kind` is none of these, X is constant, or a sample could not be changed.

    See Also
    --------
    sklearn_ae.metrics.synthetic_anomaly_scorer : Choose a detector by such anomalies.

    References
    ----------
    .. [1] C.-L. Li, K. Sohn, J. Yoon and T. Pfister, "CutPaste: Self-supervised learning for
       anomaly detection and localization", CVPR 2021, :arxiv:`2104.04015`.

    Examples
    --------
    >>> from sklearn_ae.datasets import load_mnist_one_zero, make_anomalies
    >>> ones = load_mnist_one_zero().X_train[:100]
    >>> anomalies, masks = make_anomalies(ones, kind="scar", random_state=0)
    >>> anomalies.shape, anomalies.dtype, masks.shape
    ((100, 28, 28), dtype('uint8'), (100, 28, 28))
    >>> bool((anomalies[~masks] == ones[~masks]).all())
    True
    """
    check_not_masked(X)
    X = check_array(X, allow_nd=True, dtype="numeric", ensure_min_samples=2, input_name="X")
    if X.ndim > 4:
        raise ValueError(
            "X must be (n, n_features), (n, height, width) or (n, height, width, channels). "
            f"Received: X of shape {X.shape}."
        )
    samples = X if input_shape is None else _fold(X, input_shape)
    kinds = ROW_KINDS if samples.ndim == 2 else IMAGE_KINDS
    if kind != "mixed" and kind not in kinds:
        raise ValueError(
            f"kind must be 'mixed' or one of {', '.join(map(repr, kinds))} for X of shape "
            f"{X.shape} and input_shape={input_shape}. Received: kind={kind!r}."
        )
    random_state = check_random_state(random_state)
    chosen = [kind] * len(X)
    if kind == "mixed":
        chosen = np.array(kinds)[random_state.randint(len(kinds), size=len(X))]
    make = _change_rows if samples.ndim == 2 else _change_images
    anomalies = make(samples, chosen, random_state)
    masks = anomalies != samples
    if masks.ndim == 4:
        masks = masks.any(axis=-1)
    if input_shape is not None and len(input_shape) == 2:
        masks = masks.reshape(len(X), -1)
    return anomalies.reshape(X.shape), masks


def _fold(X, input_shape):
    is_shape = isinstance(input_shape, tuple | list) and len(input_shape) in (2, 3)
    if X.ndim != 2 or not is_shape or math.prod(input_shape) != X.shape[1]:
        raise ValueError(
            "input_shape must be the (height, width) or (height, width, channels) of the images "
            f"that the rows of X are. Received: input_shape={input_shape} and X of shape {X.shape}."
        )
    return X.reshape(len(X), *input_shape)


# Rows


def _change_rows(X, kinds, random_state):
    values = X.astype(np.float64)
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    changed = X.copy()
    varying = np.flatnonzero(deviation)
    _check_varies(len(varying) > 0, X)
    for i, kind in enumerate(kinds):
        n = max(1, round(len(varying) / 3))
        for _ in range(_MAX_TRIALS):
            features = random_state.choice(varying, size=n, replace=False)
            row = values[i].copy()
            if kind == "permuted":
                others = random_state.randint(len(X), size=n)
                row[features] = values[others, features]
            else:
                row[features] = _stretch(
                    row[features], mean[features], deviation[features], random_state
                )
            changed[i] = _to_dtype(row, X.dtype)
            # Compared as the user gets it: rounding or the end of a type may undo a change.
            if (changed[i] != X[i]).any():
                break
        else:
            _refuse(i, kind)
    return changed


def _to_dtype(values, dtype):
    if dtype.kind == "b":
        return values >= 0.5
    if dtype.kind in "iu":
        # Integers that go beyond their type would come out at its other end.
        limits = np.iinfo(dtype)
        values = values.round().clip(limits.min, limits.max)
    return values.astype(dtype)


def _stretch(values, mean, deviation, random_state):
    difference = values - mean
    sign = np.where(difference < 0, -1, 1)
    factor = random_state.uniform(2, 4, size=len(values))
    return mean + sign * factor * np.maximum(np.abs(difference), deviation)


# Images


def _change_images(X, kinds, random_state):
    low, high = float(X.min()), float(X.max())
    _check_varies(high > low, X)
    changed = X.copy()
    for i, kind in enumerate(kinds):
        image = X[i].astype(np.float64)
        for _ in range(_MAX_TRIALS):
            candidate = _CHANGES[kind](image, low, high, random_state).clip(low, high)
            changed[i] = _to_dtype(candidate, X.dtype)
            is_large = np.abs(candidate - image).max() >= _SMALLEST_CHANGE * (high - low)
            # Rounding may undo a change.
            if is_large and (changed[i] != X[i]).any():
                break
        else:
            _refuse(i, kind)
    return changed


def _cut_paste(image, low, high, random_state):
    return _paste(image, _rectangle(image, 0.02, 0.15, random_state), random_state)


def _scar(image, low, high, random_state):
    height, width = image.shape[:2]
    side = math.sqrt(height * width)
    length = random_state.uniform(0.2, 0.6) * side
    thickness = max(1.0, random_state.uniform(0.01, 0.06) * side)
    angle = random_state.uniform(0, math.pi)
    rows, columns = _centered(height, width, random_state)
    along = columns * math.cos(angle) + rows * math.sin(angle)
    across = rows * math.cos(angle) - columns * math.sin(angle)
    mask = (np.abs(along) <= length / 2) & (np.abs(across) <= thickness / 2)
    return _paste(image, mask, random_state)


def _blob(image, low, high, random_state):
    height, width = image.shape[:2]
    radius = random_state.uniform(0.05, 0.15) * math.sqrt(height * width)
    rows, columns = _centered(height, width, random_state)
    disc = (rows**2 + columns**2 <= max(radius, 1) ** 2).astype(np.float64)
    weights = gaussian_filter(disc, sigma=radius / 2)
    weights = np.where(weights > 0.05, weights, 0.0)
    weights = weights.reshape(height, width, *[1] * (image.ndim - 2))
    return image + weights * (random_state.uniform(low, high) - image)


def _missing(image, low, high, random_state):
    mask = _rectangle(image, 0.02, 0.15, random_state)
    changed = image.copy()
    changed[mask] = np.median(image, axis=(0, 1))
    return changed


def _brightness(image, low, high, random_state):
    mask = _rectangle(image, 0.05, 0.3, random_state)
    step = random_state.uniform(0.2, 0.5) * (high - low) * random_state.choice([-1, 1])
    changed = image.copy()
    changed[mask] += step
    return changed


_CHANGES = {
    "cut_paste": _cut_paste,
    "scar": _scar,
    "blob": _blob,
    "missing": _missing,
    "brightness": _brightness,
}


def _rectangle(image, smallest, largest, random_state):
    """Return the mask of a rectangle of a share of the area, up to 3.3 times as long as wide."""
    height, width = image.shape[:2]
    area = random_state.uniform(smallest, largest) * height * width
    ratio = math.exp(random_state.uniform(-math.log(3.3), math.log(3.3)))
    n_rows = min(height, max(1, round(math.sqrt(area * ratio))))
    n_columns = min(width, max(1, round(math.sqrt(area / ratio))))
    top = random_state.randint(height - n_rows + 1)
    left = random_state.randint(width - n_columns + 1)
    mask = np.zeros((height, width), dtype=bool)
    mask[top : top + n_rows, left : left + n_columns] = True
    return mask


def _centered(height, width, random_state):
    """Return each pixel's row and column, counted from a pixel drawn at random."""
    rows, columns = np.indices((height, width))
    return rows - random_state.randint(height), columns - random_state.randint(width)


def _paste(image, mask, random_state):
    """Overwrite the mask with what stands elsewhere, beyond an edge on the other side."""
    shift = [random_state.randint(1, max(2, n)) for n in mask.shape]
    changed = image.copy()
    changed[mask] = np.roll(image, shift, axis=(0, 1))[mask]
    return changed


def _check_varies(varies, X):
    if not varies:
        raise ValueError(
            f"X must vary: anomalies are made of its values. Received: X of shape {X.shape}, all "
            f"of whose values are {X.flat[0]}."
        )


def _refuse(i, kind):
    raise ValueError(
        f"Sample {i} could not be changed by kind={kind!r} in {_MAX_TRIALS} trials: it is constant "
        "or nearly so, or its type has no values for the change. Leave it out, choose another "
        "kind, or pass floats."
    )
