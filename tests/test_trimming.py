"""Training rows that are left out, as they may be unnoticed anomalies."""

import copy
import pickle

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from training_cases import IMAGES, X, assert_equal_to_the_bit, small, small_conv, weights_of

from sklearn_ae import DenseAutoencoder, NormalsOnly
from sklearn_ae.autoencoder.training import keras_fit
from sklearn_ae.exceptions import TrainingDivergedError


def rows_with_anomalies(n_normal, n_anomalies, seed):
    """Four columns that are equal up to noise, then rows whose columns differ in sign."""
    generator = np.random.default_rng(seed)
    position = generator.normal(size=(n_normal + n_anomalies, 1))
    rows = position * np.ones(4)
    rows[n_normal:] *= [1.5, -1.5, 1.5, -1.5]
    return rows + generator.normal(scale=0.1, size=rows.shape)


DIRTY = rows_with_anomalies(270, 30, seed=0)
NEW, IS_ANOMALY = rows_with_anomalies(200, 200, seed=1), np.repeat([False, True], 200)


def learner(**parameters):
    """A detector that learns the anomalies too, if it is let."""
    defaults = {
        "architecture": DenseAutoencoder(units=(16,)),
        "latent_dim": 1,
        "learning_rate": 0.01,
        "epochs": 30,
        "patience": None,
        "anomaly_score": "squared_error",
    }
    return small(**(defaults | parameters))


@pytest.fixture
def trainings(monkeypatch):
    """Keep what each training of this process was asked for."""
    calls = []
    train = keras_fit.train

    def recording(*args, **kwargs):
        calls.append((args, kwargs))
        return train(*args, **kwargs)

    monkeypatch.setattr(keras_fit, "train", recording)
    return calls


# What it is for


def test_mostly_anomalies_are_left_out_and_new_ones_are_found_better():
    plain, trimmed = learner().fit(DIRTY), learner(trim=0.1).fit(DIRTY)
    assert np.mean(trimmed.trimmed_indices_ >= 270) > 0.7
    areas = [roc_auc_score(IS_ANOMALY, -each.score_samples(NEW)) for each in (plain, trimmed)]
    assert areas[1] > areas[0] + 0.03


@pytest.mark.parametrize(("make", "name"), [(small, "squared_error"), (small_conv, "auto")])
def test_rows_are_ranked_by_the_best_score_for_images_and_by_errors_for_rows(make, name):
    data = X if make is small else IMAGES
    # An epoch is the whole warm-up of two.
    warm = make(epochs=1, anomaly_score=name).fit(data)
    training = np.delete(np.arange(len(data)), warm.validation_indices_)
    left_out = training[np.argsort(warm.training_scores_)[: int(0.4 * len(training))]]
    trimmed = make(epochs=2, trim=0.4).fit(data).trimmed_indices_
    assert_array_equal(np.setdiff1d(trimmed, warm.validation_indices_), np.sort(left_out))


def test_rows_far_away_do_not_decide_the_units():
    dirty = np.vstack([X, np.full((6, 4), 1e5, dtype=np.float32)])
    detector = small(trim=0.2).fit(dirty)
    assert set(range(64, 70)) <= set(detector.trimmed_indices_)
    left_out = np.concatenate([detector.trimmed_indices_, detector.validation_indices_])
    deviations = np.delete(dirty, left_out, axis=0).std(axis=0)
    errors = np.abs(X - detector.reconstruct(X)) / deviations
    np.testing.assert_allclose(detector.score_samples(X), -errors.sum(axis=1), rtol=1e-4)


# How many, and which


@pytest.mark.parametrize("trim", [0.01, 0.1, 0.29, 0.499])
def test_share_is_exact_among_training_and_held_out_rows_alike(trim):
    held_out = small().fit(X).validation_indices_
    detector = small(trim=trim).fit(X)
    trimmed = detector.trimmed_indices_
    assert np.isin(trimmed, held_out).sum() == int(trim * 7)
    assert len(trimmed) == int(trim * 7) + int(trim * 57)
    assert_array_equal(trimmed, np.unique(trimmed))
    assert_array_equal(detector.validation_indices_, np.setdiff1d(held_out, trimmed))


@pytest.mark.filterwarnings("ignore:No row is held out")
@pytest.mark.parametrize(("n_rows", "trim", "n_trimmed"), [(100, 0.29, 29), (3, 0.499, 1)])
def test_where_nothing_is_held_out_the_rest_serves_for_everything(n_rows, trim, n_trimmed):
    """0.29 · 100 is below 29 in floating point. Of three rows, two are left."""
    dirty = np.random.default_rng(0).normal(size=(n_rows, 3))
    detector = small(trim=trim, validation_fraction=0).fit(dirty)
    assert len(detector.trimmed_indices_) == n_trimmed
    kept = np.delete(np.arange(n_rows), detector.trimmed_indices_)
    assert_array_equal(detector.validation_indices_, kept)
    assert_array_equal(detector.training_scores_, detector.score_samples(dirty)[kept])


def test_rows_left_out_serve_for_nothing():
    """Neither for the training, nor for the best epoch, the score or the threshold."""
    detector = small(trim=0.3, anomaly_score="whitened_error", false_alarm_rate=0.5).fit(X)
    trimmed, held_out = detector.trimmed_indices_, detector.validation_indices_
    scores = detector.score_samples(X)
    assert detector.validation_scores_.shape == held_out.shape
    assert_array_equal(
        detector.training_scores_, np.delete(scores, np.concatenate([trimmed, held_out]))
    )
    # The third smallest of the five held-out rows that are kept is the threshold: 3 / 6 = 0.5.
    assert np.sum(detector.validation_scores_ < detector.offset_) == 2
    changed = X.copy()
    changed[trimmed] *= 1.01
    # Still the worst, so still left out: nothing else has changed but the warm-up.
    other = copy.copy(detector).fit(changed)
    assert_array_equal(other.trimmed_indices_, trimmed)
    assert_equal_to_the_bit(detector, other, X)


# Without trim, nothing changes; with it, the training begins where it would have


def test_without_trim_one_training_takes_place_on_all_rows(trainings):
    detector = small().fit(X)
    assert detector.trimmed_indices_.shape == (0,)
    assert detector.trimmed_indices_.dtype.kind == "i"
    assert len(trainings) == 1


@pytest.mark.parametrize("make", [small, small_conv])
def test_training_is_that_of_a_fit_without_warm_up(make, monkeypatch):
    """The warm-up leaves no trace in weights, noise or random numbers, if no row is left out."""
    data = X if make is small else IMAGES
    plain = make().fit(data)
    monkeypatch.setattr(
        "sklearn_ae.autoencoder.training.trimming._keep", lambda rows, errors, n_trimmed: rows
    )
    assert_equal_to_the_bit(plain, make(trim=0.2).fit(data), data)


def test_noise_starts_anew_too(monkeypatch):
    noisy = {"architecture": DenseAutoencoder(units=(8,), noise=0.5)}
    plain = small(**noisy).fit(X)
    monkeypatch.setattr(
        "sklearn_ae.autoencoder.training.trimming._keep", lambda rows, errors, n_trimmed: rows
    )
    assert_equal_to_the_bit(plain, small(trim=0.2, **noisy).fit(X), X)


@pytest.mark.parametrize(("epochs", "expected"), [(1, 1), (8, 1), (9, 2), (30, 4)])
def test_warm_up_takes_an_eighth_of_the_epochs(trainings, epochs, expected):
    small(trim=0.1, epochs=epochs, patience=0).fit(X)
    warm_up, main = (args[3] for args, _ in trainings)
    assert (warm_up.epochs, warm_up.patience) == (expected, None)
    assert (main.epochs, main.patience) == (epochs, 0)


def test_same_seed_is_equal_to_the_bit():
    state = np.random.RandomState(0)
    one, other = small(trim=0.2).fit(X), small(trim=0.2).fit(X)
    assert_equal_to_the_bit(one, other, X)
    assert_array_equal(one.trimmed_indices_, other.trimmed_indices_)
    assert_equal_to_the_bit(one, small(trim=0.2, random_state=state).fit(X), X)


def test_images_and_integers():
    detector = small_conv(trim=0.2).fit(IMAGES)
    assert len(detector.trimmed_indices_) == 7
    assert len(detector.training_scores_) == 29


def test_optimizer_instance_is_never_changed():
    optimizer = keras.optimizers.Adam(0.01)
    detector = small(trim=0.2, optimizer=optimizer).fit(X)
    assert not optimizer.built
    assert_equal_to_the_bit(detector, small(trim=0.2, learning_rate=0.01).fit(X), X)


# The parameters that act during the training


class Recorder(keras.callbacks.Callback):
    begun = []

    def on_train_begin(self, logs=None):
        self.begun.append(self.params["epochs"])


def test_callbacks_history_and_output_are_of_the_one_training(capfd):
    Recorder.begun.clear()
    detector = small(trim=0.2, epochs=3, callbacks=[Recorder()], verbose=2).fit(X)
    assert Recorder.begun == [3]
    assert detector.n_epochs_ == len(detector.history_["val_loss"]) == 3
    assert capfd.readouterr().out.count("Epoch ") == 3


def test_earlier_fit_is_the_warm_up_of_a_warm_start(trainings):
    detector = small(trim=0.2, warm_start=True).fit(X)
    errors = ((X - detector.reconstruct(X)) ** 2 / X.std(axis=0) ** 2).sum(axis=1)
    earlier = weights_of(detector)
    detector.set_params(learning_rate=1e-9).fit(X)
    assert len(trainings) == 3
    for weight, before in zip(weights_of(detector), earlier, strict=True):
        np.testing.assert_allclose(weight, before, atol=1e-6)
    trimmed = detector.trimmed_indices_
    assert errors[trimmed].mean() > 1.5 * np.delete(errors, trimmed).mean()


# What may go wrong, and what it is used in


class Interrupt(keras.callbacks.Callback):
    """Never called in a warm-up, so that Ctrl-C falls into the training after it."""

    def on_epoch_begin(self, epoch, logs=None):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"optimizer": "sgd", "learning_rate": 1e30, "epochs": 5}, TrainingDivergedError),
        ({"callbacks": [Interrupt()]}, KeyboardInterrupt),
    ],
    ids=["warm-up diverges", "interrupted after it"],
)
def test_failed_fit_leaves_the_detector_as_it_was(change, error, trainings):
    detector = small(trim=0.1).fit(X)
    scores = detector.score_samples(X)
    detector.set_params(**change)
    before = dict(vars(detector))
    trainings.clear()
    with pytest.raises(error):
        detector.fit(X + 1)
    assert len(trainings) == (1 if error is TrainingDivergedError else 2)
    assert vars(detector) == before
    assert_array_equal(detector.score_samples(X), scores)


def test_shares_in_a_grid_search():
    y = np.repeat([1, -1], [270, 30])
    search = GridSearchCV(
        NormalsOnly(learner(epochs=3)),
        {"estimator__trim": [0.0, 0.1]},
        cv=StratifiedKFold(n_splits=2, shuffle=True, random_state=0),
        error_score="raise",
    ).fit(DIRTY, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    trim = search.best_params_["estimator__trim"]
    detector = search.best_estimator_.estimator_
    # Of 243 training and 27 held-out rows, without those that are labeled as anomalies.
    assert len(detector.trimmed_indices_) == int(trim * 243) + int(trim * 27)


def test_pickle_keeps_what_was_left_out():
    detector = small(trim=0.2).fit(X)
    loaded = pickle.loads(pickle.dumps(detector))
    assert_array_equal(loaded.trimmed_indices_, detector.trimmed_indices_)
    assert_equal_to_the_bit(loaded, detector, X)
    assert loaded.fit(X).trimmed_indices_.tolist() == detector.trimmed_indices_.tolist()
