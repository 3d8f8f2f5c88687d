"""What can be done with a scan from the list and from its own screen: one way for both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from textual.app import App

from netmon_tui.domain.scan import Scan, StartScan
from netmon_tui.errors import NetmonError
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.file_choice import Export, Import
from netmon_tui.ui.modals.scan_form import ScanForm
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.scan_words import what

FORMATS = ("xml", "json", "csv")


class ScanActions:
    """Asks what is to be asked, does it, and says what happened. Call it in a worker.

    Args:
        session: Services and actor.
        app: Shows dialogs and toasts.
    """

    def __init__(self, session: Session, app: App[object]) -> None:
        self._session = session
        self._services = session.services
        self._app = app

    async def start(self, targets: str = "") -> Scan | None:
        """Open the form and start what it asks for; a failure opens it again as it was."""
        request = StartScan((targets,) if targets else ())
        while True:
            asked = await self._app.push_screen_wait(ScanForm(self._session, request))
            if asked is None:
                return None
            request = asked
            with self._reported():
                scan = await self._services.scanning.start(self._session.actor, request)
                self._tell(f"Scan {scan.id} runs: {what(scan)}")
                return scan

    async def stop(self, scan_id: int) -> None:
        """Stop it; what was found stays."""
        with self._reported():
            await self._services.scanning.stop(self._session.actor, scan_id)
            self._tell(f"Scan {scan_id} is stopping; what it found is kept")

    async def repeat(self, scan_id: int) -> Scan | None:
        """Run it again as a new scan; None when that failed."""
        scan = None
        with self._reported():
            scan = await self._services.scanning.repeat(self._session.actor, scan_id)
            self._tell(f"Scan {scan.id} runs: {what(scan)}")
        return scan

    async def export(self, scan_id: int) -> None:
        """Ask for format and file, and write it."""
        folder = self._services.paths.exports
        dialog = Export(f"Export scan {scan_id}", FORMATS, folder, f"scan-{scan_id}")
        choice = await self._app.push_screen_wait(dialog)
        if choice is None:
            return
        with self._reported():
            path = await self._services.transfers.export_scan(
                self._session.actor, scan_id, choice.format, choice.path
            )
            self._tell(f"Written to {path}")

    async def import_file(self) -> Scan | None:
        """Ask for a file and store it as a scan."""
        path = await self._app.push_screen_wait(Import("Import a scan", "A file that nmap wrote with -oX"))
        scan = None
        if path is not None:
            with self._reported():
                scan = await self._services.transfers.import_scan(self._session.actor, path)
                self._tell(f"{path.name} is scan {scan.id}")
        return scan

    async def delete(self, scan_ids: Sequence[int]) -> bool:
        """Ask, then delete; return whether all of them are gone."""
        one = len(scan_ids) == 1
        title = f"Delete scan {scan_ids[0]}" if one else f"Delete {len(scan_ids)} scans"
        text = f"{'Its results' if one else 'Their results'} and files are deleted for good."
        if not await self._app.push_screen_wait(Confirm(title, text, verb="Delete")):
            return False
        gone = 0
        with self._reported():
            for scan_id in scan_ids:
                await self._services.scans.delete(self._session.actor, scan_id)
                gone += 1
            self._tell(f"Scan {scan_ids[0]} is deleted" if one else f"{len(scan_ids)} scans are deleted")
        return gone == len(scan_ids)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Show an expected failure as a toast."""
        try:
            yield
        except NetmonError as error:
            self._app.notify(str(content(error)), title=error.title, severity="error", markup=False)

    def _tell(self, message: str) -> None:
        self._app.notify(str(content(message)), markup=False)
