"""Writing a detector to a file, and reading it."""

import importlib
import platform

import numpy as np

from sklearn_ae._base.checks import unpack_objects, warn
from sklearn_ae._base.files import check_can_be_written
from sklearn_ae._base.version import __version__
from sklearn_ae.deployment.persistence import _archive
from sklearn_ae.thresholds._unwrapping import find_offset


def save(detector, path, *, golden_inputs=None):
    """Write a fitted detector to a file that needs no trust to be loaded.

    The file is complete before it takes the place of one that was there, so a crash or a full disk
    leaves that as it was. What is not needed after the fit, and is code or of this machine, is left
    out with a warning: functions, callbacks, the folder of `memory`.

    With :class:`.NeighborDistance`, which is a part of ``anomaly_score="auto"``
    for rows, the file holds up to 10,000 rows of the training data.

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector or estimator object around one
        Fitted. Wrappers of this package and frozen estimators are written as they are. Of a search
        or a pipeline without transformers, the file holds the detector inside, and of a
        :class:`.TunedThresholdDetectorCV` a
        :class:`.FixedThresholdDetector` with its threshold around the frozen detector, which
        another fit leaves as it is; a warning says so.
    path : str or path-like
        The file, by custom with the ending ".skae".
    golden_inputs : array-like or None, default=None
        A few samples whose scores :func:`load` can compare. They go into the file: take none that
        are private. None makes 8 samples of noise, in the training data's shape and units.

    Raises
    ------
    TypeError
        If `detector` is none of these. Pipelines with transformers go through skops.
    NotFittedError
        If it is not fitted.
    PersistenceError
        If a layer is neither Keras's own nor registered, or the score is not one of the library's.
    OSError
        If the file cannot be written.

    Warns
    -----
    UserWarning
        If the file holds less than `detector`.

    See Also
    --------
    load : The way back.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from sklearn_ae import AutoencoderAnomalyDetector, deployment
    >>> X = np.random.default_rng(0).normal(size=(100, 4))
    >>> detector = AutoencoderAnomalyDetector(epochs=2, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     deployment.save(detector, f"{folder}/model.skae")
    ...     loaded = deployment.load(f"{folder}/model.skae", verify=True)
    >>> bool((loaded.score_samples(X) == detector.score_samples(X)).all())
    True
    """
    from sklearn_ae.deployment.persistence._golden import (
        innermost,
        make_golden_inputs,
        score_golden,
    )
    from sklearn_ae.deployment.persistence._plain_form import plain_form
    from sklearn_ae.deployment.persistence._writing import Writer, check_can_be_saved

    detector, notes = plain_form(detector)
    check_can_be_saved(detector)
    path = check_can_be_written(path, "path")
    inner = innermost(detector)
    for note in notes:
        warn(f"The file holds {note}, which has the same scores and decisions.")
    writer = Writer()
    node = writer.write(detector)
    for thing in writer.left_out:
        warn(
            f"The file holds no code and no folder of this machine, so it is left out: {thing}. "
            "Scores do not need it; set it again before another fit.",
        )
    if golden_inputs is None:
        golden_inputs = make_golden_inputs(inner)
    X = unpack_objects(golden_inputs)
    X = X if isinstance(X, list) else np.asarray(X)
    scores, decisions = score_golden(detector, X)
    golden = {
        # Images of different sizes are a list.
        "inputs": writer.write([np.asarray(x) for x in X] if isinstance(X, list) else X),
        "scores": writer.write(scores),
        "decisions": writer.write(decisions),
    }
    manifest = {
        "libraries": _versions(),
        "input": _input_contract(inner),
        "labels": {"1": "normal", "-1": "anomaly"},
        "threshold": -find_offset(detector),
        "detector": node,
        "golden": golden,
    }
    _archive.write(path, manifest, writer.arrays)


def load(path, *, verify=False):
    """Read a detector from a file that `save` has written.

    No code of the file's runs, and no more memory is taken than a small multiple of its size and,
    for the text that describes it, of at most 16 MiB, a gigabyte.

    Parameters
    ----------
    path : str or path-like
        The file.
    verify : bool, default=False
        Whether to score the golden inputs in the file and compare with the scores that the detector
        gave them when it was saved, which differ by rounding between machines and versions.

    Returns
    -------
    detector : estimator of the class that was saved
        Fitted. On the machine that wrote the file, its scores are equal to the last bit.

    Raises
    ------
    OSError
        If there is no such file.
    PersistenceError
        If it is damaged, altered, of another program or of a newer version, if it needs a layer
        that is not registered here, or if a golden input has another score.

    See Also
    --------
    describe : What is in a file, without loading TensorFlow.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from sklearn_ae import AutoencoderAnomalyDetector, deployment
    >>> X = np.random.default_rng(0).normal(size=(100, 4))
    >>> detector = AutoencoderAnomalyDetector(epochs=2, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     deployment.save(detector, f"{folder}/model.skae")
    ...     deployment.load(f"{folder}/model.skae")
    AutoencoderAnomalyDetector(epochs=2, random_state=0)
    """
    from sklearn_ae.deployment.persistence._reading import Reader

    with _archive.Archive(path) as archive:
        reader = Reader(archive)
        detector = reader.read_detector(archive.manifest.get("detector"))
        if verify:
            reader.check_golden(detector, archive.manifest.get("golden"))
    return detector


def describe(path):
    """Return what a file says of itself, without loading TensorFlow.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    description : dict
        "version" of the format, "libraries" by name with the versions that wrote it, "detector",
        the name of its class, "input", what a sample must be, "labels", what -1 and 1 mean, and
        "threshold", the anomaly score, minus `score_samples`, above which a sample is an anomaly.

    Raises
    ------
    OSError
        If there is no such file.
    PersistenceError
        If it is damaged, of another program or of a newer version.

    See Also
    --------
    load : Read the detector.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from sklearn_ae import AutoencoderAnomalyDetector, deployment
    >>> X = np.random.default_rng(0).normal(size=(100, 4))
    >>> detector = AutoencoderAnomalyDetector(epochs=2, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     deployment.save(detector, f"{folder}/model.skae")
    ...     description = deployment.describe(f"{folder}/model.skae")
    >>> description["detector"], description["input"]["sample_shape"]
    ('AutoencoderAnomalyDetector', [4])
    """
    with _archive.Archive(path) as archive:
        manifest = archive.manifest
        try:
            description = {
                name: manifest[name]
                for name in ("version", "libraries", "input", "labels", "threshold")
            }
            return description | {"detector": manifest["detector"]["class"]}
        except (LookupError, TypeError) as error:
            raise archive.damaged(f"no {error} in its manifest") from error


def find_versions(*libraries):
    """Return the versions of Python, this package and libraries, by name.

    The modules are asked, not their distributions: TensorFlow, for one, comes in some by other
    names, such as tensorflow-cpu.

    Parameters
    ----------
    *libraries : str

    Returns
    -------
    versions : dict of str to str
    """
    versions = {"sklearn_ae": __version__, "python": platform.python_version()}
    for name in libraries:
        module = importlib.import_module({"scikit-learn": "sklearn"}.get(name, name))
        versions[name] = module.__version__
    return versions


def _versions():
    return find_versions("scikit-learn", "keras", "tensorflow", "numpy")


def _input_contract(detector):
    names = getattr(detector, "feature_names_in_", None)
    tiling = detector._tiling
    return {
        "sample_shape": None if tiling is not None else list(detector._sample_shape),
        "n_channels": detector.input_shape_[2] if len(detector.input_shape_) == 3 else None,
        "tile_size": None if tiling is None else list(tiling.shape),
        "dtype": detector._fitted_dtype.name,
        "feature_names": None if names is None else names.tolist(),
    }
