"""Tensors of a file that `torch.save` wrote, read without torch and without trusting the file."""

import io
import math
import pickle
import pickletools
from collections import OrderedDict
from pathlib import Path

import numpy as np

# The first two of the five pickles that such a file begins with, a magic number and the version of
# the format, as in torch/serialization.py. The bytes of the tensors follow the fifth.
_BEGINNING = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) + pickle.dumps(1001, protocol=2)

_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}

# All that a dictionary of tensors is written with, by Python's pickle protocol 2. BUILD is there
# for the attribute `_metadata` of the dictionary.
_INSTRUCTIONS = frozenset(
    {"PROTO", "STOP", "GLOBAL", "REDUCE", "BUILD", "BINPERSID"}
    | {"BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"}
    | {"EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "APPEND", "APPENDS", "MARK"}
    | {"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
    | {"NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"}
)
# Objects nested as deep as a long pickle can nest them would overflow the stack of C. The file of
# EfficientNet-Lite0 has 10,696.
_MAX_INSTRUCTIONS = 2**15


class _Inert:
    """An object that takes no attributes from a file."""

    def __setstate__(self, state):
        pass


class _Tensors(_Inert, OrderedDict):
    """Dictionary of the tensors."""


class _View(_Inert):
    """Which numbers of a storage a tensor has."""

    def __init__(self, storage, offset, shape, strides, *_):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides


class _Storage(_Inert):
    """Numbers of one tensor or of several, the values of which come late in the file."""

    def __init__(self, dtype, size):
        self.dtype, self.size = dtype, size
        self.values = None


class _TensorUnpickler(pickle.Unpickler):
    """Unpickler that knows the four names that tensors need, and no other.

    The names stand for objects of this module, so that nothing in a file runs other code.
    """

    _NAMES = {
        ("collections", "OrderedDict"): _Tensors,
        ("torch._utils", "_rebuild_tensor_v2"): _View,
        ("torch", "FloatStorage"): "FloatStorage",
        ("torch", "LongStorage"): "LongStorage",
    }

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        _require((module, name) in self._NAMES, f"it names {module}.{name}, which no tensor needs")
        return self._NAMES[module, name]

    def persistent_load(self, pid):
        kind, type_name, key, _, size, view = pid
        _require(kind == "storage" and view is None, "it refers to something else than storages")
        _require(type(key) is str and type(size) is int, "a storage has no name or no size")
        dtype = _DTYPES[type_name]
        storage = self.storages.setdefault(key, _Storage(dtype, size))
        _require((storage.dtype, storage.size) == (dtype, size), "a storage has two sizes")
        return storage


def read_torch_weights(path):
    """Read the tensors of a state dictionary that `torch.save` wrote before torch 1.6.

    Such a file is a sequence of pickles, which may run any code when they are read. Here they can
    build tensors and nothing else: four names are known, and any other is refused before it is
    looked up.

    Parameters
    ----------
    path : str or path-like
        File of a dictionary of tensors of 32-bit floats or 64-bit integers.

    Returns
    -------
    tensors : dict of str to ndarray, float32 or int64
        In the order of the file. The arrays are read-only.

    Raises
    ------
    ValueError
        If the file is damaged, holds something else, or has another format, such as the zip files
        of later versions of torch.
    """
    content = Path(path).read_bytes()
    try:
        return _read_tensors(content)
    # What the unpickler makes of damaged bytes is documented to be any exception.
    except Exception as error:
        raise ValueError(
            "The file of weights must be a dictionary of tensors as torch.save wrote it before "
            "torch 1.6, and this one is damaged or something else: install the package that it "
            f"came with again. Received: {str(path)!r}, and {error or type(error).__name__}."
        ) from error


def _read_tensors(content):
    _require(content.startswith(_BEGINNING), "it does not begin as such files do")
    file = io.BytesIO(content)
    file.seek(len(_BEGINNING))
    system, _ = _unpickle(file)
    _require(system.get("little_endian") is True, "its numbers are not little-endian")
    views, storages = _unpickle(file)
    keys, _ = _unpickle(file)
    _require(type(views) is _Tensors, "it holds no dictionary")
    _require(sorted(keys) == sorted(storages), "its storages are not those of its tensors")
    position = file.tell()
    for key in keys:
        position = _read_storage(storages[key], content, position)
    _require(position == len(content), "it is longer than its tensors")
    return {name: _view_tensor(name, view) for name, view in views.items()}


def _unpickle(file):
    """Read one pickle, and return its object and its storages."""
    start = file.tell()
    _check_instructions(file)
    end = file.tell()
    unpickler = _TensorUnpickler(io.BytesIO(file.getbuffer()[start:end]))
    return unpickler.load(), unpickler.storages


def _check_instructions(file):
    """Walk through a pickle without following it.

    The unpickler makes room for as many objects as the largest number under which one is kept,
    which is up to 2³²: a single damaged bit could fill the memory.
    """
    for n_before, (instruction, argument, _) in enumerate(pickletools.genops(file)):
        name = instruction.name
        _require(n_before < _MAX_INSTRUCTIONS, "it has more instructions than its tensors need")
        _require(name in _INSTRUCTIONS, f"it has the instruction {name}, which no tensor needs")
        if name.endswith("PUT"):
            _require(argument <= n_before, "its objects are not numbered one by one")


def _read_storage(storage, content, position):
    """Read the size, of eight bytes, and the values that follow; return where they end."""
    start = position + 8
    end = start + storage.size * storage.dtype.itemsize
    _require(start <= end <= len(content), "it ends before its tensors do")
    size = int.from_bytes(content[position:start], "little")
    _require(size == storage.size, "a storage has two sizes")
    storage.values = np.frombuffer(content, storage.dtype, storage.size, offset=start)
    return end


def _view_tensor(name, view):
    _require(type(name) is str and type(view) is _View, "it holds something else than tensors")
    values, shape = view.storage.values, view.shape
    # Strides of zero would make a small file's tensor as large as it likes.
    _require(math.prod(shape) <= len(values), f"the tensor {name} is larger than its storage")
    size = values.itemsize
    # NumPy checks that neither offset nor strides lead out of the storage.
    return np.ndarray(
        shape, values.dtype, values, view.offset * size, tuple(n * size for n in view.strides)
    )


def _require(condition, otherwise):
    if not condition:
        raise ValueError(otherwise)
