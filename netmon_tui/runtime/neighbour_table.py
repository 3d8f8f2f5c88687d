"""The neighbour table made out of rtnetlink datagrams: dumps, and the events that come between and during them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from netmon_tui.domain.neighbour import Neighbour
from netmon_tui.tools.rtnetlink import (
    Decoded,
    LinkGone,
    LinkSeen,
    NeighbourDeleted,
    NeighbourSeen,
    RtnetlinkChange,
    decode,
    link_dump_request,
    neighbour_dump_request,
)
from netmon_tui.tools.rtnetlink_entries import DumpedEntries, KnownEntries

_SEQUENCE = 1
"""Of every request: nothing is asked before the last answer is complete."""
_KNOWN_FOR_EACH = 3
"""Kept of earlier dumps for each entry of the last one, at most: the next dump begins anew then."""


@dataclass(frozen=True, slots=True)
class Resync:
    """The whole table: whatever was known before is void."""

    neighbours: list[Neighbour]
    cacheinfos: list[bytes]
    """Of each entry, for :func:`~netmon_tui.tools.rtnetlink_entries.read_ages`."""
    links: list[LinkSeen]


TableChange = Resync | RtnetlinkChange
_Key = tuple[int, str]


@dataclass(slots=True)
class _Rebuild:
    """A dump that is being received, and the events that came meanwhile, which overrule it."""

    request: Callable[[int], bytes]
    """Makes the request that is being answered: links first, then neighbours."""
    interrupted: bool = False
    entries: DumpedEntries = field(default_factory=DumpedEntries)
    links: list[LinkSeen] = field(default_factory=list)
    newer_rows: dict[_Key, NeighbourSeen | None] = field(default_factory=dict)
    """By ifindex and address; None for one that was deleted."""
    newer_links: dict[int, LinkSeen | None] = field(default_factory=dict)

    def add_event(self, change: RtnetlinkChange) -> None:
        """Take an event."""
        match change:
            case NeighbourSeen(row, _):
                self.newer_rows[row.ifindex, row.address] = change
            case NeighbourDeleted(row):
                self.newer_rows[row.ifindex, row.address] = None
            case LinkSeen():
                self.newer_links[change.ifindex] = change
            case LinkGone():
                self.newer_links[change.ifindex] = None

    def ask(self, request: Callable[[int], bytes], known: KnownEntries) -> None:
        """Await the answer to a request, and forget an earlier one to it; what the events said stays true."""
        self.request, self.interrupted, self.entries = request, False, DumpedEntries(known)
        if request is link_dump_request:
            self.links.clear()

    def link_table(self) -> dict[int, LinkSeen]:
        """Return the interfaces by ifindex."""
        merged = {link.ifindex: link for link in self.links} | self.newer_links
        return {ifindex: link for ifindex, link in merged.items() if link is not None}

    def what_is_known(self, names: dict[int, str]) -> KnownEntries:
        """Return what the next dump can use: nothing if the interfaces may have other names, or it is too much."""
        entries = self.entries
        is_much = len(entries.known.rows) > _KNOWN_FOR_EACH * len(entries.rows)
        if self.newer_links or is_much or not entries.made <= names.keys():
            return KnownEntries()
        return KnownEntries(entries.known.rows, entries.datagrams)

    def result(self, names: dict[int, str]) -> Resync:
        """Return the entries of existing interfaces, under their present names."""
        rows, cacheinfos, links = self.entries.rows, self.entries.cacheinfos, list(self.link_table().values())
        is_calm = not (self.newer_rows or self.newer_links)
        if is_calm and self.entries.made <= names.keys():
            return Resync(rows, cacheinfos, links)
        dumped = map(NeighbourSeen, rows, cacheinfos)
        kept = [seen for seen in dumped if (seen[0].ifindex, seen[0].address) not in self.newer_rows]
        kept += [seen for seen in self.newer_rows.values() if seen is not None]
        kept = [seen for seen in kept if seen.neighbour.ifindex in names]
        return Resync(
            [row._replace(interface=names[row.ifindex]) for row, _ in kept],
            [cacheinfo for _, cacheinfo in kept],
            links,
        )


class TableReader:
    """Makes changes out of datagrams, and asks for dumps when they are due. Knows no socket.

    Args:
        send: Sends a request to the kernel.
    """

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send
        self._names: dict[int, str] = {}
        self._known = KnownEntries()
        """Void when an interface has another name."""
        self._rebuild: _Rebuild | None = None

    def start(self) -> None:
        """Ask for the whole table, unless that is under way."""
        if self._rebuild is None:
            self._rebuild = _Rebuild(link_dump_request)
            self._ask(self._rebuild)

    def _ask(self, rebuild: _Rebuild) -> None:
        self._send(rebuild.request(_SEQUENCE))

    def receive(self, datagram: bytes, *, event: bool) -> list[TableChange]:
        """Return the changes that a datagram brings: none while a dump is incomplete, then a Resync.

        Args:
            datagram: Bytes from the kernel.
            event: It came by multicast, and is no answer to a request.

        Raises:
            InvalidInput: the datagram is malformed.
            OSError: the kernel refused the dump.
        """
        if event:
            return self._take_events(decode(datagram, self._names).changes)
        if self._rebuild is None:
            return []
        return self._take_answer(self._rebuild, decode(datagram, self._names, self._rebuild.entries))

    def _take_events(self, changes: list[RtnetlinkChange]) -> list[TableChange]:
        renamed = [self._note_name(change) for change in changes]
        if self._rebuild is None:
            if any(renamed):
                self.start()
            return list(changes)
        for change in changes:
            self._rebuild.add_event(change)
        return []

    def _note_name(self, change: RtnetlinkChange) -> bool:
        """Keep the names right; return whether an interface got another one, which all its rows carry."""
        if not isinstance(change, LinkSeen | LinkGone):
            return False
        before = self._names.pop(change.ifindex, None)
        if isinstance(change, LinkSeen):
            self._names[change.ifindex] = change.name
            if before == change.name:
                return False
        self._known = KnownEntries()
        return before is not None and isinstance(change, LinkSeen)

    def _take_answer(self, rebuild: _Rebuild, decoded: Decoded) -> list[TableChange]:
        if decoded.error:
            raise OSError(decoded.error, os.strerror(decoded.error))
        rebuild.interrupted |= decoded.interrupted
        rebuild.links += [change for change in decoded.changes if isinstance(change, LinkSeen)]
        return self._end_of_answer(rebuild) if decoded.done else []

    def _end_of_answer(self, rebuild: _Rebuild) -> list[TableChange]:
        """Ask again, ask for the next part, or deliver."""
        if rebuild.interrupted:
            rebuild.ask(rebuild.request, self._known)
        else:
            names = {ifindex: link.name for ifindex, link in rebuild.link_table().items()}
            if names != self._names:
                self._names, self._known = names, KnownEntries()
            if rebuild.request is neighbour_dump_request:
                self._rebuild = None
                self._known = rebuild.what_is_known(names)
                return [rebuild.result(names)]
            rebuild.ask(neighbour_dump_request, self._known)
        self._ask(rebuild)
        return []
