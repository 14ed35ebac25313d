"""Bounded stores for what is costly to compile and can serve more than one fit."""

import threading
from collections import OrderedDict


class BoundedCache:
    """Values by key, the least recently used dropped once their total size exceeds a limit.

    Safe to use from several threads. A key may hold several values, so that two threads that train
    the same configuration at the same time use one each.

    Parameters
    ----------
    max_size : int
        Largest total size, in the unit of the sizes given to `put`.
    """

    def __init__(self, max_size):
        self.max_size = max_size
        self._entries = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key):
        """Return a value of the key, or None."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][-1][0]

    def take(self, key):
        """Remove a value of the key and return it, or None."""
        with self._lock:
            if key not in self._entries:
                return None
            values = self._entries[key]
            value, _ = values.pop()
            if not values:
                del self._entries[key]
            return value

    def put(self, key, value, size=1):
        """Add a value, unless it alone exceeds the limit."""
        if size > self.max_size:
            return
        with self._lock:
            self._entries.setdefault(key, []).append((value, size))
            self._entries.move_to_end(key)
            while self._total_size() > self.max_size:
                self._entries.popitem(last=False)

    def _total_size(self):
        return sum(size for values in self._entries.values() for _, size in values)
