"""Whether images or rows seem to be in other units than the training data."""

import numpy as np

from sklearn_ae._base.checks import warn

# Full scales of pixels: shares, 8 bits and 16 bits.
_FULL_SCALES = (1, 255, 65535)

# Resizing with a bicubic filter overshoots the full scale.
_OVERSHOOT = 1.2

# Standardized pixels reach about this value.
_LARGEST_STANDARDIZED = 4

# Values that differ by less may be those of a dark and of a bright image.
_LEAST_RATIO = 32


def warn_if_other_units(X, fitted_dtype, fitted_max, region=None, *, is_image=False):
    """Warn if X seems to be the training data's kind in other units.

    Parameters
    ----------
    X : ndarray or list of ndarray
    fitted_dtype : numpy.dtype
        Type of the training data.
    fitted_max : float
        Their largest value.
    region : ndarray of shape (height, width), bool, or None, default=None
        Pixels that count. If None, all do.
    is_image : bool, default=False
        Whether samples are images. Columns of tables have units of their own: only floats beside
        unsigned integers are suspicious there.
    """
    if isinstance(X, list):
        X = max(X, key=np.max)
    # Without a copy of the pixels that count. Negative values show nothing here.
    largest = np.max(X, where=True if region is None else region[..., np.newaxis], initial=0)
    largest = float(largest)
    if fitted_dtype.kind == "u" and fitted_max > 1 and X.dtype.kind == "f" and largest <= 1:
        given, advice = "floats of at most 1", f"multiply X by {np.iinfo(fitted_dtype).max}"
    elif fitted_dtype.kind == "f" and fitted_max <= 1 and X.dtype.kind == "u" and largest > 1:
        given, advice = f"{X.dtype} above 1", f"divide X by {np.iinfo(X.dtype).max}"
    elif is_image and _is_suspicious(fitted_dtype, fitted_max, X.dtype, largest):
        given = f"{X.dtype.name} of at most {largest:g}"
        advice = _advise(_full_scale(fitted_dtype, fitted_max), _full_scale(X.dtype, largest))
    else:
        return
    warn(
        f"The detector was fitted to {fitted_dtype} of at most {fitted_max:g}, and X is {given}, "
        f"which is read in the same units. If they are not the same, {advice}.",
    )


def _is_suspicious(fitted_dtype, fitted_max, dtype, largest):
    """Tell whether images of such types and largest values differ in more than brightness."""
    if min(fitted_max, largest) <= 0:
        # Black images are black in any units.
        return False
    is_unsigned = fitted_dtype.kind == dtype.kind == "u"
    if is_unsigned and fitted_dtype.itemsize != dtype.itemsize:
        wider = fitted_max if fitted_dtype.itemsize > dtype.itemsize else largest
        narrower = min(fitted_dtype.itemsize, dtype.itemsize)
        # Equal numbers are equal, whatever their type could hold.
        if wider > np.iinfo(f"u{narrower}").max:
            return True
    if {fitted_dtype.kind, dtype.kind} == {"b", "u"}:
        return max(fitted_max, largest) > 1
    if max(fitted_max, largest) < _LEAST_RATIO * min(fitted_max, largest):
        return False
    if is_unsigned and largest < fitted_max and 1 < largest <= _LARGEST_STANDARDIZED:
        # A dark frame. Integers are never standardized, and 1 is that of a mask.
        return False
    return _level(fitted_max) != _level(largest)


def _level(largest):
    """Return the number of the smallest full scale that reaches so far."""
    if largest <= _LARGEST_STANDARDIZED:
        return 0
    return 1 if largest <= _FULL_SCALES[1] * _OVERSHOOT else 2


def _full_scale(dtype, largest):
    """Return the value of white, or None where it is not known."""
    level = _level(largest)
    if dtype.kind == "u" and largest > 1:
        level = max(level, 1)
        return np.iinfo(dtype).max if dtype.itemsize <= 2 and level > 1 else _FULL_SCALES[level]
    if level == 0 and largest > _OVERSHOOT:
        return None
    return _FULL_SCALES[level]


def _advise(fitted, given):
    if fitted is None or given is None or fitted == given:
        return "convert X as the training data were converted"
    return (
        f"multiply X by {fitted // given}" if fitted > given else f"divide X by {given // fitted}"
    )
