"""What a custom score must have, found out before anything is built."""

from sklearn_ae._base.checks import check_takes

_METHODS = {
    "compute": ("inputs", "reconstructions"),
    "compute_from": ("response",),
    "features": ("response",),
    "fit": ("features",),
}


def check_methods(score):
    """Refuse a score whose methods cannot be called as they will be.

    Parameters
    ----------
    score : object with `compute` or `compute_from`

    Raises
    ------
    TypeError
        If a method takes other arguments, or `fit` comes without `features`.
    """
    if hasattr(score, "fit") and not hasattr(score, "features"):
        raise TypeError(
            "anomaly_score with a method fit must have a method features(response) too, which "
            f"returns what to fit it to. Add it, or rename fit. Received: {score!r}."
        )
    for name, arguments in _METHODS.items():
        # Of a score with both, compute_from is called. Features without fit are its own affair.
        is_used = name != "compute" or not hasattr(score, "compute_from")
        if is_used and hasattr(score, name) and (name != "features" or hasattr(score, "fit")):
            check_takes(getattr(score, name), arguments, f"{name} of anomaly_score", score)
