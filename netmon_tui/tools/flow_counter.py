"""Counts the packets of a piece of a capture file by flow: the loop that runs once for every packet.

0.7 us each where IP follows the link layer at its usual place and its header has no options; anything else takes
``packet_flow``, which is five times slower.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import NamedTuple

from netmon_tui.tools.packet_flow import LAYOUTS, LONGEST_HEADERS, PORTED, Flow, Layout, flow_of
from netmon_tui.tools.packet_tunnels import IP4, IP6
from netmon_tui.tools.pcap import RECORD_HEADER_SIZE, FileHeader

NEEDED = RECORD_HEADER_SIZE + LONGEST_HEADERS
"""Bytes from the beginning of a record that are looked at."""
_V4_LEAST, _V6_LEAST = 24, 44
"""Bytes of an IP header without options and of the ports behind it."""
_Counts = dict[bytes, list[int]]
_NOWHERE = Layout(-1, 0)


class Counted(NamedTuple):
    """What one call has counted."""

    end: int
    """Offset in the piece after the last whole record."""
    damage: str
    """Why the next record cannot be one; empty otherwise."""


class FlowCounter:
    """Packets and bytes by flow, and packets by length, until somebody takes them.

    Args:
        header: Of the file.
    """

    def __init__(self, header: FileHeader) -> None:
        self._header = header
        kind, network = LAYOUTS.get(header.linktype, _NOWHERE)
        self._network = network
        # captured, length, ethertype, version; then of IPv4: fragment, protocol, both ends; of IPv6: next, ends
        order, start = header.byte_order, RECORD_HEADER_SIZE + network
        to_kind, kind_size = max(kind, 0), 2 if kind >= 0 else 0
        gap = network - to_kind - kind_size
        self._head = struct.Struct(f"{order}8xII{to_kind}x{kind_size}s{gap}xB5xHxB2x12s").unpack_from
        self._six = struct.Struct(f"{start + 6}xBx36s").unpack_from
        self._offset_mask = 0xFF1F if order == "<" else 0x1FFF
        self._kinds = tuple(struct.pack(">H", one)[:kind_size] for one in (IP4, IP6))
        self._ported: dict[int, _Counts] = {number: {} for number in PORTED}
        self._others: dict[Flow, list[int]] = {}
        self._lengths: list[int] = []

    def __len__(self) -> int:
        """How many flows there are to take."""
        return len(self._others) + sum(map(len, self._ported.values()))

    def count(self, piece: bytes, start: int, room: int) -> Counted:
        """Count the records that begin in a piece of the file.

        Args:
            piece: The bytes; all that is looked at of a record must be in it, so it is followed by
                :data:`NEEDED` bytes that no record begins in: of the file, or zeros at its end.
            start: Offset in the piece of the first record.
            room: How many bytes the file has from the beginning of the piece: no record reaches beyond.

        Returns:
            How far it came.
        """
        head, six, (v4, v6), mask = self._head, self._six, self._kinds, self._offset_mask
        least4, least6 = self._network + _V4_LEAST, self._network + _V6_LEAST
        ported, others, note = self._ported.get, self._others, self._lengths.append
        at, last, largest = (
            start,
            min(len(piece) - NEEDED, room - RECORD_HEADER_SIZE),
            self._header.largest_record,
        )
        while at <= last:
            captured, length, kind, version, fragment, protocol, ends = head(piece, at)
            after = at + RECORD_HEADER_SIZE + captured
            if after > room or captured > largest:
                damage = f"a packet of {captured} bytes is not possible" if captured > largest else ""
                return Counted(at, damage)
            flows = None
            if kind == v4 and version == 0x45:
                if captured >= least4 and not fragment & mask:
                    flows = ported(protocol)
            elif kind == v6 and version >> 4 == 6 and captured >= least6:
                protocol, ends = six(piece, at)
                flows = ported(protocol)
            if flows is None:
                begin = at + RECORD_HEADER_SIZE
                flow = flow_of(piece[begin : min(after, begin + LONGEST_HEADERS)], self._header.linktype)
                known = others.get(flow)
                if known is None:
                    known = others[flow] = [0, 0]
            else:
                known = flows.get(ends)
                if known is None:
                    known = flows[ends] = [0, 0]
            known[0] += 1
            known[1] += length
            note(length)
            at = after
        return Counted(at, "")

    def take(self) -> tuple[dict[Flow, list[int]], Counter[int]]:
        """Return packets and bytes of each flow and packets of each length, and begin anew."""
        flows: dict[Flow, list[int]] = {}
        for number, counts in self._ported.items():
            flows.update(((number, ends), count) for ends, count in counts.items())
            self._ported[number] = {}
        for flow, count in self._others.items():  # with a tag or options now, without them before
            known = flows.setdefault(flow, count)
            if known is not count:
                known[0] += count[0]
                known[1] += count[1]
        lengths = Counter(self._lengths)
        self._others, self._lengths = {}, []
        return flows, lengths
