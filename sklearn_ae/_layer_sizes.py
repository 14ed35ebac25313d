"""What the parameters of architectures have in common."""

from numbers import Integral, Real

from sklearn_ae._compat import Interval

NOISE_CONSTRAINTS = {
    "noise": [Interval(Real, 0, None, closed="left")],
    "masking_rate": [Interval(Real, 0, 1, closed="left")],
}


def check_layer_sizes(architecture, *layer_parameters):
    """Check all parameters of an architecture, and those that have a number for each layer.

    Parameters
    ----------
    architecture : estimator object
        Has `_parameter_constraints`.
    *layer_parameters : str
        Names of the parameters that are sequences of numbers of filters or units.

    Raises
    ------
    ValueError
        If one is out of its range.
    """
    architecture._validate_params()
    for name in layer_parameters:
        sizes = getattr(architecture, name)
        if len(sizes) == 0 or not all(isinstance(n, Integral) and n >= 1 for n in sizes):
            raise ValueError(
                f"{name} of {type(architecture).__name__} must be a non-empty sequence of "
                f"positive integers, one for each layer. Received: {name}={sizes!r}."
            )
