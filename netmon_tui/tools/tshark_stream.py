"""A stream put together by ``tshark -q -z follow,X,yaml,N``: what each side sent, with packet numbers and times.

Format as of tshark 4.0 (``ui/cli/tap-follow.c``): peers, then packets with their data in base64. Of TLS the first
peer is the one whose data could be decrypted first, which is the server in TLS 1.3, and the second has no address;
there the lines before say who sent the Client Hello, and to whom.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import replace

from netmon_tui.domain.stream import CLIENT, LARGEST_STREAM, SERVER, Follow, Stream, StreamPart
from netmon_tui.tools.tshark_lines import LineReader

_NUMBER_FIELDS = ("tcp.stream", "udp.stream")
_HOST = re.compile(rb"    host: (\S+)")
_PORT = re.compile(rb"    port: (\d+)")
_PACKET = re.compile(rb"  - packet: (\d+)")
_SIDE = re.compile(rb"    peer: ([01])")
_TIME = re.compile(rb"    timestamp: ([\d.]+)")
_HELLO = re.compile(rb"(\S+)\t(\d+)\t(\S+)\t(\d+)")
_BASE64 = re.compile(rb" {6}([A-Za-z0-9+/]+={0,2})")


class StreamReader(LineReader):
    """Takes a stream, up to :data:`LARGEST_STREAM`."""

    def __init__(self) -> None:
        super().__init__()
        self._hosts: list[bytes] = []
        self._ports: list[bytes] = []
        self._hello: tuple[str, str] | None = None
        self._parts: list[StreamPart] = []
        self._packet = self._side = 0
        self._time = 0.0
        self._data = bytearray()
        self._size = 0

    def _line(self, line: bytes) -> None:
        if match := _BASE64.fullmatch(line):
            self._take_data(match[1])
        elif match := _PACKET.fullmatch(line):
            self._end_part()
            self._packet = int(match[1])
        elif match := _SIDE.fullmatch(line):
            self._side = int(match[1])
        elif match := _TIME.fullmatch(line):
            self._time = float(match[1])
        elif match := _HOST.fullmatch(line):
            self._hosts.append(match[1])
        elif match := _PORT.fullmatch(line):
            self._ports.append(match[1])
        elif (match := _HELLO.fullmatch(line)) and self._hello is None:
            self._hello = (_peer(match[1], match[2]), _peer(match[3], match[4]))

    def _take_data(self, text: bytes) -> None:
        try:
            data = binascii.a2b_base64(text)
        except binascii.Error:
            return
        self._data += data
        self._size += len(data)
        self.enough = self._size >= LARGEST_STREAM

    def _end_part(self) -> None:
        if self._data:
            self._parts.append(StreamPart(self._side, self._packet, self._time, bytes(self._data)))
            self._data.clear()

    def stream(self) -> Stream:
        """Return what was taken; without peers when there is no such stream."""
        self._end_part()
        peers = [_peer(*pair) for pair in zip(self._hosts, self._ports, strict=False)][:2]
        parts = tuple(self._parts)
        if self._hello is None:
            peers += [""] * (2 - len(peers))
            return Stream((peers[0], peers[1]), parts, self.enough)
        if peers[:1] == [self._hello[SERVER]]:
            parts = tuple(replace(part, side=SERVER if part.side == CLIENT else CLIENT) for part in parts)
        return Stream(self._hello, parts, self.enough)


def _peer(host: bytes, port: bytes) -> str:
    name, number = host.decode("ascii", "replace"), port.decode()
    return f"[{name}]:{number}" if ":" in name else f"{name}:{number}"


def number_command(tshark: str, packet: int) -> tuple[str, ...]:
    """Return the command that tells the numbers of a packet's streams.

    Args:
        tshark: Absolute path.
        packet: Its number, from 1.
    """
    fields = (word for name in _NUMBER_FIELDS for word in ("-e", name))
    shown = ("-Y", f"frame.number == {packet}", "-T", "fields", "-E", "occurrence=f", *fields)
    return (tshark, "-n", "-l", "-r", "-", *shown)


class StreamNumberReader(LineReader):
    """Takes the first line of :func:`number_command`."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Follow | None = None
        """The stream; None when the packet belongs to none."""

    def _line(self, line: bytes) -> None:
        self.enough = True
        tcp, _, udp = line.strip(b"\r\n").partition(b"\t")
        if tcp.isdigit() or udp.isdigit():
            self.found = Follow("tcp", int(tcp)) if tcp.isdigit() else Follow("udp", int(udp))
