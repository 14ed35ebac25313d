"""What load_images reads: files, their order, their pixels and types, and where they are put."""

import re
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from image_file_cases import COLOR, GRAY, GRAY_16, save, truncate
from PIL import Image, ImageDraw
from sklearn.utils import Bunch
from tiny_networks import tiny, tiny_conv

from sklearn_ae.datasets import load_images

LOSSLESS = ["png", "PNG", "bmp", "tif", "tiff"]
ROTATED = {
    2: GRAY_16[:, ::-1],
    3: np.rot90(GRAY_16, 2),
    4: GRAY_16[::-1],
    5: GRAY_16.T,
    6: np.rot90(GRAY_16, -1),
    7: np.rot90(GRAY_16, 2).T,
    8: np.rot90(GRAY_16),
}


def smooth(*, height=32, width=48):
    """A color image that JPEG keeps but for a few units, and of which no two corners are equal."""
    rows, columns = np.mgrid[:height, :width]
    channels = [4 * rows, 4 * columns, 2 * (rows + columns)]
    return np.stack(channels, axis=-1).astype(np.uint8)


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("pixels", [GRAY, COLOR], ids=["gray", "color"])
def test_pixels_of_8_bits_are_those_of_the_file(tmp_path, suffix, pixels):
    save(pixels, tmp_path / f"a.{suffix}")
    images = load_images(tmp_path).images
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, pixels[np.newaxis])


@pytest.mark.parametrize("suffix", ["jpg", "JPEG"])
def test_jpeg(tmp_path, suffix):
    save(smooth(), tmp_path / f"a.{suffix}", quality=95)
    np.testing.assert_allclose(load_images(tmp_path).images[0], smooth(), atol=6)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_are_kept(tmp_path, suffix):
    save(GRAY_16, tmp_path / f"a.{suffix}")
    images = load_images(tmp_path).images
    assert images.dtype == np.uint16
    np.testing.assert_array_equal(images, [GRAY_16])


def test_16_bits_from_the_other_end(tmp_path):
    save(Image.frombytes("I;16B", (8, 6), GRAY_16.astype(">u2").tobytes()), tmp_path / "a.tif")
    images = load_images(tmp_path).images
    assert images.dtype == np.uint16
    np.testing.assert_array_equal(images, [GRAY_16])


def test_tiff_whose_0_is_white_shows_what_it_shows(tmp_path):
    white_is_zero = {262: 0}
    save(GRAY_16, tmp_path / "16.tif", tiffinfo=white_is_zero)
    save(GRAY, tmp_path / "8.tif", tiffinfo=white_is_zero)
    np.testing.assert_array_equal(load_images(tmp_path / "16.tif").images, [65535 - GRAY_16])
    with Image.open(tmp_path / "8.tif") as image:
        np.testing.assert_array_equal(load_images(tmp_path / "8.tif").images, [image])


def test_floats_are_kept(tmp_path):
    heights = (GRAY / 7 - 3).astype(np.float32)
    save(heights, tmp_path / "a.tif")
    images = load_images(tmp_path).images
    assert images.dtype == np.float32
    np.testing.assert_array_equal(images, [heights])


def test_image_of_1_bit_is_black_and_white(tmp_path):
    is_white = GRAY > 127
    save(
        Image.fromarray(GRAY).point(lambda value: 255 * (value > 127), mode="1"), tmp_path / "a.png"
    )
    np.testing.assert_array_equal(load_images(tmp_path).images, [np.where(is_white, 255, 0)])


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_palette_is_looked_up(tmp_path, suffix):
    colors = np.array([[250, 10, 20], [0, 200, 100], [7, 8, 9]], dtype=np.uint8)
    image = Image.fromarray(GRAY % 3).convert("P")
    image.putpalette(colors.tobytes())
    save(image, tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(load_images(tmp_path).images, [colors[GRAY % 3]])


def test_palette_of_grays_is_gray(tmp_path):
    grays = np.array([200, 10, 90], dtype=np.uint8)
    image = Image.fromarray(GRAY % 3).convert("P")
    image.putpalette(np.repeat(grays, 3).tobytes())
    save(image, tmp_path / "a.png")
    np.testing.assert_array_equal(load_images(tmp_path).images, [grays[GRAY % 3]])


def test_print_colors_become_those_of_a_screen(tmp_path):
    image = Image.new("CMYK", (8, 6), (0, 255, 255, 0))
    save(image, tmp_path / "a.tif")
    np.testing.assert_array_equal(load_images(tmp_path).images[0, 0, 0], [255, 0, 0])


@pytest.mark.parametrize("orientation", ROTATED)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_images_are_turned_as_exif_says(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(GRAY_16, tmp_path / f"a.{suffix}", exif=exif)
    np.testing.assert_array_equal(load_images(tmp_path).images, [ROTATED[orientation]])


def test_turned_jpeg_is_resized_after_it_is_turned(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(smooth(), tmp_path / "a.jpg", exif=exif, quality=95)
    images = load_images(tmp_path, size=(24, 16)).images
    assert images.shape == (1, 24, 16, 3)
    expected = np.rot90(smooth(), -1).reshape(24, 2, 16, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(images[0, 1:-1, 1:-1], expected[1:-1, 1:-1], atol=6)


def test_first_picture_of_a_phone_is_the_photograph(tmp_path):
    path = tmp_path / "a.jpg"
    preview = Image.fromarray(smooth()[:8, :8])
    Image.fromarray(smooth()).save(
        path, format="MPO", save_all=True, append_images=[preview], quality=95
    )
    np.testing.assert_allclose(load_images(tmp_path).images[0], smooth(), atol=6)


def test_resizing_smooths(tmp_path):
    # Nearest or unsmoothed pixels of these stripes would be black or white.
    stripes = np.tile(np.array([0, 255], dtype=np.uint8), (40, 20))
    save(stripes, tmp_path / "a.png")
    images = load_images(tmp_path, size=(10, 10)).images
    assert images.shape == (1, 10, 10)
    np.testing.assert_allclose(images[0, :, 1:-1], 127.5, atol=8)


def test_resizing_keeps_16_bits(tmp_path):
    ramp = np.tile(np.arange(0, 64000, 1000, dtype=np.uint16), (64, 1))
    save(ramp, tmp_path / "a.png")
    images = load_images(tmp_path, size=(32, 32)).images
    assert images.dtype == np.uint16
    np.testing.assert_allclose(images[0, 5, 1:-1], np.arange(2500, 60501, 2000), atol=1)


def test_floats_are_resized(tmp_path):
    save(np.full((6, 8), -0.25, dtype=np.float32), tmp_path / "a.tif")
    images = load_images(tmp_path, size=(3, 4)).images
    assert images.dtype == np.float32
    np.testing.assert_allclose(images, np.full((1, 3, 4), -0.25))


def test_gray_and_color_are_turned_into_what_mode_says(tmp_path):
    save(GRAY, tmp_path / "a.png")
    save(COLOR, tmp_path / "b.png")
    gray, color = (load_images(tmp_path, mode=mode).images for mode in ("gray", "color"))
    assert gray.shape == (2, 6, 8)
    assert color.shape == (2, 6, 8, 3)
    np.testing.assert_array_equal(gray[0], GRAY)
    np.testing.assert_allclose(gray[1], COLOR @ [0.299, 0.587, 0.114], atol=1)
    np.testing.assert_array_equal(color[0], np.stack([GRAY] * 3, axis=-1))
    np.testing.assert_array_equal(color[1], COLOR)


def test_gray_of_16_bits_becomes_color_of_16_bits(tmp_path):
    save(GRAY_16, tmp_path / "a.png")
    images = load_images(tmp_path, mode="color").images
    assert images.dtype == np.uint16
    np.testing.assert_array_equal(images, [np.stack([GRAY_16] * 3, axis=-1)])


def test_folder_is_searched_to_any_depth_in_order(tmp_path):
    names = ["b.png", "a/z.JPG", "a/b/c.tiff", "a.png", "c.bmp", "a-b/a.png"]
    for name in names:
        save(GRAY, tmp_path / name)
    # What is no image by its name, or hidden, and a folder named like one.
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._a.png").write_bytes(b"what macOS adds")
    save(GRAY, tmp_path / ".ipynb_checkpoints" / "a-checkpoint.png")
    save(GRAY, tmp_path / "folder.png" / "d.png")
    photographs = load_images(tmp_path)
    assert isinstance(photographs, Bunch)
    assert photographs.errors == {}
    expected = ["a/b/c.tiff", "a/z.JPG", "a-b/a.png", "a.png", "b.png", "c.bmp", "folder.png/d.png"]
    assert list(photographs.filenames) == [str(tmp_path / name) for name in expected]
    assert photographs.filenames.dtype.kind == "U"
    assert len(photographs.images) == len(expected)


@pytest.mark.parametrize("kind", [list, tuple, iter, np.array])
@pytest.mark.parametrize("as_path", [str, Path])
def test_paths_are_loaded_in_the_order_given(tmp_path, kind, as_path):
    paths = [save(np.full((2, 3), n, dtype=np.uint8), tmp_path / f"{n}.png") for n in (3, 1, 2)]
    photographs = load_images(kind([as_path(path) for path in paths]))
    np.testing.assert_array_equal(photographs.images[:, 0, 0], [3, 1, 2])
    assert list(photographs.filenames) == list(map(str, paths))


def test_one_path_is_one_image(tmp_path):
    path = save(GRAY, tmp_path / "a.png")
    np.testing.assert_array_equal(load_images(path).images, [GRAY])
    np.testing.assert_array_equal(load_images(str(path)).images, [GRAY])


def test_images_of_different_sizes_are_a_list(tmp_path):
    arrays = [GRAY, GRAY.copy(), GRAY[:3], GRAY]
    for n, array in enumerate(arrays):
        save(array, tmp_path / f"{n}.png")
    images = load_images(tmp_path).images
    assert isinstance(images, list)
    for image, array in zip(images, arrays, strict=True):
        np.testing.assert_array_equal(image, array)
    images[-1][0, 0] = 1  # they may be changed, as an array may
    assert load_images(tmp_path, size=(5, 4)).images.shape == (4, 5, 4)


def test_memory_map_is_the_array(tmp_path):
    for n in range(3):
        save(np.roll(COLOR, n, axis=0), tmp_path / f"{n}.png")
    expected = load_images(tmp_path)
    mapped = load_images(tmp_path, memory_map=tmp_path / "images.npy")
    assert isinstance(mapped.images, np.memmap)
    assert not mapped.images.flags.writeable
    assert mapped.images.dtype == np.uint8
    np.testing.assert_array_equal(mapped.images, expected.images)
    np.testing.assert_array_equal(mapped.filenames, expected.filenames)
    # In a later process, the file is enough.
    np.testing.assert_array_equal(np.load(tmp_path / "images.npy"), expected.images)


@pytest.mark.parametrize("pixels", [GRAY, COLOR, GRAY_16], ids=["gray", "color", "16 bits"])
def test_memory_map_of_different_sizes_holds_their_pixels(tmp_path, pixels):
    arrays = [pixels, pixels[:3], np.tile(pixels, (2, 5, 1)[: pixels.ndim])]
    for n, array in enumerate(arrays):
        save(array, tmp_path / f"{n}.png")
    mapped = load_images(tmp_path, memory_map=tmp_path / "images.npy").images
    assert isinstance(mapped, list)
    for image, array in zip(mapped, arrays, strict=True):
        assert isinstance(image, np.memmap)
        assert not image.flags.writeable
        np.testing.assert_array_equal(image, array)
    row = np.load(tmp_path / "images.npy")
    np.testing.assert_array_equal(row, np.concatenate([array.ravel() for array in arrays]))


def test_memory_map_has_no_rows_of_files_left_out(tmp_path):
    for n in range(12):
        save(np.full((6, 8), n, dtype=np.uint16), tmp_path / f"{n:02}.png")
    for n in (0, 5, 11):
        truncate(tmp_path / f"{n:02}.png")
    memory_map = tmp_path / "images.npy"
    for photographs in [
        load_images(tmp_path, on_error="list"),
        load_images(tmp_path, on_error="list", memory_map=str(memory_map)),
    ]:
        assert photographs.images.shape == (9, 6, 8)
        np.testing.assert_array_equal(photographs.images[:, 0, 0], [1, 2, 3, 4, 6, 7, 8, 9, 10])
        assert len(photographs.filenames) == 9
        assert len(photographs.errors) == 3
    assert memory_map.stat().st_size == 128 + 9 * 6 * 8 * 2


def test_memory_map_needs_the_memory_of_few_images(tmp_path):
    n_images, side = 40, 200
    for n in range(n_images):
        save(np.full((side, side), n, dtype=np.uint8), tmp_path / f"{n}.png")

    def peak(**parameters):
        tracemalloc.start()
        try:
            load_images(tmp_path, **parameters)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(size=(1, 1))  # what is imported, and kept, at the first call
    assert peak(memory_map=tmp_path / "images.npy") < 10 * side**2
    # In memory, an array is filled, not made of a list that is as large.
    assert n_images * side**2 < peak() < 1.3 * n_images * side**2


def test_detector_fits_on_a_memory_map(tmp_path):
    generator = np.random.default_rng(0)
    for n in range(30):
        image = Image.fromarray(generator.integers(90, 110, size=(20, 20), dtype=np.uint8))
        if n == 29:
            ImageDraw.Draw(image).line([(2, 2), (17, 15)], fill=255, width=3)
        save(image, tmp_path / f"{n:02}.png")
    mapped = load_images(tmp_path, size=(16, 16), memory_map=tmp_path / "images.npy")
    in_memory = load_images(tmp_path, size=(16, 16))
    detector = tiny_conv(epochs=2, validation_fraction=0.2).fit(mapped.images)
    scores = detector.score_samples(mapped.images)
    np.testing.assert_array_equal(scores, detector.score_samples(in_memory.images))
    other = tiny_conv(epochs=2, validation_fraction=0.2).fit(in_memory.images)
    np.testing.assert_array_equal(scores, other.score_samples(in_memory.images))
    # Whose scores they are: the scratched one is the worst.
    assert Path(mapped.filenames[scores.argmin()]).name == "29.png"


def test_images_of_16_bits_are_scaled_by_their_range(tmp_path):
    for n in range(24):
        save(np.roll(GRAY_16, n), tmp_path / f"{n}.png")
    detector = tiny(architecture="auto").fit(load_images(tmp_path).images)
    assert detector.score_samples([GRAY_16]).shape == (1,)


@pytest.mark.parametrize("fails", [False, True])
def test_progress_bar_counts_files_on_standard_error(tmp_path, capsys, fails):
    paths = [save(GRAY, tmp_path / f"{n}.png") for n in range(4)]
    if fails:
        truncate(paths[2])
        with pytest.raises(OSError, match=r"2\.png"):
            load_images(paths, verbose=True)
    else:
        load_images(paths, verbose=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("\n")
    last = captured.err.rsplit("\r", maxsplit=1)[-1]
    done, left = ("2/4", " left") if fails else ("4/4", "")
    assert re.search(rf"\] {done} files, 0:00:0\d{left} *\n$", last)


def test_progress_bar_draws_each_percent_once(tmp_path, capsys):
    path = save(GRAY, tmp_path / "a.png")
    load_images([path] * 250, verbose=True)
    assert capsys.readouterr().err.count("\r") == 101


def test_nothing_is_said_by_default(tmp_path, capsys):
    load_images(save(GRAY, tmp_path / "a.png"))
    assert capsys.readouterr() == ("", "")


def test_error_without_pillow_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-ae\[images\]'"):
        load_images(tmp_path)
