"""Files of torch are read without torch, with the names that tensors need and no other."""

import base64
import io
import pickle
import zlib

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


def test_tensors_are_those_that_torch_wrote():
    tensors = read_torch_weights(io.BytesIO(WRITTEN_BY_TORCH))
    whole = np.arange(6).reshape(2, 3) / 4
    expected = {"whole": whole, "transposed": whole.T, "column": whole[:, 1], "counter": 7}
    assert list(tensors) == list(expected)
    for name, tensor in tensors.items():
        assert_array_equal(tensor, expected[name])
        assert tensor.dtype == (np.int64 if name == "counter" else np.float32)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("collections", "OrderedDict.fromkeys"),
        ("torch", "DoubleStorage"),
        ("torch._utils", "_rebuild_parameter"),
    ],
)
def test_other_names_are_refused(module, name):
    pickled = f"\x80\x02c{module}\n{name}\n)R.".encode("latin1")
    with pytest.raises(pickle.UnpicklingError, match=f"names {module}.{name}, which no tensor"):
        read_torch_weights(io.BytesIO(pickled))
