"""Image files that the tests of `load_images` share."""

import numpy as np
from PIL import Image

GENERATOR = np.random.default_rng(0)
GRAY = GENERATOR.integers(0, 256, size=(6, 8), dtype=np.uint8)
COLOR = GENERATOR.integers(0, 256, size=(6, 8, 3), dtype=np.uint8)
GRAY_16 = GENERATOR.integers(0, 65536, size=(6, 8), dtype=np.uint16)


def save(pixels, path, **options):
    """Save an array, or an image of Pillow's, as the path's suffix says, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)
    return path


def truncate(path, share=0.6):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path
