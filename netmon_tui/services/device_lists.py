"""Lists of devices in and out: import that changes nothing or all of it, and export."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from netmon_tui.domain.device import (
    ALL_DEVICES,
    DeviceFilter,
    DeviceLine,
    DeviceMarks,
    MarksChange,
)
from netmon_tui.domain.device_documents import device_document
from netmon_tui.domain.device_list import DEVICE_FORMATS, BadEntry, DeviceImport, ListedDevice, MarksBefore
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.domain.window import Window
from netmon_tui.errors import InvalidInput
from netmon_tui.security.hostile_text import clean, csv_cell
from netmon_tui.services.devices import checked_change, device_lladdr
from netmon_tui.services.readable_files import read_beginning
from netmon_tui.services.transfers import write_new
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.device_queries import DeviceQueries
from netmon_tui.storage.device_repository import DeviceRepository
from netmon_tui.tools.device_list import LARGEST_LIST, DeviceList, read_devices

BAD_KEPT = 1_000
"""Refused lines that are told one by one."""
_BAD_TOLD = 5
"""Of them, in an error."""
_PAGE = 2_000
"""Devices of one chunk of an export."""
_COLUMNS = (
    "lladdr",
    "name",
    "note",
    "known",
    "must_be_up",
    "shares_addresses",
    "vendor",
    "address",
    "interface",
    "address_count",
    "present",
    "first_seen",
    "last_seen",
)


class DeviceLists:
    """Import and export of what people say about devices.

    Args:
        repository, queries, audit: Storage.
        marked: Called when marks were changed.
    """

    def __init__(
        self,
        repository: DeviceRepository,
        queries: DeviceQueries,
        audit: AuditRepository,
        marked: Callable[[], Awaitable[None]],
    ) -> None:
        self._repository = repository
        self._queries = queries
        self._audit = audit
        self._marked = marked

    async def import_file(
        self, actor: Actor, path: Path, *, dry_run: bool = False, skip_bad: bool = False
    ) -> DeviceImport:
        """Take what a file says about devices; what it does not say stays as it is.

        Args:
            actor: Who says it from now on.
            path: CSV with a header, JSON, ethers or arp.dat.
            dry_run: Store nothing, and refuse nothing for a line of it.
            skip_bad: Leave out lines that say nothing, instead of refusing all of them.

        Raises:
            NotFound: There is no such file.
            InvalidInput: It is no list of devices, or has such lines; nothing is stored.
            NotAllowed: The actor may not mark devices, or not import.
        """
        _require(actor)
        data = await asyncio.to_thread(read_beginning, path, LARGEST_LIST + 1)
        return await self._take(actor, data, path.name, dry_run, skip_bad)

    async def import_stream(
        self, actor: Actor, stream: BinaryIO, *, dry_run: bool = False, skip_bad: bool = False
    ) -> DeviceImport:
        """Take what a pipe brings; as :meth:`import_file`."""
        _require(actor)
        data = await asyncio.to_thread(stream.read, LARGEST_LIST + 1)
        return await self._take(actor, data, "stdin", dry_run, skip_bad)

    async def _take(
        self, actor: Actor, data: bytes, name: str, dry_run: bool, skip_bad: bool
    ) -> DeviceImport:
        planned, wanted = await asyncio.to_thread(self._plan, data)
        if planned.bad_count and not (skip_bad or dry_run):
            raise _refusal(planned, name)
        if dry_run:
            return planned
        told = f"{_devices(len(planned.changes))} of {clean(name, 100)}"
        marked = await asyncio.to_thread(self._repository.mark, actor, wanted, told)
        changes = tuple(one for one in marked if not one.is_same)
        if changes:
            await self._marked()
        same = len(marked) - len(changes)
        return replace(planned, changes=changes, same=same, stored=True)

    def _plan(self, data: bytes) -> tuple[DeviceImport, dict[str, MarksChange]]:
        """Return what a list would change as things are, and what it says of each lladdr."""
        found = read_devices(data)
        listed, bad = _gathered(found)
        known = self._queries.marks_of(list(listed))
        wanted = {lladdr: entry.change for lladdr, entry in listed.items()}
        said = {lladdr: known.get(lladdr) for lladdr in wanted}
        marked = [
            MarksBefore(before, wanted[lladdr].of(before or DeviceMarks(lladdr)))
            for lladdr, before in said.items()
        ]
        changes = tuple(one for one in marked if not one.is_same)
        same = len(marked) - len(changes)
        planned = DeviceImport(found.unit, changes, same, tuple(bad[:BAD_KEPT]), len(bad), stored=False)
        return planned, wanted

    async def chunks(
        self, actor: Actor, format: str, text: str = "", wanted: DeviceFilter = ALL_DEVICES
    ) -> Iterator[bytes]:
        """Return the devices with what is said about them; iterating blocks, so do it in a thread.

        Args:
            actor: Who exports.
            format: One of ``DEVICE_FORMATS``; both are read by an import.
            text, wanted: Which devices.

        Raises:
            InvalidInput: There is no such format.
            NotAllowed: The actor may not export.
        """
        if format not in DEVICE_FORMATS:
            raise InvalidInput(f"no format {format!r}", fix=f"there are: {', '.join(DEVICE_FORMATS)}")
        actor.require(Permission.EXPORT)
        count = await asyncio.to_thread(self._queries.count, text, wanted)
        await asyncio.to_thread(self._audit.record, actor, "neighbour.export", _devices(count), format)
        lines = await asyncio.to_thread(self._queries.lines, Window(limit=count, text=text), wanted)
        return _as_csv(lines) if format == "csv" else _as_json(lines)

    async def export(
        self, actor: Actor, format: str, path: Path, text: str = "", wanted: DeviceFilter = ALL_DEVICES
    ) -> Path:
        """Write devices to a new file (mode 0600) and return its path; as :meth:`chunks`."""
        return await asyncio.to_thread(write_new, path, await self.chunks(actor, format, text, wanted))


def _devices(count: int) -> str:
    return f"{count} device{'' if count == 1 else 's'}"


def _require(actor: Actor) -> None:
    actor.require(Permission.IMPORT)
    actor.require(Permission.MARK_NEIGHBOURS)


def _gathered(found: DeviceList) -> tuple[dict[str, ListedDevice], list[BadEntry]]:
    """Return what a list says by lladdr, and what is refused of it."""
    listed: dict[str, ListedDevice] = {}
    bad: list[BadEntry] = []
    for raw in found.entries:
        entry = raw if isinstance(raw, BadEntry) else _checked(raw)
        if isinstance(entry, BadEntry):
            bad.append(entry)
            continue
        first = listed.setdefault(entry.lladdr, entry)
        if first.change != entry.change:
            why = f"{found.unit} {first.number} says something else of {entry.lladdr}"
            bad.append(BadEntry(entry.number, why))
    return listed, bad


def _checked(entry: ListedDevice) -> ListedDevice | BadEntry:
    try:
        lladdr, change = device_lladdr(entry.lladdr), entry.change
        texts = MarksChange(name=_as_typed(change.name), note=_as_typed(change.note))
        texts = checked_change(texts)
    except InvalidInput as error:
        return BadEntry(entry.number, f"{error.what}: {error.why}" if error.why else error.what)
    checked = MarksChange(texts.name, texts.note, change.known, change.must_be_up, change.shares_addresses)
    return ListedDevice(entry.number, lladdr, checked)


def _as_typed(text: str | None) -> str | None:
    """Return a cell without the mark that keeps spreadsheets from running it."""
    return text[1:] if text and text.startswith("'") and csv_cell(text[1:]) == text else text


def _refusal(planned: DeviceImport, name: str) -> InvalidInput:
    told = "; ".join(
        f"{planned.unit} {entry.number}: {clean(entry.why, 160)}" for entry in planned.bad[:_BAD_TOLD]
    )
    more = f"; and {planned.bad_count - _BAD_TOLD:,} more" if planned.bad_count > _BAD_TOLD else ""
    return InvalidInput(
        f"{planned.bad_count:,} {planned.units} of {clean(name, 100)} cannot be taken; nothing is stored",
        why=told + more,
        fix="correct them, or leave them out (--skip-bad)",
    )


def _as_csv(lines: Sequence[DeviceLine]) -> Iterator[bytes]:
    yield (",".join(_COLUMNS) + "\r\n").encode()
    for start in range(0, len(lines), _PAGE):
        text = io.StringIO()
        writer = csv.writer(text)
        for line in lines[start : start + _PAGE]:
            document = device_document(line)
            writer.writerow(csv_cell(document[name]) for name in _COLUMNS)
        yield text.getvalue().encode()


def _as_json(lines: Sequence[DeviceLine]) -> Iterator[bytes]:
    yield b"["
    for start in range(0, len(lines), _PAGE):
        documents = (json.dumps(device_document(line)) for line in lines[start : start + _PAGE])
        yield ((",\n" if start else "\n") + ",\n".join(documents)).encode()
    yield b"\n]\n"
