"""Files of torch are read without torch, and run nothing, whatever is in them."""

import base64
import io
import os
import pickle
import zlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_ae.autoencoder.architectures.backbones.torch_weights import read_torch_weights

# What torch 2.13 wrote, compressed, for
#     whole = torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4
#     tensors = OrderedDict(
#         whole=whole, transposed=whole.T, column=whole[:, 1], counter=torch.tensor(7)
#     )
#     torch.save(tensors, path, _use_new_zipfile_serialization=False)
WRITTEN_BY_TORCH = zlib.decompress(
    base64.b85decode(
        "c-noE%We}f6ozL!lLQPcrCiIkP!`E1nnqD*H<ShH#@sq=yg{QdV|Au-$2qpARgo%X(+GG57A$!+9s!93$8`iOA}r"
        "aKkB`6q_pzts3zfgV?*3dq`2KdSKP9hzL^z&8(B&&Z5KOePDpxW)653R%h7c3@67I;#S}8J77uC21@`+On+LMXMO"
        "!ZM1h)yBy@)ib7skDU_BRs-YRa<DYn8%Kx>V4?2xM@%`M;R${iz<e`(S^{Wcv0n+LeNVg^sM7jNdY9cO6O%iYiuP"
        "A&9wN?RI<pdsEyLu(SSnK?edNj$IS7*fY=|QyHbtqJ0GOb;>(z`J$$-37$%#e(Qtc|K>OThK55We`?ZA&dn{mtMK"
        "id_A{NeoelDG*OBODtu;eeU$F-R#BMMk9QM-)Gh3qS(XRbJA#K;V;ve2PdJ@cA{>nYseZRbGA=CFpF|Kr`7^KS1U"
        "hMd6~i_YMVXWg}MFNOQ(Wyn=iTcP2Bhs}%e66^n`77zd7Z*2{dVUi@Uj{Fe$kI-+g=edt9Y^3nSz1e&BPZrn;7qN"
        ")wyKDVz(`PvB1i^FcQ|#Y%!ud{TKK}+?`>GN"
    )
)


@pytest.fixture
def read(tmp_path):
    """Read bytes as a file."""
    path = tmp_path / "weights.pth"

    def read_bytes(content):
        path.write_bytes(content)
        return read_torch_weights(path)

    return read_bytes


def test_tensors_are_those_that_torch_wrote(read):
    tensors = read(WRITTEN_BY_TORCH)
    whole = np.arange(6).reshape(2, 3) / 4
    expected = {"whole": whole, "transposed": whole.T, "column": whole[:, 1], "counter": 7}
    assert list(tensors) == list(expected)
    for name, tensor in tensors.items():
        assert_array_equal(tensor, expected[name])
        assert tensor.dtype == (np.int64 if name == "counter" else np.float32)
        assert not tensor.flags.writeable


class FloatStorage:
    """Stand-in for the type of torch."""


class Storage:
    """Written as torch writes a storage."""

    def __init__(self, size, key="0"):
        self.pid = ("storage", FloatStorage, key, "cpu", size, None)


def _rebuild_tensor_v2(*arguments):
    """Stand-in for the function of torch."""


class Reduced:
    """Written as a call."""

    def __init__(self, function, *arguments):
        self.reduced = (function, arguments)

    def __reduce__(self):
        return self.reduced


class Pickler(pickle.Pickler):
    def persistent_id(self, written):
        return written.pid if isinstance(written, Storage) else None


def dump(written, protocol=2):
    file = io.BytesIO()
    Pickler(file, protocol).dump(written)
    own = f"c{__name__}\n".encode()
    pickled = file.getvalue().replace(own + b"FloatStorage", b"ctorch\nFloatStorage")
    return pickled.replace(own + b"_rebuild", b"ctorch._utils\n_rebuild")


def tensor(offset=0, shape=(2, 3), strides=(3, 1), size=6):
    return Reduced(_rebuild_tensor_v2, Storage(size), offset, shape, strides, False, OrderedDict())


def file_of(tensors, *, system=None, keys=("0",), size=6, values=bytes(24), protocol=2):
    """Bytes as torch would write them; the tensors are those given, or already pickled."""
    pickled = tensors if isinstance(tensors, bytes) else dump(tensors, protocol)
    return b"".join(
        [
            *(dump(0x1950A86A20F9469CFC6C), dump(1001)),
            *(dump(system or {"little_endian": True}), pickled, dump(list(keys))),
            *(size.to_bytes(8, "little", signed=True), values),
        ]
    )


def test_well_formed_file_is_read(read):
    tensors = read(file_of(OrderedDict(a=tensor(), b=tensor(offset=4, shape=(2,), strides=(1,)))))
    assert {name: values.shape for name, values in tensors.items()} == {"a": (2, 3), "b": (2,)}


@pytest.mark.parametrize("place", ["system", "tensors", "value", "argument", "key"])
def test_other_names_are_refused_and_not_run(read, tmp_path, place):
    trace = tmp_path / "it_was_run"
    evil = Reduced(os.system, f"echo > '{trace}'")
    content = {
        "system": lambda: file_of(OrderedDict(a=tensor()), system={"little_endian": evil}),
        "tensors": lambda: file_of(evil),
        "value": lambda: file_of(OrderedDict(a=evil)),
        "argument": lambda: file_of(OrderedDict(a=tensor(shape=evil))),
        "key": lambda: file_of(OrderedDict(a=tensor()), keys=[evil]),
    }[place]()
    with pytest.raises(ValueError, match=rf"names {os.name}\.system, which no tensor needs"):
        read(content)
    assert not trace.exists()
    pickle.loads(dump(evil))
    assert trace.exists()  # so it would have run


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("collections", "defaultdict"),
        ("collections", "OrderedDict.fromkeys"),
        ("numpy", "ndarray"),
        ("sklearn_ae.autoencoder.architectures.backbones.torch_weights", "read_torch_weights"),
        ("torch", "DoubleStorage"),
        ("torch._utils", "_rebuild_parameter"),
    ],
)
def test_names_are_refused_one_by_one(read, module, name):
    pickled = f"\x80\x02c{module}\n{name}\n)R.".encode("latin1")
    with pytest.raises(ValueError, match=f"names {module}.{name}, which no tensor needs"):
        read(file_of(pickled))


def test_names_of_later_protocols_are_refused(read):
    with pytest.raises(ValueError, match="has the instruction FRAME, which no tensor needs"):
        read(file_of(OrderedDict(a=tensor()), protocol=4))


def test_attributes_in_a_file_change_nothing(read):
    pickled = dump(OrderedDict(a=tensor()))[:-1] + b"}X\x05\x00\x00\x00itemsK\x01sb."
    assert list(read(file_of(pickled))) == ["a"]
    # The type of a tensor itself, instead of a tensor, would keep the attribute for later files.
    slots = b"N}X\x08\x00\x00\x00__init__K\x01s\x86b."
    with pytest.raises(ValueError, match="damaged or something else"):
        read(file_of(b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n" + slots))
    assert list(read(file_of(OrderedDict(a=tensor())))) == ["a"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (file_of(OrderedDict(a=tensor(shape=(2, 4)))), "a is larger than its storage"),
        (file_of(OrderedDict(a=tensor(shape=(9**9,), strides=(0,)))), "a is larger than"),
        (file_of(OrderedDict(a=tensor(offset=1))), "strides is incompatible"),
        (file_of(OrderedDict(a=tensor(offset=-1))), "strides is incompatible"),
        (file_of(OrderedDict(a=tensor(strides=(4, 1)))), "strides is incompatible"),
        (file_of(OrderedDict(a=tensor(strides=(-3, 1)))), "strides is incompatible"),
        (file_of(OrderedDict(a=tensor(shape=(-1, 3), strides=(0, 0)))), "negative dimensions"),
        (file_of(OrderedDict(a=tensor(shape="ab"))), "str"),
        (file_of(OrderedDict(a=tensor(size=7)), size=7), "ends before its tensors"),
        (file_of(OrderedDict(a=tensor(size=7))), "ends before its tensors"),
        (file_of(OrderedDict(a=tensor(size=2**31 - 1))), "ends before its tensors"),
        (file_of(OrderedDict(a=tensor(size=-1)), size=-1), "ends before its tensors"),
        (file_of(OrderedDict(a=tensor()), size=5), "a storage has two sizes"),
        (file_of(OrderedDict(a=tensor(), b=tensor(size=5))), "a storage has two sizes"),
        (file_of(OrderedDict(a=tensor()), values=bytes(25)), "is longer than its tensors"),
        (file_of(OrderedDict(a=tensor()), keys=()), "storages are not those of its tensors"),
        (file_of(OrderedDict(a=tensor()), keys="00"), "storages are not those of its tensors"),
        (file_of(OrderedDict(a=tensor(), b=1)), "something else than tensors"),
        (file_of([tensor()]), "holds no dictionary"),
        (file_of(OrderedDict(a=tensor()), system={"little_endian": False}), "not little-endian"),
        # An object that is to be kept under the number 2³⁰, for which room would be made before it.
        (file_of(b"\x80\x02)r\x00\x00\x00\x40."), "objects are not numbered one by one"),
        # An empty tuple in a tuple in a tuple ..., whose hash would overflow the stack.
        (file_of(b"\x80\x02}(" + b")" + 10**6 * b"\x85" + b"K\x01u."), "more instructions than"),
        (b"PK\x03\x04" + bytes(100), "does not begin as such files do"),
        (b"", "does not begin as such files do"),
    ],
)
def test_tampered_files_are_refused(read, content, message):
    with pytest.raises(ValueError, match=rf"weights\.pth', and .*({message})"):
        read(content)


def test_truncated_files_are_refused(read):
    for length in range(len(WRITTEN_BY_TORCH)):
        with pytest.raises(ValueError, match="this one is damaged or something else"):
            read(WRITTEN_BY_TORCH[:length])


def test_flipped_bits_cause_no_other_error(read):
    errors = []
    for position in range(8 * len(WRITTEN_BY_TORCH)):
        content = bytearray(WRITTEN_BY_TORCH)
        content[position // 8] ^= 1 << position % 8
        try:
            tensors = read(bytes(content))
        except ValueError as error:
            errors.append(str(error))
        else:  # the bit was one of a value, or of a name or a size that can be another
            assert all(isinstance(tensor, np.ndarray) for tensor in tensors.values())
            assert sum(tensor.size for tensor in tensors.values()) <= 4 * 6
    assert len(errors) > 2000
    assert all("this one is damaged or something else" in error for error in errors)


def test_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"no_such_file\.pth"):
        read_torch_weights(Path("no_such_file.pth"))
