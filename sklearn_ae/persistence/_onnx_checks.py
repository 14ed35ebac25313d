"""Whether an ONNX model gives samples what the detector gives them."""

import warnings

import numpy as np
import onnxruntime

from sklearn_ae.anomaly_scores import CombinedScore
from sklearn_ae.exceptions import PersistenceError
from sklearn_ae.persistence._golden import TOLERANCE, make_golden_inputs


def prepare_golden_inputs(detector, golden_inputs, dtype):
    """Return samples that are compared, in the shape and type that the model takes.

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector
    golden_inputs : array-like or None
        None makes samples of noise.
    dtype : numpy.dtype

    Returns
    -------
    X : ndarray of shape (n, *sample_shape)

    Raises
    ------
    ValueError
        If there are none, or of another shape.
    """
    shape = detector._sample_shape
    if golden_inputs is None:
        golden_inputs = make_golden_inputs(detector)
    X = np.asarray(golden_inputs)
    if X.ndim == 0 or len(X) == 0 or X[0].size != np.prod(shape):
        raise ValueError(
            f"golden_inputs must be samples of shape {shape}, at least one. Received: an array of "
            f"shape {X.shape}."
        )
    return X.astype(dtype).reshape(-1, *shape)


def check_agrees(data, detector, inner, decision, X):
    """Compare what an ONNX model and a detector give samples.

    Parameters
    ----------
    data : bytes
        The model.
    detector, inner : estimator object
        The detector with all that is around it, and the autoencoder.
    decision : Decision
        Its threshold and calibration.
    X : ndarray of shape (n, *sample_shape)

    Raises
    ------
    PersistenceError
        If they differ by more than rounding, or the model cannot be run.
    """
    outputs, alone = _run(data, X)
    with warnings.catch_warnings():
        # Of feature names, which samples without a frame do not have.
        warnings.simplefilter("ignore", UserWarning)
        scores, decisions = detector.score_samples(X), detector.decision_function(X)
        labels, maps = detector.predict(X), inner.anomaly_map(X)
    size = np.maximum(np.abs(scores), np.abs(decision.offset))
    if isinstance(inner.anomaly_score_, CombinedScore):
        # It is standardised, and 0 for what is typical: nothing to be relative to.
        size = np.maximum(size, 1.0)
    _check_difference("score", outputs["score"], scores, size)
    # Served samples come in other batches.
    _check_difference("score", alone["score"], scores[:1], size[:1])
    _check_difference("decision", outputs["decision"], decisions, size)
    n_other = np.sum((outputs["label"] != labels) & (np.abs(decisions) > TOLERANCE * size))
    if n_other:
        raise _disagrees("label", f"{n_other} other labels of {len(X)}")
    if decision.calibration_scores is not None:
        _check_p_values(outputs["p_value"], scores, size, decision.calibration_scores)
    # Errors may be smaller than what they are the difference of, with the rounding of that.
    largest = max(1.0, np.max(np.abs(maps)), _largest_value(inner._network, X))
    _check_difference("anomaly_map", outputs["anomaly_map"], maps, largest)


def _run(data, X):
    """Return the outputs of a model by name, for all samples and for the first alone."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        outputs, alone = (
            dict(zip(names, session.run(names, {"input": rows}), strict=True))
            for rows in (X, X[:1])
        )
    except Exception as error:  # Errors of ONNX Runtime have no class in common.
        raise PersistenceError(
            "ONNX Runtime cannot run the model: the network or the score uses an operation that it "
            f"does not have for this type. Received: {error}"
        ) from error
    if any(len(alone[name]) != 1 or len(outputs[name]) != len(X) for name in names):
        shapes = {name: output.shape for name, output in outputs.items()}
        raise PersistenceError(
            "The model gives another number of results than it gets samples: the network or the "
            "score mixes samples of a batch. Use layers that do not. Received: outputs of shapes "
            f"{shapes} for {len(X)} samples."
        )
    return outputs, alone


def _check_difference(name, values, expected, size):
    error = np.max(np.abs(values - expected) / np.maximum(size, np.finfo(float).tiny))
    # Put so that NaN is no agreement.
    if not error <= TOLERANCE:
        raise _disagrees(name, f"a relative difference of {error:.2g}, above {TOLERANCE:g}")


def _check_p_values(p_values, scores, size, calibration_scores):
    lowest, highest = (
        (1 + np.searchsorted(calibration_scores, scores + shift, side="right"))
        / (1 + len(calibration_scores))
        for shift in (-TOLERANCE * size, TOLERANCE * size)
    )
    n_other = np.sum((p_values < lowest - TOLERANCE) | (p_values > highest + TOLERANCE))
    if n_other:
        raise _disagrees("p_value", f"{n_other} other p-values of {len(scores)}")


def _largest_value(network, X):
    """Return the largest scaled value of samples, or 0 where maps are not of values."""
    if network.is_positionwise:
        return 0.0
    return np.max(np.abs(network.scaling.transform(X.reshape(-1, *network.input_shape))))


def _disagrees(name, difference):
    return PersistenceError(
        f"The ONNX model gives golden inputs another {name} than the detector does, and was not "
        "written. A layer or a score that is random, depends on the rest of the batch or amplifies "
        "rounding may be the cause: replace it, or pass golden_inputs such as will be scored. "
        f"Received: {difference}."
    )
