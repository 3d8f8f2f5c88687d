"""When garbage is collected: never while somebody waits for a screen, which makes none."""

from __future__ import annotations

import asyncio
import gc

REST_SECONDS = 0.3
"""In so long a new screen is painted."""


def rest_from_collecting() -> None:
    """Collect no garbage for a moment: 30 to 100 ms, to find that all objects of a new screen are in use."""
    if gc.isenabled():
        gc.disable()
        asyncio.get_running_loop().call_later(REST_SECONDS, gc.enable)
