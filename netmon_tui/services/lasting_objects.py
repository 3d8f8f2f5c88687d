"""When garbage is collected: not while many objects are made that stay, nor while somebody waits for a screen."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Collecting:
    """Whether the collector runs, for all who want it to rest, on whatever thread: with the last one it wakes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._resting = 0
        self._was_enabled = True

    def rest(self) -> None:
        """Let it rest, once more."""
        with self._lock:
            if not self._resting:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._resting += 1

    def go_on(self) -> None:
        """End one rest."""
        with self._lock:
            self._resting -= 1
            if not self._resting and self._was_enabled:
                gc.enable()


collecting = _Collecting()


@contextmanager
def made_to_last() -> Iterator[None]:
    """Keep the collector from all that is made meanwhile, for good.

    A full collection holds up every thread, and the event loop with them: for a third of a second with 200,000
    addresses, several times while they are read and now and then afterwards. For what has no cycles.
    """
    collecting.rest()
    try:
        yield
    finally:
        gc.freeze()
        collecting.go_on()
