"""The container: a zip file of JSON and arrays that is read without trusting it."""

import hashlib
import io
import json
import math
import os
import re
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sklearn_ae._base.files import open_to_replace, write_to_disk
from sklearn_ae.exceptions import PersistenceError

MANIFEST = "manifest.json"
FORMAT = "sklearn_ae detector"
VERSION = 1

_ARRAY_NAME = re.compile(r"arrays/(0|[1-9][0-9]{0,6})\.npy")
_DTYPE_KINDS = "biuf"

# JSON of a network of hundreds of layers is a few hundred kB. Read, it is up to 25 times larger.
_MAX_MANIFEST_BYTES = 2**24
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write(path, manifest, arrays):
    """Write a file whole or not at all.

    Parameters
    ----------
    path : pathlib.Path
        If there is a file already, it is replaced once the new one is complete.
    manifest : dict
        What JSON can hold.
    arrays : list of ndarray
        Of booleans or numbers.

    Raises
    ------
    OSError
        If the file cannot be written. A file that was there is as it was.
    """
    members = {}
    with open_to_replace(path) as file:
        # Not compressed: weights hardly shrink, and a file that cannot shrink is no bomb.
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for i, array in enumerate(arrays):
                _write_member(archive, members, f"arrays/{i}.npy", _to_bytes(array))
            head = {"format": FORMAT, "version": VERSION, "members": members}
            text = json.dumps(head | manifest, allow_nan=False, separators=(",", ":"))
            _write_member(archive, {}, MANIFEST, text.encode())
        write_to_disk(file)


class Archive:
    """An open file whose table of contents and manifest are in order.

    Parameters
    ----------
    path : str or path-like

    Attributes
    ----------
    path : pathlib.Path
        That of the file.
    manifest : dict
        The manifest, of which nothing but format, version and members is checked.

    Raises
    ------
    OSError
        If there is no such file.
    PersistenceError
        If it is damaged, or was not written by this package or by a newer one.
    """

    def __init__(self, path):
        self.path = Path(path)
        self._unread = set()
        self._file = self.path.open("rb")
        try:
            with self._damage_named():
                self._zip = zipfile.ZipFile(self._file)
                self._members = self._read_contents(os.fstat(self._file.fileno()).st_size)
                self.manifest = self._read_manifest()
            self._unread.update(self._members)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def damaged(self, reason):
        """Return the error for a file that cannot be read."""
        return PersistenceError(
            f"{self.path} is no complete file of sklearn_ae.deployment.save, or was damaged or "
            f"altered since: write or copy it again. Received: {reason}"
        )

    def read_array(self, name):
        """Return an array, a copy that may be changed.

        Parameters
        ----------
        name : str
            Such as "arrays/0.npy". Each can be read once: a small file could else name one array a
            million times.
        """
        if not isinstance(name, str) or name not in self._unread:
            raise self.damaged(f"no member {name!r:.100}, or not so often")
        self._unread.remove(name)
        with self._damage_named():
            data = self._read(name)
            file = io.BytesIO(data)
            shape, dtype = self._read_header(file, name)
            return np.frombuffer(data, dtype, offset=file.tell()).reshape(shape).copy()

    def shape_of(self, name):
        """Return the shape of an array, of which only a few bytes are read."""
        if not isinstance(name, str) or name not in self._unread:
            raise self.damaged(f"no member {name!r:.100}, or not so often")
        with self._damage_named(), self._zip.open(name) as file:
            return self._read_header(file, name)[0]

    @contextmanager
    def _damage_named(self):
        """Give what Python and NumPy raise for bytes that make no sense, of many kinds, a name."""
        try:
            yield
        except PersistenceError:
            raise
        except Exception as error:
            raise self.damaged(f"{type(error).__name__}: {error!s:.300}") from error

    def _read_contents(self, size):
        members = {}
        for info in self._zip.infolist():
            is_plain = info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1
            if info.filename != MANIFEST and not _ARRAY_NAME.fullmatch(info.filename):
                raise self.damaged(f"a member named {info.filename!r:.100}")
            if info.filename in members:
                raise self.damaged(f"two members named {info.filename!r}")
            if not is_plain or info.compress_size != info.file_size:
                raise self.damaged(f"{info.filename!r} is compressed or encrypted")
            members[info.filename] = info
        total = sum(info.file_size for info in members.values())
        if total > size:
            raise self.damaged(f"members of {total} bytes in a file of {size}")
        if MANIFEST not in members or members[MANIFEST].file_size > _MAX_MANIFEST_BYTES:
            raise self.damaged("no manifest.json of a plausible size")
        return members

    def _read_manifest(self):
        text = self._read(MANIFEST).decode("utf-8")
        manifest = json.loads(text, parse_constant=_refuse_constant)
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise self.damaged("a zip file of another program")
        version = manifest.get("version")
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise self.damaged(f"format version {version!r}")
        if version > VERSION:
            raise PersistenceError(
                f"{self.path} is of format version {version}, and this version of sklearn_ae "
                f"reads up to {VERSION}: install a newer one. Received: format version "
                f"{version!s:.20}, written by sklearn_ae {_writer_of(manifest)!r:.50}."
            )
        listed = manifest.get("members")
        if not isinstance(listed, dict) or {MANIFEST, *listed} != set(self._members):
            raise self.damaged("other members than its manifest lists")
        return manifest

    def _read(self, name):
        info = self._members[name]
        with self._zip.open(info) as file:
            data = file.read(info.file_size + 1)
        if len(data) != info.file_size:
            raise self.damaged(f"{name} ends early")
        if name != MANIFEST:
            listed = self.manifest["members"][name]
            if listed != hashlib.sha256(data).hexdigest():
                raise self.damaged(f"the SHA-256 of {name} is not that of the manifest")
        return data

    def _read_header(self, file, name):
        """Return shape and type, once the member is known to have as many bytes."""
        if np.lib.format.read_magic(file) != (1, 0):
            raise self.damaged(f"{name} is of another version of NumPy's format")
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
        is_shape = all(type(n) is int and n >= 0 for n in shape) and len(shape) <= 32
        if is_fortran or dtype.kind not in _DTYPE_KINDS or not is_shape:
            raise self.damaged(f"{name} of {dtype} and shape {shape}")
        n_bytes = self._members[name].file_size - file.tell()
        if n_bytes != math.prod(shape) * dtype.itemsize:
            raise self.damaged(f"{name} of {n_bytes} bytes for an array of shape {shape}")
        return shape, dtype


def _write_member(archive, members, name, data):
    members[name] = hashlib.sha256(data).hexdigest()
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.external_attr = 0o644 << 16
    archive.writestr(info, data)


def _to_bytes(array):
    file = io.BytesIO()
    # 0 dimensions would become 1.
    array = np.asarray(array, order="C")
    np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)
    return file.getvalue()


def _refuse_constant(name):
    raise ValueError(f"{name} in JSON")


def _writer_of(manifest):
    libraries = manifest.get("libraries")
    version = libraries.get("sklearn_ae") if isinstance(libraries, dict) else None
    return version if isinstance(version, str) else "unknown"
