"""When a screen paints: not between two steps of one change, and at once when the last of them is done."""

from __future__ import annotations

import asyncio
import time
from typing import TypeVar

from textual.screen import Screen

_UNTIL_TOLD_SECONDS = 0.002
"""A widget tells its screen some turns of the event loop after it was changed that it is to be painted."""
Result = TypeVar("Result")


class PacedScreen(Screen[Result]):
    """Paints what belongs together at once.

    Textual paints the first change after a quiet time at once and all others with its next frame, over SSH 66 ms
    later: what comes in two steps costs two paints, and shows its second half late.
    """

    _held_until = 0.0
    """Monotonic time."""

    def hold_paint(self, seconds: float) -> None:
        """Paint nothing until :meth:`paint_held` is called, for so long at most."""
        self._held_until = time.monotonic() + seconds

    async def paint_held(self) -> None:
        """Paint what was held back."""
        await asyncio.sleep(_UNTIL_TOLD_SECONDS)
        self._held_until = 0.0
        if self._dirty_widgets:
            self._on_timer_update()

    def _on_timer_update(self) -> None:
        if time.monotonic() >= self._held_until:
            super()._on_timer_update()  # else the timer goes on, to the next frame
