"""Fits and scores of memory maps, of which a small part is in memory at a time."""

import tracemalloc

import numpy as np
import pytest
from tiny_networks import tiny, tiny_conv

from sklearn_ae.autoencoder import row_hashes, scaling, tiling

N_BYTES = 48 * 2**20


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Make parts as small as is in proportion to these maps."""
    for module in (row_hashes, scaling):
        monkeypatch.setattr(module, "_VALUES_PER_CHUNK", 2**18)
    # As of more than the limit, training tiles are in a temporary file.
    monkeypatch.setattr(tiling, "_MAX_BYTES_IN_MEMORY", 0)


def write_map(path, shape, dtype):
    """Write a map of N_BYTES of random numbers, a part at a time."""
    rng = np.random.default_rng(0)
    n = N_BYTES // (int(np.prod(shape)) * np.dtype(dtype).itemsize)
    mapped = np.lib.format.open_memmap(path, "w+", dtype, (n, *shape))
    for row in mapped:
        row[...] = rng.integers(0, 256, size=shape)
    return np.load(path, mmap_mode="r")


def peak_of(function):
    """Return how much of Python's and NumPy's memory a call takes at most, in bytes."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("kind", ["rows", "images", "tiles"])
def test_no_copy_of_a_memory_map_is_made(tmp_path, kind, dtype):
    shape = {"rows": (512,), "images": (128, 128), "tiles": (512, 512)}[kind]
    X = write_map(tmp_path / "X.npy", shape, dtype)
    make = tiny if kind == "rows" else tiny_conv
    parameters = {"batch_size": 256} if kind == "rows" else {}
    if kind == "tiles":
        parameters = {"tile_size": 128, "tile_overlap": 0}
    detector = make(**parameters)
    # What is imported and compiled at first stays.
    detector.fit(X[:40])
    for function in (detector.fit, detector.score_samples):
        assert peak_of(lambda function=function: function(X)) < 0.5 * N_BYTES


def test_list_of_memory_maps_is_not_copied(tmp_path):
    X = write_map(tmp_path / "X.npy", (512, 512), np.uint8)
    images = [image[: 512 - 8 * (i % 3)] for i, image in enumerate(X)]
    detector = tiny_conv(tile_size=128, tile_overlap=0).fit(images[:40])
    assert peak_of(lambda: detector.fit(images)) < 0.5 * N_BYTES
