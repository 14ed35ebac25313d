"""Callbacks after a fit: `callbacks_` holds the copies that it used."""

import copy
import pickle

import joblib
import keras
import numpy as np
import pytest
from sklearn.base import clone
from training_cases import IMAGES, X, small, small_conv

from sklearn_ae.exceptions import TrainingDivergedError


class Log(keras.callbacks.Callback):
    """Counts epochs, and keeps what no pickle can hold if it is told to."""

    def __init__(self, *, keeps_code=False):
        super().__init__()
        self.n_epochs = 0
        self.keeps_code = keeps_code

    def on_epoch_end(self, epoch, logs=None):
        self.n_epochs += 1
        if self.keeps_code:
            self.code = lambda: None


def stops_early():
    # Nothing improves by so much: the first epoch is the best, the third the last.
    return keras.callbacks.EarlyStopping(patience=2, min_delta=1e6, restore_best_weights=True)


def test_state_of_callbacks_can_be_read_after_a_fit():
    stopper, log = stops_early(), Log()
    detector = small(epochs=6, patience=None, callbacks=[stopper, log]).fit(X)
    assert [type(callback) for callback in detector.callbacks_] == [type(stopper), Log]
    assert detector.callbacks_[0].stopped_epoch == 2
    assert detector.callbacks_[1].n_epochs == detector.n_epochs_ == 3
    # The user's own are as they were.
    assert (stopper.stopped_epoch, log.n_epochs) == (0, 0)
    assert not hasattr(clone(detector), "callbacks_")


@pytest.mark.parametrize("learning_rate", ["auto", None])
def test_copies_hold_no_model_and_no_callback_of_ours(learning_rate):
    detector = small(learning_rate=learning_rate, callbacks=[Log()]).fit(X)
    [log] = detector.callbacks_
    assert log.model is None


@pytest.mark.parametrize("callbacks", [None, []])
def test_without_callbacks_there_are_none(callbacks):
    assert small(callbacks=callbacks).fit(X).callbacks_ == []


@pytest.mark.parametrize("parameters", [{}, {"warm_start": True}, {"trim": 0.2}])
def test_refit_keeps_none_of_an_earlier_fit(parameters):
    detector = small(**parameters, callbacks=[Log()]).fit(X)
    earlier = detector.callbacks_
    [log] = detector.fit(X).callbacks_
    assert log is not earlier[0]
    assert (log.n_epochs, earlier[0].n_epochs) == (2, 2)
    assert detector.set_params(callbacks=None).fit(X).callbacks_ == []


def test_failed_fit_leaves_those_of_the_fit_before():
    detector = small(callbacks=[Log()]).fit(X)
    before = detector.callbacks_
    detector.set_params(optimizer="sgd", learning_rate=1e30, epochs=5)
    with pytest.raises(TrainingDivergedError):
        detector.fit(X)
    assert detector.callbacks_ is before


def test_with_a_memory_they_are_the_same(tmp_path):
    parameters = {"memory": tmp_path, "random_state": 0}
    for _ in range(2):  # trained, and taken from the memory
        assert small(**parameters).fit(X).callbacks_ == []


def reload(detector, tmp_path):
    joblib.dump(detector, tmp_path / "detector")
    return joblib.load(tmp_path / "detector")


WAYS = {
    "pickle": lambda detector, _: pickle.loads(pickle.dumps(detector)),
    "joblib": reload,
    "deepcopy": lambda detector, _: copy.deepcopy(detector),
    "copy": lambda detector, _: copy.copy(detector),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [Log, stops_early])
def test_pickles_and_copies_hold_them(way, make, tmp_path):
    detector = small_conv(callbacks=[make()]).fit(IMAGES)
    other = WAYS[way](detector, tmp_path)
    expected, [callback] = vars(detector.callbacks_[0]), other.callbacks_
    assert set(vars(callback)) == set(expected)
    np.testing.assert_equal(vars(callback), expected)


@pytest.mark.parametrize("way", WAYS)
def test_pickles_and_copies_that_cannot_hold_them_are_without(way, tmp_path):
    detector = small(callbacks=[Log(keeps_code=True)]).fit(X)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(detector.callbacks_)
    other = WAYS[way](detector, tmp_path)
    assert not hasattr(other, "callbacks_")
    assert detector.callbacks_[0].n_epochs == 2
    np.testing.assert_array_equal(other.score_samples(X), detector.score_samples(X))
