"""What is done for a list of packets, how far it is, and how it is ended: a part of the packet browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from textual.containers import Vertical
from textual.timer import Timer
from textual.worker import Worker

_TICK_SECONDS = 0.5
"""How often progress is shown."""


class BusyList(Vertical):
    """Knows all that is done for it, and says how far the last of it is."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._works: Sequence[Worker[None]] = ()
        """What looks through files, or loads the whole of one; the newest last."""
        self._doing = ""
        """What that is, or how it ended, in words for the line under the list."""
        self._ticks: Timer | None = None

    def show_count(self) -> None:
        """Say how many packets there are."""
        raise NotImplementedError

    @property
    def _unfinished(self) -> Sequence[Worker[None]]:
        return [work for work in self._works if not work.is_finished]

    def is_busy(self) -> bool:
        """Whether tshark looks through the file or others for this list, or sharkd loads it."""
        return bool(self._unfinished)

    def busy_with(self, work: Worker[None]) -> None:
        """Let escape end something that is done for this list, here or elsewhere."""
        self._works = [*self._unfinished, work]
        self.refresh_bindings()

    def _stop_newest(self) -> None:
        for work in reversed(self._unfinished):
            if not work.is_cancelled:
                work.cancel()
                return

    def _stop(self) -> None:
        """End all that is done; none of it says any more how it ended."""
        for work in self._unfinished:
            work.cancel()
        self._drop_ticks()
        self._doing = ""

    async def end_of_work(self) -> None:
        """Wait until what is done is done, or failed; whoever is cancelled while waiting ends nothing."""
        ends = (work.wait() for work in self._unfinished)
        await asyncio.shield(asyncio.gather(*ends, return_exceptions=True))

    def _tick(self, words: Callable[[], str]) -> Timer:
        """Show how far something is, now and then; in place of anything else of which that is shown."""

        def look() -> None:
            self._say(words())

        self._drop_ticks()
        look()
        self._ticks = self.set_interval(_TICK_SECONDS, look)
        return self._ticks

    def _drop_ticks(self) -> None:
        if self._ticks is not None:
            self._ticks.stop()
        self._ticks = None

    def _say(self, words: str) -> None:
        self._doing = words
        self.show_count()

    def _end_ticks(self, ticks: Timer, words: str) -> None:
        """Say how something ended, unless something else is shown by now: what is stopped takes its time to end."""
        is_shown = ticks is self._ticks
        if is_shown:
            self._drop_ticks()
            self._doing = words
        if self.is_attached:
            if is_shown:
                self.show_count()
            self.call_after_refresh(self.refresh_bindings)
