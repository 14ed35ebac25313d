"""Time `import sklearn_ae` against `import sklearn.ensemble`, each in a fresh process.

The two alternate; the time is that of the import statement alone, without Python's own start.
"""

from _measuring import (
    dispatch,
    median_ratio,
    median_times,
    print_promises,
    print_setting,
    print_table,
    run_measure,
    seconds,
    use_repository,
)

N_PAIRS = 15
LARGEST_RATIO = 1.3


def import_sklearn_ae():
    def load():
        import sklearn_ae  # noqa: F401

    return seconds(load)


def import_sklearn_ensemble():
    def load():
        import sklearn.ensemble  # noqa: F401

    return seconds(load)


def main():
    def pair():
        return tuple(run_measure(__file__, name)[0] for name in MEASURES)

    pair()  # Once unmeasured: fills the disk cache and writes the compiled Python files.
    times = [pair() for _ in range(N_PAIRS)]
    ours, theirs = median_times(times)
    ratio = median_ratio(times)
    print_setting("scikit-learn", "numpy", "scipy")
    print_table(
        ["import, median", "s"],
        [("sklearn_ae", f"{ours:.2f}"), ("sklearn.ensemble", f"{theirs:.2f}")],
    )
    promise = f"import time, median ratio of {N_PAIRS} pairs: at most {LARGEST_RATIO}"
    print_promises([(promise, f"{ratio:.2f}", ratio <= LARGEST_RATIO)])


MEASURES = {"sklearn_ae": import_sklearn_ae, "sklearn.ensemble": import_sklearn_ensemble}

if __name__ == "__main__":
    use_repository()
    dispatch(MEASURES, main)
