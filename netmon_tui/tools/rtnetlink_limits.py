"""The kernel's limits of its neighbour tables (``ip ntable``): the request as bytes, the answer as values.

Layouts are those of ``linux/neighbour.h``. The limits are the whole machine's: the tables of all network
namespaces share them, and so the number of entries is of all of them too. Answered to everybody, also in
namespaces that have no ``net.ipv4.neigh.default.gc_thresh3`` among their sysctls.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from struct import Struct

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import NeighbourLimits
from netmon_tui.tools.rtnetlink_messages import HEADER, broken, dump_request, read_attributes

_ERROR, _DONE = 2, 3
_NEWNEIGHTBL, _GETNEIGHTBL = 64, 66
_NDTA_THRESH1, _NDTA_THRESH2, _NDTA_THRESH3, _NDTA_CONFIG, _NDTA_STATS = 2, 3, 4, 5, 7
_TABLE = Struct("=Bxxx")
"""struct ndtmsg: family."""
_NUMBER = Struct("=I")
_ERRNO = Struct("=i")
_ENTRIES = Struct("=4xI")
"""The beginning of struct ndt_config: key length, entry size, entries."""
_REFUSED = Struct("=80xQ")
"""ndts_table_fulls, the last of the eleven counters of struct ndt_stats."""
_FAMILIES = {int(socket.AF_INET): Family.IPV4, int(socket.AF_INET6): Family.IPV6}


@dataclass(slots=True)
class LimitsAnswer:
    """What the datagrams so far said."""

    found: list[NeighbourLimits] = field(default_factory=list)
    done: bool = False
    error: int = 0
    """errno with which the kernel refused; 0 for none."""


def limits_request(sequence: int) -> bytes:
    """Return the request to list all tables."""
    return dump_request(_GETNEIGHTBL, sequence, _TABLE.pack(0))


def read_limits(answer: LimitsAnswer, datagram: bytes) -> None:
    """Add what a datagram says to the answer; messages about single interfaces are passed over.

    Raises:
        InvalidInput: the datagram is cut or its lengths contradict each other.
    """
    offset, end = 0, len(datagram)
    while offset < end:
        if end - offset < HEADER.size:
            raise broken(offset)
        length, kind, _, _, _ = HEADER.unpack_from(datagram, offset)
        body = offset + HEADER.size
        if length < HEADER.size + _ERRNO.size or offset + length > end:
            raise broken(offset)
        if kind == _NEWNEIGHTBL:
            family = _FAMILIES.get(datagram[body])
            found = read_attributes(datagram, body + _TABLE.size, offset + length)
            if family is not None and _is_whole(found):
                answer.found.append(_limits(family, found))
        elif kind in (_ERROR, _DONE):
            answer.done = True
            answer.error = answer.error or -_ERRNO.unpack_from(datagram, body)[0]
        offset += (length + 3) & ~3


def _is_whole(found: Mapping[int, bytes]) -> bool:
    """Whether a message is about a whole table: those about an interface's share carry no limits."""
    sizes = {
        _NDTA_THRESH1: _NUMBER.size,
        _NDTA_THRESH2: _NUMBER.size,
        _NDTA_THRESH3: _NUMBER.size,
        _NDTA_CONFIG: _ENTRIES.size,
        _NDTA_STATS: _REFUSED.size,
    }
    return all(len(found.get(kind, b"")) >= size for kind, size in sizes.items())


def _limits(family: Family, found: Mapping[int, bytes]) -> NeighbourLimits:
    idle, soft, hard = (
        _NUMBER.unpack_from(found[kind])[0] for kind in (_NDTA_THRESH1, _NDTA_THRESH2, _NDTA_THRESH3)
    )
    entries = _ENTRIES.unpack_from(found[_NDTA_CONFIG])[0]
    return NeighbourLimits(family, entries, idle, soft, hard, _REFUSED.unpack_from(found[_NDTA_STATS])[0])
