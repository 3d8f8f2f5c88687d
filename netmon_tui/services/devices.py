"""Devices: one lladdr with all its addresses over time, and what people say about it."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from netmon_tui.domain.address import is_private_lladdr, normalise_lladdr, parse_ip
from netmon_tui.domain.device import (
    ALL_DEVICES,
    LONGEST_NAME,
    LONGEST_NOTE,
    Device,
    DeviceAddress,
    DeviceFilter,
    DeviceLine,
    DeviceMarks,
    DevicePage,
    MarksChange,
    Presence,
)
from netmon_tui.domain.neighbour import NOT_MISSED, NudState
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.errors import InvalidInput, NetmonError, NotFound
from netmon_tui.runtime.netlink import dump_neighbours
from netmon_tui.security.hostile_text import clean, plain_line
from netmon_tui.services.live_times import LiveEntries, LiveTimes
from netmon_tui.storage.device_queries import DeviceQueries
from netmon_tui.storage.device_repository import DeviceRepository
from netmon_tui.storage.neighbour_repository import NeighbourRepository

_MOST_TOLD = 10
"""Of devices that one word may mean, in an error."""


class DeviceService:
    """The devices behind the addresses of the neighbour table.

    Args:
        repository, queries, neighbours: Storage.
        live: Returns live entries.
        vendor_of: Names the vendor of a lladdr (blocking at the first call).
        marked: Called when marks were changed.
    """

    def __init__(
        self,
        repository: DeviceRepository,
        queries: DeviceQueries,
        neighbours: NeighbourRepository,
        live: LiveEntries,
        vendor_of: Callable[[str], str],
        marked: Callable[[], Awaitable[None]],
    ) -> None:
        self._repository = repository
        self._queries = queries
        self._neighbours = neighbours
        self._live = live
        self._vendor_of = vendor_of
        self._marked = marked

    async def count(self, actor: Actor, text: str = "", wanted: DeviceFilter = ALL_DEVICES) -> int:
        """Return how many devices a list has."""
        actor.require(Permission.VIEW)
        return await asyncio.to_thread(self._queries.count, text, wanted)

    async def lines(
        self, actor: Actor, window: Window = FIRST, wanted: DeviceFilter = ALL_DEVICES
    ) -> list[DeviceLine]:
        """Return a window of the list of devices; its own order is the one seen last first."""
        actor.require(Permission.VIEW)
        return await asyncio.to_thread(self._queries.lines, window, wanted)

    async def find(self, actor: Actor, reference: str) -> str:
        """Return the lladdr of the device that is meant.

        Args:
            actor: Who asks.
            reference: A lladdr in any common spelling, an address that a device has, or the name of one.

        Raises:
            NotFound: There is none.
            InvalidInput: Several are meant.
        """
        actor.require(Permission.VIEW)
        lladdr = normalise_lladdr(reference)
        if lladdr is not None:
            return lladdr
        found = await asyncio.to_thread(self._meant, reference)
        if not found:
            raise NotFound(
                f"no device {clean(reference, LONGEST_NAME)!r}",
                fix="give its lladdr, an address it has, or its name",
            )
        if len(found) > 1:
            told = ", ".join(found[:_MOST_TOLD]) + (" ..." if len(found) > _MOST_TOLD else "")
            raise InvalidInput(f"{clean(reference, LONGEST_NAME)!r} means several devices", why=told)
        return found[0]

    def _meant(self, reference: str) -> list[str]:
        address = parse_ip(reference.strip())
        if address is not None:
            return list(dict.fromkeys(lladdr for _, lladdr in self._queries.held(str(address))))
        wanted = _name_key(reference)
        return [lladdr for name, lladdr in self._queries.named() if _name_key(name) == wanted]

    async def page(self, actor: Actor, lladdr: str) -> DevicePage:
        """Return everything remembered of a device.

        Raises:
            NotFound: It was never seen, and nothing is said about it.
        """
        actor.require(Permission.VIEW)
        return await asyncio.to_thread(self._page, lladdr, LiveTimes(self._live(actor, lladdr=lladdr)))

    def _page(self, lladdr: str, live: LiveTimes) -> DevicePage:
        marks = self._queries.marks_of([lladdr])
        addresses = [_heard(one, lladdr, live) for one in self._repository.addresses(lladdr)]
        if not (marks or addresses):
            raise NotFound(f"no device {lladdr}", why="it was never seen, and nothing is said about it")
        device = Device(
            lladdr,
            self._vendor_of(lladdr),
            is_private_lladdr(lladdr),
            marks.get(lladdr, DeviceMarks(lladdr)),
            tuple(addresses),
        )
        presences = [_lasting(one, live) for one in self._neighbours.presences_of_device(lladdr)]
        known = {(one.interface, one.address) for one in presences}
        older = [_presence(lladdr, one) for one in addresses if (one.interface, one.address) not in known]
        present = self._queries.is_present(lladdr) or any(one.lasts(datetime.now(UTC)) for one in presences)
        return DevicePage(device, (*presences, *older), present)

    async def holders(self, actor: Actor, address: str) -> list[Presence]:
        """Return which lladdr an address had when, by interface, the latest first."""
        actor.require(Permission.VIEW)
        return await asyncio.to_thread(self._holders, address)

    def _holders(self, address: str) -> list[Presence]:
        interfaces = [interface for interface, _ in self._queries.held(address)]
        return [one for name in interfaces for one in self._neighbours.presences_at(name, address)]

    async def history(
        self, actor: Actor, interface: str, address: str
    ) -> list[tuple[str, datetime, datetime]]:
        """Return every (lladdr, first seen, last seen) an address had, latest first."""
        actor.require(Permission.VIEW)
        live = LiveTimes(self._live(actor, address=address))
        stored = await asyncio.to_thread(self._neighbours.history, interface, address)
        rows = [
            (lladdr, first, live.latest((interface, address, lladdr), last)) for lladdr, first, last in stored
        ]
        return sorted(rows, key=lambda row: row[2], reverse=True)

    async def marks(self, actor: Actor, lladdr: str) -> DeviceMarks:
        """Return what is said about a device; nothing is said about one that nobody marked.

        Raises:
            InvalidInput: It is no lladdr of a device.
        """
        actor.require(Permission.VIEW)
        one = device_lladdr(lladdr)
        return (await asyncio.to_thread(self._queries.marks_of, [one])).get(one, DeviceMarks(one))

    async def vendor(self, actor: Actor, lladdr: str) -> str:
        """Return the vendor of a lladdr; empty when nobody knows."""
        actor.require(Permission.VIEW)
        return await asyncio.to_thread(self._vendor_of, lladdr)

    async def mark(self, actor: Actor, lladdr: str, change: MarksChange) -> DeviceMarks:
        """Say something about a device, seen or not.

        Args:
            actor: Who says it.
            lladdr: In any common spelling.
            change: What is said; the rest stays as it is.

        Raises:
            InvalidInput: It is no lladdr of a device, or a text is refused.
            NotAllowed: The actor may not mark devices.
        """
        actor.require(Permission.MARK_NEIGHBOURS)
        changes = {device_lladdr(lladdr): checked_change(change)}
        (marked,) = await asyncio.to_thread(self._repository.mark, actor, changes)
        if not marked.is_same:
            await self._marked()
        return marked.after

    async def not_missed(self, actor: Actor, marks: DeviceMarks) -> str:
        """Return at which of its entries a device that must be up is not missed, and why; empty for none."""
        actor.require(Permission.VIEW)
        if not marks.must_be_up:
            return ""
        try:
            entries = await asyncio.to_thread(dump_neighbours)
        except NetmonError:  # the mark itself is set: not to know this is no failure of it
            return ""
        permanent = [
            f"{entry.address} on {entry.interface}"
            for entry in entries
            if entry.lladdr == marks.lladdr and entry.state is NudState.PERMANENT
        ]
        return f"{', '.join(permanent)}: {NOT_MISSED}" if permanent else ""

    async def unmark(self, actor: Actor, lladdr: str) -> DeviceMarks:
        """Forget what is said about a device, and return what it was.

        Raises:
            InvalidInput: It is no lladdr of a device.
            NotFound: Nothing is said about it.
            NotAllowed: The actor may not mark devices.
        """
        actor.require(Permission.MARK_NEIGHBOURS)
        before = await self.marks(actor, lladdr)
        await asyncio.to_thread(self._repository.unmark, actor, before.lladdr)
        await self._marked()
        return before


def device_lladdr(text: str) -> str:
    """Return a lladdr in normal form.

    Raises:
        InvalidInput: It is none, or one that no device has: a group's, or nothing but zeros.
    """
    lladdr = normalise_lladdr(text)
    if lladdr is None:
        raise InvalidInput(
            f"{clean(text, LONGEST_NAME)!r} is no lladdr",
            fix="write six pairs of digits, as b8:27:eb:12:34:56",
        )
    if int(lladdr[:2], 16) & 1 or not int(lladdr.replace(":", ""), 16):
        raise InvalidInput(f"no device has the lladdr {lladdr}", why="it is a group's or nobody's")
    return lladdr


def checked_change(change: MarksChange) -> MarksChange:
    """Return a change with its texts in normal form, each on one line.

    Raises:
        InvalidInput: A text is too long or has characters that do not print.
    """
    name, note = change.name, change.note
    return replace(
        change,
        name=None if name is None else _one_line("the name", name, LONGEST_NAME),
        note=None if note is None else _one_line("the note", note, LONGEST_NOTE),
    )


def _one_line(what: str, text: str, limit: int) -> str:
    return plain_line(what, " ".join(text.split()), limit)


def _name_key(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(name.split())).casefold()


def _presence(lladdr: str, address: DeviceAddress) -> Presence:
    """Return the time of an address whose times were not yet kept when it was seen."""
    ending = "" if address.present else "quiet"
    return Presence(address.interface, address.address, lladdr, address.first_seen, address.last_seen, ending)


def _heard(one: DeviceAddress, lladdr: str, live: LiveTimes) -> DeviceAddress:
    """Return an address of a device with the live time."""
    return replace(one, last_seen=live.latest((one.interface, one.address, lladdr), one.last_seen))


def _lasting(one: Presence, live: LiveTimes) -> Presence:
    """Return a time with its live end, if it has not ended."""
    if one.ending:
        return one
    return replace(one, ended=live.latest((one.interface, one.address, one.lladdr), one.ended))
