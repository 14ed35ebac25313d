"""Docstrings are complete numpydoc, and say what the code does."""

import ast
import inspect
import pkgutil
import re
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc
from numpydoc.validate import validate
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator

import sklearn_ae
from sklearn_ae import (
    AutoencoderAnomalyDetector,
    ConformalDetector,
    FeatureAutoencoder,
    FixedThresholdDetector,
    NormalsOnly,
    TunedThresholdDetectorCV,
)
from sklearn_ae.scores import (
    CodeDifference,
    CombinedScore,
    LatentDistance,
    NeighborDistance,
    PooledDistance,
    PositionError,
    WhitenedError,
)

API = Path(__file__).resolve().parent.parent / "docs" / "api.rst"

# As scikit-learn's own validation: its style starts the summary on the first line, and not every
# docstring needs an extended summary or a 'See Also'; returned values have names.
IGNORED = {"ES01", "GL01", "RT02", "SA01", "SA04"}
IGNORED_IN_METHODS = IGNORED | {"EX01"}


def public_objects():
    """Every class and function of the documentation's API page, with its full name."""
    for name in re.findall(r"^   ([\w.]+)$", API.read_text(encoding="utf-8"), re.MULTILINE):
        yield f"sklearn_ae.{name}", pkgutil.resolve_name(f"sklearn_ae.{name}")


def public_methods():
    """Every public method of a public class that the package itself defines."""
    for class_name, cls in public_objects():
        if not inspect.isclass(cls):
            continue
        for name in dir(cls):
            member = getattr(cls, name, None)
            is_own = (getattr(member, "__module__", None) or "").startswith("sklearn_ae")
            if is_own and not name.startswith("_") and inspect.isroutine(member):
                yield f"{class_name}.{name}", member


def public_modules():
    """The package and its modules without an underscore."""
    yield sklearn_ae
    for module in pkgutil.iter_modules(sklearn_ae.__path__):
        if not module.name.startswith("_"):
            yield pkgutil.resolve_name(f"sklearn_ae.{module.name}")


OBJECTS = dict(public_objects())
METHODS = dict(public_methods())
CLASSES = {name: member for name, member in OBJECTS.items() if inspect.isclass(member)}
MODULES = list(public_modules())
ESTIMATORS = {cls for cls in CLASSES.values() if hasattr(cls, "fit")}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_api_page_lists_every_public_name(module):
    if hasattr(module, "__all__"):
        members = [getattr(module, name) for name in module.__all__]
    else:
        members = [m for m in vars(module).values() if is_public_of(m, module)]
    listed = list(OBJECTS.values())
    assert [member for member in members if callable(member) and member not in listed] == []


def is_public_of(member, module):
    is_own = getattr(member, "__module__", None) == module.__name__
    return is_own and callable(member) and not member.__name__.startswith("_")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_public_modules_hold_nothing_but_public_functions_and_classes(module):
    """What else is in `__all__` would be public, and on no page."""
    names = [name for name in getattr(module, "__all__", []) if name != "__version__"]
    members = {name: getattr(module, name) for name in names}
    assert {n: m for n, m in members.items() if not (callable(m) or inspect.ismodule(m))} == {}


def problems(name, ignored):
    errors = validate(name)["errors"]
    return [f"{code}: {message}" for code, message in errors if code not in ignored]


@pytest.mark.parametrize("name", OBJECTS)
def test_docstring_is_numpydoc(name):
    ignored = IGNORED
    if inspect.isclass(OBJECTS[name]) and issubclass(OBJECTS[name], Exception | Warning):
        ignored = IGNORED_IN_METHODS | {"PR01"}
    assert not problems(name, ignored)


@pytest.mark.parametrize("name", METHODS)
def test_docstring_of_method_is_numpydoc(name):
    assert not problems(name, IGNORED_IN_METHODS)


def documented_default(parameter_type):
    match = re.search(r"\bdefault=(.+)$", parameter_type)
    if match is None:
        return inspect.Parameter.empty
    return ast.literal_eval(match.group(1))


@pytest.mark.parametrize("name", [*OBJECTS, *METHODS])
def test_documented_defaults_are_those_of_the_signature(name):
    member = OBJECTS.get(name, METHODS.get(name))
    documentation = ClassDoc(member) if inspect.isclass(member) else FunctionDoc(member)
    for parameter in documentation["Parameters"]:
        if parameter.type.startswith("Ignored"):
            continue
        for parameter_name in parameter.name.split(", "):
            actual = inspect.signature(member).parameters[parameter_name.lstrip("*")].default
            assert documented_default(parameter.type) == actual, parameter_name


def rows():
    generator = np.random.default_rng(0)
    return pd.DataFrame(generator.normal(size=(40, 4)), columns=list("abcd"))


def fitted_forest():
    return IsolationForest(n_estimators=2, random_state=0).fit(rows())


def fitted_estimators():
    """One fitted instance of every public estimator."""
    X, y = rows(), np.repeat([1, -1], [38, 2])
    detector = AutoencoderAnomalyDetector(latent_dim=2, epochs=1, random_state=0)
    scores = [
        WhitenedError(),
        CodeDifference(),
        LatentDistance(method="neighbors"),
        NeighborDistance(),
        CombinedScore([("difference", CodeDifference())]),
    ]
    maps = keras.layers.Conv2D(3, 3, strides=2, padding="same")
    backbone = keras.Sequential([keras.Input((None, None, 1)), maps])
    of_features = clone(detector).set_params(architecture=FeatureAutoencoder(backbone=backbone))
    images = np.random.default_rng(0).random((40, 8, 8))
    return [
        *(
            clone(detector).set_params(anomaly_score=score).fit(X).anomaly_score_
            for score in scores
        ),
        *(
            clone(of_features).set_params(anomaly_score=score).fit(images).anomaly_score_
            for score in (PositionError(), PooledDistance())
        ),
        detector.fit(X),
        NormalsOnly(IsolationForest(n_estimators=2, random_state=0)).fit(X, y),
        FixedThresholdDetector(FrozenEstimator(fitted_forest()), threshold=0.5).fit(X),
        ConformalDetector(FrozenEstimator(fitted_forest())).fit(X),
        TunedThresholdDetectorCV(fitted_forest(), cv=2).fit(X, y),
    ]


@pytest.fixture(scope="module")
def fitted():
    return {type(estimator): estimator for estimator in fitted_estimators()}


def test_every_estimator_is_examined(fitted):
    assert set(fitted) == ESTIMATORS


@pytest.mark.parametrize(
    "cls",
    [
        AutoencoderAnomalyDetector,
        ConformalDetector,
        NormalsOnly,
        FixedThresholdDetector,
        TunedThresholdDetectorCV,
        WhitenedError,
        CodeDifference,
        LatentDistance,
        NeighborDistance,
        PositionError,
        PooledDistance,
        CombinedScore,
    ],
)
def test_documented_attributes_are_those_of_the_fitted_estimator(cls, fitted):
    estimator = fitted[cls]
    documented = {attribute.name for attribute in ClassDoc(cls)["Attributes"]}
    present = {name for name in vars(estimator) if name.endswith("_") and name[0] != "_"}
    assert present <= documented
    assert [name for name in documented if not hasattr(estimator, name)] == []
