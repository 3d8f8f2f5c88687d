"""Opening what must be closed again, in a thread, for a caller who may go away meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from netmon_tui.errors import NetmonError

Opened = TypeVar("Opened")
Close = Callable[[Opened], Awaitable[None] | None]


async def opened(open_it: Callable[[], Opened], close: Close[Opened]) -> Opened:
    """Return what ``open_it`` opens in a thread; raises as it does.

    A thread cannot be cancelled: what it opens for a caller who was is closed as soon as it is there.
    """
    opening = asyncio.ensure_future(asyncio.to_thread(open_it))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        asyncio.ensure_future(_close(opening, close))  # noqa: RUF006 - what it waits for holds it
        raise


async def _close(opening: asyncio.Future[Opened], close: Close[Opened]) -> None:
    with suppress(NetmonError, OSError):  # nobody waits for it any more
        if (closing := close(await opening)) is not None:
            await closing
