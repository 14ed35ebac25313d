"""Whatever is done to a file, it gives the detector that was saved, or a named error."""

import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from persistence_cases import altered, fitted_kind, members_of, packed, saved_bytes

from sklearn_ae.deployment import describe, load
from sklearn_ae.exceptions import PersistenceError

# SKLEARN_AE_FUZZ=5000 looks for longer.
N_EXAMPLES = int(os.environ.get("SKLEARN_AE_FUZZ", "60"))
KINDS = ["rows", "conformal"]

quick = settings(
    deadline=None,
    derandomize="SKLEARN_AE_FUZZ" not in os.environ,
    max_examples=N_EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def check(data, kind, verify=False):
    """Load a file and compare scores, unless it is refused."""
    Path("model.skae").write_bytes(data)
    detector, X = fitted_kind(kind)
    try:
        loaded = load("model.skae", verify=verify)
    except PersistenceError:
        loaded = None
    if loaded is not None and not verify:
        assert np.array_equal(loaded.score_samples(X), detector.score_samples(X))
        assert np.array_equal(loaded.predict(X), detector.predict(X))
    # Not even a temporary file.
    assert os.listdir() == ["model.skae"]


@quick
@given(st.sampled_from(KINDS), st.data())
def test_bytes_that_have_changed(kind, draw):
    data = bytearray(saved_bytes(kind))
    # The table of contents is at the end, behind the manifest.
    from_end = st.integers(1, 3000).map(lambda i: len(data) - i)
    places = st.integers(0, len(data) - 1) | from_end
    changes = st.dictionaries(places, st.integers(0, 255), min_size=1, max_size=4)
    for i, byte in draw.draw(changes).items():
        data[i] = byte
    check(bytes(data), kind)


@quick
@given(st.sampled_from(KINDS), st.data())
def test_bytes_that_are_lost_or_come_in_between(kind, draw):
    data = saved_bytes(kind)
    begin, end = sorted(draw.draw(st.integers(0, len(data))) for _ in range(2))
    check(data[:begin] + draw.draw(st.binary(max_size=30)) + data[end:], kind)


numbers = st.integers() | st.floats() | st.sampled_from([2**31, 2**63, 10**400, 1e308, -0.0])
names = st.text(max_size=8) | st.sampled_from(["type", "class", "array", "arrays/0.npy", "same"])
values = st.recursive(
    st.none() | st.booleans() | numbers | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)


def places_in(node, place=()):
    """Yield where values are in JSON."""
    if place:
        yield place
    if isinstance(node, dict | list):
        for key in node if isinstance(node, dict) else range(len(node)):
            yield from places_in(node[key], (*place, key))


def parent_of(node, place):
    for key in place[:-1]:
        node = node[key]
    return node


@quick
@given(st.sampled_from(KINDS), st.data())
def test_manifests_that_somebody_has_altered(kind, draw):
    def change(manifest, _):
        places = sorted(places_in(manifest), key=str)
        place = draw.draw(st.sampled_from(places))
        other = draw.draw(st.sampled_from(places))
        # Of the same file, which makes more sense than anything else, or anything.
        value = draw.draw(st.just(parent_of(manifest, other)[other[-1]]) | values)
        value = json.loads(json.dumps(value))
        if draw.draw(st.booleans()):
            parent_of(manifest, place)[place[-1]] = value
        else:
            del parent_of(manifest, place)[place[-1]]

    data = altered(saved_bytes(kind), change)
    # Somebody who alters numbers alters scores, which only golden inputs tell.
    check(data, kind, verify=True)
    with suppress(PersistenceError):
        describe("model.skae")


@quick
@given(st.sampled_from(KINDS), st.text(max_size=20), st.binary(max_size=100), st.booleans())
def test_members_that_somebody_has_added(kind, name, content, is_listed):
    def add(manifest, members):
        members[name or "x"] = content

    try:
        data = altered(saved_bytes(kind), add if is_listed else lambda *_: None)
        if not is_listed:
            data = packed({**members_of(data), name or "x": content})
    except (IndexError, ValueError):
        return  # zipfile does not write such names
    check(data, kind)
