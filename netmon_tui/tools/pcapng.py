"""pcapng files: packets out of them block by block, and how a simple one is written.

Format: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/. Every byte is hostile: what is read stops at the
first damage, which is told, and never takes more memory than one block of a packet.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netmon_tui.domain.packet_place import NANOSECONDS
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.link_layers import largest_packet
from netmon_tui.tools.pcap import FileHeader, RawPacket

MAGIC = b"\x0a\x0d\x0d\x0a"
INTERFACE, PACKET, STATISTICS = 1, 6, 5
"""Kinds of blocks: an interface description, an enhanced packet, what an interface counted."""
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, INTERFACE, 2, 3, PACKET
_SECRETS = 10
_BYTE_ORDER = 0x1A2B3C4D
_COMMENT = 1
_TLS_KEY_LOG = 0x544C534B
_IF_NAME, _IF_RESOLUTION, _IF_OFFSET = 2, 9, 14
_LOSSES = (5, 7)
"""Options of statistics: isb_ifdrop, by the interface; isb_osdrop, by the kernel."""
_LARGEST_LINKTYPE = 0xFFFF
_MOST_INTERFACES = 65_536
"""Of a section; more are damage."""
_LARGEST_DESCRIPTION = 1 << 20
"""Bytes of a section's or an interface's block."""
_ROOM_FOR_OPTIONS = 1 << 20
"""Bytes that the comments of a packet may have, beside its own."""
_LARGEST_SECRETS = 16 << 20
"""Bytes of all keys together."""
_DEFAULT_RESOLUTION = (1000, 1)
_LATEST = 0xFFFF_FFFF * NANOSECONDS
"""Nanoseconds: the last second that classic pcap can tell."""


class NgInterface(NamedTuple):
    """An interface of a section."""

    linktype: int
    name: str
    """As the file has it: not to be trusted."""
    snaplen: int
    """Bytes; 0 for no limit."""
    resolution: tuple[int, int] = _DEFAULT_RESOLUTION
    """A unit of its clock in nanoseconds, as a fraction."""
    offset: int = 0
    """Nanoseconds that are added to its times."""


class _Damage(Exception):
    """What is wrong, in words that follow "the block at byte N"."""


class _Stream:
    """Pieces of a file as one run of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._chunk = b""
        self._at = 0
        self.offset = 0
        """Bytes that were taken."""

    def take(self, count: int) -> bytes:
        """Return the next bytes; fewer at the end."""
        end = self._at + count
        if end > len(self._chunk):
            self._fill(count)
            end = min(count, len(self._chunk))
        taken = self._chunk[self._at : end]
        self._at = end
        self.offset += len(taken)
        return taken

    def _fill(self, count: int) -> None:
        parts = [self._chunk[self._at :]]
        there = len(parts[0])
        while there < count and (piece := next(self._pieces, b"")):
            parts.append(piece)
            there += len(piece)
        self._chunk, self._at = b"".join(parts), 0

    def skip(self, count: int) -> int:
        """Pass over bytes without keeping them; return how many there were."""
        passed = 0
        while passed < count and (piece := self.take(min(count - passed, 1 << 20))):
            passed += len(piece)
        return passed


class PcapngReader:
    """Reads one file, once.

    Args:
        pieces: The file, in pieces of any size.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._stream = _Stream(pieces)
        self._order = "<"
        self._interfaces: list[NgInterface] = []
        self._largest = 0
        """Bytes that a packet of any of them may have."""
        self._count = 0
        self._latest = 0
        self.names: dict[str, None] = {}
        """Names of all interfaces, in the order of the file."""
        self.comment = ""
        """Of the packet that was yielded last, as the file has it: not to be trusted."""
        self._secrets = 0
        """Bytes of all keys so far."""
        self.key_log: list[bytes] = []
        """Lines that decrypt TLS, as the file has them, in pieces."""
        self.other_secrets = 0
        """How many blocks of secrets were passed over: of another kind, or more than is taken."""
        self._dropped: dict[tuple[int, int], int] = {}
        """What an interface of this section has told last, by its number and the option."""
        self.dropped = 0
        """Packets that the interfaces say were lost while they were captured."""
        self.damage = ""
        """What is wrong and where, once the packets have been read; empty when nothing is."""

    def packets(self) -> Iterator[tuple[NgInterface, RawPacket]]:
        """Yield the packets in the order of the file, up to its end or to the first damage.

        A packet without a time of its own (a simple packet block) gets that of the packet before it.
        """
        at = 0
        try:
            while True:
                at = self._stream.offset
                head = self._stream.take(8)
                if not head:
                    return
                if (found := self._block(head)) is not None:
                    yield found
        except _Damage as error:
            self.damage = f"the block at byte {at} {error}"

    def beginning(self) -> tuple[str, tuple[NgInterface, ...], int]:
        """Return what :func:`read_beginning` does."""
        end = 0
        try:
            while len(head := self._stream.take(8)) == 8:
                if end and struct.unpack_from(f"{self._order}I", head)[0] != _INTERFACE:
                    break
                self._block(head)
                end = self._stream.offset
        except _Damage as error:
            self.damage = f"the block at byte {end} {error}"
        return self._order, tuple(self._interfaces), end

    def _block(self, head: bytes) -> tuple[NgInterface, RawPacket] | None:
        """Read the rest of a block, given its first 8 bytes."""
        if len(head) < 8:
            raise _Damage("is cut")
        if head[:4] == MAGIC:
            self._section(head)
            return None
        if self._stream.offset == 8:
            raise _Damage("is no section header")
        kind, size = struct.unpack(f"{self._order}II", head)
        if size < 12 or size % 4:
            raise _Damage(f"claims a size of {size} bytes")
        if kind in (_PACKET, _OLD_PACKET, _SIMPLE_PACKET):
            return self._packet(kind, size)
        if kind == _INTERFACE:
            self._describe(self._body(size, _LARGEST_DESCRIPTION))
        elif kind == _SECRETS and size <= _LARGEST_SECRETS:
            self._keep_secrets(self._body(size, _LARGEST_SECRETS))
        elif kind == STATISTICS and size <= _LARGEST_DESCRIPTION:
            self._note_losses(self._body(size, _LARGEST_DESCRIPTION))
        elif self._stream.skip(size - 8) < size - 8:
            raise _Damage("is cut")
        return None

    def _body(self, size: int, largest: int, *, taken: int = 8) -> bytes:
        """Return a block from behind what is taken of it up to its closing length."""
        if size > largest:
            raise _Damage(f"claims {size} bytes, more than the {largest} that are possible")
        body = self._stream.take(size - taken)
        if len(body) < size - taken:
            raise _Damage(f"is cut: only {len(body) + taken} of its {size} bytes are in the file")
        if struct.unpack_from(f"{self._order}I", body, len(body) - 4)[0] != size:
            raise _Damage("has another size at its end than at its beginning")
        return body[:-4]

    def _section(self, head: bytes) -> None:
        mark = self._stream.take(4)
        orders = {struct.pack(f"{order}I", _BYTE_ORDER): order for order in "<>"}
        if mark not in orders:
            raise _Damage("is cut" if len(mark) < 4 else "has no byte order")
        self._order = orders[mark]
        size = struct.unpack_from(f"{self._order}I", head, 4)[0]
        if size < 28 or size % 4:
            raise _Damage(f"claims a size of {size} bytes")
        body = self._body(size, _LARGEST_DESCRIPTION, taken=12)
        major = struct.unpack_from(f"{self._order}H", body)[0]
        if major != 1:
            raise _Damage(f"begins a section of version {major}")
        self._interfaces, self._largest, self._dropped = [], 0, {}

    def _describe(self, body: bytes) -> None:
        if len(body) < 8:
            raise _Damage("is too short for an interface")
        if len(self._interfaces) == _MOST_INTERFACES:
            raise _Damage(f"is of one interface more than {_MOST_INTERFACES}")
        linktype, _, snaplen = struct.unpack_from(f"{self._order}HHI", body)
        options = dict(self._options(body, 8))
        name = options.get(_IF_NAME, b"").rstrip(b"\0").decode("utf-8", "replace")
        resolution = (
            _resolution(options[_IF_RESOLUTION]) if options.get(_IF_RESOLUTION) else _DEFAULT_RESOLUTION
        )
        offset = options.get(_IF_OFFSET, b"")
        seconds = struct.unpack(f"{self._order}q", offset)[0] if len(offset) == 8 else 0
        self._interfaces.append(NgInterface(linktype, name, snaplen, resolution, seconds * NANOSECONDS))
        self._largest = max(self._largest, largest_packet(linktype))
        if name and len(self.names) < _MOST_INTERFACES:
            self.names[name] = None

    def _note_losses(self, body: bytes) -> None:
        """Add what was dropped since the interface told it last: it counts from its beginning on."""
        if len(body) < 12:
            return
        number = struct.unpack_from(f"{self._order}I", body)[0]
        for code, value in self._options(body, 12):
            if code in _LOSSES and len(value) == 8 and number < len(self._interfaces):
                total = struct.unpack(f"{self._order}Q", value)[0]
                self.dropped += total - self._dropped.get((number, code), 0)
                self._dropped[number, code] = total

    def _keep_secrets(self, body: bytes) -> None:
        if len(body) < 8:
            raise _Damage("is too short for secrets")
        kind, size = struct.unpack_from(f"{self._order}II", body)
        if kind != _TLS_KEY_LOG or self._secrets + size > _LARGEST_SECRETS:
            self.other_secrets += 1
        elif lines := body[8 : 8 + size].rstrip(b"\n"):
            self.key_log.append(lines + b"\n")
            self._secrets += len(lines) + 1

    def _options(self, body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        while at + 4 <= len(body):
            code, size = struct.unpack_from(f"{self._order}HH", body, at)
            if not code:
                return
            yield code, body[at + 4 : at + 4 + size]
            at += 4 + size + -size % 4

    def _packet(self, kind: int, size: int) -> tuple[NgInterface, RawPacket]:
        body = self._body(size, self._largest + _ROOM_FOR_OPTIONS)
        if kind == _SIMPLE_PACKET:
            return self._simple_packet(body)
        if len(body) < 20:
            raise _Damage("is too short for a packet")
        layout = "IIIII" if kind == _PACKET else "HxxIIII"
        number, high, low, captured, length = struct.unpack_from(self._order + layout, body)
        interface = self._interface(number)
        units, parts = interface.resolution
        time = (high << 32 | low) * units // parts + interface.offset
        self._latest = min(max(time, 0), _LATEST)
        raw = self._raw(interface, body, 20, captured, length)
        options = 20 + captured + -captured % 4
        self.comment = self._comment(body, options) if options < len(body) else ""
        return interface, raw

    def _comment(self, body: bytes, at: int) -> str:
        comments = (value for code, value in self._options(body, at) if code == _COMMENT)
        return " ".join(value.decode("utf-8", "replace") for value in comments)

    def _simple_packet(self, body: bytes) -> tuple[NgInterface, RawPacket]:
        if len(body) < 4:
            raise _Damage("is too short for a packet")
        self.comment = ""
        interface = self._interface(0)
        (length,) = struct.unpack_from(f"{self._order}I", body)
        captured = min(length, interface.snaplen or length, len(body) - 4)
        return interface, self._raw(interface, body, 4, captured, length)

    def _interface(self, number: int) -> NgInterface:
        if number >= len(self._interfaces):
            raise _Damage(f"speaks of interface {number}, which the file does not describe")
        return self._interfaces[number]

    def _raw(self, interface: NgInterface, body: bytes, at: int, captured: int, length: int) -> RawPacket:
        if captured > min(len(body) - at, largest_packet(interface.linktype)):
            raise _Damage(f"claims {captured} captured bytes, more than it has room for")
        self._count += 1
        return RawPacket(self._count, self._latest, length, body[at : at + captured])


def _resolution(option: bytes) -> tuple[int, int]:
    """Return the unit of a clock in nanoseconds as a fraction: a negative power of 10, or of 2 with the top bit."""
    exponent = option[0] & 0x7F
    if option[0] & 0x80:
        return NANOSECONDS, 1 << exponent
    return (10 ** (9 - exponent), 1) if exponent <= 9 else (1, 10 ** (exponent - 9))


def read_beginning(data: bytes) -> tuple[str, tuple[NgInterface, ...], int]:
    """Return byte order, interfaces and size of what comes before the packets, as far as it is there and whole."""
    return PcapngReader(iter((data,))).beginning()


def begin_section(header: FileHeader, names: Sequence[str] = ("",)) -> bytes:
    """Return the beginning of a file whose interfaces have link type, snaplen and clock of a pcap file, and names.

    Raises:
        InvalidInput: The link type, of a damaged file, is none that pcapng can tell.
    """
    if header.linktype > _LARGEST_LINKTYPE:
        raise InvalidInput(
            f"{header.linktype_name} is no link type of pcapng",
            why=f"they end at {_LARGEST_LINKTYPE}",
            fix="write classic pcap",
        )
    resolution = 9 if header.nanoseconds else 6
    option = struct.pack("<HHB3xI", _IF_RESOLUTION, 1, resolution, 0)
    section = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
    interface = struct.pack("<HHI", header.linktype, 0, header.snaplen)
    described = (_block(_INTERFACE, interface + _name(name) + option) for name in names)
    return _block(_SECTION, section) + b"".join(described)


def _name(name: str) -> bytes:
    data = name.encode()
    return struct.pack("<HH", _IF_NAME, len(data)) + data + bytes(-len(data) % 4) if name else b""


def pack_block(header: FileHeader, packet: RawPacket) -> bytes:
    """Return a packet as a block of a file that :func:`begin_section` began."""
    time = packet.nanoseconds if header.nanoseconds else packet.nanoseconds // 1000
    data = packet.data + bytes(-len(packet.data) % 4)
    fields = struct.pack(
        "<IIIII", packet.interface, time >> 32, time & 0xFFFF_FFFF, len(packet.data), packet.length
    )
    return _block(_PACKET, fields + data)


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)
