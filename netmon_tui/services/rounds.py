"""What a running program does every few seconds for everybody: start what is due, delete what is too old."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from netmon_tui.domain.schedule import Runner
from netmon_tui.errors import NetmonError

ROUND_SECONDS = 5.0
"""Between two looks; a look that finds nothing is one indexed query."""
CLOSING_SECONDS = 10.0
"""How long a start that is being made may take when the program ends."""

Duty = Callable[[Runner], Awaitable[bool]]
"""Does one thing if there is one to do, and says whether there was."""
_log = logging.getLogger(__name__)


class Rounds:
    """Carries out duties again and again until it is closed.

    Args:
        duties: In the order in which they are done.
        seconds: Between two rounds.
    """

    def __init__(self, duties: Sequence[Duty], *, seconds: float = ROUND_SECONDS) -> None:
        self._duties = duties
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()

    def start(self, runner: Runner) -> None:
        """Begin, once.

        Args:
            runner: What this program is.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._go_for_ever(runner), name="rounds")

    async def go_once(self, runner: Runner) -> None:
        """Do all there is to do now."""
        for duty in self._duties:
            while not self._ending.is_set() and await duty(runner):
                continue

    async def close(self) -> None:
        """End; a start that is being made is finished first, so that nothing is left half started."""
        self._ending.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=CLOSING_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _go_for_ever(self, runner: Runner) -> None:
        """Go one round after the other.

        Each is looked at from outside, because one that fails for a reason nobody thought of must not be the
        last one.
        """
        while not self._ending.is_set():
            going = asyncio.ensure_future(self.go_once(runner))
            await asyncio.wait({going})
            if error := going.exception():
                expected = isinstance(error, NetmonError)
                _log.warning("starting what is due: %s", error, exc_info=None if expected else error)
            ending = asyncio.ensure_future(self._ending.wait())
            await asyncio.wait({ending}, timeout=self._seconds)
            ending.cancel()
