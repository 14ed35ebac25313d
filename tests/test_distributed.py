"""Scores of Dask arrays and searches on a cluster, with real worker processes."""

import os
import sys
import warnings
from pathlib import Path

import dask
import dask.array as da
import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import tensorflow as tf
from dask.distributed import Client, LocalCluster
from logged_trainings import LogsTrainings, logged_trainings
from numpy.testing import assert_array_equal
from recording import Recorder
from sklearn.compose import make_column_transformer
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from training_cases import IMAGES, X, small, small_conv

from sklearn_ae import NormalsOnly
from sklearn_ae.deployment.distributed import score_samples

Y = (np.arange(len(X)) % 5 == 0).astype(int)
GRID = {
    "estimator__latent_dim": [1, 2],
    "estimator__threshold": [1.0, 2.0, 3.0],
}


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes of one thread each."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


def folds():
    return StratifiedKFold(n_splits=2, shuffle=True, random_state=0)


def search(detector):
    return GridSearchCV(NormalsOnly(detector), GRID, cv=folds(), error_score="raise")


def threads():
    """Return TensorFlow's numbers of threads."""
    threading = tf.config.threading
    return (
        threading.get_intra_op_parallelism_threads(),
        threading.get_inter_op_parallelism_threads(),
    )


class TellsWhereItIs(Recorder):
    """Detector that leaves a line in a file wherever it is unpickled."""

    path = None

    def __setstate__(self, state):
        super().__setstate__(state)
        with Path(self.path).open("a") as file:
            file.write(f"{os.getpid()}\n")


def test_search_on_a_cluster_gives_the_serial_scores(cluster):
    serial = search(small()).fit(X, Y)
    with joblib.parallel_config(backend="dask"):
        parallel = search(small()).fit(X, Y)
    for name, values in serial.cv_results_.items():
        if name.endswith("test_score"):
            np.testing.assert_array_equal(parallel.cv_results_[name], values)
    assert parallel.best_params_ == serial.best_params_
    np.testing.assert_allclose(parallel.score_samples(X), serial.score_samples(X), rtol=1e-6)


def test_workers_of_a_search_train_no_network_twice_and_a_rerun_none(cluster, tmp_path):
    log = tmp_path / "log"
    detector = small(memory=tmp_path)
    search = GridSearchCV(
        LogsTrainings(NormalsOnly(detector), log),
        {
            "detector__estimator__latent_dim": [1, 2, 3, 4],
            "detector__estimator__threshold": [1.0, 2.0, 3.0],
        },
        cv=StratifiedKFold(n_splits=3, shuffle=True, random_state=0),
        error_score="raise",
        refit=False,
    )
    for _ in range(2):
        with joblib.parallel_config(backend="dask"):
            search.fit(X, Y)
        networks, processes = logged_trainings(log)
        assert len(networks) == len(set(networks)) == 4 * 3
        assert os.getpid() not in processes


def test_workers_take_the_cores_they_are_given_and_the_parent_keeps_its_own(cluster):
    before = threads(), dict(os.environ)
    detector = small().fit(X)
    scores = score_samples(detector, da.from_array(X, chunks=(8, 4))).compute()
    assert len(scores) == len(X)
    assert set(cluster.run(threads).values()) == {(1, 1)}
    assert (threads(), dict(os.environ)) == before


@pytest.mark.parametrize(
    ("data", "chunks"),
    [(X, (10, 4)), (X, (10, 3)), (IMAGES, (7, 9, 8)), (IMAGES[..., np.newaxis], (7, 9, 8, 1))],
    ids=["rows", "split rows", "images", "images with a channel"],
)
def test_scores_of_a_cluster_are_those_in_memory(cluster, data, chunks):
    detector = (small() if data.ndim == 2 else small_conv()).fit(data)
    scores = score_samples(detector, da.from_array(data, chunks=chunks))
    assert scores.shape == (len(data),)
    assert scores.dtype == np.float64
    expected = detector.score_samples(data)
    np.testing.assert_allclose(scores.compute(), expected, rtol=1e-6)
    lowest = score_samples(detector, da.from_array(data, chunks=chunks)).min()
    np.testing.assert_allclose(lowest.compute(), expected.min(), rtol=1e-6)


def test_each_worker_holds_one_copy_however_many_chunks(cluster, tmp_path, monkeypatch):
    path = tmp_path / "copies"
    detector = TellsWhereItIs().fit(X)
    detector.path = str(path)
    scores = score_samples(detector, da.from_array(X, chunks=(2, 4)))
    np.testing.assert_array_equal(scores.compute(), detector.score_samples(X))
    processes = path.read_text().split()
    assert len(processes) == len(set(processes))
    workers = {str(pid) for pid in cluster.run(os.getpid).values()}
    assert workers & set(processes)
    # The scheduler, which is in this process, may unpickle what it is sent.
    assert set(processes) <= workers | {str(os.getpid())}


def test_worker_that_is_forked_says_so_instead_of_hanging():
    detector = small().fit(X)
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "fork"}),
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        future = client.compute(score_samples(detector, da.from_array(X, chunks=(32, 4))))
        with pytest.raises(RuntimeError, match="hangs in a process that is forked"):
            future.result(timeout=60)


@pytest.mark.parametrize(
    "detector",
    [
        EllipticEnvelope(random_state=0),
        IsolationForest(n_estimators=5, random_state=0),
        LocalOutlierFactor(novelty=True),
        OneClassSVM(),
        make_pipeline(StandardScaler(), IsolationForest(n_estimators=5, random_state=0)),
    ],
    ids=lambda detector: type(detector).__name__,
)
def test_any_outlier_detector(detector):
    detector.fit(X)
    scores = score_samples(detector, da.from_array(X, chunks=(10, 4)))
    np.testing.assert_allclose(scores.compute(), detector.score_samples(X), rtol=1e-12)


def test_nothing_is_read_before_it_is_asked_for():
    read = []

    def chunk(block_id):
        read.append(block_id[0])
        return np.full((100, 2), float(block_id[0]))

    # 160 MB; a part of three chunks is looked at.
    data = da.map_blocks(chunk, chunks=((100,) * 5_000, (2,)), dtype=float, meta=np.empty((0, 0)))
    data = da.concatenate([data] * 2)
    scores = score_samples(Recorder().fit(X), data)
    assert read == []
    assert scores.shape == (1_000_000,)
    some = scores[250:450].compute(scheduler="synchronous")
    np.testing.assert_array_equal(some, np.repeat([-2.0, -3, -4], [50, 100, 50]))
    assert sorted(read) == [2, 3, 4]


def test_number_of_rows_may_be_unknown_and_chunks_empty():
    detector = Recorder().fit(X)
    data = da.from_array(np.arange(40.0).reshape(20, 2), chunks=(5, 2))
    scores = score_samples(detector, data[data[:, 0] > 20])
    np.testing.assert_array_equal(scores.compute(), -np.arange(22.0, 40, 2))


@pytest.mark.parametrize(
    "data", [X, da.from_array(X[:, 0]), [[1.0, 2.0]], None], ids=["array", "vector", "list", "None"]
)
def test_other_data_are_refused(data):
    with pytest.raises(TypeError, match="X must be a Dask array of at least two dimensions"):
        score_samples(Recorder().fit(X), data)


def test_other_estimators_are_refused():
    data = da.from_array(X)
    with pytest.raises(TypeError, match=r"detector must have score_samples.*StandardScaler"):
        score_samples(StandardScaler().fit(X), data)
    with pytest.raises(NotFittedError):
        score_samples(small(), data)
    # It has no scores of new samples.
    with pytest.raises(TypeError, match="detector must have score_samples"):
        score_samples(LocalOutlierFactor().fit(X), data)


def test_without_dask_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.array", None)
    monkeypatch.delattr(dask, "array")
    with pytest.raises(ImportError, match=r"pip install 'sklearn-ae\[distributed\]'"):
        score_samples(Recorder().fit(X), X)


def test_sparse_chunks_go_to_a_detector_of_sparse_rows():
    rows = sp.csr_matrix(np.where(X > 0, X, 0))
    detector = IsolationForest(n_estimators=5, random_state=0).fit(rows)
    chunks = da.from_array(rows, chunks=(len(X) // 3, -1))
    assert_array_equal(score_samples(detector, chunks).compute(), detector.score_samples(rows))


@pytest.mark.parametrize("make_frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("is_pipeline", [False, True])
def test_chunks_have_the_names_that_the_detector_was_fitted_with(make_frame, is_pipeline):
    values = np.random.default_rng(0).normal(size=(60, 3))
    frame = make_frame(dict(zip("abc", values.T, strict=True)))
    detector = IsolationForest(n_estimators=5, random_state=0)
    if is_pipeline:
        by_name = make_column_transformer((StandardScaler(), ["c", "a"]))
        detector = make_pipeline(by_name, detector)
    detector.fit(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        X = da.from_array(values, chunks=(20, 3))
        scores = score_samples(detector, X).compute(scheduler="threads")
    assert_array_equal(scores, detector.score_samples(frame))


def test_chunks_of_our_detector_have_names_without_pandas(monkeypatch):
    values = np.random.default_rng(0).normal(size=(60, 3))
    detector = small().fit(pd.DataFrame(values, columns=list("abc")))
    expected = detector.score_samples(pd.DataFrame(values, columns=list("abc")))
    monkeypatch.setitem(sys.modules, "pandas", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        X = da.from_array(values, chunks=(20, 3))
        scores = score_samples(detector, X).compute(scheduler="threads")
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
