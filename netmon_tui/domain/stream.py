"""A conversation put together: what each side sent, in the order of the capture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

FollowProtocol = Literal["tcp", "udp", "tls", "http"]
FOLLOWED: tuple[FollowProtocol, ...] = ("tcp", "udp", "tls", "http")
CLIENT, SERVER = 0, 1
"""The sides of a stream: who sent the first packet, and the other."""
MARKS = (">", "<")
"""In front of what client and server sent."""
LARGEST_STREAM = 32 << 20
"""Bytes of both sides that are kept."""
_HEX_WIDTH = 16


@dataclass(frozen=True, slots=True)
class Follow:
    """A request to put a stream together."""

    protocol: FollowProtocol
    """As what it is followed; ``tls`` and ``http`` number streams as TCP does."""
    number: int
    """As ``tcp.stream`` or ``udp.stream`` says."""
    keys: Path | None = None
    """File with TLS keys, in the format of SSLKEYLOGFILE, in place of those that are kept with the capture."""
    since: str = ""
    """Name of the file from whose first packet streams were numbered; empty when that is not known."""


class PacketPlace(NamedTuple):
    """A packet whose stream is meant."""

    number: int
    """From 1, in its file."""
    file: str = ""
    """Name of one of several files; empty when there is one."""


@dataclass(frozen=True, slots=True)
class StreamPart:
    """What one side sent at once."""

    side: int
    """``CLIENT`` or ``SERVER``."""
    packet: int
    """Number of the packet that ended it."""
    time: float
    """POSIX time of that packet."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Stream:
    """A conversation put together."""

    peers: tuple[str, str]
    """Address and port of client and server; empty when the capture has no such stream."""
    parts: tuple[StreamPart, ...]
    cut: bool = False
    """Whether it goes on after what is here."""

    def side(self, side: int | None) -> tuple[StreamPart, ...]:
        """Return the parts of one side; of both when None."""
        return self.parts if side is None else tuple(part for part in self.parts if part.side == side)


def marked_lines(part: StreamPart, *, as_bytes: bool) -> Iterator[str]:
    """Yield what was sent as lines behind the mark of its side, raw: text, or bytes as hexadecimal numbers."""
    for line in _byte_lines(part.data) if as_bytes else _text_lines(part.data):
        yield f"{MARKS[part.side]} {line}"


def _text_lines(data: bytes) -> Iterator[str]:
    lines = data.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
    return (line.decode("utf-8", "backslashreplace") for line in lines)


def _byte_lines(data: bytes) -> Iterator[str]:
    for start in range(0, len(data), _HEX_WIDTH):
        piece = data[start : start + _HEX_WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        yield f"{start:06x}  {piece.hex(' '):<{3 * _HEX_WIDTH}} {text}"
