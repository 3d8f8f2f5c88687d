"""Giving a capture the TLS keys of its connections, wherever one misses them."""

from __future__ import annotations

from pathlib import Path

from netmon_tui.domain.counted import counted
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.line_form import LineForm
from netmon_tui.ui.rendering import thin
from netmon_tui.ui.screens.actions import Actions

WAYS = "File with TLS keys (SSLKEYLOGFILE) to keep; empty to remove them"


class TlsKeys(Actions):
    """Asks for a file of keys, and keeps or removes them."""

    async def ask(self, capture_id: int) -> bool:
        """Ask for a file; return whether the capture has other keys now, or none any more."""
        is_done: bool | None = None
        with self._reported():
            count = await self._services.packets.keys.count(self._session.actor, capture_id)
            ways = f"{thin(count)} kept. {WAYS}"
            form = LineForm("TLS keys", ways, "Keep", lambda text: self.take(capture_id, text.strip()))
            is_done = await self._app.push_screen_wait(form)
        return bool(is_done)

    async def take(self, capture_id: int, path: str) -> bool:
        """Keep the keys of a file, or remove those that are kept where none is named, once that is confirmed.

        Returns:
            Whether that was done.

        Raises:
            NetmonError: It could not be done.
        """
        keys, actor = self._services.packets.keys, self._session.actor
        if path:
            await keys.give(actor, capture_id, Path(path))
        elif count := await keys.count(actor, capture_id):
            lost = f"{counted(count, 'TLS key')} of capture {capture_id}, and what they decrypt."
            if not await self._app.push_screen_wait(Confirm("Remove the TLS keys", lost, verb="Remove")):
                return False
            await keys.remove(actor, capture_id)
        self._tell("TLS keys are kept" if path else "No TLS keys are kept")
        return True
