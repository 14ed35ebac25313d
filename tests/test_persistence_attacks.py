"""Files that somebody has made or altered on purpose are refused, and nothing of them runs."""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from persistence_cases import altered, find, members_of, packed, saved_bytes

from sklearn_ae.deployment import describe, load
from sklearn_ae.exceptions import PersistenceError


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """Check that a file is refused, with an error that names it, and that it leaves no file."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.skae"

    def check(data, message, reads=(load,)):
        path.write_bytes(data)
        for read in reads:
            with pytest.raises(PersistenceError, match=message) as raised:
                read(path)
            assert str(path) in str(raised.value)
        assert [p.name for p in tmp_path.iterdir()] == ["model.skae"]

    return check


BOTH = (load, describe)


def test_missing_file_is_no_damaged_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "model.skae")


def arrays_pickled():
    file = io.BytesIO()
    np.save(file, np.array([Payload()], dtype=object), allow_pickle=True)
    return file.getvalue()


class Payload:
    """What leaves a file where it is unpickled."""

    def __reduce__(self):
        return Path.write_text, (Path("code-ran"), "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"not a zip file" * 100,
        pickle.dumps(Payload()),
        packed({}),
        packed({"manifest.json": "{}"}),
        packed({"manifest.json": "[1]"}),
        packed({"manifest.json": '{"format": "another"}'}),
        packed({"config.json": "{}", "model.weights.h5": ""}),
    ],
    # A zip file has the time in it.
    ids=[
        "empty",
        "two bytes",
        "text",
        "pickle",
        "empty zip file",
        "empty manifest",
        "manifest that is a list",
        "another format",
        "Keras",
    ],
)
def test_foreign_files(data, refused):
    refused(data, "no complete file of sklearn_ae.deployment.save", BOTH)


def test_truncated_files(refused):
    data = saved_bytes("rows")
    for n in (1, 100, len(data) // 2, len(data) - 1):
        refused(data[:n], "damaged", BOTH)


def test_file_of_a_future_version(refused):
    data = altered(saved_bytes("rows"), lambda manifest, _: manifest | {"version": 2})
    refused(data, "format version 2.*install a newer one", BOTH)


@pytest.mark.parametrize("version", [0, -1, "1", 1.5, True, None, [1]])
def test_impossible_versions(version, refused):
    refused(altered(saved_bytes("rows"), lambda m, _: m | {"version": version}), "version", BOTH)


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "arrays/../../evil", "arrays/01.npy", "arrays\\0.npy", "x.pkl"]
)
def test_members_of_other_names(name, refused):
    def add(manifest, members):
        members[name] = b"evil"

    refused(altered(saved_bytes("rows"), add), "a member named", BOTH)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(refused):
    members = list(members_of(saved_bytes("rows")).items())
    refused(packed([*members, members[0]]), "two members named", BOTH)


def test_zip_bomb(refused):
    members = members_of(saved_bytes("rows"))
    bomb = {**members, "arrays/0.npy": bytes(10**8)}
    data = packed(bomb, compression=zipfile.ZIP_DEFLATED)
    assert len(data) < 10**6
    refused(data, "compressed", BOTH)


def test_members_that_overlap(refused):
    # The same bytes as a thousand members: each is stored, but all at one place.
    data = packed({"manifest.json": "{}", "arrays/0.npy": bytes(10**5)})
    end = data.rindex(b"PK\5\6")
    begin = data.rindex(b"PK\1\2")
    entry = data[begin:end]
    entries = [entry.replace(b"arrays/0.npy", b"arrays/%d.npy" % i) for i in range(10)]
    directory = data[data.index(b"PK\1\2") : begin] + b"".join(entries)
    tail = bytearray(data[end:])
    struct.pack_into("<HH", tail, 8, 11, 11)
    struct.pack_into("<L", tail, 12, len(directory))
    refused(data[: data.index(b"PK\1\2")] + directory + tail, "members of .* bytes", BOTH)


def test_altered_array(refused):
    members = members_of(saved_bytes("rows"))
    members["arrays/0.npy"] = members["arrays/0.npy"][:-1] + b"\1"
    refused(packed(members), "SHA-256")


def header(shape, descr="'<f8'"):
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode()


@pytest.mark.parametrize(
    "array",
    [
        header((10**12,)),
        header((2**40, 2**40)) + bytes(8),
        header((0, 10**30)),
        header((-1,)) + bytes(8),
        header((1,), "'|O'") + bytes(8),
        header((1,), "'<U2'") + bytes(8),
        header((1,), "[('a', '<f8')]") + bytes(8),
        header("__import__('os').abort()"),
        header("(1,) * 10**10"),
        b"\x93NUMPY\3\0" + bytes(100),
        pickle.dumps(Payload()),
        arrays_pickled(),
        b"",
    ],
    ids=lambda array: repr(array[:90]),
)
def test_arrays_that_are_none(array, refused):
    def replace(manifest, members):
        for name in members:
            members[name] = array

    refused(altered(saved_bytes("rows"), replace), "damaged|cannot be loaded")


def test_one_array_named_a_million_times(refused):
    def repeat(manifest, members):
        array = find(manifest, lambda node: node.get("type") == "array")
        manifest["detector"]["state"]["history_"] = [array] * 10**5

    refused(altered(saved_bytes("rows"), repeat), "not so often")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10**5,
        '{"a":' * 10**5,
        "9" * 10**5,
        '{"format": "sklearn_ae detector", "version": NaN}',
        '{"format": "sklearn_ae detector", "version": Infinity}',
        '{"format": "sklearn_ae detector", "version": 1, "members": {}, "detector": 1e999}',
        b"\xff\xfe",
        b"\0" * 100,
        "",
    ],
    ids=lambda text: repr(text[:30]),
)
def test_manifests_that_are_none(text, refused):
    refused(packed({"manifest.json": text}), "damaged")


def test_detector_deep_in_lists(refused):
    text = json.dumps({"format": "sklearn_ae detector", "version": 1, "members": {}})
    deep = text[:-1] + ', "detector": ' + "[" * 900 + "]" * 900 + "}"
    refused(packed({"manifest.json": deep}), "damaged")


@pytest.mark.parametrize(
    ("class_name", "name", "value"),
    [
        # A fit would unpickle, import or call them.
        ("AutoencoderAnomalyDetector", "memory", "folder of a stranger's"),
        ("AutoencoderAnomalyDetector", "callbacks", []),
        ("AutoencoderAnomalyDetector", "architecture", {"type": "estimator", "class": "str"}),
        ("AutoencoderAnomalyDetector", "threshold", "much"),
        ("AutoencoderAnomalyDetector", "unknown", 1),
        ("AutoencoderAnomalyDetector", "loss", {"type": "array", "array": "arrays/0.npy"}),
    ],
)
def test_parameters_that_no_file_has(class_name, name, value, refused):
    def change(manifest, _):
        node = find(manifest, lambda node: node.get("class") == class_name)
        node["params"][name] = value

    refused(altered(saved_bytes("rows"), change), "damaged")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fit", 1),
        ("__class__", "str"),
        ("_parameter_constraints", {"type": "dict", "items": []}),
        ("_network", None),
        ("offset_", "0"),
        ("offset_", {"type": "float", "value": "nan"}),
        ("anomaly_score_", None),
        ("n_features_in_", 7),
        ("input_shape_", {"type": "tuple", "items": [7]}),
        ("_fitted_max", "1"),
        ("_row_hashes", None),
        ("training_scores_", [1.0]),
        ("_tiling", 8),
        ("_fitted_dtype", {"type": "dtype", "name": "object"}),
    ],
)
def test_attributes_that_no_fit_leaves(name, value, refused):
    def change(manifest, _):
        manifest["detector"]["state"][name] = value

    refused(altered(saved_bytes("rows"), change), "damaged")


@pytest.mark.parametrize("class_name", ["Pipeline", "IsolationForest", "AbsoluteError", "object"])
def test_other_classes(class_name, refused):
    def change(manifest, _):
        manifest["detector"] = {"type": "estimator", "class": class_name, "params": {}, "state": {}}

    refused(altered(saved_bytes("rows"), change), "damaged")


def test_threshold_without_calibration(refused):
    def change(manifest, _):
        manifest["detector"]["state"]["calibration_scores_"] = None

    refused(altered(saved_bytes("conformal"), change), "damaged")
