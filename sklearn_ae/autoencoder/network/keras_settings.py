"""Keras's global settings, which a fitted detector keeps for itself."""

from contextlib import contextmanager
from typing import NamedTuple

import keras

from sklearn_ae._base.keras_environment import KERAS_LOCK

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_POLICIES = (*_FLOATS, "mixed_float16", "mixed_bfloat16")
_DATA_FORMATS = ("channels_first", "channels_last")


class KerasSettings(NamedTuple):
    """The settings of the process that a network depends on where its layers do not name theirs.

    Layers write their own types into their configurations. What does not is built with the
    settings of the moment: inputs, layers inside of custom layers, functions that ask for the
    settings when they are traced. So they are part of a fitted network, and in force while it is
    restored and while a function of it is compiled.

    Parameters
    ----------
    dtype_policy : str
        Name of the policy of data types.
    floatx : str
        Type of what has no policy.
    image_data_format : {"channels_first", "channels_last"}
    epsilon : float
        Smallest divisor.
    """

    dtype_policy: str = "float32"
    floatx: str = "float32"
    image_data_format: str = "channels_last"
    epsilon: float = 1e-7

    @classmethod
    def of_process(cls):
        """Return those of this process and thread."""
        policy = keras.config.dtype_policy()
        # Policies of other kinds, such as quantized ones, have no name that they can be set by.
        name = policy.name if policy.name in _POLICIES else policy.compute_dtype
        return cls(
            name,
            keras.config.floatx(),
            keras.config.image_data_format(),
            float(keras.config.epsilon()),
        )

    def check(self):
        """Refuse settings, from a file say, that Keras does not have.

        Raises
        ------
        ValueError
        """
        is_known = (
            self.dtype_policy in _POLICIES
            and self.floatx in _FLOATS
            and self.image_data_format in _DATA_FORMATS
            and isinstance(self.epsilon, float)
            and 0 < self.epsilon < 1
        )
        if not is_known:
            raise ValueError(f"settings {tuple(self)!r:.100}")

    @contextmanager
    def applied(self):
        """Put the settings in force, and those of the process back afterwards.

        All but the policy hold for all threads, so that one thread at a time is in the block.
        """
        with KERAS_LOCK:
            policy, others = keras.config.dtype_policy(), KerasSettings.of_process()
            if self == others:
                yield
                return
            try:
                keras.config.set_dtype_policy(self.dtype_policy)
                self._set_others()
                yield
            finally:
                keras.config.set_dtype_policy(policy)
                others._set_others()

    def _set_others(self):
        keras.config.set_floatx(self.floatx)
        keras.config.set_image_data_format(self.image_data_format)
        keras.config.set_epsilon(self.epsilon)
