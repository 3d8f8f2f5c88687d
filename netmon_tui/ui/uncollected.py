"""No garbage is collected while somebody waits for a screen, which makes none."""

from __future__ import annotations

import threading

from netmon_tui.services.lasting_objects import collecting

REST_SECONDS = 0.3
"""In so long a new screen is painted."""


def rest_from_collecting() -> None:
    """Collect no garbage for a moment: 30 to 100 ms, to find that all objects of a new screen are in use."""
    collecting.rest()
    end = threading.Timer(REST_SECONDS, collecting.go_on)  # the event loop may have ended by then
    end.daemon = True
    end.start()
