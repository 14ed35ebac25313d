"""Fit a detector to a memory map of 4 GB and score it, and measure the memory (Linux).

Anonymous memory is counted: what the process allocated, without pages of mapped files, which the
system can drop at any time. The map is written to the folder of temporary files, set by TMPDIR.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from _measuring import (
    MEGABYTE,
    PeakMemory,
    anonymous_memory,
    dispatch,
    print_promises,
    print_setting,
    print_table,
    run_measure,
    use_repository,
)

N_ROWS, N_FEATURES = 1_000_000, 1_000
N_ROWS_AT_A_TIME = 10_000
LARGEST_PEAK = 1_500 * MEGABYTE


def main():
    with tempfile.TemporaryDirectory() as folder:
        write_rows(folder)
        figures, _ = run_measure(__file__, "fitting", folder)
    print_setting("tensorflow", "keras", "scikit-learn", "numpy")
    print_table(
        [f"{N_ROWS:,} rows of {N_FEATURES:,} features, float32", "MB", "s"],
        [
            ("the memory map", _megabytes(figures["mapped"]), ""),
            ("anonymous memory after the imports", _megabytes(figures["imported"]), ""),
            (
                "its peak, one epoch",
                _megabytes(figures["fit"]),
                f"{figures['fit_time']:.0f}",
            ),
            ("its peak, scores", _megabytes(figures["score"]), f"{figures['score_time']:.0f}"),
        ],
    )
    peak = max(figures["fit"], figures["score"])
    print_promises(
        [
            (
                "fit and scores, anonymous memory in all: at most 1,500 MB",
                f"{_megabytes(peak)} MB",
                peak <= LARGEST_PEAK,
            )
        ]
    )


def _megabytes(n_bytes):
    return f"{n_bytes / MEGABYTE:,.0f}"


def write_rows(folder):
    """Write rows near a subspace, a part at a time."""
    rng = np.random.default_rng(0)
    mapped = np.lib.format.open_memmap(
        Path(folder) / "rows.npy", "w+", np.float32, (N_ROWS, N_FEATURES)
    )
    directions = rng.normal(size=(20, N_FEATURES)).astype(np.float32)
    for start in range(0, N_ROWS, N_ROWS_AT_A_TIME):
        codes = rng.normal(size=(N_ROWS_AT_A_TIME, 20)).astype(np.float32)
        noise = rng.standard_normal((N_ROWS_AT_A_TIME, N_FEATURES), dtype=np.float32)
        mapped[start : start + N_ROWS_AT_A_TIME] = codes @ directions + 0.1 * noise


def fitting(folder):
    from sklearn_ae import AutoencoderAnomalyDetector
    from sklearn_ae.autoencoder.network import scoring  # noqa: F401  imports TensorFlow and Keras

    imported = anonymous_memory()
    rows = np.load(Path(folder) / "rows.npy", mmap_mode="r")
    detector = AutoencoderAnomalyDetector(epochs=1, batch_size=1024, random_state=0)
    begin = time.perf_counter()
    with PeakMemory() as fit:
        detector.fit(rows)
    middle = time.perf_counter()
    with PeakMemory() as score:
        detector.score_samples(rows)
    return {
        "imported": imported,
        "mapped": rows.nbytes,
        "fit": fit.peak,
        "score": score.peak,
        "fit_time": middle - begin,
        "score_time": time.perf_counter() - middle,
    }


MEASURES = {"fitting": fitting}

if __name__ == "__main__":
    use_repository()
    dispatch(MEASURES, main)
