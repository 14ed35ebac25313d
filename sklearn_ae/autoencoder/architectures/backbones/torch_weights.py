"""Tensors of a file that `torch.save` wrote, read without torch."""

import io
import pickle
from collections import OrderedDict

import numpy as np


def _rebuild_tensor(storage, offset, shape, strides, *_):
    """Return the view of a storage that a tensor is; NumPy checks that it lies in the storage."""
    size = storage.itemsize
    return np.ndarray(shape, storage.dtype, storage, offset * size, [n * size for n in strides])


class _TensorUnpickler(pickle.Unpickler):
    """Unpickler that knows the four names that tensors need, and no other."""

    _NAMES = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
    }

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) not in self._NAMES:
            raise pickle.UnpicklingError(f"The file names {module}.{name}, which no tensor needs.")
        return self._NAMES[module, name]

    def persistent_load(self, pid):
        _, dtype, key, _, size, _ = pid
        # The values of all storages follow the last pickle.
        return self.storages.setdefault(key, np.empty(size, dtype))


def read_torch_weights(file):
    """Read the tensors of a state dictionary that `torch.save` wrote before torch 1.6.

    Parameters
    ----------
    file : binary file
        Dictionary of tensors of 32-bit floats or 64-bit integers. Check its SHA-256 first: from
        other files nothing but tensors is built, but they may take any amount of memory and time,
        or raise any error.

    Returns
    -------
    tensors : dict of str to ndarray, float32 or int64
        In the order of the file.
    """
    for _ in range(3):  # a magic number, the version of the format, and sizes of types
        _TensorUnpickler(file).load()
    unpickler = _TensorUnpickler(file)
    tensors = unpickler.load()
    for key in _TensorUnpickler(file).load():
        storage = unpickler.storages[key]
        file.seek(8, io.SEEK_CUR)  # its size once more
        storage[:] = np.frombuffer(file.read(storage.nbytes), storage.dtype)
    return tensors
