"""Whether what a user passes can be called as it will be."""

import inspect


def check_takes(function, arguments, name, received):
    """Refuse a function that does not take as many arguments as it gets.

    Parameters
    ----------
    function : callable
    arguments : tuple of str
        Names of the arguments, which are passed by position.
    name : str
        Its name in errors, such as "fit of anomaly_score".
    received : object
        What the user passed.

    Raises
    ------
    TypeError
        If the call would fail.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Some that are written in C do not say.
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        plural = "s" if len(arguments) > 1 else ""
        raise TypeError(
            f"{name} must take {len(arguments)} argument{plural}, {', '.join(arguments)}, by "
            f"position. Received: {received!r}, which takes {signature}."
        ) from error
