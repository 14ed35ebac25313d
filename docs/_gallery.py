"""What sphinx-gallery asks of us.

Functions that it calls are named as text in conf.py, for Sphinx cannot store functions.
"""

import os
import re
from importlib.util import find_spec
from pathlib import Path

from sphinx.util import logging

logger = logging.getLogger(__name__)


def runnable_pattern():
    """Return what the paths of the examples that can be run match. The others become pages too."""
    cookies = Path(os.environ.get("SKLEARN_AE_DATA", "")) / "cookies_128.npz"
    missing = {}
    if find_spec("elpv_dataset") is None:
        missing["plot_solar_cells.py"] = "pip install elpv-dataset"
    if not cookies.is_file():
        missing["plot_cookies.py"] = "set SKLEARN_AE_DATA to a folder with cookies_128.npz"
    for name, remedy in missing.items():
        logger.info("%s is not run: %s", name, remedy)
    not_run = "".join(f"(?!{re.escape(name)})" for name in missing)
    return f"{not_run}plot_"


def arguments(gallery_conf, script_vars):
    """Command line of an example: pictures that it writes go to the build, not to the sources."""
    if Path(script_vars["src_file"]).stem != "plot_mnist_one_vs_zero":
        return []
    return ["--output", str(Path(gallery_conf["src_dir"]) / "_build" / "mnist_one_vs_zero")]
