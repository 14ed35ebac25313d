"""Trainings that are kept: what trains once, what trains anew, and what is not kept."""

import os
import warnings
from pathlib import Path

import joblib
import keras
import numpy as np
import pytest
from logged_trainings import LogsTrainings, logged_trainings
from memory_cases import X, Y, assert_equal_fits, small
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sklearn_ae import AutoencoderAnomalyDetector, DenseAutoencoder, NormalsOnly
from sklearn_ae.autoencoder.training import memoizing
from sklearn_ae.scores import CodeDifference, CombinedScore, LatentDistance, SquaredError


@pytest.fixture(autouse=True)
def nothing_said_yet():
    memoizing._warn_once.cache_clear()


@pytest.mark.parametrize("make", [str, Path, joblib.Memory], ids=["str", "Path", "Memory"])
def test_second_fit_takes_what_the_first_left(tmp_path, trainings_done, make):
    memory = make(tmp_path) if make is not joblib.Memory else joblib.Memory(tmp_path, verbose=0)
    first = small(memory).fit(X)
    second = small(memory).fit(X.copy())
    assert len(trainings_done) == 1
    assert_equal_fits(first, second)
    assert_equal_fits(first, small(None).fit(X))


@pytest.mark.parametrize(
    "change",
    [
        {"anomaly_score": "squared_error"},
        {"anomaly_score": "whitened_error"},
        {"anomaly_score": LatentDistance(method="neighbors")},
        {
            "anomaly_score": CombinedScore(
                [("difference", CodeDifference()), ("error", SquaredError())]
            )
        },
        {"anomaly_score": "auto"},
        {"threshold": 3.0},
        {"false_alarm_rate": 0.2},
        {"verbose": 2},
    ],
    ids=str,
)
def test_what_does_not_change_the_weights_does_not_train(tmp_path, trainings_done, change):
    small(tmp_path).fit(X)
    cached = small(tmp_path, **change).fit(X)
    assert len(trainings_done) == 1
    assert_equal_fits(cached, small(None, **change).fit(X))
    assert cached.offset_ == small(None, **change).fit(X).offset_


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": DenseAutoencoder(units=(8,), noise=0.1)},
        {"architecture": DenseAutoencoder(units=(7,))},
        {"batch_size": 16},
        {"epochs": 3},
        {"latent_dim": 1},
        {"learning_rate": 0.1},
        {"learning_rate": None},
        {"loss": "mean_absolute_error"},
        pytest.param({"optimizer": keras.optimizers.Adam(0.1)}, id="optimizer object"),
        {"optimizer": "sgd"},
        {"patience": 1},
        {"random_state": 1},
        {"scaling": None},
        {"validation_fraction": 0.2},
    ],
    ids=str,
)
def test_what_may_change_the_weights_trains_anew(tmp_path, trainings_done, change):
    small(tmp_path).fit(X)
    cached = small(tmp_path, **change).fit(X)
    assert len(trainings_done) == 2
    assert_equal_fits(cached, small(None, **change).fit(X))


def test_as_many_epochs_of_fewer_steps_train_anew(tmp_path, trainings_done):
    for epochs in ("auto", 15):
        small(tmp_path, epochs=epochs, patience=0).fit(X)
    assert len(trainings_done) == 2


def with_fixed_weights(input_shape, latent_dim):
    start = keras.initializers.GlorotUniform(seed=0)
    layers = [keras.layers.Dense(n, kernel_initializer=start) for n in (latent_dim, *input_shape)]
    return (
        keras.Sequential([keras.Input(input_shape), layers[0]]),
        keras.Sequential([keras.Input((latent_dim,)), layers[1]]),
    )


def test_choice_of_rows_trains_anew_where_nothing_else_tells(tmp_path, trainings_done):
    parameters = {"architecture": with_fixed_weights, "scaling": None}
    for fraction in (0.1, 0.2):
        small(tmp_path, **parameters, validation_fraction=fraction).fit(X)
    assert len(trainings_done) == 2


def test_other_version_trains_anew(tmp_path, trainings_done, monkeypatch):
    small(tmp_path).fit(X)
    monkeypatch.setattr(memoizing, "__version__", "another")
    small(tmp_path).fit(X)
    assert len(trainings_done) == 2


def test_share_of_trimmed_rows_trains_anew_and_the_warm_up_is_kept(tmp_path, trainings_done):
    small(tmp_path).fit(X)
    cached = small(tmp_path, trim=0.1).fit(X)
    assert len(trainings_done) == 1 + 2
    assert_equal_fits(cached, small(None, trim=0.1).fit(X))
    trainings_done.clear()
    again = small(tmp_path, trim=0.1).fit(X)
    assert not trainings_done
    assert_equal_fits(cached, again)
    cached = small(tmp_path, trim=0.2).fit(X)
    assert len(trainings_done) == 1
    assert_equal_fits(cached, small(None, trim=0.2).fit(X))


def test_every_parameter_is_classified():
    """A new parameter must be thought of in one of the tests above."""
    known = {"architecture", "batch_size", "epochs", "input_shape", "latent_dim", "learning_rate"}
    known |= {"loss", "optimizer", "patience", "random_state", "scaling", "validation_fraction"}
    known |= {"anomaly_score", "threshold", "false_alarm_rate", "verbose"}
    known |= {
        "callbacks",
        "memory",
        "region_of_interest",
        "tile_overlap",
        "tile_size",
        "trim",
        "warm_start",
    }
    assert set(AutoencoderAnomalyDetector().get_params(deep=False)) == known


def test_other_data_train_anew(tmp_path, trainings_done):
    small(tmp_path).fit(X)
    changed = X.copy()
    changed[-1, -1] += 1e-3
    small(tmp_path).fit(changed)
    small(tmp_path).fit(X.astype(np.float64))
    assert len(trainings_done) == 3


@pytest.mark.parametrize(
    "rearrange",
    [
        np.asfortranarray,
        lambda rows: np.repeat(rows, 2, axis=1)[:, ::2],
        lambda rows: rows[::-1].copy()[::-1],
    ],
    ids=["by columns", "with gaps", "backwards"],
)
def test_order_in_memory_changes_nothing(tmp_path, trainings_done, rearrange):
    first = small(tmp_path).fit(X)
    rearranged = rearrange(X)
    assert not rearranged.flags.c_contiguous
    assert_equal_fits(first, small(tmp_path).fit(rearranged))
    assert len(trainings_done) == 1
    assert_equal_fits(first, small(None).fit(rearranged))


def test_memory_map_is_known_by_its_values(tmp_path, trainings_done):
    np.save(tmp_path / "rows.npy", X)
    small(tmp_path).fit(np.load(tmp_path / "rows.npy", mmap_mode="r"))
    small(tmp_path).fit(X)
    assert len(trainings_done) == 1


def test_grid_trains_one_net_for_each_code_and_fold(tmp_path, trainings_done):
    grid = {
        "estimator__threshold": [1.0, 2.0, 3.0, 4.0],
        "estimator__latent_dim": [1, 2],
        "estimator__anomaly_score": ["absolute_error", "code_difference", "auto"],
    }
    search = GridSearchCV(
        NormalsOnly(small(tmp_path)),
        grid,
        cv=StratifiedKFold(n_splits=2, shuffle=True, random_state=0),
        error_score="raise",
        refit=False,
    )
    cached = clone(search).fit(X, Y)
    assert len(trainings_done) == 2 * 2
    again = clone(search).fit(X, Y)
    assert len(trainings_done) == 2 * 2
    plain = search.set_params(estimator__estimator__memory=None).fit(X, Y)
    for name in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(cached.cv_results_[name], plain.cv_results_[name])
        np.testing.assert_array_equal(cached.cv_results_[name], again.cv_results_[name])


def test_workers_train_no_network_twice_and_a_rerun_none(tmp_path):
    log = tmp_path / "log"
    search = GridSearchCV(
        LogsTrainings(NormalsOnly(small(tmp_path)), log),
        {
            "detector__estimator__latent_dim": [1, 2, 3, 4],
            "detector__estimator__threshold": [1.0, 2.0, 3.0],
        },
        cv=StratifiedKFold(n_splits=3, shuffle=True, random_state=0),
        error_score="raise",
        refit=False,
    )
    clone(search).set_params(n_jobs=2).fit(X, Y)
    networks, processes = logged_trainings(log)
    assert len(networks) == len(set(networks)) == 4 * 3
    assert os.getpid() not in processes
    for n_jobs in (2, None):
        clone(search).set_params(n_jobs=n_jobs).fit(X, Y)
    assert logged_trainings(log) == (networks, processes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"random_state": None}, "random_state=None"),
        ({"random_state": np.random.RandomState(0)}, "a RandomState instance"),
        ({"callbacks": [keras.callbacks.TerminateOnNaN()]}, "callbacks"),
        ({"warm_start": True}, "warm_start=True"),
        ({"loss": lambda x, y: keras.ops.mean((x - y) ** 2, axis=-1)}, "loss holds a function"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_kept_says_so_and_trains(tmp_path, trainings_done, change, reason):
    with pytest.warns(UserWarning, match=f"memory is not used: .*{reason}"):
        small(tmp_path, **change).fit(X)
    small(tmp_path, **change).fit(X)
    assert len(trainings_done) == 2
    assert not list(tmp_path.rglob("output.pkl"))


def test_it_says_so_once(tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            small(tmp_path, random_state=None).fit(X)
    assert len([warning for warning in caught if "memory is not used" in str(warning)]) == 1


def with_own_layer(input_shape, latent_dim):
    class Half(keras.layers.Layer):
        def call(self, x):
            return x / 2

    encoder = keras.Sequential([keras.Input(input_shape), Half(), keras.layers.Dense(latent_dim)])
    return encoder, keras.Sequential([keras.Input((latent_dim,)), keras.layers.Dense(4)])


def test_architecture_with_layers_of_ones_own_is_not_kept(tmp_path):
    with pytest.warns(UserWarning, match="memory is not used: architecture holds"):
        small(tmp_path, architecture=with_own_layer).fit(X)


def test_edited_architecture_function_trains_anew(tmp_path, trainings_done):
    def make(n_units):
        def build(input_shape, latent_dim):
            encoder = [keras.layers.Dense(n_units), keras.layers.Dense(latent_dim)]
            return (
                keras.Sequential([keras.Input(input_shape), *encoder]),
                keras.Sequential([keras.Input((latent_dim,)), keras.layers.Dense(4)]),
            )

        return build

    for n_units in (3, 3, 5):
        small(tmp_path, architecture=make(n_units)).fit(X)
    assert len(trainings_done) == 2


def test_memory_without_location_keeps_nothing(trainings_done):
    for _ in range(2):
        small(joblib.Memory(None)).fit(X)
    assert len(trainings_done) == 2
