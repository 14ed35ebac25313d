"""What the benchmarks share: times side by side, memory, data, and the table at the end."""

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

MEGABYTE = 10**6


def use_repository():
    """Let this process and those it starts import the package from this checkout, quietly."""
    # setdefault: TF_CPP_MIN_LOG_LEVEL only hides TensorFlow's start-up messages.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    paths = [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    sys.path.insert(0, str(REPOSITORY))


def data_path(name):
    """Return the path of a data file, or end with a message that says where it was sought."""
    default = REPOSITORY.parent / "shared" / "data"
    path = Path(os.environ.get("SKLEARN_AE_DATA", default)) / name
    if not path.is_file():
        sys.exit(
            f"There is no {path}: set the environment variable SKLEARN_AE_DATA to a folder with "
            f"{name}, or put that folder at shared/data beside the repository."
        )
    return path


def seconds(function):
    """Call a function and return how long it took, in seconds."""
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def times_of_pairs(first, second, n_pairs):
    """Time two functions alternately, A B A B …, so that both meet the same load.

    Returns
    -------
    times : list of (float, float)
        Seconds of the first and of the second function, a pair each.
    """
    return [(seconds(first), seconds(second)) for _ in range(n_pairs)]


def median_ratio(times):
    """Return the median over the pairs of the first time divided by the second."""
    return statistics.median(first / second for first, second in times)


def median_times(times):
    """Return the median of the first times and that of the second."""
    return tuple(map(statistics.median, zip(*times, strict=True)))


def anonymous_memory():
    """Return the memory of this process that no file backs, in bytes (Linux).

    Pages of a memory-mapped file are not in it: the system can drop them at any time.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return 1024 * int(line.split()[1])
    sys.exit("/proc/self/status has no RssAnon: this benchmark needs Linux 4.5 or newer.")


class PeakMemory:
    """Context that samples the anonymous memory every 5 ms; `peak` is the largest, in bytes."""

    def __enter__(self):
        self.peak = anonymous_memory()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def _sample(self):
        while not self._ended.wait(0.005):
            self.peak = max(self.peak, anonymous_memory())

    def __exit__(self, *exception):
        self._ended.set()
        self._thread.join()
        self.peak = max(self.peak, anonymous_memory())


def run_measure(script, name, *arguments, python=sys.executable):
    """Run one measure of a script in a process of its own.

    The script calls its function of that name, which prints its figures as one line of JSON, the
    last of its output.

    Returns
    -------
    figures : dict
    log : str
        All that the process wrote to its standard error.
    """
    command = [python, str(script), "--measure", name, *map(str, arguments)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        sys.exit(f"{name} failed:\n{process.stdout}{process.stderr}")
    return json.loads(process.stdout.splitlines()[-1]), process.stderr


def dispatch(measures, main):
    """Run the measure that the command line asks for, in a child process, or the benchmark."""
    if sys.argv[1:2] == ["--measure"]:
        name, *arguments = sys.argv[2:]
        print(json.dumps(measures[name](*arguments)))
    else:
        main()


def print_setting(*packages):
    """Print what the figures depend on."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    python = f"Python {platform.python_version()}"
    print(f"{python}, {', '.join(versions)}; {os.cpu_count()} cores\n")


def print_table(header, rows):
    """Print rows of texts as a Markdown table."""
    rows = [list(map(str, row)) for row in [header, *rows]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(f"| {' | '.join(cells)} |")
    print(flush=True)


def print_promises(promises):
    """Print each promise with its figure and whether it is met.

    Parameters
    ----------
    promises : list of (str, str, bool)
        What is promised, the figure, and whether it is met.
    """
    print_table(
        ["promise", "figure", ""],
        [(text, figure, "met" if is_met else "NOT MET") for text, figure, is_met in promises],
    )
