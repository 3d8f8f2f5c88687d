"""Conversations and endpoints, counted from lines that tshark prints of packets.

``tshark -z conv`` rounds bytes to two digits (until 4.2), and knows neither stream numbers nor round-trip times. A
packet list with just the columns that are counted costs tshark hardly more than its own statistic does, because no
tree of the packet is built for it; ``-T fields`` would take twice as long.
"""

from __future__ import annotations

import heapq
import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from netmon_tui.domain.analysis import MOST_ROWS, Analysis, AnalysisColumn, AnalysisRow, Value
from netmon_tui.tools.tshark_lines import AnalysisReader, quoted, text_of

MOST_PAIRS = 1_000_000
"""Conversations that are told apart: half a gigabyte."""
_IPV4 = re.compile(r"\d+(?:\.\d+){3}")
_TCP_FACTS = ("retransmission", "lost_segment", "out_of_order", "zero_window")
CONVERSATION_ENDS = (AnalysisColumn("a", "Address A"), AnalysisColumn("b", "Address B"))
CONVERSATION_COUNTS = (
    AnalysisColumn("packets", "Packets", "count"),
    AnalysisColumn("bytes", "Bytes", "bytes"),
    AnalysisColumn("packets_a_b", "A > B", "count"),
    AnalysisColumn("bytes_a_b", "Bytes", "bytes"),
    AnalysisColumn("packets_b_a", "B > A", "count"),
    AnalysisColumn("bytes_b_a", "Bytes", "bytes"),
    AnalysisColumn("start", "Start", "time"),
    AnalysisColumn("duration", "Lasts", "seconds"),
)
_TCP_COLUMNS = (
    AnalysisColumn("rtt", "RTT", "seconds"),
    AnalysisColumn("rtt_max", "RTT max", "seconds"),
    AnalysisColumn("retransmissions", "Retr", "count"),
    AnalysisColumn("lost_segments", "Lost", "count"),
    AnalysisColumn("out_of_order", "OoO", "count"),
    AnalysisColumn("zero_windows", "Zero", "count"),
)
ENDPOINT = AnalysisColumn("address", "Address")
ENDPOINT_COUNTS = (
    AnalysisColumn("packets", "Packets", "count"),
    AnalysisColumn("bytes", "Bytes", "bytes"),
    AnalysisColumn("packets_sent", "Sent", "count"),
    AnalysisColumn("bytes_sent", "Bytes", "bytes"),
    AnalysisColumn("packets_received", "Received", "count"),
    AnalysisColumn("bytes_received", "Bytes", "bytes"),
)


@dataclass(frozen=True, slots=True)
class Layer:
    """Where a protocol has its addresses and ports."""

    shown: str
    """Display filter for the packets that count."""
    source: str
    """tshark's column format of the address."""
    destination: str
    """Empty where packets only tell who sent them."""
    address: str = ""
    """Field that has both addresses, if any; ``net`` for those of the network layer, as they come."""
    ports: tuple[str, str] | tuple[()] = ()
    """Fields of the two ports."""
    stream: str = ""
    """Field that numbers the conversations."""
    port_columns: tuple[str, str] = ("%uS", "%uD")
    """tshark's column formats of the ports."""
    also: str = ""
    """What the filters of lines say besides, where addresses and ports do not tell the packets that count."""

    @property
    def has_filters(self) -> bool:
        """Whether any field has the addresses."""
        return self.address == "net" or self.source.startswith("%C")


def _field(name: str, occurrence: int = 1) -> str:
    """Return the column format of a field; packets in tunnels have it several times, the outer first."""
    return f"%Cus:{name}:{occurrence}:R"


def _addressed(name: str, source: str = "src", destination: str = "dst", *, address: str = "addr") -> Layer:
    return Layer(name, _field(f"{name}.{source}"), _field(f"{name}.{destination}"), f"{name}.{address}")


def _ported(name: str, stream: str = "") -> Layer:
    # An ICMP error quotes the packet it is about, which is no packet of that conversation.
    ports = (f"{name}.srcport", f"{name}.dstport")
    return Layer(f"{name} && !icmp && !icmpv6", "%us", "%ud", "net", ports, stream)


LAYERS = {
    "eth": _addressed("eth"),
    "ip": _addressed("ip"),
    "ipv6": _addressed("ipv6"),
    "tcp": _ported("tcp", "tcp.stream"),
    "udp": _ported("udp", "udp.stream"),
    "sctp": _ported("sctp"),
    "wlan": _addressed("wlan", "sa", "da"),
    "usb": _addressed("usb"),
    "dccp": replace(
        _ported("dccp", "dccp.stream"), port_columns=(_field("dccp.srcport"), _field("dccp.dstport"))
    ),
    "ipx": _addressed("ipx"),
    "fc": _addressed("fc", "s_id", "d_id", address="id"),
    "fddi": _addressed("fddi"),
    "tr": _addressed("tr"),
    "zbee_nwk": _addressed("zbee_nwk"),
    "wpan": _addressed("wpan", "src16", "dst16", address="addr16"),
    # tshark writes the fields of the addresses only when it reads packets a second time
    "bluetooth": Layer("bluetooth", "%uhs", "%uhd"),
    "mptcp": replace(_ported("tcp"), shown="mptcp.stream", also="mptcp.stream"),
    "sll": Layer("sll.src.eth", _field("sll.src.eth"), "", "sll.src.eth"),
    "rsvp": Layer("rsvp.sender.ip && rsvp.session.ip", _field("rsvp.sender.ip"), _field("rsvp.session.ip")),
    "ncp": Layer(
        "ncp.connection",
        "%us",
        "%ud",
        "net",
        ("ncp.connection", "ncp.connection"),
        port_columns=(_field("ncp.connection"), _field("ncp.connection")),
    ),
}
"""By the second part of the question's name."""


def column_formats(kind: str) -> list[str]:
    """Return tshark's formats of the columns that are counted, in the order in which the readers take them."""
    layer = LAYERS[kind]
    # tshark draws an arrow between source and destination where they stand side by side
    formats = [layer.source, "%L", layer.destination or "%L", "%t"]
    if layer.ports:
        formats += layer.port_columns
    if layer.stream:
        formats.append(_field(layer.stream, 0))
    if kind == "tcp":
        formats += [
            _field("tcp.analysis.ack_rtt", 0),
            *(_field(f"tcp.analysis.{fact}") for fact in _TCP_FACTS),
        ]
    return formats


class _End(NamedTuple):
    """One side of a conversation, as tshark wrote it."""

    address: bytes
    port: bytes


class _Pair:
    """What is counted of a conversation."""

    __slots__ = ("a", "b", "back", "bytes", "facts", "first", "last", "longest", "packets", "rtts", "trips")

    def __init__(self, a: _End, b: _End, first: float) -> None:
        self.a, self.b, self.first, self.last = a, b, first, first
        self.packets, self.bytes = [0, 0], [0, 0]
        self.rtts, self.trips, self.longest = 0.0, 0, 0.0
        self.facts = [0] * len(_TCP_FACTS)


class ConversationReader(AnalysisReader):
    """Counts packets and bytes of both directions.

    Args:
        kind: One of :data:`LAYERS`.
        endpoints: Answer with endpoints instead.
    """

    def __init__(self, kind: str, *, endpoints: bool = False) -> None:
        super().__init__()
        self._kind, self._layer = kind, LAYERS[kind]
        self._endpoints = endpoints
        self._expected = len(column_formats(kind))
        self._pairs: dict[object, _Pair] = {}
        self._unread = self._beyond = 0

    def _line(self, line: bytes) -> None:
        cells = line.split(b"\t")
        if len(cells) != self._expected:
            self._unread += 1
            return
        try:
            self._count([cell.strip() for cell in cells])
        except ValueError:
            self._unread += 1

    def _count(self, cells: list[bytes]) -> None:
        source, length, destination, time = cells[:4]
        if not self._layer.destination:
            destination = b""
        elif not destination:
            raise ValueError("no addresses")
        if not source:
            raise ValueError("no address")
        ported = bool(self._layer.ports)
        here = _End(source, cells[4] if ported else b"")
        there = _End(destination, cells[5] if ported else b"")
        size, moment = int(length), float(time)
        pair = self._pair(cells[6] if self._layer.stream else b"", here, there, moment)
        if pair is None:
            return
        side = 0 if here == pair.a else 1
        pair.packets[side] += 1
        pair.bytes[side] += size
        pair.last = max(pair.last, moment)
        if self._kind == "tcp" and any(cells[7:]):
            _note_tcp(pair, cells[7:])

    def add(
        self, source: bytes, destination: bytes, packets: int, size: int, moments: tuple[float, float]
    ) -> None:
        """Add packets of one direction, those that began first before others.

        Args:
            source: Address, as text.
            destination: The other.
            packets: How many.
            size: Their bytes.
            moments: When the first came, and the latest.
        """
        here = _End(source, b"")
        pair = self._pair(b"", here, _End(destination, b""), moments[0])
        if pair is not None:
            side = 0 if here == pair.a else 1
            pair.packets[side] += packets
            pair.bytes[side] += size
            pair.last = max(pair.last, moments[1])

    def _pair(self, stream: bytes, here: _End, there: _End, moment: float) -> _Pair | None:
        key: object = stream or ((here, there) if here < there else (there, here))
        pair = self._pairs.get(key)
        if pair is None:
            if len(self._pairs) >= MOST_PAIRS:
                self._beyond += 1
                return None
            pair = self._pairs[key] = _Pair(here, there, moment)
        return pair

    def answer(self) -> Analysis:
        """Return the conversations or endpoints, those with most packets first."""
        if self._unread:
            self.notes.append(f"{self._unread:,} lines of tshark could not be read")
        if self._beyond:
            self.notes.append(
                f"{self._beyond:,} packets of conversations beyond {MOST_PAIRS:,} are not counted"
            )
        return self._of_endpoints() if self._endpoints else self._of_conversations()

    def _of_conversations(self) -> Analysis:
        found = heapq.nlargest(
            MOST_ROWS, self._pairs.items(), key=lambda item: (sum(item[1].packets), -item[1].first)
        )
        self._tell_of_rest(len(self._pairs))
        rows = tuple(self._row(key, pair) for key, pair in found)
        return Analysis(_conversation_columns(self._kind, self._layer), rows, tuple(self.notes))

    def _tell_of_rest(self, count: int) -> None:
        if count > MOST_ROWS:
            self.notes.append(f"the {MOST_ROWS:,} largest of {count:,}")

    def _row(self, key: object, pair: _Pair) -> AnalysisRow:
        layer = self._layer
        stream = int(key) if layer.stream and isinstance(key, bytes) and key.isdigit() else None
        (a_address, a_port), (b_address, b_port) = map(_shown, (pair.a, pair.b))
        ends = (a_address, a_port, b_address, b_port) if layer.ports else (a_address, b_address)
        counts = (
            sum(pair.packets),
            sum(pair.bytes),
            pair.packets[0],
            pair.bytes[0],
            pair.packets[1],
            pair.bytes[1],
            round(pair.first, 6),
            round(pair.last - pair.first, 6),
        )
        tcp = _tcp_cells(pair) if self._kind == "tcp" else ()
        wanted = _pair_filter(layer, pair)
        if stream is None:
            return AnalysisRow((*ends, *counts, *tcp), wanted)
        return AnalysisRow(
            (*ends, *counts, *tcp), f"{layer.stream} == {stream}", stream=stream, part_filter=wanted
        )

    def _of_endpoints(self) -> Analysis:
        ends: dict[_End, list[int]] = {}
        for pair in self._pairs.values():
            for side, end in enumerate((pair.a, pair.b) if pair.b.address else (pair.a,)):
                counts = ends.setdefault(end, [0, 0, 0, 0])
                counts[0] += pair.packets[side]
                counts[1] += pair.bytes[side]
                counts[2] += pair.packets[1 - side]
                counts[3] += pair.bytes[1 - side]
        found = heapq.nlargest(MOST_ROWS, ends.items(), key=lambda item: item[1][0] + item[1][2])
        self._tell_of_rest(len(ends))
        rows = tuple(
            AnalysisRow((*self._end_cells(end), n[0] + n[2], n[1] + n[3], *n), _end_filter(self._layer, end))
            for end, n in found
        )
        return Analysis(_endpoint_columns(self._layer), rows, tuple(self.notes))

    def _end_cells(self, end: _End) -> tuple[Value, ...]:
        shown = _shown(end)
        return shown if self._layer.ports else shown[:1]


def _note_tcp(pair: _Pair, cells: list[bytes]) -> None:
    if cells[0]:
        rtt = float(cells[0])
        pair.rtts += rtt
        pair.trips += 1
        pair.longest = max(pair.longest, rtt)
    for index, cell in enumerate(cells[1:]):
        if cell:
            pair.facts[index] += 1


def _tcp_cells(pair: _Pair) -> tuple[Value, ...]:
    mean = round(pair.rtts / pair.trips, 9) if pair.trips else None
    return mean, round(pair.longest, 9) if pair.trips else None, *pair.facts


def _shown(end: _End) -> tuple[Value, Value]:
    return text_of(end.address), int(end.port) if end.port.isdigit() else None


def _conversation_columns(kind: str, layer: Layer) -> tuple[AnalysisColumn, ...]:
    ends = [*CONVERSATION_ENDS]
    if layer.ports:
        ends.insert(1, AnalysisColumn("a_port", "Port", "number"))
        ends.append(AnalysisColumn("b_port", "Port", "number"))
    return (*ends, *CONVERSATION_COUNTS, *(_TCP_COLUMNS if kind == "tcp" else ()))


def _endpoint_columns(layer: Layer) -> tuple[AnalysisColumn, ...]:
    port = (AnalysisColumn("port", "Port", "number"),) if layer.ports else ()
    return (ENDPOINT, *port, *ENDPOINT_COUNTS)


def _pair_filter(layer: Layer, pair: _Pair) -> str:
    """Return the filter for both directions between two ends; empty when no field has them."""
    if not layer.has_filters:
        return ""
    there = _between(layer, pair.a, pair.b)
    if pair.a == pair.b or not pair.b.address:
        return _with_also(layer, there)
    return _with_also(layer, f"({there}) || ({_between(layer, pair.b, pair.a)})")


def _between(layer: Layer, source: _End, destination: _End) -> str:
    sent = _from(layer, source, "src")
    return f"{sent} && {_from(layer, destination, 'dst')}" if destination.address else sent


def _end_filter(layer: Layer, end: _End) -> str:
    if not layer.has_filters:
        return ""
    if layer.address and layer.address != "net":
        return f"{layer.address} == {quoted(text_of(end.address))}"
    return _with_also(layer, f"({_from(layer, end, 'src')}) || ({_from(layer, end, 'dst')})")


def _with_also(layer: Layer, wanted: str) -> str:
    return f"{layer.also} && ({wanted})" if layer.also else wanted


def _from(layer: Layer, end: _End, direction: str) -> str:
    """Return the filter for packets that an end sent (``src``) or received (``dst``)."""
    if layer.address != "net":
        name = layer.source if direction == "src" else layer.destination
        return f"{name.split(':')[1]} == {quoted(text_of(end.address))}"
    address = text_of(end.address)
    family = "ipv6" if ":" in address else "ip" if _IPV4.fullmatch(address) else "ipx"
    wanted = f"{family}.{direction} == {quoted(address)}"
    if not layer.ports or not end.port:
        return wanted
    return f"{wanted} && {layer.ports[direction == 'dst']} == {text_of(end.port)}"
