"""Conversations and endpoints of Ethernet and IP, counted from the packets' headers instead of by tshark.

tshark dissects whole packets, which takes seventy times as long. What counts is the outermost header of the asked
kind, which the first bytes of a packet tell but for tunnels: an IPv4 packet may have an IPv6 one within. Where
that cannot be ruled out, or a header is damaged, the reader is unsure, and tshark is to be asked.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from netmon_tui.domain.analysis import Analysis, Asked
from netmon_tui.errors import InvalidInput
from netmon_tui.tools import link_layers
from netmon_tui.tools.packet_flow import LAYOUTS
from netmon_tui.tools.packet_tunnels import IP4, IP6, VLAN_TAGS
from netmon_tui.tools.pcap import FILE_HEADER_SIZE, RECORD_HEADER_SIZE, FileHeader, read_header
from netmon_tui.tools.tshark_conversations import MOST_PAIRS, ConversationReader

_KINDS = {"eth": 0, "ip": IP4, "ipv6": IP6}
_LINKS = frozenset({link_layers.ETHERNET, link_layers.LINUX_SLL, link_layers.LINUX_SLL2, link_layers.RAW})
_COOKED_LIKE_ETHERNET = frozenset({1, 772, 0xFFFE})
"""Hardware types under which a cooked packet has an ethertype: Ethernet, loopback, none."""
_NO_TUNNELS = frozenset({0x0806, 0x8035, 0x88CC, 0x888E})
"""Ethertypes that have no IP packet within: ARP, RARP, LLDP, EAPOL."""
_SPANNING_TREE = b"\x42\x42"
_ISL = frozenset({b"\x01\x00\x0c\x00\x00", b"\x0c\x00\x0c\x00\x00"})
"""Beginnings of frames with a header of Cisco's before the frame."""
_TCP, _UDP, _ICMP, _IGMP, _ICMP6 = 6, 17, 1, 2, 58
_ERRORS = {_ICMP: frozenset({3, 4, 5, 11, 12}), _ICMP6: frozenset(range(128))}
"""Messages that quote a packet."""
_PLAIN_TCP = frozenset({22, 25, 53, 80, 110, 143, 389, 443, 445, 465, 587, 636, 853, 993, 995, 3306, 5432})
_PLAIN_UDP = frozenset({53, 67, 68, 123, 137, 138, 161, 443, 546, 547, 1900, 5353, 5355})
"""Ports of protocols whose packets have none within."""
_GIVING_WAY = frozenset({161, 443, 546, 547})
"""Those of them where tshark goes on to the other port when the payload is of something else."""
_FIRST_WITHOUT_TUNNELS = 32768
"""Clients have ports from here, and no tunnel has."""
_FRAGMENTED = 0x3FFF
_ROUTER_ALERT = 0x94
_MOVING = frozenset({43, 60, 135})
"""IPv6 extension headers that may say other addresses."""
_U16 = struct.Struct(">H").unpack_from
_NONE = b""


class Unsure(Exception):
    """Only tshark can say what a packet counts for."""


def own_reader(asked: Asked) -> OwnReader | None:
    """Return what answers a question without tshark; None when nothing does."""
    name, _, kind = asked.question.name.partition(":")
    if asked.filter or name not in ("conversations", "endpoints") or kind not in _KINDS:
        return None
    return OwnReader(kind, endpoints=name == "endpoints")


class OwnReader(ConversationReader):
    """Takes a classic pcap file piece by piece.

    Args:
        kind: ``eth``, ``ip`` or ``ipv6``.
        endpoints: Answer with endpoints instead.
    """

    def __init__(self, kind: str, *, endpoints: bool = False) -> None:
        super().__init__(kind, endpoints=endpoints)
        self.notes.append("counted from the packets' headers, without tshark")
        self.unsure = False
        """Whether tshark is to be asked."""
        self._wanted = _KINDS[kind]
        self._header: FileHeader | None = None
        self._ends: Callable[[bytes, int, int], bytes] = _ethernet_ends
        self._flows: dict[bytes, list[int]] = {}
        """Packets, bytes, and the times of the first and the last by source and destination, as in the packet."""
        self._begin: int | None = None
        """Of the first packet, in units of the file."""
        self._left = b""

    @property
    def cut_short(self) -> bool:
        """Whether the file ended within a packet."""
        return bool(self._left)

    def take(self, piece: bytes) -> None:
        """Take the next bytes of the file, cut anywhere."""
        if self.unsure:
            return
        try:
            self._left = self._count_records(self._left + piece)
            self.unsure = len(self._flows) > MOST_PAIRS
        except (Unsure, InvalidInput, struct.error, IndexError):
            self.unsure = True
        self.enough = self.unsure

    def _count_records(self, data: bytes) -> bytes:
        """Count the whole records, and return what follows them."""
        at = 0
        if self._header is None:
            if len(data) < FILE_HEADER_SIZE:
                return data
            self._begin_with(read_header(data))
            at = FILE_HEADER_SIZE
        header, flows, ends_of = self._header, self._flows, self._ends
        assert header is not None
        record, largest = header.record.unpack_from, header.largest_record
        second = 10**9 if header.nanoseconds else 10**6
        last = len(data) - RECORD_HEADER_SIZE
        while at <= last:
            seconds, fraction, captured, length = record(data, at)
            start, after = at + RECORD_HEADER_SIZE, at + RECORD_HEADER_SIZE + captured
            if captured > min(length, largest) or fraction >= second:
                raise Unsure
            if after > len(data):
                break
            moment = seconds * second + fraction
            if self._begin is None:
                self._begin = moment
            if ends := ends_of(data, start, after):
                counts = flows.get(ends)
                if counts is None:
                    flows[ends] = [1, length, moment, moment]
                else:
                    counts[0] += 1
                    counts[1] += length
                    if moment > counts[3]:
                        counts[3] = moment
            at = after
        return data[at:]

    def _begin_with(self, header: FileHeader) -> None:
        if header.linktype not in _LINKS or (self._wanted == 0 and header.linktype != link_layers.ETHERNET):
            raise Unsure
        self._header = header
        if self._wanted:
            self._ends = _IpEnds(self._wanted, header.linktype).of

    def answer(self) -> Analysis:
        """Return what tshark would say."""
        begin, second = self._begin or 0, 10**9 if self._header and self._header.nanoseconds else 10**6
        for ends, (packets, size, first, last) in self._flows.items():
            half = len(ends) // 2
            here, there = (ends[half:], ends[:half]) if self._wanted == 0 else (ends[:half], ends[half:])
            moments = (first - begin) / second, (last - begin) / second
            self.add(_text(here), _text(there), packets, size, moments)
        self._flows.clear()
        return super().answer()


def _ethernet_ends(data: bytes, at: int, end: int) -> bytes:
    if end - at < 14 or data[at : at + 5] in _ISL:
        raise Unsure
    return data[at : at + 12]


class _IpEnds:
    """Finds the addresses of the outermost IP packet.

    Args:
        wanted: Ethertype of the IP version.
        linktype: Of the packets.
    """

    def __init__(self, wanted: int, linktype: int) -> None:
        self._wanted, self._linktype = wanted, linktype
        self._kind, self._network = LAYOUTS[linktype]

    def of(self, data: bytes, at: int, end: int) -> bytes:
        """Return the source and the destination; nothing when the packet has no such packet within."""
        network = at + self._network
        if self._kind < 0:
            kind = IP6 if data[at] >> 4 == 6 else IP4
        else:
            if network > end:
                raise Unsure
            kind = _U16(data, at + self._kind)[0]
            self._check_link(data, at)
        while kind in VLAN_TAGS and network + 4 <= end:
            kind, network = _U16(data, network + 2)[0], network + 4
        if kind not in (IP4, IP6):
            if kind in _NO_TUNNELS or (kind < 0x600 and data[network : network + 2] == _SPANNING_TREE):
                return _NONE
            raise Unsure
        ends = (_ip4 if kind == IP4 else _ip6)(data, network, end, tunnels=kind != self._wanted)
        return ends if kind == self._wanted else _NONE

    def _check_link(self, data: bytes, at: int) -> None:
        if self._linktype == link_layers.ETHERNET:
            odd = data[at : at + 5] in _ISL
        else:
            hardware = at + (2 if self._linktype == link_layers.LINUX_SLL else 8)
            odd = _U16(data, hardware)[0] not in _COOKED_LIKE_ETHERNET
        if odd:
            raise Unsure


def _ip4(data: bytes, at: int, end: int, *, tunnels: bool) -> bytes:
    """Return both addresses of an IPv4 packet; Unsure when it is damaged or, if that matters, may be a tunnel."""
    if end - at < 20:
        raise Unsure
    first, header = data[at], (data[at] & 0x0F) * 4
    plain = first == 0x45 or (first == 0x46 and end - at >= 24 and data[at + 20] == _ROUTER_ALERT)
    if not plain or _U16(data, at + 2)[0] < header:
        raise Unsure
    if tunnels:
        if _U16(data, at + 6)[0] & _FRAGMENTED:
            raise Unsure
        _require_plain(data[at + 9], data, at + header, end)
    return data[at + 12 : at + 20]


def _ip6(data: bytes, at: int, end: int, *, tunnels: bool) -> bytes:
    """Return both addresses of an IPv6 packet; raises as :func:`_ip4`."""
    if end - at < 40 or data[at] >> 4 != 6 or not _U16(data, at + 4)[0]:
        raise Unsure
    protocol, after = data[at + 6], at + 40
    if protocol == 0:  # options for each hop, as group memberships have
        if end - after < 8:
            raise Unsure
        protocol, after = data[after], after + 8 + 8 * data[after + 1]
    if protocol in _MOVING:
        raise Unsure
    if tunnels:
        _require_plain(protocol, data, after, end)
    return data[at + 8 : at + 40]


def _require_plain(protocol: int, data: bytes, at: int, end: int) -> None:
    """Raise Unsure unless what an IP packet carries has surely no other one within."""
    if protocol == _IGMP:
        return
    if protocol in _ERRORS and end > at and data[at] not in _ERRORS[protocol]:
        return
    if end - at < 8:
        raise Unsure
    lower, upper = sorted(struct.unpack_from(">HH", data, at))
    if protocol == _UDP:
        plain = lower in _PLAIN_UDP
        if lower in _GIVING_WAY:
            plain = upper in _PLAIN_UDP or upper >= _FIRST_WITHOUT_TUNNELS
    else:
        plain = protocol == _TCP and lower in _PLAIN_TCP
    if not plain:
        raise Unsure


def _text(address: bytes) -> bytes:
    if len(address) == 6:
        return address.hex(":").encode()
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address).encode()
