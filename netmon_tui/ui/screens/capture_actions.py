"""What can be done with a capture from the list and from its own screen: one way for both."""

from __future__ import annotations

from collections.abc import Sequence

from netmon_tui.domain.capture import Capture, StartCapture
from netmon_tui.ui.modals.capture_form import CaptureForm
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.file_choice import Export
from netmon_tui.ui.screens.actions import Actions


class CaptureActions(Actions):
    """What a user does with a capture."""

    async def start(self, *, host: str = "", interface: str = "") -> Capture | None:
        """Open the form, which stays open until a capture runs or the user gives up."""
        started: list[Capture] = []

        async def start(request: StartCapture) -> None:
            started.append(await self._services.capturing.start(self._session.actor, request))

        form = CaptureForm(self._session, start, host=host, interface=interface)
        if await self._app.push_screen_wait(form) is None or not started:
            return None
        self._tell(f"Capture {started[0].id} runs on {started[0].interface}")
        return started[0]

    async def stop(self, capture_id: int) -> None:
        """Stop it; what was captured stays."""
        with self._reported():
            await self._services.capturing.stop(self._session.actor, capture_id)
            self._tell(f"Capture {capture_id} is stopping; its packets are kept")

    async def export(self, capture_id: int) -> None:
        """Ask for a file name and copy the capture file."""
        folder = self._services.paths.exports
        dialog = Export(f"Export capture {capture_id}", ("pcap",), folder, f"capture-{capture_id}")
        choice = await self._app.push_screen_wait(dialog)
        if choice is None:
            return
        with self._reported():
            path = await self._services.transfers.export_capture(self._session.actor, capture_id, choice.path)
            self._tell(f"Written to {path}")

    async def delete(self, capture_ids: Sequence[int]) -> None:
        """Ask, then delete."""
        what = f"capture {capture_ids[0]}" if len(capture_ids) == 1 else f"{len(capture_ids)} captures"
        question = Confirm(f"Delete {what}", "The packets are deleted for good.", verb="Delete")
        if not await self._app.push_screen_wait(question):
            return
        with self._reported():
            for capture_id in capture_ids:
                await self._services.capturing.delete(self._session.actor, capture_id)
            self._tell(f"Deleted {what}")
