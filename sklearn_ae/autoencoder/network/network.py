"""What a fitted detector holds: front, encoder and decoder as one Keras graph."""

import keras
from keras import layers

from sklearn_ae.autoencoder.network.caching import BoundedCache
from sklearn_ae.autoencoder.network.fingerprints import fingerprint
from sklearn_ae.autoencoder.network.keras_models import from_json, to_json
from sklearn_ae.autoencoder.network.keras_settings import KerasSettings
from sklearn_ae.autoencoder.network.masked_pixels import KeepRegion


class Network:
    """The graph front → encoder → code → decoder → reconstruction.

    Pickles as JSON and arrays, without optimizer and compiled functions.

    Parameters
    ----------
    front : Values, Maps or Backbone
        From raw values to those that the autoencoder learns.
    parts : tuple of keras.Model
        Encoder and decoder, or one model from scaled inputs to reconstructions.
    output_activation : {"linear", "sigmoid"}
        Activation applied to what the last part gives.
    settings : KerasSettings or None, default=None
        Those that the parts were built with. If None, those of the process.

    Attributes
    ----------
    autoencoder : keras.Model
        Scaled inputs to scaled reconstructions.
    joint : keras.Model
        Scaled inputs to the list of what each part gives: code and reconstruction, or the
        reconstruction alone.
    learned_configuration : str or None
        What two autoencoders have in common when they differ in weights and seeds only, so that
        one compiled model can train both. None where this cannot be told.
    encoder : keras.Model or None
        Scaled inputs to codes.
    decoder : keras.Model or None
        Codes to scaled reconstructions.
    graphs : BoundedCache
        Compiled functions that no other network can share.
    arguments : dict
        Tensors that compiled functions are called with, beside raw values.
    """

    def __init__(self, front, parts, output_activation, settings=None):
        self.front = front
        self.parts = parts
        self.settings = KerasSettings.of_process() if settings is None else settings
        self.output_activation = output_activation
        self.graphs = BoundedCache(max_size=16)
        self.arguments = {}
        self._core = None
        self._views = {}
        with self.settings.applied():
            self._build_graph()
        known = fingerprint(self.joint)
        self.learned_configuration = None if known is None else f"{tuple(self.settings)} {known}"

    def _build_graph(self):
        x = inputs = keras.Input(self.front.learned_shape, name="scaled_input")
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
    def core(self):
        """The network of what `prepare` gives: this one, or that behind a frozen model."""
        if self.front.inner is self.front:
            return self
        if self._core is None:
            # One autoencoder with two fronts. Not copy.copy, which would build it anew.
            self._core = object.__new__(Network)
            own = {"front": self.front.inner, "graphs": BoundedCache(max_size=16), "arguments": {}}
            vars(self._core).update(vars(self) | own)
        return self._core

    @property
    def configuration(self):
        """What two networks have in common that can share compiled functions.

        They differ in weights and seeds only. None where this cannot be told.
        """
        known = (self.front.key, self.learned_configuration)
        return None if None in known else " ".join(known)

    @property
    def input_shape(self):
        """Shape of one sample as the network sees it."""
        return self.front.input_shape

    @property
    def scaling(self):
        """From raw to scaled units."""
        return self.front.scaling

    @property
    def is_positionwise(self):
        """Whether scores see features at positions, and reconstructions are no samples."""
        return self.front.is_positionwise

    @property
    def models(self):
        """Those whose weights are arguments of a compiled function."""
        return [*self.front.models, self.joint]

    @property
    def scaling_arrays(self):
        """Arrays of the front, arguments of a compiled function."""
        return self.front.arrays

    def prepare(self, samples):
        """Return what `core` is trained with, computed once."""
        return self.front.prepare(self, samples)

    def read(self, call, x, arrays):
        """Compute, in the graph, what the autoencoder and the scores see of raw values."""
        return self.front.read(call, x, arrays)

    def respond(self, call, inputs):
        """Return what the network makes of the values that `read` gave."""
        return self.front.respond(self, call, inputs)

    def error_maps(self, response):
        """Compute, in the graph, the errors of a response, as float32."""
        return self.front.error_maps(response)

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
        is_of_values = self.has_code and not self.is_positionwise
        return is_of_values and bool(getattr(self.parts[0], "inputs", None))

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
        region = self.front.inner.scaling.region
        return x if region is None else KeepRegion(region, name="region_of_interest")(x)

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
            "front": self.front,
            "parts": [to_json(part, self.settings) for part in self.parts],
            "weights": [part.get_weights() for part in self.parts],
            "output_activation": self.output_activation,
            "settings": self.settings,
        }

    def __setstate__(self, state):
        settings = state["settings"]
        with settings.applied():
            parts = tuple(map(from_json, state["parts"], state["weights"]))
        self.__init__(state["front"], parts, state["output_activation"], settings)


def _cast(name, dtype="float32"):
    return layers.Activation("linear", dtype=dtype, name=name)


def _constant(values):
    return keras.ops.convert_to_tensor(values, dtype="float64")
