"""Packets for others: addresses replaced in every header that is understood, checksums mended, the rest cut away.

What is not understood (options of IP, a protocol without a decoder here) is not kept, because it may tell an
address; only when the payload is asked for are such bytes left as they are. Checksums are changed by the
difference, RFC 1624, so that right ones stay right and wrong ones wrong, also where the payload is cut.
"""

from __future__ import annotations

from collections.abc import Iterator

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.address_mapping import AddressMapping
from netmon_tui.tools.link_layers import LINUX_SLL, LINUX_SLL2, link_type_name
from netmon_tui.tools.packet_parts import (
    ARP,
    IPV4,
    IPV6,
    KNOWN_LINK_TYPES,
    TCP,
    UDP,
    link_part,
    number,
    skip_extensions,
)
from netmon_tui.tools.pcap import RawPacket

_ICMP, _ICMP6, _SCTP = 1, 58, 132
_TUNNELS = {4: IPV4, 41: IPV6}
_DEEPEST = 6
"""IP within IP or within ICMP that is followed."""
_QUOTING = frozenset({3, 4, 5, 11, 12})
"""Types of ICMP that carry the beginning of a packet."""
_QUOTING6 = frozenset({1, 2, 3, 4})
_CHECKSUM_AT = {TCP: 16, UDP: 6, _ICMP: 2, _ICMP6: 2}
_NOTHING, _PAD = b"\1", b"\0"
_FRAGMENT, _WITH_OPTIONS = 44, frozenset({0, 60})
_ROUTER_ALERT = b"\5\2"
_COOKED_ADDRESS = {LINUX_SLL: 6, LINUX_SLL2: 12}
"""Where eight bytes for a link address of any kind begin."""


def check_maskable(linktype: int) -> None:
    """Refuse a link type in whose packets the addresses cannot be found, with InvalidInput."""
    if linktype not in KNOWN_LINK_TYPES:
        raise InvalidInput(
            f"captures of link type {link_type_name(linktype)} cannot be anonymised",
            why="where their addresses stand is not known",
        )


class PacketMask:
    """Masks the packets of one file.

    Args:
        linktype: LINKTYPE number, one that :func:`check_maskable` accepts.
        mapping: What stands for which address.
        keep_payload: Leave what is not understood as it is.
    """

    def __init__(self, linktype: int, mapping: AddressMapping, *, keep_payload: bool = False) -> None:
        self._linktype = linktype
        self._mapping = mapping
        self._keep_payload = keep_payload

    def mask(self, packets: Iterator[RawPacket]) -> Iterator[RawPacket]:
        """Yield the packets with other addresses; the length on the wire stays."""
        for raw in packets:
            data = bytearray(raw.data)
            end = self._link(data)
            yield raw._replace(data=bytes(data if self._keep_payload else data[:end]))

    def _link(self, data: bytearray) -> int:
        """Mask a packet in place; return where what is understood ends."""
        link = link_part(data, self._linktype)
        if link is None:
            data.clear()  # half a link header: half an address
            return 0
        if (cooked := _COOKED_ADDRESS.get(self._linktype)) is not None:
            kept = 6 if link.macs else 0  # an address of another kind is not understood
            data[cooked + kept : cooked + 8] = bytes(8 - kept)
        for at in link.macs:
            self._put(data, at, 6)
        if link.kind == ARP:
            return self._arp(data, link.at)
        return self._ip(data, link.kind, link.at, 0)

    def _put(self, data: bytearray, at: int, size: int) -> None:
        data[at : at + size] = self._mapping.replace(bytes(data[at : at + size]))

    def _arp(self, data: bytearray, at: int) -> int:
        if data[at + 4 : at + 6] != b"\6\4" or at + 28 > len(data):
            return self._half(data, at)
        for place, size in ((8, 6), (14, 4), (18, 6), (24, 4)):
            self._put(data, at + place, size)
        return at + 28

    def _half(self, data: bytearray, at: int) -> int:
        """Cut off, whatever is asked for, a header that is there in part: part of an address is in it."""
        del data[at:]
        return at

    def _ip(self, data: bytearray, kind: int, at: int, depth: int) -> int:
        if kind == IPV4:
            return self._ip4(data, at, depth)
        return self._ip6(data, at, depth) if kind == IPV6 else at

    def _ip4(self, data: bytearray, at: int, depth: int) -> int:
        header = (data[at] & 0x0F) * 4 if at < len(data) else 0
        if header < 20 or at + header > len(data) or data[at] >> 4 != 4:
            return self._half(data, at)
        before = bytes(data[at : at + header])
        self._put(data, at + 12, 4)
        self._put(data, at + 16, 4)
        data[at + 20 : at + header] = _NOTHING * (header - 20)
        _mend(data, at + 10, before, bytes(data[at : at + header]))
        if number(data, at + 6) & 0x1FFF:
            return at + header
        addresses = before[12:20], bytes(data[at + 12 : at + 20])
        return self._transport(data, data[at + 9], at + header, addresses, depth)

    def _ip6(self, data: bytearray, at: int, depth: int) -> int:
        if at + 40 > len(data) or data[at] >> 4 != 6:
            return self._half(data, at)
        before = bytes(data[at + 8 : at + 40])
        self._put(data, at + 8, 16)
        self._put(data, at + 24, 16)
        addresses = before, bytes(data[at + 8 : at + 40])
        protocol, behind, inside = skip_extensions(data, at + 40, data[at + 6])
        if behind > len(data):
            return self._half(data, at + 40)
        self._clear_extensions(data, at + 40, behind, data[at + 6])
        return behind if inside else self._transport(data, protocol, behind, addresses, depth)

    def _clear_extensions(self, data: bytearray, at: int, behind: int, protocol: int) -> None:
        """Empty the extension headers, which may tell addresses, but for what makes them what they are."""
        while at + 8 <= behind:
            kind, protocol, size = protocol, data[at], 8 if protocol == _FRAGMENT else 8 + data[at + 1] * 8
            if kind in _WITH_OPTIONS:
                start = at + 6 if data[at + 2 : at + 4] == _ROUTER_ALERT else at + 2
                data[start : at + size] = bytes((1, at + size - start - 2)) + bytes(at + size - start - 2)
            elif kind != _FRAGMENT:
                data[at + 4 : at + size] = bytes(size - 4)
            at += size

    def _transport(
        self, data: bytearray, protocol: int, at: int, addresses: tuple[bytes, bytes], depth: int
    ) -> int:
        if protocol in _TUNNELS and depth < _DEEPEST:
            return self._ip(data, _TUNNELS[protocol], at, depth + 1)
        before = bytes(data[at:])
        if protocol == TCP:
            end = self._tcp(data, at)
        elif protocol == UDP:
            end = min(at + 8, len(data))
        elif protocol == _SCTP:
            return min(at + 12, len(data))
        elif protocol == _ICMP:
            end, addresses = self._icmp(data, at, depth), (b"", b"")
        elif protocol == _ICMP6:
            end = self._icmp6(data, at, depth)
        else:
            return at
        place = at + _CHECKSUM_AT[protocol]
        unused = protocol == UDP and not number(data, place)
        if place + 2 <= len(data) and not unused:
            changed = before[: end - at], bytes(data[at:end])
            _mend(data, place, addresses[0] + changed[0][: len(changed[1])], addresses[1] + changed[1])
            if protocol == UDP and not number(data, place):
                data[place : place + 2] = b"\xff\xff"  # 0 says that there is none
        return end

    def _tcp(self, data: bytearray, at: int) -> int:
        """Return where the header ends; MPTCP's options, which may tell addresses, are made nothing."""
        size = (data[at + 12] >> 4) * 4 if at + 13 <= len(data) else 20
        end, place = min(at + max(size, 20), len(data)), at + 20
        while place + 1 < end and data[place]:
            if data[place] == 1:
                place += 1
                continue
            length = max(data[place + 1], 2)
            if data[place] == 30:
                stop = min(place + length, end)
                data[place:stop] = _NOTHING * (stop - place)
            place += length
        return end

    def _icmp(self, data: bytearray, at: int, depth: int) -> int:
        kind, end = data[at] if at < len(data) else 0, min(at + 8, len(data))
        if kind == 5:
            if at + 8 > len(data):
                return self._half(data, at)
            self._put(data, at + 4, 4)
        if kind in _QUOTING and depth < _DEEPEST:
            return self._ip4(data, at + 8, depth + 1) if at + 8 < len(data) else end
        return end

    def _icmp6(self, data: bytearray, at: int, depth: int) -> int:
        kind, end = data[at] if at < len(data) else 0, min(at + 8, len(data))
        if kind in _QUOTING6 and depth < _DEEPEST:
            return self._ip6(data, at + 8, depth + 1) if at + 8 < len(data) else end
        targets = {130: 1, 131: 1, 132: 1, 135: 1, 136: 1, 137: 2}.get(kind, 0)
        options_at = at + {133: 8, 134: 16}.get(kind, 8 + 16 * targets)
        for target in range(targets):
            if at + 24 + 16 * target > len(data):
                return self._half(data, at + 8 + 16 * target)
            self._put(data, at + 8 + 16 * target, 16)
        return self._options(data, options_at) if 133 <= kind <= 137 else (options_at if targets else end)

    def _options(self, data: bytearray, at: int) -> int:
        """Mask the options of neighbour discovery; those that are not understood are emptied. RFC 4861, 8106."""
        while at + 8 <= len(data) and (size := data[at + 1] * 8):
            if at + size > len(data):
                break
            kind = data[at]
            if kind in (1, 2):
                self._put(data, at + 2, 6)
            elif kind == 3 and size == 32:
                self._prefix(data, at)
            elif kind == 25:
                for place in range(at + 8, at + size - 15, 16):
                    self._put(data, place, 16)
            elif kind != 5:
                data[at + 2 : at + size] = _PAD * (size - 2)
            at += size
        return at if at >= len(data) else self._half(data, at)

    def _prefix(self, data: bytearray, at: int) -> None:
        length = min(data[at + 2], 128)
        self._put(data, at + 16, 16)
        mask = ((1 << length) - 1) << (128 - length)
        masked = int.from_bytes(data[at + 16 : at + 32], "big") & mask
        data[at + 16 : at + 32] = masked.to_bytes(16, "big")


def _mend(data: bytearray, at: int, before: bytes, after: bytes) -> None:
    """Change a checksum by the difference of what it covers; both begin at an even place of that."""
    total = (~number(data, at) & 0xFFFF) + (~_sum(before) & 0xFFFF) + _sum(after)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    data[at : at + 2] = (~total & 0xFFFF).to_bytes(2, "big")


def _sum(data: bytes) -> int:
    """Return the one's complement sum of 16-bit words, RFC 1071: their sum modulo 65,535."""
    padded = data if len(data) % 2 == 0 else data + b"\0"
    return int.from_bytes(padded, "big") % 0xFFFF
