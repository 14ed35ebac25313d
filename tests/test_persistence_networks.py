"""Networks of strangers: nothing runs, and nothing is allocated that is not in the file."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import pytest
from persistence_attacks import CODE, CONFIGS, inputs, layer, sequential, with_network
from persistence_cases import altered, find, saved_bytes

from sklearn_ae.deployment import load
from sklearn_ae.exceptions import PersistenceError


@pytest.mark.parametrize("name", CONFIGS)
def test_networks_of_strangers_are_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("model.skae").write_bytes(with_network(CONFIGS[name]))
    with pytest.raises(PersistenceError):
        load("model.skae")
    assert [path.name for path in tmp_path.iterdir()] == ["model.skae"]


@pytest.mark.parametrize("name", sorted(CODE))
def test_code_is_refused_also_where_keras_may_run_it(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("model.skae").write_bytes(with_network(CONFIGS[name]))
    keras.config.enable_unsafe_deserialization()
    try:
        with pytest.raises(PersistenceError, match="register_keras_serializable"):
            load("model.skae")
    finally:
        # Keras has no function that takes it back.
        keras.src.backend.common.global_state.set_global_attribute("safe_mode_saving", None)


def test_optimizers_are_checked_as_networks_are(tmp_path):
    def change(manifest, _):
        node = find(manifest, lambda node: node.get("class") == "AutoencoderAnomalyDetector")
        node["params"]["optimizer"] = {"type": "keras", "config": CODE["Lambda"]}

    (tmp_path / "model.skae").write_bytes(altered(saved_bytes("rows"), change))
    with pytest.raises(PersistenceError):
        load(tmp_path / "model.skae")


def billions(depth):
    """The description of a value that holds another ten times, and so on, in a small file."""
    nodes = [{"type": "tuple", "number": 1000, "items": [0] * 10}]
    for number in range(1000, 1000 + depth):
        items = [{"type": "same", "number": number}] * 10
        nodes.append({"type": "tuple", "number": number + 1, "items": items})
    return {"type": "tuple", "items": nodes}


@pytest.mark.parametrize("parameter", ["architecture", "epochs"])
@pytest.mark.parametrize("value", [billions(12), [[]] * 2_000_000], ids=["shared", "many"])
def test_values_are_counted_as_often_as_they_are_met(parameter, value, tmp_path):
    def change(manifest, _):
        node = find(manifest, lambda node: node.get("class") == "AutoencoderAnomalyDetector")
        node["params"][parameter] = value

    (tmp_path / "model.skae").write_bytes(altered(saved_bytes("rows"), change))
    with pytest.raises(PersistenceError, match="more than 1000000 values"):
        load(tmp_path / "model.skae")


@pytest.mark.parametrize("parameter", ["loss", "optimizer"])
def test_losses_and_optimizers_have_no_weights(parameter, tmp_path):
    """A network in their place would have them, beyond all that the file has."""
    config = sequential(inputs(6), layer("Dense", units=10**7))

    def change(manifest, _):
        node = find(manifest, lambda node: node.get("class") == "AutoencoderAnomalyDetector")
        node["params"][parameter] = {"type": "keras", "config": config}

    (tmp_path / "model.skae").write_bytes(altered(saved_bytes("rows"), change))
    with pytest.raises(PersistenceError, match="has layers, whose weights would be made"):
        load(tmp_path / "model.skae")


LOAD_AND_MEASURE = """
import json, resource, sys
from sklearn_ae.deployment import load
from sklearn_ae.exceptions import PersistenceError

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

first, *others = sys.argv[1:]
load(first)
before, growth = peak(), {}
for path in others:
    try:
        load(path)
    except PersistenceError:
        growth[path] = peak() - before
print(json.dumps(growth))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="units of the peak memory are of Linux")
def test_memory_and_time_are_bounded(tmp_path):
    (tmp_path / "first.skae").write_bytes(saved_bytes("rows"))
    files = [tmp_path / f"{i}.skae" for i in range(len(CONFIGS))]
    for file, config in zip(files, CONFIGS.values(), strict=True):
        file.write_bytes(with_network(config))
    result = subprocess.run(
        [sys.executable, "-c", LOAD_AND_MEASURE, tmp_path / "first.skae", *files],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        text=True,
        timeout=300,
    )
    growth = json.loads(result.stdout.splitlines()[-1])
    assert len(growth) == len(files)
    # MiB, of files that ask for thousands of GiB.
    assert max(growth.values()) < 400
    assert not (tmp_path / "code-ran").exists()
