"""Whether an ONNX model gives samples what the detector gives them."""

import warnings

import numpy as np
import onnxruntime
from sklearn.utils import gen_batches

from sklearn_ae._base.order_statistics import conformal_p_values
from sklearn_ae.autoencoder.samples import validate_data_to_score
from sklearn_ae.autoencoder.scores import CombinedScore
from sklearn_ae.deployment.onnx._exporting import Decision, with_decision
from sklearn_ae.deployment.persistence._golden import TOLERANCE, make_golden_inputs
from sklearn_ae.exceptions import PersistenceError

# What rounding may make of a score at most, and from how many samples it is estimated.
_LARGEST_TOLERANCE = 1e-4
_MAX_ALONE = 32
# Samples in memory at a time, with all that the layers make of them.
_BATCH_SIZE = 256


def prepare_golden_inputs(detector, golden_inputs, dtype):
    """Return samples that are compared, in the shape and type that the model takes.

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector
    golden_inputs : array-like or None
    dtype : numpy.dtype

    Returns
    -------
    X : ndarray of shape (n, *sample_shape)
        The golden inputs, and noise.

    Raises
    ------
    ValueError
        If the detector does not take them, or the model not without a loss.
    """
    shape = detector._sample_shape
    noise = make_golden_inputs(detector).astype(dtype)
    if golden_inputs is None:
        return noise
    try:
        with warnings.catch_warnings():
            # Of feature names, which samples without a frame do not have, and of their units.
            warnings.simplefilter("ignore", UserWarning)
            X, _ = validate_data_to_score(detector, golden_inputs)
    except ValueError as error:
        raise ValueError(
            f"golden_inputs must be samples of shape {shape}, such as score_samples takes. "
            f"Received: {error}"
        ) from error
    converted = X.astype(dtype)
    if not np.array_equal(converted, X):
        raise ValueError(
            f"golden_inputs must be values that {dtype}, the type of the training data, holds. "
            f"Received: {X.dtype} from {X.min():g} to {X.max():g}, in part between such values."
        )
    return np.concatenate([converted.reshape(-1, *shape), noise])


def check_agrees(model, detector, inner, decision, X):
    """Compare what an ONNX model and a detector give samples.

    Parameters
    ----------
    model : onnx.ModelProto
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
    outputs, alone = _run(model, X)
    with warnings.catch_warnings():
        # Of feature names, which samples without a frame do not have, and of units.
        warnings.simplefilter("ignore", UserWarning)
        scores, decisions = detector.score_samples(X), detector.decision_function(X)
        labels, maps = detector.predict(X), inner.anomaly_map(X)
        size = _sizes(inner, scores)
        tolerance = _choose_tolerance(detector, X, scores, size)
    _check_difference("score", outputs["score"], scores, size, tolerance)
    # Served samples come in other batches.
    _check_difference("score", alone["score"], scores[:1], size[:1], tolerance)
    _check_decisions(outputs, scores, decisions, labels, decision, size, tolerance)
    # All samples may lie on one side of the threshold.
    between = _put_among(decision, scores)
    decisions = scores - between.offset
    outputs, _ = _run(with_decision(model, between), X)
    labels = np.where(decisions < 0, -1, 1)
    _check_decisions(outputs, scores, decisions, labels, between, size, tolerance)
    # Errors may be smaller than what they are the difference of, with the rounding of that.
    largest = max(1.0, np.max(np.abs(maps)), _largest_value(inner._network, X))
    _check_difference("anomaly_map", outputs["anomaly_map"], maps, largest, TOLERANCE)


def _sizes(inner, scores):
    """Return what differences of scores are compared with."""
    # A score that is 0 by chance is as exact as the others.
    typical = np.median(np.abs(inner.training_scores_))
    if isinstance(inner.anomaly_score_, CombinedScore):
        # It is standardized, and 0 for what is typical: nothing to be relative to.
        typical = max(typical, 1.0)
    return np.maximum(np.abs(scores), typical)


def _put_among(decision, scores):
    """Return a threshold and a calibration that lie among scores."""
    calibration = decision.calibration_scores
    if calibration is not None:
        calibration = np.linspace(scores.min(), scores.max(), len(calibration))
    return Decision(float(np.median(scores)), calibration)


def _check_decisions(outputs, scores, decisions, labels, decision, size, tolerance):
    size = np.maximum(size, np.abs(decision.offset))
    _check_difference("decision", outputs["decision"], decisions, size, tolerance)
    n_other = np.sum((outputs["label"] != labels) & (np.abs(decisions) > tolerance * size))
    if n_other:
        raise _disagrees("label", f"{n_other} other labels of {len(labels)}")
    if decision.calibration_scores is not None:
        margin = tolerance * size
        _check_p_values(outputs["p_value"], scores, margin, decision.calibration_scores)


def _choose_tolerance(detector, X, scores, size):
    """Return the relative difference up to which scores are equal.

    Scores that compare codes amplify the rounding of float32. Those of a detector itself then
    depend on how many samples it gets at once, and no model can agree better than that.
    """
    n = min(len(X), _MAX_ALONE)
    alone = np.concatenate([detector.score_samples(X[i : i + 1]) for i in range(n)])
    own = np.max(np.abs(alone - scores[:n]) / np.maximum(size[:n], np.finfo(float).tiny))
    return max(TOLERANCE, min(2 * own, _LARGEST_TOLERANCE))


def _run(model, X):
    """Return the outputs of a model by name, for all samples and for the first alone."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        names = [output.name for output in session.get_outputs()]
        batches = [
            session.run(names, {"input": X[batch]}) for batch in gen_batches(len(X), _BATCH_SIZE)
        ]
        outputs = dict(zip(names, map(np.concatenate, zip(*batches, strict=True)), strict=True))
        alone = dict(zip(names, session.run(names, {"input": X[:1]}), strict=True))
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


def _check_difference(name, values, expected, size, tolerance):
    error = np.max(np.abs(values - expected) / np.maximum(size, np.finfo(float).tiny))
    # Put so that NaN is no agreement.
    if not error <= tolerance:
        raise _disagrees(name, f"a relative difference of {error:.2g}, above {tolerance:.2g}")


def _check_p_values(p_values, scores, margin, calibration_scores):
    lowest, highest = (
        conformal_p_values(scores + shift, calibration_scores) for shift in (-margin, margin)
    )
    n_other = np.sum((p_values < lowest) | (p_values > highest))
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
