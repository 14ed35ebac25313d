"""One at a time, among all threads and processes that name the same file."""

import time
from contextlib import ExitStack, contextmanager, suppress

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
