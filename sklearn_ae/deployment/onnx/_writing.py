"""Writing a detector to an ONNX file, which other programs run without this package."""

import json

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_ae._base.checks import warn
from sklearn_ae._base.files import check_can_be_written, open_to_replace, write_to_disk
from sklearn_ae.autoencoder.detector import AutoencoderAnomalyDetector
from sklearn_ae.deployment.persistence._files import find_versions
from sklearn_ae.exceptions import PersistenceError
from sklearn_ae.thresholds._unwrapping import find_calibration_scores, find_offset, walk_inwards

# Others reach the model as float64, as they reach the network in `score_samples`.
_INPUT_DTYPES = ("uint8", "uint16", "float32", "float64")

# From here on an export takes seconds and more than half a gigabyte: see benchmarks/README.md.
LARGE_NETWORK = 40_000_000
_BYTES_PER_WEIGHT = 16
_WEIGHTS_PER_SECOND = 10e6


def to_onnx(detector, path, *, golden_inputs=None):
    """Write a fitted detector to an ONNX file, which needs no TensorFlow and no scikit-learn.

    The model takes raw samples, as the detector does, any number at a time, and has everything in
    it: scaling, network, anomaly score, threshold and, of a :class:`.ConformalDetector`,
    the calibration. Before it is written, samples go through it and through the detector, and a
    model that disagrees is refused. The file is complete before it takes the place of one that was
    there.

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector or estimator object around one
        Fitted. Wrappers of this package, frozen estimators and searches may be around it.
    path : str or path-like
        The file, by custom with the ending ".onnx".
    golden_inputs : array-like of shape (n, ...) or None, default=None
        Samples that are compared beside 8 of noise, in the shape and units of the training data;
        held-out ones say most. They do not go into the file.

    Raises
    ------
    ImportError
        If onnx, tf2onnx or onnxruntime is not installed.
    TypeError
        If there is no :class:`.AutoencoderAnomalyDetector` inside, or a transformer in
        front of it.
    NotFittedError
        If the detector is not fitted.
    PersistenceError
        If the detector cuts tiles, if its network or score uses something that ONNX does not have,
        is larger than an ONNX file may be, or has other results in ONNX Runtime.
    ValueError
        If `golden_inputs` are no samples of the detector's.
    OSError
        If the file cannot be written.

    Warns
    -----
    UserWarning
        Before the export of a network of 40 million weights or more begins, with the time and the
        memory that it is going to take.

    See Also
    --------
    sklearn_ae.deployment.distributed.score_samples : Scores of much data, with TensorFlow.

    Notes
    -----
    The only input, "input", is of type uint8, uint16, float32 or float64 where the training data
    were, and float64 where they were anything else. The outputs are

    - "score", `score_samples`, float64: the higher, the more normal;
    - "decision", "score" minus the threshold, float64: below 0 is an anomaly;
    - "label", int64: +1 for normal samples, −1 for anomalies;
    - "anomaly_map", as the detector's `anomaly_map` gives it, float32;
    - "p_value", float64, where the detector has `p_values`.

    Samples with values that are NaN or infinite, which the detector refuses, are anomalies. The
    metadata of the model are texts in JSON: "labels" says what −1 and 1 mean, "input" the shape,
    type and names of the features of a sample, "outputs" the above, "threshold" the anomaly score,
    −"score", above which a sample is an anomaly, "detector" the classes that were exported,
    outermost first, and "libraries" the versions.

    A model agrees if scores differ by no more than 10⁻⁵ of the score or of the median of the
    training rows, whichever is larger, or of 1 for a :class:`.CombinedScore`,
    which is centered at 0; if decisions do by no more than that or 10⁻⁵ of the threshold; if labels
    are equal wherever the score is farther from the threshold than that; and if p-values and maps
    are equal within that too. Labels and p-values are compared a second time, in a copy of the
    model whose threshold and calibration lie among the scores of the samples. Scores that compare
    codes amplify what float32 rounds, and the detector itself then scores a sample alone a little
    otherwise than in a batch: where it does so by more than 10⁻⁵, twice that is allowed, up to
    10⁻⁴.

    Examples
    --------
    >>> import numpy as np, onnxruntime, tempfile
    >>> from sklearn_ae import AutoencoderAnomalyDetector, deployment
    >>> X = np.random.default_rng(0).normal(size=(100, 4))
    >>> detector = AutoencoderAnomalyDetector(epochs=2, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     deployment.to_onnx(detector, f"{folder}/model.onnx")
    ...     session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
    >>> [labels] = session.run(["label"], {"input": X[:5]})
    >>> bool((labels == detector.predict(X[:5])).all())
    True
    """
    chain = _check_detector(detector)
    _check_packages()
    path = check_can_be_written(path, "path")
    from sklearn_ae.deployment.onnx import _checks
    from sklearn_ae.deployment.onnx._exporting import Decision, build_onnx_model

    inner, dtype = chain[-1], input_dtype(chain[-1])
    X = _checks.prepare_golden_inputs(inner, golden_inputs, dtype)
    _warn_if_large(inner._network)
    decision = Decision(find_offset(detector), find_calibration_scores(detector))
    model = build_onnx_model(
        inner._network, inner.anomaly_score_, decision, inner._sample_shape, dtype
    )
    for name, value in _describe(chain, decision).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, json.dumps(value)
    _checks.check_agrees(model, detector, inner, decision, X)
    with open_to_replace(path) as file:
        file.write(model.SerializeToString())
        write_to_disk(file)


def input_dtype(detector):
    """Return the type of the samples that the model takes."""
    dtype = detector._fitted_dtype
    return dtype if dtype.name in _INPUT_DTYPES else np.dtype(np.float64)


def _check_detector(detector):
    """Return the estimators from the outermost to the autoencoder."""
    chain = list(walk_inwards(detector))
    steps = [step for e in chain if isinstance(e, Pipeline) for _, step in e.steps[:-1]]
    transformers = [step for step in steps if step not in (None, "passthrough")]
    if transformers:
        raise TypeError(
            "detector must have no transformers in front, which are no part of its graph: export "
            "the last step alone, and transform samples in the program that runs it, or leave "
            "scaling to the detector's parameter. Received: a pipeline with "
            f"{', '.join(type(step).__name__ for step in transformers)}."
        )
    if not isinstance(chain[-1], AutoencoderAnomalyDetector):
        raise TypeError(
            "detector must be an AutoencoderAnomalyDetector, or be around one. Other estimators "
            "of scikit-learn are exported by skl2onnx. Received: "
            f"{type(chain[-1]).__name__}."
        )
    for estimator in (detector, chain[-1]):
        check_is_fitted(estimator)
    if chain[-1]._tiling is not None:
        raise PersistenceError(
            "A detector with tile_size cuts images of any size into tiles, which no ONNX model of "
            "it does. Export a detector that was fitted to images of one size, and cut them before "
            f"they reach it. Received: tile_size={chain[-1].tile_size!r}."
        )
    return chain


def _check_packages():
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "The export needs onnx, tf2onnx and onnxruntime: pip install 'sklearn-ae[onnx]'."
        ) from error


def _warn_if_large(network):
    n_weights = sum(model.count_params() for model in network.models)
    if n_weights >= LARGE_NETWORK:
        warn(
            f"The export of a network of {n_weights:,} weights takes about "
            f"{n_weights * _BYTES_PER_WEIGHT / 1e9:.1f} GB of memory and "
            f"{n_weights / _WEIGHTS_PER_SECOND:.0f} s.",
        )


def _describe(chain, decision):
    """Return what the metadata of the model say."""
    from sklearn_ae.deployment.onnx._exporting import OUTPUTS

    inner = chain[-1]
    names = getattr(inner, "feature_names_in_", None)
    libraries = ("keras", "numpy", "onnx", "scikit-learn", "tensorflow", "tf2onnx")
    has_p_values = decision.calibration_scores is not None
    return {
        "detector": [type(estimator).__name__ for estimator in chain],
        "labels": {"1": "normal", "-1": "anomaly"},
        "input": {
            "shape": ["n", *inner._sample_shape],
            "dtype": input_dtype(inner).name,
            "feature_names": None if names is None else names.tolist(),
        },
        "outputs": {
            name: meaning for name, meaning in OUTPUTS.items() if name != "p_value" or has_p_values
        },
        "threshold": -decision.offset,
        "libraries": find_versions(*libraries),
    }
