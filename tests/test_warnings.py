"""Warnings point at the line of the user's program, whatever lies between."""

import inspect
import warnings

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tiny_networks import tiny

from sklearn_ae import ConformalDetector, NormalsOnly
from sklearn_ae._base.checks import warn
from sklearn_ae.metrics import synthetic_anomaly_scorer

CONSTANT = np.ones((40, 4))
BYTES = np.random.default_rng(0).integers(0, 256, size=(40, 4), dtype=np.uint8)
MESSAGES = {"All rows of X are equal", "The detector was fitted to uint8"}


def direct():
    return tiny(epochs=1)


def in_a_pipeline():
    return make_pipeline(FunctionTransformer(), direct())


def in_a_search(n_jobs=None):
    scoring = synthetic_anomaly_scorer()
    return GridSearchCV(direct(), {"latent_dim": [1]}, scoring=scoring, cv=2, n_jobs=n_jobs)


AROUND = {
    "direct": direct,
    "pipeline": in_a_pipeline,
    "search": in_a_search,
    "search of pipelines": lambda: GridSearchCV(
        in_a_pipeline(),
        {"autoencoderanomalydetector__latent_dim": [1]},
        scoring=synthetic_anomaly_scorer(),
        cv=2,
    ),
    "wrapper": lambda: NormalsOnly(direct()),
    "calibration": lambda: ConformalDetector(direct(), false_alarm_rate=0.2, random_state=0),
}


def ours(caught):
    return [w for w in caught if any(str(w.message).startswith(text) for text in MESSAGES)]


@pytest.mark.parametrize("name", AROUND)
def test_warning_of_a_fit_points_at_the_call(name):
    estimator = AROUND[name]()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            line = inspect.currentframe().f_lineno + 1
            estimator.fit(CONSTANT)
        except ValueError:
            # A search has no anomalies to make of equal rows.
            assert "search" in name
    found = ours(caught)
    assert found
    assert {(w.filename, w.lineno, w.category) for w in found} == {(__file__, line, UserWarning)}


@pytest.mark.parametrize("name", AROUND)
@pytest.mark.parametrize("method", ["predict", "score_samples"])
def test_warning_of_scores_points_at_the_call(name, method):
    estimator = AROUND[name]().fit(BYTES)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = inspect.currentframe().f_lineno + 1
        getattr(estimator, method)(BYTES / 255)
    [found] = ours(caught)
    assert (found.filename, found.lineno) == (__file__, line)


def test_filter_of_the_users_module_hits():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", module=__name__)
        direct().fit(CONSTANT)
    assert ours(caught) == []


def test_categories_and_outermost_frames():
    with pytest.warns(DeprecationWarning, match="old") as caught:
        warn("old", DeprecationWarning)
    assert caught[0].filename == __file__
    # No frame but those that are skipped.
    with pytest.warns(UserWarning, match="alone"):
        exec("warn('alone')", {"__name__": "sklearn_ae", "warn": warn})
