"""What the subcommands do, by the public interface of the package."""

import sys
from contextlib import redirect_stdout

import numpy as np
from sklearn.frozen import FrozenEstimator

from sklearn_ae.autoencoder.architectures import ARCHITECTURES
from sklearn_ae.autoencoder.detector import AutoencoderAnomalyDetector
from sklearn_ae.deployment.cli._folder_faults import Demands
from sklearn_ae.deployment.cli._held_out import tell_of_fit
from sklearn_ae.deployment.cli._inputs import check_calibration, check_fit, check_model
from sklearn_ae.deployment.cli._interrupts import raise_if_interrupted
from sklearn_ae.deployment.cli._loading import images_in
from sklearn_ae.deployment.cli._maps import write_maps
from sklearn_ae.deployment.cli._messages import is_progress_shown, tell
from sklearn_ae.deployment.cli._model import ImageModel
from sklearn_ae.deployment.cli._outputs import check_can_draw, check_output
from sklearn_ae.deployment.cli._starting import import_tensorflow, start_tensorflow
from sklearn_ae.deployment.cli._table import score_files, write_table
from sklearn_ae.deployment.onnx import to_onnx
from sklearn_ae.deployment.persistence import describe, load, save
from sklearn_ae.thresholds import ConformalDetector


def fit(options):
    """Fit a detector to a folder and save it."""
    check_output(options.output, "--output")
    detector = AutoencoderAnomalyDetector(
        architecture=_architecture_named(options.architecture),
        tile_size=options.tile_size,
        epochs=options.epochs,
        trim=options.trim,
        false_alarm_rate=options.false_alarm_rate,
        random_state=options.random_state,
        verbose=int(is_progress_shown()),
    )
    demands = Demands(options.image_size, options.mode, options.tile_size)
    with images_in(options.folder, demands) as photographs:
        check_fit(photographs)
        _start(options)
        # Keras's bar goes to the standard output.
        with redirect_stdout(sys.stderr):
            detector.fit(photographs.images)
    # If the network's libraries have lost it, in the training.
    raise_if_interrupted()
    save(detector.set_params(verbose=0), options.output)
    tell_of_fit(detector)
    return 0


def score(options):
    """Score a folder: a table, and maps if they are asked for."""
    check_model(options)
    csv = None
    if options.csv is not None:
        csv = check_output(options.csv, "--csv", model=options.model)
    if options.maps is not None:
        check_can_draw(options.maps, options.folder)
    _start(options)
    model = ImageModel(options.model)
    with images_in(options.folder, model.demands(are_all_read=False)) as photographs:
        scored = score_files(model, photographs)
        raise_if_interrupted()
        write_table(scored, photographs.errors, csv)
        if options.maps is not None:
            write_maps(
                model,
                photographs,
                scored,
                source=options.folder,
                target=options.maps,
                highest=options.map_max,
            )
    n_anomalies = int(np.sum(scored["label"] < 0))
    tell(f"anomalies: {n_anomalies} of {len(scored['label'])} images")
    return 1 if photographs.errors else 0


def calibrate(options):
    """Calibrate a model with other normal images and save it."""
    check_model(options)
    check_output(options.output, "--output")
    _start(options)
    model = ImageModel(options.model)
    # A second calibration replaces the first.
    is_calibrated = isinstance(model.detector, ConformalDetector)
    estimator = model.detector.estimator_ if is_calibrated else model.detector
    if not isinstance(estimator, FrozenEstimator):
        estimator = FrozenEstimator(estimator)
    detector = ConformalDetector(
        estimator, false_alarm_rate=options.false_alarm_rate, confidence=options.confidence
    )
    with images_in(options.folder, model.demands(are_all_read=True)) as photographs:
        check_calibration(options, model, photographs)
        model.innermost.set_params(verbose=int(is_progress_shown()))
        detector.fit(photographs.images)
        model.innermost.set_params(verbose=0)
    raise_if_interrupted()
    save(detector, options.output)
    print(detector.calibration_report())
    return 0


def export(options):
    """Write a model as ONNX."""
    check_model(options)
    check_output(options.onnx, "--onnx", model=options.model)
    _start(options)
    to_onnx(load(options.model), options.onnx)
    return 0


def info(options):
    """Print what a model file says of itself."""
    check_model(options)
    description = describe(options.model)
    rows = {
        "detector": description["detector"],
        "input": _describe_input(description["input"]),
        "labels": ", ".join(f"{n} {name}" for n, name in description["labels"].items()),
        "size of the file": f"{options.model.stat().st_size / 1e6:.1f} MB",
        "threshold": f"scores below {-description['threshold']:.6g} are anomalies",
        "version of the format": description["version"],
        **description["libraries"],
    }
    for name, value in rows.items():
        print(f"{name:<22} {value}")
    return 0


def _start(options):
    """Import TensorFlow, with all that it says if the user looks for an error."""
    if options.debug:
        import_tensorflow()
    else:
        start_tensorflow()


def _describe_input(contract):
    """Say in words what a sample is."""
    if contract["tile_size"] is not None:
        height, width = contract["tile_size"]
        kind = f"images of any size, in tiles of {height}x{width} pixels"
    else:
        sizes = "x".join(map(str, contract["sample_shape"]))
        kind = f"images of {sizes}" if contract["n_channels"] else f"rows of {sizes} values"
    channels = {None: "", 1: ", gray", 3: ", color"}
    n_channels = contract["n_channels"]
    return f"{kind}{channels.get(n_channels, f', {n_channels} channels')}, {contract['dtype']}"


COMMANDS = {
    "fit": fit,
    "score": score,
    "calibrate": calibrate,
    "export": export,
    "info": info,
}


def _architecture_named(name):
    return name if name == "auto" else ARCHITECTURES[name]()
