"""What is done for a list of packets, how far it is, and how it is ended: a part of the packet browser."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from textual.containers import Vertical
from textual.timer import Timer
from textual.worker import Worker, WorkerCancelled, WorkerFailed

_TICK_SECONDS = 0.5
"""How often progress is shown."""


class BusyList(Vertical):
    """Does one thing at a time."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._work: Worker[None] | None = None
        """What looks through the file, or loads the whole of it."""
        self._doing = ""
        """What that is, or how it ended, in words for the line under the list."""
        self._ticks: Timer | None = None

    def show_count(self) -> None:
        """Say how many packets there are."""
        raise NotImplementedError

    def is_busy(self) -> bool:
        """Whether tshark looks through the file, or sharkd loads it."""
        return self._work is not None and not self._work.is_finished

    def busy_with(self, work: Worker[None]) -> None:
        """Let escape end something that is done for this list elsewhere."""
        self._work = work
        self.refresh_bindings()

    def _stop(self) -> None:
        if self.is_busy() and self._work is not None:
            self._work.cancel()

    async def end_of_work(self) -> None:
        """Wait until what is done is done."""
        if self._work is not None:
            with suppress(WorkerCancelled, WorkerFailed):
                await self._work.wait()

    def _tick(self, words: Callable[[], str]) -> None:
        """Show how far something is, now and then."""

        def look() -> None:
            self._say(words())

        if self._ticks is not None:
            self._ticks.stop()
        look()
        self._ticks = self.set_interval(_TICK_SECONDS, look)

    def _say(self, words: str) -> None:
        self._doing = words
        self.show_count()

    def _end_ticks(self, words: str) -> None:
        if self._ticks is not None:
            self._ticks.stop()
        self._doing = words
        if self.is_attached:
            self.show_count()
            self.call_after_refresh(self.refresh_bindings)
