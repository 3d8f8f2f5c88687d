"""The tables of who talks, of a bounded size, fed with counted flows."""

from __future__ import annotations

import socket
from collections.abc import Hashable, Mapping
from heapq import nlargest
from typing import Generic, NamedTuple, TypeVar

from netmon_tui.domain.traffic import (
    Conversation,
    LengthShare,
    Service,
    ServiceShare,
    Talker,
    Traffic,
    TrafficKind,
)
from netmon_tui.tools.packet_flow import LLC, NO_FLOW, Flow, ends_of
from netmon_tui.tools.packet_network import ETHERTYPES, IP_PROTOCOLS

MOST_KEPT = 4_096
"""Entries that a table keeps when it becomes too large, which it is with twice as many."""
_MOST_LINKS = 16_384
"""Flows whose entries are remembered."""
LENGTHS = (0, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120)
"""Where Wireshark's classes of packet lengths begin."""
_FAMILIES = {4: socket.AF_INET, 16: socket.AF_INET6}
_ServiceKey = tuple[int, int | None]
"""Protocol number and port."""
_Key = TypeVar("_Key", bound=Hashable)


class Entry:
    """Packets and bytes both ways; floats only where they were sampled."""

    __slots__ = ("received", "received_bytes", "sent", "sent_bytes")

    def __init__(self) -> None:
        self.sent: float = 0
        self.sent_bytes: float = 0
        self.received: float = 0
        self.received_bytes: float = 0

    @property
    def packets(self) -> float:
        """Both ways."""
        return self.sent + self.received

    @property
    def bytes(self) -> float:
        """Both ways."""
        return self.sent_bytes + self.received_bytes

    def rounded(self) -> tuple[int, int, int, int]:
        """Return sent packets and bytes, received packets and bytes."""
        return round(self.sent), round(self.sent_bytes), round(self.received), round(self.received_bytes)


class _Table(Generic[_Key]):
    """Entries of which the small ones are forgotten when there are too many."""

    def __init__(self) -> None:
        self.entries: dict[_Key, Entry] = {}
        self.forgotten: float = 0
        """Packets of the entries that are gone."""

    def entry(self, key: _Key) -> Entry:
        """Return an entry, new or not."""
        found = self.entries.get(key)
        if found is None:
            found = self.entries[key] = Entry()
        return found

    def prune(self) -> bool:
        """Forget the smaller half of a table that is too large; return whether it was."""
        if len(self.entries) < 2 * MOST_KEPT:
            return False
        before = sum(entry.packets for entry in self.entries.values())
        self.entries = dict(self.largest(MOST_KEPT))
        self.forgotten += before - sum(entry.packets for entry in self.entries.values())
        return True

    def largest(self, most: int) -> list[tuple[_Key, Entry]]:
        """Return the entries with the most bytes."""
        return nlargest(most, self.entries.items(), key=lambda item: item[1].bytes)


class _ConversationKey(NamedTuple):
    client: bytes
    server: bytes
    service: _ServiceKey


class _Link(NamedTuple):
    """What a flow adds to."""

    source: Entry | None
    destination: Entry | None
    conversation: Entry | None
    from_client: bool
    service: Entry


class TrafficTables:
    """Talkers, conversations, services and lengths of all that was counted so far."""

    def __init__(self) -> None:
        self._talkers: _Table[bytes] = _Table()
        self._conversations: _Table[_ConversationKey] = _Table()
        self._services: _Table[_ServiceKey] = _Table()
        self._lengths: list[float] = [0] * len(LENGTHS)
        self._links: dict[Flow, _Link] = {}
        self._packets: float = 0
        self._bytes: float = 0

    def add(self, flows: Mapping[Flow, list[int]], lengths: Mapping[int, int], weight: float = 1) -> None:
        """Add counted flows.

        Args:
            flows: Packets and bytes of each.
            lengths: Packets of each length.
            weight: How many packets each stands for.
        """
        links = self._links
        for flow, (packets, size) in flows.items():
            link = links.get(flow) or self._link(flow)
            self._add_flow(link, packets * weight, size * weight)
        for length, packets in lengths.items():
            self._lengths[_length_class(length)] += packets * weight
            self._packets += packets * weight
            self._bytes += length * packets * weight
        self._forget()

    def _add_flow(self, link: _Link, packets: float, size: float) -> None:
        source, destination, conversation, from_client, service = link
        service.sent += packets
        service.sent_bytes += size
        if source is None or destination is None or conversation is None:
            return
        source.sent += packets
        source.sent_bytes += size
        destination.received += packets
        destination.received_bytes += size
        if from_client:
            conversation.sent += packets
            conversation.sent_bytes += size
        else:
            conversation.received += packets
            conversation.received_bytes += size

    def _link(self, flow: Flow) -> _Link:
        source, destination, port, from_client = ends_of(flow)
        service = (flow[0], port)
        if source:
            sides = (source, destination) if from_client else (destination, source)
            link = _Link(
                self._talkers.entry(source),
                self._talkers.entry(destination),
                self._conversations.entry(_ConversationKey(*sides, service)),
                from_client,
                self._services.entry(service),
            )
        else:
            link = _Link(None, None, None, from_client, self._services.entry(service))
        self._links[flow] = link
        return link

    def _forget(self) -> None:
        pruned = [table.prune() for table in (self._talkers, self._conversations, self._services)]
        if any(pruned) or len(self._links) > _MOST_LINKS:
            self._links.clear()

    def snapshot(self, most: int) -> Traffic:
        """Return the largest entries of each table, at most ``most`` of each."""
        return Traffic(
            talkers=tuple(Talker(*entry.rounded(), _text(key)) for key, entry in self._talkers.largest(most)),
            conversations=tuple(
                Conversation(*entry.rounded(), _text(key.client), _text(key.server), _service(key.service))
                for key, entry in self._conversations.largest(most)
            ),
            services=tuple(
                ServiceShare(_service(key), *entry.rounded()[:2])
                for key, entry in self._services.largest(most)
            ),
            lengths=tuple(_length_shares(self._lengths)),
            packets=round(self._packets),
            bytes=round(self._bytes),
            forgotten=tuple(self._forgotten()),
        )

    def _forgotten(self) -> list[tuple[TrafficKind, int]]:
        tables: tuple[tuple[TrafficKind, float], ...] = (
            ("talkers", self._talkers.forgotten),
            ("conversations", self._conversations.forgotten),
            ("services", self._services.forgotten),
        )
        return [(kind, round(packets)) for kind, packets in tables if packets]


def _length_class(length: int) -> int:
    """Return the class of a length: each from the third on is twice as wide as the one before."""
    return min((length // 20).bit_length(), len(LENGTHS) - 1)


def _length_shares(packets: list[float]) -> list[LengthShare]:
    ends: list[int | None] = [begin - 1 for begin in LENGTHS[1:]]
    return [
        LengthShare(least, most, round(count))
        for least, most, count in zip(LENGTHS, (*ends, None), packets, strict=True)
    ]


def _text(address: bytes) -> str:
    family = _FAMILIES.get(len(address))
    return address.hex(":") if family is None else socket.inet_ntop(family, address)


def _service(key: _ServiceKey) -> Service:
    number, port = key
    if number == NO_FLOW:
        return Service("other", -1)
    if number == LLC:
        return Service("LLC", -1)
    names = IP_PROTOCOLS if number <= 0xFF else ETHERTYPES
    plain = str(number) if number <= 0xFF else f"0x{number:04x}"
    name = names.get(number, f"IP protocol {plain}" if number <= 0xFF else plain)
    return Service(name, number, port)
