"""Files of searches, tuned thresholds and pipelines hold the detector that scores."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tiny_networks import tiny

from sklearn_ae import (
    AutoencoderAnomalyDetector,
    ConformalDetector,
    FixedThresholdDetector,
    NormalsOnly,
    TunedThresholdDetectorCV,
    load,
    save,
)

RNG = np.random.default_rng(0)
X = np.concatenate([RNG.normal(size=(80, 4)), RNG.normal(size=(20, 4)) + 6])
Y = np.repeat([1, -1], [80, 20])


def search(estimator, name="epochs"):
    return GridSearchCV(estimator, {name: [1]}, cv=2)


CASES = {
    "search": (lambda: search(tiny()), AutoencoderAnomalyDetector, "GridSearchCV"),
    "pipeline": (lambda: make_pipeline("passthrough", tiny()), AutoencoderAnomalyDetector, "Pip"),
    "tuned": (
        lambda: TunedThresholdDetectorCV(tiny(), cv=2),
        FixedThresholdDetector,
        "TunedThresholdDetectorCV as a FixedThresholdDetector",
    ),
    "tuned search": (
        lambda: search(TunedThresholdDetectorCV(tiny(), cv=2), "estimator__epochs"),
        FixedThresholdDetector,
        "GridSearchCV as the FixedThresholdDetector",
    ),
    "search in a wrapper": (lambda: NormalsOnly(search(tiny())), NormalsOnly, "GridSearchCV"),
    "frozen search": (
        lambda: ConformalDetector(FrozenEstimator(search(tiny()).fit(X[:40], Y[:40]))),
        ConformalDetector,
        "GridSearchCV",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_scores_is_in_the_file(name, tmp_path):
    make, cls, message = CASES[name]
    # Scored by the mean of score_samples: labels of one class have no balanced accuracy.
    estimator = make()
    for part in (estimator, getattr(estimator, "estimator", None)):
        if isinstance(part, GridSearchCV):
            part.scoring = lambda fitted, X, y=None: float(np.mean(fitted.score_samples(X)))
    estimator.fit(X[40:], Y[40:])
    with pytest.warns(UserWarning, match=f"The file holds {message}"):
        save(estimator, tmp_path / "model.skae")
    loaded = load(tmp_path / "model.skae", verify=True)
    assert type(loaded) is cls
    for method in ("score_samples", "decision_function", "predict"):
        assert_array_equal(getattr(loaded, method)(X), getattr(estimator, method)(X))


def test_saving_changes_nothing(tmp_path):
    wrapper = NormalsOnly(search(tiny()))
    wrapper.estimator.scoring = lambda fitted, X, y=None: 0.0
    wrapper.fit(X, Y)
    before = dict(vars(wrapper))
    with pytest.warns(UserWarning, match="The file holds"):
        save(wrapper, tmp_path / "model.skae")
    assert vars(wrapper) == before
    # What was loaded can be fitted again, without the search.
    load(tmp_path / "model.skae").fit(X, Y)


@pytest.mark.parametrize(
    "estimator", [search(tiny()), TunedThresholdDetectorCV(tiny()), make_pipeline(tiny())]
)
def test_unfitted_ones_are_refused(estimator, tmp_path):
    with pytest.raises(NotFittedError):
        save(estimator, tmp_path / "model.skae")
    assert not list(tmp_path.iterdir())


def test_transformers_are_refused(tmp_path):
    pipeline = make_pipeline(StandardScaler(), tiny()).fit(X)
    with pytest.raises(TypeError, match="skops"):
        save(pipeline, tmp_path / "model.skae")
