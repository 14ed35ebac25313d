"""From JSON and arrays to a fitted detector, of which nothing is taken on trust."""

from contextlib import contextmanager

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_ae._base.keras_environment import check_modes
from sklearn_ae.autoencoder.network.fronts import Backbone, Maps, Values
from sklearn_ae.autoencoder.network.keras_settings import KerasSettings
from sklearn_ae.autoencoder.network.network import Network
from sklearn_ae.autoencoder.scaling import Scaling
from sklearn_ae.autoencoder.tiling import Tiling
from sklearn_ae.deployment.persistence._classes import DETECTORS, RECORDS, estimators, state_of
from sklearn_ae.deployment.persistence._config_checks import count_parts
from sklearn_ae.deployment.persistence._golden import check_golden_error, find_golden_error
from sklearn_ae.deployment.persistence._keras_configs import read_model, read_object
from sklearn_ae.deployment.persistence._state_checks import check_fitted, check_parameters
from sklearn_ae.exceptions import PersistenceError

# EfficientNet-B7 has 4,000 and is built in seconds. So many take a minute.
_MAX_PARTS = 25_000

# Beside arrays and networks. A thousand epochs need some thousands.
_MAX_VALUES = 1_000_000


class Reader:
    """Makes a detector of what a `Writer` has written.

    Parameters
    ----------
    archive : Archive
    """

    def __init__(self, archive):
        check_modes()
        self._archive = archive
        self._objects = {}
        self._n_parts = self._n_values = 0
        self._readers = {
            "float": lambda node: {"inf": np.inf, "-inf": -np.inf, "nan": np.nan}[node["value"]],
            "scalar": lambda node: self._array(node["array"], n_dimensions=0)[()],
            "array": lambda node: self._array(node["array"]),
            "names": lambda node: np.array(list(map(_text, node["items"])), dtype=object),
            "tuple": lambda node: tuple(map(self.read, node["items"])),
            "dict": lambda node: {_text(key): self.read(item) for key, item in node["items"]},
            "dtype": lambda node: _read_dtype(node["name"]),
            "random state": self._read_random_state,
            "record": self._read_record,
            "same": self._read_same,
            "network": self._read_network,
            "feature network": self._read_feature_network,
            "tiling": self._read_tiling,
            "model": lambda node: self._read_model(node, KerasSettings.of_process()),
            "keras": lambda node: read_object(node["config"]),
            "estimator": self._read_estimator,
        }

    def read_detector(self, node):
        """Return a detector.

        Raises
        ------
        PersistenceError
            If the node stands for anything else, or makes no sense.
        """
        with self._damage_named():
            detector = self.read(node)
            if type(detector) not in DETECTORS:
                raise TypeError(f"{type(detector).__name__} is no detector")
            check_is_fitted(detector)
        return detector

    def check_golden(self, detector, node):
        """Compare the scores of golden inputs with those that were written.

        Raises
        ------
        PersistenceError
            If they differ, or there are none.
        """
        with self._damage_named():
            inputs, *expected = [self.read(node[k]) for k in ("inputs", "scores", "decisions")]
            error = find_golden_error(detector, inputs, *expected)
        check_golden_error(error)

    @contextmanager
    def _damage_named(self):
        try:
            yield
        except PersistenceError as error:
            if str(self._archive.path) in str(error):
                raise
            # The file may have a say in how long it is.
            reason = f"{error!s:.2000}"
            raise PersistenceError(f"{self._archive.path} cannot be loaded. {reason}") from error
        except Exception as error:  # whatever comes of values that are not those of a detector
            raise self._archive.damaged(f"{type(error).__name__}: {error!s:.300}") from error

    def read(self, node):
        """Return the value that a node stands for."""
        before = self._n_values
        self._count_values(1)
        if isinstance(node, list):
            return [self.read(item) for item in node]
        if not isinstance(node, dict):
            return node
        value = self._readers[node["type"]](node)
        if "number" in node:
            self._objects[node["number"]] = value, self._n_values - before
        return value

    def _read_same(self, node):
        value, n_values = self._objects[node["number"]]
        # As often as it is met: what goes through a few that hold each other has no end to reach.
        self._count_values(n_values)
        return value

    def _count_values(self, n):
        self._n_values += n
        if self._n_values > _MAX_VALUES:
            raise ValueError(f"more than {_MAX_VALUES} values")

    def _array(self, name, n_dimensions=None):
        array = self._archive.read_array(name)
        if n_dimensions not in (None, array.ndim):
            raise ValueError(f"{name} of {array.ndim} dimensions")
        return array

    def _read_random_state(self, node):
        random_state = np.random.RandomState()
        random_state.set_state(self.read(node["state"]))
        return random_state

    def _read_record(self, node):
        cls = RECORDS[node["class"]]
        return cls(**{_text(name): self.read(item) for name, item in node["items"]})

    def _read_network(self, node):
        # Earlier versions have not written them.
        settings = KerasSettings(**node.get("settings", {}))
        settings.check()
        parts = tuple(self._read_model(part, settings) for part in node["parts"])
        if len(parts) not in (1, 2) or node["output_activation"] not in ("linear", "sigmoid"):
            raise ValueError("a network of other parts")
        shape = _sizes(node["input_shape"])
        scaling = self._read_scaling(node, shape)
        return Network(Values(shape, scaling), parts, node["output_activation"], settings)

    def _read_feature_network(self, node):
        shape, rows = _sizes(node["input_shape"]), self.read(node["rows"])
        if type(rows) is not Network or type(rows.front) is not Values:
            raise TypeError("positions without a network")
        maps = Maps(_sizes(node["maps_shape"]), rows.scaling)
        features = self._read_model(node["features"], rows.settings)
        is_known = features.output_shape[1:] == maps.input_shape
        if not is_known or rows.input_shape != maps.learned_shape:
            raise ValueError("features of another shape")
        scaling = self._read_scaling(node, shape)
        front = Backbone(features, maps, shape, scaling, rows.settings)
        return Network(front, rows.parts, rows.output_activation, rows.settings)

    def _read_scaling(self, node, shape):
        scale, offset = map(self._array, node["scaling"])
        is_known = scale.shape in (shape[-1:], shape) and scale.shape == offset.shape
        if not is_known or scale.dtype != np.float64 or offset.dtype != np.float64:
            raise ValueError(f"a scaling of shape {scale.shape} for samples of shape {shape}")
        return Scaling(scale, offset)

    def _read_model(self, node, settings):
        config, names = node["config"], node["weights"]
        self._n_parts += count_parts(config)
        if self._n_parts > _MAX_PARTS:
            raise ValueError(f"networks of {self._n_parts} parts, more than {_MAX_PARTS}")
        shapes = list(map(self._archive.shape_of, names))
        return read_model(config, lambda: list(map(self._array, names)), shapes, settings)

    def _read_tiling(self, node):
        shape, overlaps = _sizes(node["shape"]), _sizes(node["overlaps"], minimum=0)
        if len(shape) != 2 or len(overlaps) != 2 or any(np.greater_equal(overlaps, shape)):
            raise ValueError("tiles of an impossible size")
        tiling = Tiling(shape, 0)
        tiling._overlaps = list(overlaps)
        return tiling

    def _read_estimator(self, node):
        cls = estimators()[node["class"]]
        params = {_text(name): self.read(item) for name, item in node["params"].items()}
        estimator = cls(**params)
        check_parameters(estimator)
        for name, item in node["state"].items():
            if name not in state_of(cls):
                raise ValueError(f"an attribute {name!r:.100}")
            vars(estimator)[name] = self.read(item)
        check_fitted(estimator)
        return estimator


def _text(value):
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.100} is no text")
    return value


def _sizes(values, minimum=1):
    if not all(type(n) is int and n >= minimum for n in values):
        raise ValueError(f"sizes {values!r:.100}")
    return tuple(values)


def _read_dtype(name):
    dtype = np.dtype(_text(name))
    if dtype.kind not in "biuf":
        raise ValueError(f"a type {name!r:.100}")
    return dtype
