"""From a fitted detector to JSON and arrays."""

import math
import types
from dataclasses import fields
from numbers import Integral, Real

import keras
import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from sklearn_ae.autoencoder.network.fingerprints import fingerprint, is_keras
from sklearn_ae.autoencoder.network.keras_settings import KerasSettings
from sklearn_ae.autoencoder.network.network import Network
from sklearn_ae.autoencoder.tiling import Tiling
from sklearn_ae.deployment.persistence._classes import (
    DETECTORS,
    NEVER_WRITTEN,
    RECORDS,
    estimators,
    registered_architectures,
    state_of,
)
from sklearn_ae.deployment.persistence._golden import OTHER_WAYS
from sklearn_ae.deployment.persistence._keras_configs import write_model
from sklearn_ae.exceptions import PersistenceError

# What takes the place of parameters of a fit that no file can hold.
_REPLACEMENTS = {
    "architecture": "auto",
    "callbacks": None,
    "loss": "auto",
    "memory": None,
    "optimizer": "adam",
}


class Writer:
    """Turns a detector into JSON, and collects its arrays.

    Attributes
    ----------
    arrays : list of ndarray
    left_out : list of str
        Parameters and attributes that are not in the file, and why.
    """

    def __init__(self):
        self.arrays = []
        self.left_out = []
        self._numbers = {}
        # Kept alive, so that no other object has the identity of one of them.
        self._objects = []

    def write(self, value):
        """Return what stands for a value in JSON."""
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, np.generic):
            return {"type": "scalar", "array": self.add(np.asarray(value))}
        if isinstance(value, Integral):
            return int(value)
        if isinstance(value, Real):
            return float(value) if math.isfinite(value) else {"type": "float", "value": str(value)}
        if isinstance(value, list):
            return [self.write(item) for item in value]
        for cls, write in self._writers():
            if isinstance(value, cls):
                return write(value)
        return self._write_object(value)

    def add(self, array):
        """Add an array and return its name."""
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            raise _refused(array)
        self.arrays.append(array)
        return f"arrays/{len(self.arrays) - 1}.npy"

    def _writers(self):
        yield tuple(RECORDS.values()), self._write_record
        yield tuple, lambda value: {"type": "tuple", "items": [self.write(v) for v in value]}
        yield dict, self._write_dict
        yield np.ndarray, self._write_array
        yield np.dtype, lambda value: {"type": "dtype", "name": value.str}
        yield np.random.RandomState, self._write_random_state

    def _write_dict(self, value):
        if not all(isinstance(key, str) for key in value):
            raise _refused(value)
        return {"type": "dict", "items": [[key, self.write(item)] for key, item in value.items()]}

    def _write_array(self, array):
        if array.dtype == object and all(isinstance(item, str) for item in array.flat):
            return {"type": "names", "items": array.tolist()}
        return {"type": "array", "array": self.add(array)}

    def _write_record(self, record):
        names = getattr(record, "_fields", None) or [field.name for field in fields(record)]
        items = [[name, self.write(getattr(record, name))] for name in names]
        return {"type": "record", "class": type(record).__name__, "items": items}

    def _write_random_state(self, random_state):
        return {"type": "random state", "state": self.write(random_state.get_state())}

    def _write_object(self, value):
        if id(value) in self._numbers:
            return {"type": "same", "number": self._numbers[id(value)]}
        number = self._numbers[id(value)] = len(self._objects)
        self._objects.append(value)
        return {"number": number, **self._describe(value)}

    def _describe(self, value):
        if isinstance(value, Network):
            return self._write_network(value)
        if isinstance(value, Tiling):
            overlaps = list(value._overlaps)
            return {"type": "tiling", "shape": list(value.shape), "overlaps": overlaps}
        if isinstance(value, keras.Model):
            return {"type": "model", **self._write_model(value, KerasSettings.of_process())}
        if type(value) in estimators().values():
            return self._write_estimator(value)
        if _is_of_keras(value):
            return {"type": "keras", "config": keras.saving.serialize_keras_object(value)}
        raise _refused(value)

    def _write_network(self, network):
        autoencoder = {
            "type": "network",
            "parts": [self._write_model(part, network.settings) for part in network.parts],
            "settings": network.settings._asdict(),
            "output_activation": network.output_activation,
            "input_shape": list(network.front.learned_shape),
            "scaling": [self.add(array) for array in network.core.scaling],
        }
        if not network.is_positionwise:
            return autoencoder
        return {
            "type": "feature network",
            "features": self._write_model(network.front.features, network.settings),
            "rows": autoencoder,
            "maps_shape": list(network.core.input_shape),
            "input_shape": list(network.input_shape),
            "scaling": [self.add(array) for array in network.scaling],
        }

    def _write_model(self, model, settings):
        config = write_model(model, settings)
        return {"config": config, "weights": [self.add(w) for w in model.get_weights()]}

    def _write_estimator(self, estimator):
        params = estimator.get_params(deep=False)
        known = state_of(type(estimator))
        state = {name: value for name, value in vars(estimator).items() if name not in params}
        unknown = [name for name in state if name not in known | NEVER_WRITTEN]
        self.left_out += [f"the attribute {name}, which no fit has set" for name in unknown]
        if isinstance(estimator, DETECTORS):
            params = self._without_code(params)
        if "estimator_" in state:
            # What a wrapper was given is not what it has fitted, unless that is frozen.
            params["estimator"] = clone(params["estimator"])
        return {
            "type": "estimator",
            "class": type(estimator).__name__,
            "params": {name: self.write(value) for name, value in params.items()},
            "state": {name: self.write(state[name]) for name in state if name in known},
        }

    def _without_code(self, params):
        """Return the parameters of a detector without code, which nothing but a fit needs."""
        kept = dict(params)
        for name, replacement in _REPLACEMENTS.items():
            value = params.get(name)
            if value is None or (name != "memory" and _can_be_kept(value)):
                continue
            kept[name] = replacement
            self.left_out.append(f"{name}={value!r:.100}, for which there is {replacement!r}")
        return kept


def check_can_be_saved(detector):
    """Refuse what is no fitted detector of the package.

    Raises
    ------
    TypeError
        If it is of another class.
    NotFittedError
        If it is not fitted.
    """
    if type(detector) not in DETECTORS:
        names = ", ".join(cls.__name__ for cls in DETECTORS)
        raise TypeError(
            f"detector must be one of {names}, and what these wrap too, or a refitted search, a "
            "TunedThresholdDetectorCV or a pipeline without transformers around one. "
            f"{OTHER_WAYS} Received: "
            f"{type(detector).__name__}."
        )
    check_is_fitted(detector)


def _can_be_kept(value):
    return (
        isinstance(value, str) or type(value) in registered_architectures() or _is_of_keras(value)
    )


def _is_of_keras(value):
    """Tell whether this is a loss or an optimizer of Keras's own, which a configuration tells."""
    if isinstance(value, keras.losses.Loss | keras.optimizers.Optimizer):
        return fingerprint(value) is not None
    return isinstance(value, types.FunctionType) and is_keras(value)


def _refused(value):
    return PersistenceError(
        "What a file that needs no trust can hold is the detectors, architectures and scores of "
        f"sklearn_ae, frozen or not, Keras models and numbers. {OTHER_WAYS} Received: "
        f"{type(value).__module__}.{type(value).__qualname__}."
    )
