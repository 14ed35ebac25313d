"""Files that are written whole or not at all, and locks between processes."""

import os
import secrets
import shutil
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

try:
    import fcntl

    # What says that another has the lock. Anything else says that there are no locks.
    _BUSY = BlockingIOError
except ImportError:  # on Windows
    import msvcrt

    fcntl = None
    _BUSY = PermissionError

# Seconds between two attempts. What is waited for, a training, takes longer.
_PAUSE = 0.05


def check_can_be_written(path, name):
    """Refuse, before what may take hours, a file that could not be written after it.

    Parameters
    ----------
    path : str or path-like
    name : str
        The parameter or option that gave it.

    Returns
    -------
    path : pathlib.Path
        Of the file itself, where the path is that of a symbolic link.

    Raises
    ------
    OSError
        If there is no such folder, or it may not be written to, or what is there is no file.
    """
    target = Path(os.path.realpath(path))
    folder = target.parent
    is_in_the_way = target.exists() and not target.is_file()
    # A stream of the process may be a file, but it is no place to move another to.
    is_stream = os.path.abspath(path).startswith(("/dev/fd/", "/dev/std", "/proc/"))
    if is_in_the_way or is_stream or not folder.is_dir() or not os.access(folder, os.W_OK):
        error = OSError if folder.is_dir() else FileNotFoundError
        raise error(
            f"{name} must be a file in a folder that exists and may be written to. "
            f"Received: '{path}'."
        )
    return target


@contextmanager
def open_to_replace(path):
    """Open a file of bytes beside its place, and move it there at the end of the block.

    Parameters
    ----------
    path : pathlib.Path

    Yields
    ------
    file : file object
        After an error or an interrupt, it is deleted, and what was in its place stays.
    """
    # In the same folder, for only there it can be moved in one step. A short name: that of the file
    # may be as long as a name can be.
    partial = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with partial.open("xb") as file:
            yield file
        if path.exists():
            # Who may read it is what it was.
            shutil.copymode(path, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_to_disk(file):
    """Wait until the disk has what was written, lest a new name reach it before the data do.

    Parameters
    ----------
    file : file object
    """
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def locked(path):
    """Enter the block once no other thread or process, on this machine at least, is in it.

    The operating system holds the lock for the open file and drops it when its process ends, in
    whatever way: so the wait is as long as the others live, and needs no limit. To be safe from
    deadlocks, a thread must not wait for a second lock in the block.

    Where files cannot be locked, as on some network file systems, the block is entered at once.

    Parameters
    ----------
    path : pathlib.Path
        File to lock, in a folder that exists. It is made, stays empty, and stays: were it deleted,
        one process could wait for the old file and another one lock a new one.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            # Opened by each thread for itself, or the threads of a process would share the lock.
            file = stack.enter_context(open(path, "ab"))
            while not _try_to_lock(file.fileno()):
                time.sleep(_PAUSE)
            stack.callback(_unlock, file.fileno())
        yield


def _try_to_lock(descriptor):
    try:
        if fcntl is None:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except _BUSY:
        return False
    return True


def _unlock(descriptor):
    """Unlock, not only close: a child that was forked meanwhile has the file open too."""
    with suppress(OSError):
        if fcntl is None:
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
