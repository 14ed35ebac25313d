"""Bad input of load_images: each is named, and raises or is listed as asked."""

import os

import numpy as np
import pytest
from image_file_cases import COLOR, GRAY, GRAY_16, save, truncate
from PIL import Image

from sklearn_ae.datasets import load_images


def with_alpha(path):
    return save(np.dstack([COLOR, GRAY]), path.with_suffix(".png"))


def with_alpha_of_gray(path):
    return save(Image.fromarray(np.dstack([GRAY, GRAY])), path.with_suffix(".png"))


def with_transparent_gray(path):
    return save(GRAY, path.with_suffix(".png"), transparency=3)


def with_transparent_entry_of_the_palette(path):
    image = Image.fromarray(GRAY % 3).convert("P")
    return save(image, path.with_suffix(".png"), transparency=0)


def with_pages(path):
    image = Image.fromarray(GRAY)
    return save(image, path.with_suffix(".tif"), save_all=True, append_images=[image] * 2)


def of_signed_integers(path):
    return save(GRAY_16.astype(np.int32), path.with_suffix(".tif"))


def text(path):
    path = path.with_suffix(".png")
    path.write_text("no image")
    return path


def empty(path):
    path = path.with_suffix(".jpg")
    path.touch()
    return path


def gif(path):
    """An image of another format than its name says, and than those that are read."""
    path = path.with_suffix(".png")
    Image.fromarray(GRAY).save(path, format="GIF")
    return path


def missing(path):
    return path.with_suffix(".png")


def folder(path):
    path = path.with_suffix(".png")
    path.mkdir()
    return path


def truncated(suffix):
    def make(path):
        return truncate(save(COLOR, path.with_suffix(suffix)))

    make.__name__ = f"truncated{suffix}"
    return make


def color_of_16_bits(suffix):
    """A file of one pixel of 16 bits a color, which Pillow reads but does not write."""

    def make(path):
        path = path.with_suffix(suffix)
        path.write_bytes({".png": _png_of_16_bits, ".tif": _tiff_of_16_bits}[suffix]())
        return path

    make.__name__ = f"color_of_16_bits{suffix}"
    return make


def _png_of_16_bits():
    import struct
    import zlib

    def chunk(name, content):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0" + struct.pack(">HHH", 1, 500, 60000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), chunk(b"IDAT", pixel), chunk(b"IEND", b"")]
    )


def _tiff_of_16_bits():
    import struct

    # Tag, type (3: 16 bits), count, value or, for the bits of three samples, where they stand.
    n_tags = 9
    after = 8 + 2 + 12 * n_tags + 4
    tags = [
        (256, 3, 1, 1),
        (257, 3, 1, 1),
        (258, 3, 3, after),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 3, 1, after + 6),
        (277, 3, 1, 3),
        (278, 3, 1, 1),
        (279, 3, 1, 6),
    ]
    return b"".join(
        [
            b"II*\0" + struct.pack("<IH", 8, n_tags),
            *(struct.pack("<HHII", *tag) for tag in tags),
            struct.pack("<I", 0),
            struct.pack("<HHH", 16, 16, 16),
            struct.pack("<HHH", 1, 500, 60000),
        ]
    )


UNREADABLE = {
    with_alpha: "an alpha channel or a transparent color",
    with_alpha_of_gray: "an alpha channel or a transparent color",
    with_transparent_gray: "an alpha channel or a transparent color",
    with_transparent_entry_of_the_palette: "an alpha channel or a transparent color",
    with_pages: "3 images in one file",
    of_signed_integers: "Pillow's mode 'I'",
    color_of_16_bits(".png"): "colors of 16 bits",
    color_of_16_bits(".tif"): "colors of 16 bits",
    text: "no BMP, JPEG, PNG or TIFF file",
    empty: "no BMP, JPEG, PNG or TIFF file",
    gif: "no BMP, JPEG, PNG or TIFF file",
    missing: "no such file",
    folder: "a folder or no regular file",
    truncated(".png"): "",
    truncated(".jpg"): "runcated",
    truncated(".bmp"): "truncated",
    truncated(".tif"): "",
}


@pytest.mark.parametrize(
    ("make", "reason"), UNREADABLE.items(), ids=[make.__name__ for make in UNREADABLE]
)
def test_file_that_cannot_be_used_raises_or_is_listed(tmp_path, make, reason):
    bad = make(tmp_path / "bad")
    good = save(COLOR, tmp_path / "good.png")
    with pytest.raises(OSError, match="pass on_error='list'") as raised:
        load_images([good, bad])
    assert repr(str(bad)) in str(raised.value)
    assert reason in str(raised.value)

    photographs = load_images([bad, good, bad], on_error="list")
    np.testing.assert_array_equal(photographs.images, [COLOR])
    assert list(photographs.filenames) == [str(good)]
    assert list(photographs.errors) == [str(bad)]
    assert reason in photographs.errors[str(bad)]
    assert photographs.errors[str(bad)]


def test_16_bits_of_the_two_files_above_are_what_pillow_reads_otherwise(tmp_path):
    # Or the error would be for files that nobody could read.
    for suffix in (".png", ".tif"):
        with Image.open(color_of_16_bits(suffix)(tmp_path / "a")) as image:
            assert (image.mode, image.getpixel((0, 0))) == ("RGB", (0, 1, 234))


def test_image_that_would_fill_the_memory(tmp_path, monkeypatch):
    path = save(np.zeros((30, 30), dtype=np.uint8), tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)
    with pytest.raises(OSError, match=r"bomb\.png.*900 pixels.*exceeds limit of 800"):
        load_images(tmp_path)
    good = save(GRAY, tmp_path / "good.png")
    photographs = load_images([path, good], on_error="list")
    assert list(photographs.errors) == [str(path)]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 900)
    assert load_images(path).images.shape == (1, 30, 30)


@pytest.mark.parametrize("on_error", ["raise", "list"])
def test_gray_and_color_are_not_mixed(tmp_path, on_error):
    save(GRAY, tmp_path / "a.png")
    save(GRAY, tmp_path / "b.png")
    save(COLOR, tmp_path / "c.png")
    with pytest.raises(ValueError, match=r"mode='gray' or mode='color'") as raised:
        load_images(tmp_path, on_error=on_error)
    assert f"{str(tmp_path / 'a.png')!r} is gray of type uint8" in str(raised.value)
    assert f"{str(tmp_path / 'c.png')!r} is color of type uint8" in str(raised.value)


@pytest.mark.parametrize("mode", [None, "gray", "color"])
def test_8_and_16_bits_are_not_mixed(tmp_path, mode):
    save(GRAY_16, tmp_path / "a.png")
    save(GRAY, tmp_path / "b.png")
    with pytest.raises(
        ValueError, match=r"save them with as many bits.*uint16 and .*b\.png.*uint8"
    ):
        load_images(tmp_path, mode=mode)


def test_folder_without_an_image(tmp_path):
    (tmp_path / "deep" / "a.png").mkdir(parents=True)
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(ValueError, match=r"must hold images.*\.png.*holds none") as raised:
        load_images(tmp_path)
    assert repr(str(tmp_path)) in str(raised.value)


def test_folder_with_broken_images_only(tmp_path):
    text(tmp_path / "a")
    empty(tmp_path / "b")
    with pytest.raises(ValueError, match=r"2 files, of which none can, such as .*a\.png"):
        load_images(tmp_path, on_error="list")


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere', which does not exist"):
        load_images(tmp_path / "nowhere")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_folder_that_may_not_be_read_is_not_left_out(tmp_path):
    save(GRAY, tmp_path / "a.png")
    save(GRAY, tmp_path / "closed" / "b.png")
    (tmp_path / "closed").chmod(0)
    try:
        with pytest.raises(PermissionError):
            load_images(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o700)


@pytest.mark.parametrize(
    ("paths", "error", "message"),
    [
        ([], ValueError, "at least one image. Received: no path"),
        (None, TypeError, "a folder, an image or a list .* Received: None"),
        (3, TypeError, "a folder, an image or a list .* Received: 3"),
        ([GRAY], TypeError, "a folder, an image or a list .* Received: \\[array"),
        (GRAY, TypeError, "a folder, an image or a list .* Received: array"),
        ([b"a.png"], TypeError, "of type str or pathlib.Path"),
    ],
    ids=["none", "None", "number", "list of arrays", "array", "bytes"],
)
def test_what_is_no_path(paths, error, message):
    with pytest.raises(error, match=f"folder_or_paths must .*{message}"):
        load_images(paths)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("size", value) for value in [5, (5,), (5, 0), (5, 5, 3), (5.0, 5.0), "55"]),
        ("mode", "RGB"),
        ("on_error", "ignore"),
        *(("memory_map", value) for value in ["images.png", "images", "nowhere/images.npy"]),
    ],
)
def test_bad_parameters_are_refused_before_a_file_is_read(tmp_path, monkeypatch, name, value):
    monkeypatch.chdir(tmp_path)
    text(tmp_path / "a")
    with pytest.raises(ValueError, match=f"^{name} must be .*Received: {name}="):
        load_images(tmp_path, **{name: value})


def bad_folder(tmp_path, kind):
    save(GRAY, tmp_path / "in" / "a.png")
    if kind == "broken":
        truncate(save(GRAY, tmp_path / "in" / "b.png"))
    elif kind == "color":
        save(COLOR, tmp_path / "in" / "b.png")
    return tmp_path / "in"


@pytest.mark.parametrize("kind", ["broken", "color"])
def test_error_leaves_no_half_written_memory_map(tmp_path, kind):
    folder = bad_folder(tmp_path, kind)
    memory_map = tmp_path / "out" / "images.npy"
    memory_map.parent.mkdir()
    with pytest.raises((OSError, ValueError), match=r"b\.png"):
        load_images(folder, memory_map=memory_map)
    assert list(memory_map.parent.iterdir()) == []

    memory_map.write_bytes(b"of an earlier call")
    with pytest.raises((OSError, ValueError), match=r"b\.png"):
        load_images(folder, memory_map=memory_map)
    assert memory_map.read_bytes() == b"of an earlier call"
    assert list(memory_map.parent.iterdir()) == [memory_map]
