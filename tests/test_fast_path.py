"""Scores of one sample, a few and many, from one thread and from eight."""

import pickle
import queue
import threading

import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose
from score_cases import IMAGES, ROWS, fitted
from sklearn.base import BaseEstimator
from tiny_networks import tiny

from sklearn_ae.autoencoder.network import scoring

N_THREADS = 8
# Far above what they take, and far below for ever.
TIMEOUT = 120


class Traced(BaseEstimator):
    """The absolute error, which counts how often TensorFlow traces it."""

    n_traces = 0

    def compute(self, inputs, reconstructions):
        Traced.n_traces += 1
        return ops.sum(ops.abs(inputs - reconstructions), axis=1)


def test_no_batch_size_is_traced_anew(monkeypatch):
    """A free batch axis: one trace a data type, also for batches of several chunks."""
    detector = tiny(anomaly_score=Traced()).fit(ROWS)
    detector.score_samples(ROWS)
    before = Traced.n_traces
    for n in (*range(1, 34), 64, 100, 240):
        detector.score_samples(ROWS[:n])
    monkeypatch.setattr(scoring, "_BYTES_PER_LAYER", 2**12)
    assert scoring._rows_per_chunk(8 * 6, []) < len(ROWS)
    detector.score_samples(ROWS)
    assert Traced.n_traces == before > 0
    detector.score_samples(ROWS.astype(np.float32))
    after = Traced.n_traces
    for n in (1, 2, 200):
        detector.score_samples(ROWS[:n].astype(np.float32))
    assert Traced.n_traces == after > before


def test_what_scores_compare_with_is_turned_into_tensors_once():
    """It is up to 10,000 rows, whose copy took longer than the score of a row."""
    detector = fitted("rows", "auto")
    expected = detector.score_samples(ROWS)
    before = dict(detector._network.arguments)
    detector.score_samples(ROWS[:1])
    after = detector._network.arguments
    assert before.keys() == after.keys()
    assert all(after[key] is tensors for key, tensors in before.items())
    references = detector.anomaly_score_.scores_[-1][1]
    references.references_ = references.references_ + 1
    assert (detector.score_samples(ROWS) != expected).any()
    references.references_ = references.references_ - 1
    assert_allclose(detector.score_samples(ROWS), expected, rtol=1e-6)
    detector.model_.set_weights([0.9 * weight for weight in detector.model_.get_weights()])
    assert (detector.score_samples(ROWS) != expected).any()


@pytest.mark.parametrize(("kind", "X"), [("rows", ROWS), ("images", IMAGES)])
def test_eight_threads_at_once_from_a_cold_start(kind, X, monkeypatch):
    """Nothing is compiled when they begin, none waits for ever, and all scores are equal."""
    detector = fitted(kind, "auto")
    expected = detector.score_samples(X)
    monkeypatch.setattr(scoring, "_GRAPHS", type(scoring._GRAPHS)(max_size=64))
    # As it comes from a file.
    detector = pickle.loads(pickle.dumps(detector))
    results, together = queue.Queue(), threading.Barrier(N_THREADS)

    def score(i):
        try:
            together.wait(TIMEOUT)
            for n in (1, 3 + i, len(X)):
                results.put((n, detector.score_samples(X[:n])))
        except BaseException as error:  # Or it would be lost with the thread.
            results.put((0, error))

    # Daemons: threads that never end must not keep the tests from ending.
    threads = [threading.Thread(target=score, args=[i], daemon=True) for i in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for _ in range(3 * N_THREADS):
        n, scores = results.get(timeout=TIMEOUT)
        assert n, scores
        assert_allclose(scores, expected[:n], rtol=1e-5, atol=1e-5)
