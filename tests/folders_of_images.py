"""Folders of small images of stripes, some of them with a defect, and the command on them."""

import csv

import numpy as np
from PIL import Image

from sklearn_ae.deployment.cli import main


def draw(seed, *, size=16, is_defective=False):
    """Return stripes of random phase, with a square of other stripes if it is defective."""
    rng = np.random.default_rng(seed)
    image = 0.5 + 0.3 * np.sin(2 * np.pi * (np.arange(size) + rng.uniform(0, 8)) / 8)
    image = image + rng.normal(0, 0.02, (size, size))
    image = (255 * image.clip(0, 1)).astype(np.uint8)
    if is_defective:
        image[4:10, 4:10] = 255 - image[4:10, 4:10]
    return image


def save_images(folder, images):
    folder.mkdir(parents=True, exist_ok=True)
    for n, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{n:02}.png")
    return folder


def read_table(path):
    """Return the rows of a table, as dictionaries of texts."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def run(*arguments):
    """Run the command in this process and return its exit status."""
    return main([*map(str, arguments)])


def fit(folder, model, *options):
    return run("fit", folder, "-o", model, "--epochs", 1, *options)
