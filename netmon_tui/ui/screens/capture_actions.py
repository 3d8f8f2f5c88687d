"""What can be done with a capture from the list and from its own screen: one way for both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from netmon_tui.domain.capture import Capture, StartCapture
from netmon_tui.domain.capture_choice import PacketChoice
from netmon_tui.domain.counted import counted
from netmon_tui.errors import InvalidInput, NetmonError
from netmon_tui.services.readable_files import working_directory
from netmon_tui.ui.modals.capture_about import CaptureAbout
from netmon_tui.ui.modals.capture_form import CaptureForm
from netmon_tui.ui.modals.capture_labels import CaptureLabelForm
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.file_picker import FilePicker
from netmon_tui.ui.modals.import_report import ImportReport, import_words
from netmon_tui.ui.modals.packet_export import PacketExport
from netmon_tui.ui.rendering import size, thin
from netmon_tui.ui.screens.actions import Actions

_ALL = PacketChoice()
_NAMED = 3
"""Of several captures so many are called by their names."""


class CaptureActions(Actions):
    """What a user does with a capture."""

    async def start(self, *, host: str = "", interface: str = "") -> Capture | None:
        """Open the form, which stays open until a capture runs or the user gives up."""
        started: list[Capture] = []

        async def start(request: StartCapture, interfaces: Sequence[str]) -> None:
            started.extend(await self._services.starts.on_each(self._session.actor, request, interfaces))

        form = CaptureForm(self._session, start, host=host, interface=interface)
        if await self._app.push_screen_wait(form) is None or not started:
            return None
        tags = f", tagged {' '.join(started[0].tags)}" if started[0].tags else ""
        begun = "; ".join(f"Capture {one.id} runs on {one.interface}" for one in started)
        self._tell(f"{begun}{tags}")
        return started[0]

    async def again(self, capture_id: int, buffer: str = "") -> Capture | None:
        """Start it again as it was asked for, or with another buffer; None when that was refused."""
        begun = None
        with self._reported():
            begun = await self._services.starts.again(self._session.actor, capture_id, buffer=buffer)
            self._tell(f"Capture {begun.id} is {begun.note}")
        return begun

    async def stop(self, capture_id: int) -> None:
        """Stop it; what was captured stays."""
        with self._reported():
            await self._services.capturing.stop(self._session.actor, capture_id)
            self._tell(f"Capture {capture_id} is stopping; its packets are kept")

    async def export(
        self, capture_id: int, choices: Sequence[PacketChoice] = (_ALL,), *, as_capture: bool = False
    ) -> Capture | None:
        """Ask which packets and into what, and write them; return the capture that was made, if one was.

        Args:
            capture_id: Whose packets.
            choices: What can be chosen, the likeliest first.
            as_capture: Whether a new capture is offered first.
        """
        folder, actor = self._services.paths.exports, self._session.actor
        with self._reported():
            capture = await self._services.capturing.get(actor, capture_id)
            form = PacketExport(capture, choices, folder, as_capture=as_capture)
            asked = await self._app.push_screen_wait(form)
            if asked is None:
                return None
            catalogue = self._services.catalogue
            if asked.path is None:
                made = await catalogue.slice(actor, capture_id, asked.choice, name=asked.name)
                count = made.counters.packets
                self._tell(
                    _with_note(f"Capture {made.id} has {counted(count, 'packet', thin(count))}", made.note)
                )
                return made
            path = await catalogue.export(actor, capture_id, asked.path, asked.choice, asked.form)
            missing = await catalogue.missing(actor, capture_id, asked.choice.file, asked.form.format)
            self._tell(
                _with_note(f"Written{' anonymised' if asked.form.anonymise else ''} to {path}", missing)
            )
        return None

    async def merge(self, capture_ids: Sequence[int]) -> Capture | None:
        """Make one capture of several."""
        made = None
        with self._reported():
            made = await self._services.catalogue.merge(self._session.actor, capture_ids)
            words = f"Capture {made.id} is {made.lineage.removeprefix('merge of ')} in one"
            self._tell(_with_note(words, made.note))
        return made

    async def label(self, capture_id: int) -> Capture | None:
        """Ask for name, tags and note."""
        catalogue, actor, labelled = self._services.catalogue, self._session.actor, None
        with self._reported():
            capture = await self._services.capturing.get(actor, capture_id)
            form = CaptureLabelForm(capture, lambda labels: catalogue.label(actor, capture_id, labels))
            labelled = await self._app.push_screen_wait(form)
            if labelled is not None:
                self._tell(f"Capture {capture_id} is labelled")
        return labelled

    async def about(self, capture_id: int) -> None:
        """Show what is known of it."""
        with self._reported():
            capture = await self._services.capturing.get(self._session.actor, capture_id)
            differing = await self._services.checks.differing(capture)
            hand_over = self._services.catalogue.hand_over(capture, differing)
            await self._app.push_screen_wait(CaptureAbout(capture, hand_over, differing))

    async def import_files(self) -> Capture | None:
        """Ask for files and store each; return the last capture that was made."""
        paths = await self._app.push_screen_wait(
            FilePicker("Import pcap or pcapng files", working_directory())
        )
        results: list[tuple[Path, Sequence[Capture] | NetmonError]] = []
        for path in paths or ():
            try:
                results.append((path, await self._services.catalogue.import_file(self._session.actor, path)))
            except NetmonError as error:
                results.append((path, error))
        if results and (
            len(results) > 1 or isinstance(results[0][1], NetmonError) or import_words(results[0][1])
        ):
            await self._app.push_screen_wait(ImportReport(results))
        elif results and not isinstance(results[0][1], NetmonError):
            numbers = " and ".join(str(one.id) for one in results[0][1])
            self._tell(f"{paths[0].name if paths else ''} is capture {numbers}")
        stored = [one for _, result in results if not isinstance(result, NetmonError) for one in result]
        return stored[-1] if stored else None

    async def delete(self, capture_ids: Sequence[int]) -> frozenset[int]:
        """Ask, then delete; return what is gone."""
        what = f"capture {capture_ids[0]}" if len(capture_ids) == 1 else f"{len(capture_ids)} captures"
        gone: frozenset[int] = frozenset()
        with self._reported():
            text = f"{await self._whose(capture_ids)} The packets are deleted for good."
            if await self._app.push_screen_wait(Confirm(f"Delete {what}", text, verb="Delete")):
                gone = await self._delete_each("capture", capture_ids, self._services.capturing.delete)
        return gone

    async def _whose(self, capture_ids: Sequence[int]) -> str:
        """Return what is lost with captures: their names, and what they take; raises InvalidInput if one runs."""
        capturing, actor = self._services.capturing, self._session.actor
        captures = [await capturing.get(actor, number) for number in capture_ids]
        if running := [str(one.id) for one in captures if not one.state.is_final]:
            runs = "s" if len(running) == 1 else ""
            raise InvalidInput(f"capture {', '.join(running)} still run{runs}", fix="stop it first")
        names = ", ".join(one.name or f"capture {one.id}" for one in captures[:_NAMED])
        more = f" and {len(captures) - _NAMED} more" if len(captures) > _NAMED else ""
        packets = sum(one.packets_on_disk for one in captures)
        taken = size(sum(one.counters.bytes for one in captures))
        return f"{names}{more}: {counted(packets, 'packet', thin(packets))}, {taken}."


def _with_note(words: str, note: str) -> str:
    """Return words with what else is to be known."""
    return f"{words}; {note}" if note else words
