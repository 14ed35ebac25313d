"""Fit to and score 1,000 images of 256×256 by the command and by the interface, side by side.

Each is a process of its own that reads the folder, fits or scores, and writes a model or a table:
what the command adds is its reading through a temporary file and its checks.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from _measuring import (
    dispatch,
    print_promises,
    print_setting,
    print_table,
    run_measure,
    seconds,
    use_repository,
)

N_IMAGES = 1_000
SIZE = 256
N_ROUNDS = 3
LARGEST_RATIO = 1.2


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_images(folder / "images")
        ways = {
            "fit": (
                ["fit", f"{folder}/images", "-o", f"{folder}/command.skae", "--epochs", "1"],
                ("fit", folder),
            ),
            "score": (
                ["score", f"{folder}/command.skae", f"{folder}/images", "--csv", f"{folder}/c.csv"],
                ("score", folder),
            ),
        }
        times = {
            what: [
                (seconds(lambda c=c: run(c)), seconds(lambda i=i: run_measure(__file__, *i)))
                for _ in range(N_ROUNDS)
            ]
            for what, (c, i) in ways.items()
        }
        is_equal = scores_of(folder / "c.csv") == scores_of(folder / "i.csv")
    print_setting("tensorflow", "keras", "pillow", "numpy")
    rows, ratios = [], {}
    for what, pairs in times.items():
        command, interface = map(statistics.median, zip(*pairs, strict=True))
        ratios[what] = statistics.median(first / second for first, second in pairs)
        rows.append((what, f"{command:.1f}", f"{interface:.1f}", f"{ratios[what]:.2f}"))
    print_table([f"{N_IMAGES:,} images of {SIZE}×{SIZE}", "command, s", "Python, s", "ratio"], rows)
    print_promises(
        [
            *(
                (f"{what}: at most {LARGEST_RATIO} times", f"{ratio:.2f}", ratio <= LARGEST_RATIO)
                for what, ratio in ratios.items()
            ),
            ("tables equal", str(is_equal), is_equal),
        ]
    )


def write_images(folder):
    """Write gray pictures of blurred noise."""
    from PIL import Image
    from scipy.ndimage import gaussian_filter

    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(N_IMAGES):
        blurred = gaussian_filter(rng.normal(size=(SIZE, SIZE)), 4)
        pixels = np.clip(128 + 600 * blurred, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:04}.png")


def run(arguments):
    subprocess.run(
        [sys.executable, "-m", "sklearn_ae", *arguments], check=True, stderr=subprocess.DEVNULL
    )


def scores_of(path):
    return path.read_text(encoding="utf-8")


def fit(folder):
    from sklearn_ae import AutoencoderAnomalyDetector
    from sklearn_ae.datasets import load_images
    from sklearn_ae.deployment import save

    photographs = load_images(f"{folder}/images")
    detector = AutoencoderAnomalyDetector(epochs=1, random_state=0).fit(photographs.images)
    save(detector, f"{folder}/interface.skae")
    return {}


def score(folder):
    import csv

    from sklearn_ae.datasets import load_images
    from sklearn_ae.deployment import load

    detector = load(f"{folder}/interface.skae")
    photographs = load_images(f"{folder}/images")
    scores = detector.score_samples(photographs.images)
    decisions = scores - detector.offset_
    labels = np.where(decisions < 0, -1, 1)
    with open(f"{folder}/i.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "score", "decision", "label"])
        columns = (photographs.filenames, scores.tolist(), decisions.tolist(), labels.tolist())
        writer.writerows(zip(*columns, strict=True))
    return {}


MEASURES = {"fit": fit, "score": score}

if __name__ == "__main__":
    use_repository()
    dispatch(MEASURES, main)
