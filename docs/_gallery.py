"""What sphinx-gallery asks of us; named as text in conf.py, for Sphinx cannot store functions."""

from pathlib import Path


def arguments(gallery_conf, script_vars):
    """Command line of an example: pictures that it writes go to the build, not to the sources."""
    if Path(script_vars["src_file"]).stem != "plot_mnist_one_vs_zero":
        return []
    return ["--output", str(Path(gallery_conf["src_dir"]) / "_build" / "mnist_one_vs_zero")]
