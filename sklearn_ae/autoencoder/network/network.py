"""What a fitted detector holds: encoder, decoder and scaling as one Keras graph."""

import json

import keras
import tensorflow as tf
from keras import layers

from sklearn_ae._base.keras_environment import check_modes, python_random_restored, restore_weights
from sklearn_ae.autoencoder.network.caching import BoundedCache
from sklearn_ae.autoencoder.network.fingerprints import fingerprint
from sklearn_ae.autoencoder.network.keras_settings import KerasSettings
from sklearn_ae.autoencoder.network.masked_pixels import KeepRegion
from sklearn_ae.autoencoder.network.response import Response, as_finite
from sklearn_ae.autoencoder.scaling import Scaling


class Network:
    """The graph scaling → encoder → code → decoder → reconstruction.

    Pickles as JSON and arrays, without optimizer and compiled functions.

    Parameters
    ----------
    parts : tuple of keras.Model
        Encoder and decoder, or one model from scaled inputs to reconstructions.
    output_activation : {"linear", "sigmoid"}
        Activation applied to what the last part gives.
    input_shape : tuple of int
        Shape of one sample as the network sees it.
    scaling : Scaling
        From raw to scaled units.
    settings : KerasSettings or None, default=None
        Those that the parts were built with. If None, those of the process.

    Attributes
    ----------
    autoencoder : keras.Model
        Scaled inputs to scaled reconstructions.
    joint : keras.Model
        Scaled inputs to the list of what each part gives: code and reconstruction, or the
        reconstruction alone.
    configuration : str or None
        What two networks have in common when they differ in weights and seeds only, so that they
        can share compiled functions. None where this cannot be told.
    encoder : keras.Model or None
        Scaled inputs to codes.
    decoder : keras.Model or None
        Codes to scaled reconstructions.
    graphs : BoundedCache
        Compiled functions that no other network can share.
    arguments : dict
        Tensors that compiled functions are called with, beside raw values.
    """

    # Whether scores see features at positions, and reconstructions are no samples.
    is_positionwise = False

    def __init__(self, parts, output_activation, input_shape, scaling, settings=None):
        self.parts = parts
        self.settings = KerasSettings.of_process() if settings is None else settings
        self.output_activation = output_activation
        self.input_shape = input_shape
        self.scaling = scaling
        self.graphs = BoundedCache(max_size=16)
        self.arguments = {}
        self._views = {}
        with self.settings.applied():
            self._build_graph()
        known = fingerprint(self.joint)
        self.configuration = None if known is None else f"{tuple(self.settings)} {known}"

    def _build_graph(self):
        x = inputs = keras.Input(self.input_shape, name="scaled_input")
        outputs = []
        for part in self.parts:
            x = part(x)
            outputs.append(x)
        outputs[-1] = self._activate(x)
        self.autoencoder = keras.Model(inputs, outputs[-1], name="autoencoder")
        self.joint = keras.Model(inputs, outputs, name="code_and_reconstruction")
        self.encoder = self.decoder = None
        if self.has_code:
            self.encoder = keras.Model(inputs, outputs[0], name="encoder_of_scaled_input")
            self.decoder = self._build_decoder(outputs[0])

    @property
    def models(self):
        """Those whose weights are arguments of a compiled function."""
        return [self.joint]

    @property
    def scaling_arrays(self):
        """Arrays of the scaling, arguments of a compiled function."""
        return tuple(self.scaling)

    def training_data(self, X, split, settings):
        """Return what is trained, on which rows of which data, and how."""
        return self, X, split, settings

    def read(self, call, x, scaling):
        """Compute, in the graph, what the network and the scores see of raw values."""
        return scale(x, *scaling)

    def respond(self, call, inputs):
        """Return what the network makes of the values that `read` gave."""
        return Response(self, call, inputs)

    def error_maps(self, response):
        """Compute the absolute error of each value, as float32."""
        return as_finite(tf.abs(response.inputs - response.reconstructions))

    @property
    def has_code(self):
        """Whether the network has an encoder and a decoder."""
        return len(self.parts) == 2

    @property
    def n_codes(self):
        """Length of a code. A subclassed encoder does not tell the shape of what it gives."""
        return self.encoder.output_shape[-1]

    @property
    def has_activations(self):
        """Whether the encoder's layers can be looked into."""
        return self.has_code and bool(getattr(self.parts[0], "inputs", None))

    @property
    def activations(self):
        """Keras model from scaled inputs to what each encoder layer with weights gives.

        Raises
        ------
        ValueError
            If the encoder is a subclassed model, of whose inside nothing is known.
        """
        encoder = self.parts[0]
        if not self.has_activations:
            raise ValueError(
                "anomaly_score uses the layers of the encoder: let architecture build it with the "
                "functional or the sequential API of Keras, or pass another score, such as "
                f"anomaly_score='code_difference'. Received: {encoder!r}."
            )
        if "activations" not in self._views:
            outputs = [layer.output for layer in encoder.layers if layer.weights]
            # One input as such: Keras warns of a list of one that is given a tensor.
            [inputs] = encoder.inputs
            self._views["activations"] = keras.Model(inputs, outputs, name="activations")
        return self._views["activations"]

    def _activate(self, x):
        x = layers.Activation(self.output_activation, name="output_activation")(x)
        if self.scaling.region is None:
            return x
        return KeepRegion(self.scaling.region, name="region_of_interest")(x)

    def _build_decoder(self, code):
        inputs = keras.Input(code.shape[1:], name="code")
        return keras.Model(inputs, self._activate(self.parts[1](inputs)), name="decoder")

    def view(self, name):
        """Return a Keras model between raw units: "model", "encoder" or "decoder"."""
        if name not in self._views:
            with self.settings.applied():
                self._views[name] = self._build_view(name)
        return self._views[name]

    def _build_view(self, name):
        scale, offset = self.scaling
        if name == "decoder":
            inputs = keras.Input(self.decoder.input_shape[1:], name="code")
            x = self.decoder(inputs)
        else:
            inputs = keras.Input(self.input_shape, dtype="float64", name="input")
            # Not a Rescaling layer, which scales another axis if the user says channels_first.
            x = inputs * _constant(scale) + _constant(offset)
            part = self.parts[0] if name == "encoder" else self.autoencoder
            x = part(_cast("scaled_input")(x))
        if name != "encoder":
            x = _cast("scaled_reconstruction", "float64")(x)
            x = keras.ops.divide_no_nan(x - _constant(offset), _constant(scale))
            x = _cast("reconstruction")(x)
        return keras.Model(inputs, x, name=name)

    def __getstate__(self):
        return {
            "parts": [to_json(part, self.settings) for part in self.parts],
            "settings": self.settings._asdict(),
            "weights": [part.get_weights() for part in self.parts],
            "output_activation": self.output_activation,
            "input_shape": self.input_shape,
            "scaling": tuple(self.scaling),
        }

    def __setstate__(self, state):
        # Earlier versions have not written them.
        settings = KerasSettings(**state.get("settings", {}))
        with settings.applied():
            parts = tuple(map(from_json, state["parts"], state["weights"]))
        scaling = Scaling(*state["scaling"])
        self.__init__(parts, state["output_activation"], state["input_shape"], scaling, settings)


def scale(x, scale, offset):
    """Scale raw values in the graph, as :meth:`Scaling.transform` does outside of it."""
    return tf.cast(x, tf.float64) * scale + offset


def _cast(name, dtype="float32"):
    return layers.Activation("linear", dtype=dtype, name=name)


def _constant(values):
    return keras.ops.convert_to_tensor(values, dtype="float64")


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
