"""scikit-learn's set_config(transform_output=...), which is for the user's transformers."""

import warnings

import keras
import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.preprocessing import StandardScaler
from sklearn.utils._set_output import _get_output_config
from tiny_networks import tiny, tiny_conv

from sklearn_ae import ConformalDetector

ROWS = np.random.default_rng(0).normal(size=(80, 4))
IMAGES = np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)


@pytest.mark.parametrize("output", ["pandas", "polars"])
@pytest.mark.parametrize(
    ("make", "X"),
    [
        (tiny, ROWS),
        (tiny_conv, IMAGES),
        (lambda: tiny(trim=0.1), ROWS),
        (lambda: tiny(scaling="standard"), IMAGES),
        (lambda: ConformalDetector(tiny(), random_state=0), ROWS),
    ],
    ids=["rows", "images", "trimmed", "standardized", "conformal"],
)
def test_fit_is_the_same_and_warns_of_nothing(output, make, X):
    expected = make().fit(X).score_samples(X)
    with sklearn.config_context(transform_output=output), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", ".* held-out samples cannot show")
        assert_array_equal(make().fit(X).score_samples(X), expected)


def test_callbacks_find_the_configuration_of_the_user():
    class Asks(keras.callbacks.Callback):
        found = []

        def on_epoch_end(self, epoch, logs=None):
            self.found.append(_get_output_config("transform", StandardScaler())["dense"])

    with sklearn.config_context(transform_output="pandas"):
        tiny(callbacks=[Asks()]).fit(ROWS)
    assert Asks.found == ["pandas"]
