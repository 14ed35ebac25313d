"""Configuration of Sphinx.

The build reads nothing from the network if the environment variable SKLEARN_AE_DATA names a folder
with mnist.npz and fashion_mnist.npz, which two of the examples need. Another needs cookies_128.npz
in it, and one the package elpv-dataset: without these, their pages show the code alone.
"""

import os
import sys
from pathlib import Path

# For _gallery.
sys.path.insert(0, str(Path(__file__).parent))
# Before the examples import TensorFlow: its start-up messages are no part of their output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import _gallery

import sklearn_ae

project = "sklearn_ae"
author = "The sklearn_ae developers"
copyright = f"2026, {author}"
release = sklearn_ae.__version__
version = ".".join(release.split(".")[:2])

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "myst_parser",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "literal"

# A name in the text that leads nowhere is a warning, and so an error of continuous integration. To
# link to the pages of other projects, the build would have to read their indexes from the network.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(dask|joblib|keras|matplotlib|numpy|pandas|scipy|sklearn)\..*"),
]

autosummary_generate = True
# Members that classes have from these, and from those behind them in the order of resolution, are
# documented by scikit-learn or Python. Our own mixins come before them.
autosummary_context = {
    "documented_elsewhere": ", ".join(
        [
            *("BaseEstimator", "ClassNamePrefixFeaturesOutMixin", "MetaEstimatorMixin"),
            *("OutlierMixin", "TransformerMixin", "Bunch", "dict", "tuple", "Exception"),
        ]
    )
}
# scikit-learn adds these when a class is made; they are documented there.
autodoc_default_options = {
    "exclude-members": ", ".join(
        [
            *("get_metadata_routing", "set_output"),
            *(
                f"set_{method}_request"
                for method in (
                    "decision_function",
                    "fit",
                    "inverse_transform",
                    "predict",
                    "score",
                    "score_samples",
                    "transform",
                )
            ),
        ]
    )
}
extlinks = {
    "arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s"),
    "doi": ("https://doi.org/%s", "doi:%s"),
}
numpydoc_show_class_members = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": _gallery.runnable_pattern(),
    "abort_on_example_error": True,
    "download_all_examples": False,
    # Notebooks have a command line of their own, which an example that reads one would refuse.
    "notebook_extensions": set(),
    "reset_argv": "_gallery.arguments",
    "plot_gallery": True,
    "remove_config_comments": True,
    "show_signature": False,
    "within_subsection_order": "FileNameSortKey",
    "write_computation_times": False,
}

html_static_path = ["_static"]
html_css_files = ["narrow.css"]
html_theme = "pydata_sphinx_theme"
html_theme_options = {
    # Without the version, which is wider than the bar of a phone.
    "logo": {"text": project},
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
# Pages that belong to no section have nothing to show there.
html_sidebars = {
    page: [] for page in ("changes", "coming_from", "contributing", "install", "security")
}
html_title = f"{project} {release}"
