"""Keras models as text, and back."""

import json

import keras

from sklearn_ae._base.keras_environment import check_modes, python_random_restored, restore_weights


def from_json(text, weights):
    """Return the Keras model that :func:`to_json` wrote, with weights.

    The settings that it was written with must be in force.
    """
    check_modes()
    with python_random_restored():
        model = keras.saving.deserialize_keras_object(json.loads(text))
    restore_weights(model, weights)
    return model


def to_json(model, settings):
    """Write a Keras model as text, without its weights.

    Parameters
    ----------
    model : keras.Model
    settings : KerasSettings
        Those that it was built with.

    Returns
    -------
    text : str

    Raises
    ------
    TypeError
        If it could not be read back.
    """
    try:
        text = json.dumps(keras.saving.serialize_keras_object(model))
        with settings.applied():
            keras.saving.deserialize_keras_object(json.loads(text))
    except (TypeError, ValueError, NotImplementedError) as error:
        raise TypeError(
            "The network cannot be pickled: Keras cannot write it as JSON and read it back. "
            "Register custom layers, subclassed models and functions with "
            "keras.saving.register_keras_serializable, give custom layers and models a "
            "get_config, and replace Lambda layers, which could run any code, by such layers. "
            f"Received: {model!r}."
        ) from error
    return text
