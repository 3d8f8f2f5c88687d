"""What can be done with a scan from the list and from its own screen: one way for both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from netmon_tui.domain.export import MAP_FORMATS, SCAN_FORMATS, HostSelection
from netmon_tui.domain.job import JobState
from netmon_tui.domain.profile import Profile
from netmon_tui.domain.scan import Scan, StartScan
from netmon_tui.errors import NetmonError
from netmon_tui.services.readable_files import working_directory
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.file_choice import Export
from netmon_tui.ui.modals.file_picker import FilePicker
from netmon_tui.ui.modals.import_report import ImportReport
from netmon_tui.ui.modals.scan_form import ScanForm, confirm_scripts
from netmon_tui.ui.screens.actions import Actions
from netmon_tui.ui.widgets.scan_words import what


class ScanActions(Actions):
    """What a user does with a scan."""

    async def start(self, targets: str = "") -> Scan | None:
        """Open the form and start what it asks for; a failure opens it again as it was."""
        request = StartScan((targets,) if targets else ())
        while True:
            profiles: Sequence[Profile] = ()
            with self._reported():
                profiles = await self._services.profiles.usable(self._session.actor)
            if not profiles:
                return None
            asked = await self._app.push_screen_wait(ScanForm(self._session, request, profiles))
            if asked is None:
                return None
            request = asked
            with self._reported():
                scan = await self._services.scanning.start(self._session.actor, request)
                self._tell(f"Scan {scan.id} {_begins(scan)}: {what(scan)}")
                return scan

    async def stop(self, scan_id: int) -> None:
        """Stop it; what was found stays."""
        with self._reported():
            await self._services.scanning.stop(self._session.actor, scan_id)
            self._tell(f"Scan {scan_id} is stopping; what it found is kept")

    async def pause(self, scan: Scan) -> None:
        """Halt it, or let it go on."""
        paused = scan.state is not JobState.PAUSED
        with self._reported():
            now = await self._services.scanning.pause(self._session.actor, scan.id, paused=paused)
            goes_on = "waits for its turn" if now.state is JobState.QUEUED else "goes on"
            self._tell(f"Scan {scan.id} {'is halted; P lets it go on' if paused else goes_on}")

    async def resume(self, scan_id: int) -> Scan | None:
        """Go on with one that ended before it was done; None when that failed."""
        scan = None
        with self._reported():
            scan = await self._services.scanning.resume(self._session.actor, scan_id)
            without = f", but for what was given up: {' '.join(scan.skipped)}" if scan.skipped else ""
            self._tell(f"Scan {scan_id} goes on with what is missing{without}")
        return scan

    async def skip(self, scan_id: int, address: str) -> None:
        """Ask, then give up a host that keeps the scan waiting."""
        text = "What is known of it is kept. The scan goes on with the others."
        with self._reported():
            if not await self._services.scanning.stages(self._session.actor, scan_id):
                text += " One nmap does it all: for that it is stopped, and those that it was at begin anew."
        if not await self._app.push_screen_wait(Confirm(f"Give up {address}", text, verb="Give up")):
            return
        with self._reported():
            await self._services.scanning.skip(self._session.actor, scan_id, address)
            self._tell(f"Scan {scan_id} goes on without {address}")

    async def pair_to_compare(self, chosen: Sequence[int], scan: Scan | None) -> tuple[int, int] | None:
        """Return (earlier, later): the two that are chosen, or the scan and what it is compared with by itself."""
        if len(chosen) == 2:
            return chosen[0], chosen[1]
        if scan is None:
            return None
        if chosen:
            self._tell("Select two scans to compare them, or none to compare this one with the run before")
            return None
        with self._reported():
            found = await self._services.comparison.predecessor(self._session.actor, scan.id)
            if found is not None:
                return found.id, scan.id
            if scan.imported:
                self._tell("An import has no run before it. Select two scans with space to compare them")
            else:
                self._tell(f"No completed scan of these targets came before scan {scan.id}")
        return None

    async def pin_all(self, scan_ids: Sequence[int]) -> None:
        """Make scans the baselines of their targets; no longer, when all of them are already."""
        with self._reported():
            scans = [await self._services.scans.get(self._session.actor, scan_id) for scan_id in scan_ids]
            pinned = not all(scan.pinned for scan in scans)
            for scan in scans:
                if scan.pinned is not pinned:
                    await self._services.comparison.pin(self._session.actor, scan.id, pinned=pinned)
            verb = "is the baseline of" if pinned else "is no longer the baseline of"
            if len(scans) == 1:
                self._tell(f"Scan {scans[0].id} {verb} {what(scans[0])}")
            elif scans:
                self._tell(
                    f"{len(scans)} scans are {'' if pinned else 'no longer '}baselines of their targets"
                )

    async def repeat(self, scan_id: int) -> Scan | None:
        """Run it again as a new scan; None when that failed, or when its scripts were not wanted."""
        scan, actor = None, self._session.actor
        with self._reported():
            was = await self._services.scans.get(actor, scan_id)
            plan = await self._services.scanning.preview(actor, StartScan(was.targets, was.arguments))
            if plan.to_confirm and not await self._app.push_screen_wait(confirm_scripts(plan.to_confirm)):
                return None
            wanted = bool(plan.to_confirm)
            scan = await self._services.scanning.repeat(actor, scan_id, confirmed=wanted)
            self._tell(f"Scan {scan.id} {_begins(scan)}: {what(scan)}")
        return scan

    async def export(self, scan_id: int, addresses: Sequence[str] = ()) -> None:
        """Ask for format and file, and write it: all its hosts, or those with the addresses."""
        folder = self._services.paths.exports
        title, stem = f"Export scan {scan_id}", f"scan-{scan_id}"
        if addresses:
            hosts = "the selected host" if len(addresses) == 1 else f"the {len(addresses)} selected hosts"
            title, stem = f"Export {hosts} of scan {scan_id}", f"{stem}-selected"
        dialog = Export(title, SCAN_FORMATS, folder, stem)
        choice = await self._app.push_screen_wait(dialog)
        if choice is None:
            return
        with self._reported():
            path = await self._services.transfers.export_scan(
                self._session.actor, scan_id, choice.format, choice.path, HostSelection(tuple(addresses))
            )
            self._tell(f"Written to {path}")

    async def export_map(self, scan_id: int) -> None:
        """Ask for format and file, and write the map of its hosts."""
        folder = self._services.paths.exports
        dialog = Export(f"Export the map of scan {scan_id}", MAP_FORMATS, folder, f"scan-{scan_id}-map")
        choice = await self._app.push_screen_wait(dialog)
        if choice is not None:
            with self._reported():
                path = await self._services.transfers.export_map(
                    self._session.actor, scan_id, choice.format, choice.path
                )
                self._tell(f"Written to {path}")

    async def export_all(self, scan_ids: Sequence[int]) -> None:
        """Ask for format and name once, and write each scan to a file of its own: the name and its number."""
        folder = self._services.paths.exports
        title = f"Export {len(scan_ids)} scans"
        choice = await self._app.push_screen_wait(Export(title, SCAN_FORMATS, folder, "scan-#"))
        if choice is None:
            return
        written = 0
        with self._reported():
            for scan_id in scan_ids:
                path = _numbered(choice.path, scan_id)
                await self._services.transfers.export_scan(self._session.actor, scan_id, choice.format, path)
                written += 1
        self._tell(f"{written} of {len(scan_ids)} scans are written to {choice.path.parent}")

    async def import_files(self) -> Scan | None:
        """Ask for files and store each as a scan; return the last one."""
        paths = await self._app.push_screen_wait(
            FilePicker("Import scans of nmap or masscan", working_directory())
        )
        results: list[tuple[Path, Scan | NetmonError]] = []
        for path in paths or ():
            try:
                results.append((path, await self._services.transfers.import_scan(self._session.actor, path)))
            except NetmonError as error:
                results.append((path, error))
        if len(results) == 1:
            path, result = results[0]
            with self._reported():
                if isinstance(result, NetmonError):
                    raise result
                self._tell(f"{path.name} is scan {result.id}")
        elif results:
            await self._app.push_screen_wait(ImportReport(results))
        return next((result for _, result in reversed(results) if isinstance(result, Scan)), None)

    async def delete(self, scan_ids: Sequence[int]) -> frozenset[int]:
        """Ask, then delete; return what is gone."""
        one = len(scan_ids) == 1
        title = f"Delete scan {scan_ids[0]}" if one else f"Delete {len(scan_ids)} scans"
        text = f"{'Its results' if one else 'Their results'} and files are deleted for good."
        if not await self._app.push_screen_wait(Confirm(title, text, verb="Delete")):
            return frozenset()
        return await self._delete_each("scan", scan_ids, self._services.scans.delete)


def _begins(scan: Scan) -> str:
    return "waits for its turn" if scan.state is JobState.QUEUED else "runs"


def _numbered(path: Path, scan_id: int) -> Path:
    """Return a path with the scan's number in place of ``#``, or before its extension."""
    if "#" in path.stem:
        return path.with_stem(path.stem.replace("#", str(scan_id)))
    return path.with_stem(f"{path.stem}-{scan_id}")
