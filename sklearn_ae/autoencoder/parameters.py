"""What the parameters of AutoencoderAnomalyDetector may be."""

from numbers import Integral, Real
from pathlib import Path

import joblib

from sklearn_ae._base.sklearn_compat import HasMethods, Hidden, Interval, Options, StrOptions
from sklearn_ae.autoencoder.scaling import SCALING_OPTIONS
from sklearn_ae.autoencoder.scores.choosing import ANOMALY_SCORES

PARAMETER_CONSTRAINTS = {
    "architecture": [StrOptions({"auto"}), HasMethods("build"), callable],
    "latent_dim": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "input_shape": [tuple, list, None],
    "region_of_interest": ["array-like", None],
    "tile_size": [Integral, tuple, list, None],
    "tile_overlap": [Interval(Real, 0, 1, closed="left")],
    "scaling": [StrOptions(set(SCALING_OPTIONS)), None],
    "loss": [str, callable],
    "optimizer": [str, type, HasMethods("get_config")],
    "learning_rate": [
        StrOptions({"auto"}),
        Interval(Real, 0, None, closed="neither"),
        None,
        # Functions, schedules and callbacks, which only the network's modules can tell apart: they
        # refuse them, naming what works.
        Hidden(HasMethods("__call__")),
        Hidden(HasMethods("get_config")),
        Hidden(HasMethods("set_model")),
    ],
    "epochs": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "trim": [Interval(Real, 0, 0.5, closed="left")],
    "patience": [Interval(Integral, 0, None, closed="left"), None],
    "callbacks": [list, None],
    "anomaly_score": [
        StrOptions({"auto", *ANOMALY_SCORES}),
        HasMethods("compute"),
        HasMethods("compute_from"),
    ],
    "false_alarm_rate": [Interval(Real, 0, 1, closed="neither")],
    "threshold": [Interval(Real, None, None, closed="neither"), None],
    "memory": [str, Path, joblib.Memory, None],
    "warm_start": ["boolean"],
    "random_state": ["random_state"],
    "verbose": [Options(Integral, {0, 1, 2}), "boolean"],
}

_EXAMPLES = {
    "architecture": ("an architecture", "ConvAutoencoder()"),
    "anomaly_score": ("a score", "LatentDistance()"),
}


def check_nested_parameters(detector, params):
    """Refuse parameters of an architecture or a score that has none, such as "auto".

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector
    params : dict
        What `set_params` was given.

    Raises
    ------
    ValueError
        If there is no object to set a parameter on.
    """
    for name, (kind, example) in _EXAMPLES.items():
        value = params.get(name, getattr(detector, name))
        nested = [key for key in params if key.startswith(f"{name}__")]
        if nested and not hasattr(value, "get_params"):
            raise ValueError(
                f"{nested[0]} needs {kind} with parameters: pass {name}={example} or another such "
                f"object. Received: {name}={value!r}."
            )
