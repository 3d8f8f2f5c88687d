"""rtnetlink messages that change neighbour entries, and the kernel's word on each.

Layouts are those of ``linux/netlink.h`` and ``linux/neighbour.h``; the flags of each verb are those that
iproute2's ``ip neigh`` sends (ipneigh.c), so that both do the same.
"""

from __future__ import annotations

import socket
from struct import Struct
from typing import NamedTuple

from netmon_tui.domain.neighbour import NudState
from netmon_tui.domain.neighbour_edit import TableWrite, Verb
from netmon_tui.tools.rtnetlink_messages import attribute, message, read_attributes

_ERROR = 2
_NEWNEIGH, _DELNEIGH = 28, 29
_REQUEST, _ACKNOWLEDGE = 0x1, 0x4
_REPLACE, _EXCLUSIVE, _CREATE = 0x100, 0x200, 0x400
_CAPPED, _WORDS_FOLLOW = 0x100, 0x200
"""NLM_F_CAPPED, NLM_F_ACK_TLVS: the answer does not repeat the request; attributes follow."""
_NDA_DST, _NDA_LLADDR = 1, 2
_NTF_ROUTER = 0x80
_WORDS = 1
"""NLMSGERR_ATTR_MSG."""
_KINDS = {
    Verb.ADD: (_NEWNEIGH, _CREATE | _EXCLUSIVE),
    Verb.REPLACE: (_NEWNEIGH, _CREATE | _REPLACE),
    Verb.DELETE: (_DELNEIGH, 0),
}
_NUD = {
    NudState.REACHABLE: 0x02,
    NudState.STALE: 0x04,
    NudState.DELAY: 0x08,
    NudState.PROBE: 0x10,
    NudState.NOARP: 0x40,
    NudState.PERMANENT: 0x80,
}

_HEADER = Struct("=IHHII")
_NEIGHBOUR = Struct("=BxxxiHBB")
_ERRNO = Struct("=i")


class Answer(NamedTuple):
    """What the kernel says to one request."""

    sequence: int
    errno: int
    """0 when it was done."""
    words: str
    """More about an error; empty when the kernel has no more to say."""


def write_request(write: TableWrite, ifindex: int, sequence: int) -> bytes:
    """Return the request for one change, to be acknowledged."""
    verb, entry = write
    kind, flags = _KINDS[verb]
    number = socket.AF_INET6 if ":" in entry.address else socket.AF_INET
    address = attribute(_NDA_DST, socket.inet_pton(number, entry.address))
    if verb is Verb.DELETE:
        body = _NEIGHBOUR.pack(number, ifindex, 0, 0, 0) + address
    else:
        router = _NTF_ROUTER if entry.router else 0
        lladdr = attribute(_NDA_LLADDR, bytes.fromhex(entry.lladdr.replace(":", "")))
        body = _NEIGHBOUR.pack(number, ifindex, _NUD[entry.state], router, 0) + address + lladdr
    return message(kind, _REQUEST | _ACKNOWLEDGE | flags, sequence, body)


def read_answer(datagram: bytes) -> Answer | None:
    """Return the acknowledgement or error in a datagram, or None for a message of another kind.

    Raises:
        InvalidInput: the datagram is cut.
    """
    if len(datagram) < _HEADER.size + _ERRNO.size:
        return None
    length, kind, flags, sequence, _ = _HEADER.unpack_from(datagram)
    if kind != _ERROR:
        return None
    (code,) = _ERRNO.unpack_from(datagram, _HEADER.size)
    words = b""
    if flags & _WORDS_FOLLOW:
        repeated = _HEADER.size + _ERRNO.size
        (whole,) = Struct("=I").unpack_from(datagram, repeated)
        begin = repeated + (_HEADER.size if flags & _CAPPED else (whole + 3) & ~3)
        words = read_attributes(datagram, begin, min(length, len(datagram))).get(_WORDS, b"")
    return Answer(sequence, -int(code), words.rstrip(b"\0").decode("utf-8", "backslashreplace"))
