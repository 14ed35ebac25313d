"""Scores of data that are larger than memory, or spread over machines, with Dask."""

from contextlib import suppress

import numpy as np
from sklearn.utils.validation import check_is_fitted

__all__ = ["score_samples"]


def score_samples(detector, X):
    """Compute `score_samples` of a Dask array, chunk by chunk and only when it is asked for.

    Nothing is computed here: the result is a Dask array, whose chunks are scored when it is
    computed, stored or computed with, by the threads of this process or by the workers of a
    cluster. Each worker is sent the detector once for a computation and holds one copy of it, and
    each of its threads holds one chunk at a time.

    Parameters
    ----------
    detector : estimator object
        Fitted outlier detector with `score_samples`, or a pipeline or search around one.
    X : dask.array.Array of shape (n, ...)
        Samples, in the shape and the units that the detector takes, in chunks of rows. Chunks that
        split samples are joined. If the detector was fitted to a data frame, columns are in its
        order. The number of rows may be unknown, and the chunks may be sparse,
        where the detector takes sparse rows.

    Returns
    -------
    scores : dask.array.Array of shape (n,), float64
        The higher, the more normal. Anomalies are ``scores < detector.offset_``, where the detector
        has it.

    Raises
    ------
    ImportError
        If Dask is not installed.
    TypeError
        If X is no Dask array, or the detector has no `score_samples`.
    NotFittedError
        If the detector is not fitted.

    See Also
    --------
    sklearn_ae.AutoencoderAnomalyDetector.score_samples : The same for data in memory.

    Notes
    -----
    The scores are those of `detector.score_samples`, up to the rounding of its network: TensorFlow
    sums in another order for another number of rows or of threads, which changes a score by less
    than a millionth of its size.

    Start the workers of a cluster with one thread each, such as
    ``LocalCluster(threads_per_worker=1)``: TensorFlow uses as many threads as the worker's
    environment variable OMP_NUM_THREADS says, which Dask sets to 1.

    Examples
    --------
    >>> import dask.array
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn_ae.deployment import distributed
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> detector = IsolationForest(random_state=0).fit(X)
    >>> scores = distributed.score_samples(detector, dask.array.from_array(X, chunks=(250, 2)))
    >>> scores
    dask.array<_score_chunk, shape=(1000,), dtype=float64, chunksize=(250,), ...>
    >>> bool((scores.compute() == detector.score_samples(X)).all())
    True
    """
    try:
        import dask.array
    except ImportError as error:
        raise ImportError(
            "sklearn_ae.deployment.distributed needs Dask: pip install 'sklearn-ae[distributed]'."
        ) from error
    if not isinstance(X, dask.array.Array) or X.ndim < 2:
        shape = f" of shape {X.shape}" if hasattr(X, "shape") else ""
        raise TypeError(
            "X must be a Dask array of at least two dimensions: wrap an array or a memory map with "
            "dask.array.from_array(X, chunks=(10_000, ...)), a Dask data frame with "
            f"X.to_dask_array(lengths=True). Received: {type(X).__name__}{shape}."
        )
    if not hasattr(detector, "score_samples"):
        raise TypeError(
            "detector must have score_samples, as outlier detectors do. Received: an object of "
            f"type {type(detector).__name__}."
        )
    check_is_fitted(detector)
    X = X.rechunk({axis: -1 for axis in range(1, X.ndim)})
    return dask.array.map_blocks(
        _score_chunk,
        X,
        # As a task of its own, it is sent once to a worker, instead of once with each chunk.
        dask.delayed(detector, pure=False),
        drop_axis=tuple(range(1, X.ndim)),
        # Said here, or Dask would find it out by scoring an empty chunk.
        meta=np.empty(0, dtype=np.float64),
    )


def _score_chunk(chunk, detector):
    if chunk.shape[0] == 0:
        return np.empty(0, dtype=np.float64)
    return np.asarray(detector.score_samples(_with_names(chunk, detector)), dtype=np.float64)


def _with_names(chunk, detector):
    """Return a chunk as a data frame if the detector was fitted to one.

    scikit-learn would warn of each chunk that has no names, and steps of a pipeline may select
    columns by name. A filter of warnings would be one for all threads of a worker.
    """
    names = getattr(detector, "feature_names_in_", None)
    if names is None or not isinstance(chunk, np.ndarray) or chunk.shape[1:] != (len(names),):
        return chunk
    with suppress(ImportError):
        import pandas  # noqa: PLC0415  it need not be installed

        return pandas.DataFrame(chunk, columns=names, copy=False)
    with suppress(ImportError):
        import polars  # noqa: PLC0415

        return polars.DataFrame(chunk, schema=list(names))
    return chunk


def __dir__():
    return sorted(__all__)
