"""Files, ONNX, Dask, the command line.

:func:`save` and :func:`load` write and read a zip of JSON and arrays: the network as Keras's
configuration and its weights, the parameters and the fitted attributes. There is no pickle in it,
and nothing that runs when it is loaded, so that a file of a stranger's may be opened; what it then
says of samples is another matter. Keras's safe mode stays on: `Lambda` layers are refused, and so
is custom code that the program has not registered itself. :func:`describe` reads what such a file
says of itself.

:func:`to_onnx` writes a model that programs without TensorFlow run, in whatever language.
"""

# Imports all rooms below; nothing but the face imports it.

from sklearn_ae.deployment import cli, distributed
from sklearn_ae.deployment.onnx import to_onnx
from sklearn_ae.deployment.persistence import describe, load, save

__all__ = ["cli", "describe", "distributed", "load", "save", "to_onnx"]


def __dir__():
    return sorted(__all__)
