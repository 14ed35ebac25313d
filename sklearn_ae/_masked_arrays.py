"""Masked arrays, whose masks conversions to plain arrays would drop."""

import numpy as np


def check_not_masked(X, name="X"):
    """Refuse masked values, which would be taken for what lies under the mask.

    Parameters
    ----------
    X : object
        Data, or a list of arrays.
    name : str, default="X"
        Their name in errors.

    Raises
    ------
    ValueError
        If X, or an array in it, is a masked array with masked values.
    """
    parts = X if isinstance(X, list | tuple) else [X]
    n_masked = sum(np.ma.count_masked(part) for part in parts if np.ma.isMaskedArray(part))
    if n_masked:
        raise ValueError(
            f"{name} must have a value everywhere: masked values are missing ones. Replace them, "
            f"with {name}.filled(value), or leave out their rows. For images with the same mask, "
            f"see region_of_interest. Received: a masked array with {n_masked} masked values."
        )
