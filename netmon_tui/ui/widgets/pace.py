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

    def __init__(self, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name, id, classes)
        self._held_until: dict[object, float] = {}
        """Monotonic time by who holds paints back."""
        self._was_painted = False

    def hold_paint(self, holder: object, seconds: float) -> None:
        """Paint nothing until the holder lets go by :meth:`paint_held`, for so long at most."""
        self._held_until[holder] = time.monotonic() + seconds

    async def paint_held(self, holder: object) -> None:
        """Paint what changed, at once unless others hold it back."""
        await asyncio.sleep(_UNTIL_TOLD_SECONDS)
        self._held_until.pop(holder, None)
        is_changed = self._dirty_widgets or self._layout_required
        if self._was_painted and (is_changed or self._scroll_required or self._repaint_required):
            self._on_timer_update()

    def _compositor_refresh(self) -> None:
        self._was_painted = True  # the first time it is when the screen has a size and its places
        super()._compositor_refresh()

    def _on_timer_update(self) -> None:
        now = time.monotonic()
        if all(now >= until for until in self._held_until.values()):
            super()._on_timer_update()  # else the timer goes on, to the next frame
