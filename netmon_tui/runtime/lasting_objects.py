"""Making many objects that stay, without the garbage collector looking at them again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def made_to_last() -> Iterator[None]:
    """Keep the collector from all that is made meanwhile, for good.

    A full collection holds up every thread, and the event loop with them: for a third of a second with 200,000
    addresses, several times while they are read and now and then afterwards. For what has no cycles.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
