"""Work in a thread that stops when nobody waits for it any more: a thread itself cannot be cancelled."""

from __future__ import annotations

import asyncio
import io
import select
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, TypeVar

_PIECE = 1 << 20
_LOOK_MILLISECONDS = 200
"""From one look at whether a silent pipe is still wanted to the next."""

Done = TypeVar("Done")


class Stopped(Exception):
    """The work was to stop. Whom that could be told is gone."""


class Stop:
    """Whether some work is to stop."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        """Have it stop."""
        self._asked.set()

    def check(self) -> None:
        """Raise Stopped when it is to stop."""
        if self._asked.is_set():
            raise Stopped

    def passing(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield pieces as long as it is not to stop; nor is it when they end without an error."""
        for piece in pieces:
            self.check()
            yield piece
        self.check()

    def arriving(self, stream: BinaryIO) -> Iterator[bytes]:
        """Yield what a stream brings as it comes; a pipe that is silent is left when the work is to stop."""
        read = stream.read1 if isinstance(stream, io.BufferedIOBase) else stream.read
        ready = _ready(stream)
        while True:
            while not ready():
                self.check()
            self.check()
            if not (piece := read(_PIECE)):
                return
            yield piece


def _ready(stream: BinaryIO) -> Callable[[], object]:
    """Return what waits a moment for a stream to have something, or its end, and returns whether it has."""
    poll = select.poll()
    try:
        poll.register(stream.fileno(), select.POLLIN)
    except io.UnsupportedOperation:
        return lambda: True  # it is in memory
    return lambda: poll.poll(_LOOK_MILLISECONDS)


async def in_thread(work: Callable[[Stop], Done]) -> Done:
    """Return what work returns that is done in a thread; raises as it does.

    When the caller is cancelled the work is told so and waited for: the caller may close what it uses.
    """
    stop = Stop()
    working = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        await asyncio.wait([working])  # which, itself cancelled, leaves the work alone
    except asyncio.CancelledError:
        stop.ask()
        working.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody asks for it
        await asyncio.wait([working])
        raise
    return working.result()
