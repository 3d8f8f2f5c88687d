"""A capture file of exchanges whose counts are known: HTTP over TCP, one answer of it lost, UDP, hostile names."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

from netmon_tui.tools.pcap import RawPacket, make_header, pack_record

CLIENT, SERVER = "192.0.2.1", "192.0.2.80"
SYN, ACK, PUSH, FIN = 0x02, 0x10, 0x18, 0x11
START = 1_700_000_000 * 10**9
HOSTILE = "/\x1b]0;owned\x07[red]x[/red]\u202e"
_MACS = bytes.fromhex("020000000002020000000001")


class Made:
    """A capture that is being made; a packet a millisecond."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def ip(self, protocol: int, source: str, destination: str, payload: bytes) -> None:
        """Add an IPv4 packet."""
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0)
        addresses = socket.inet_aton(source) + socket.inet_aton(destination)
        self.frames.append(_MACS + b"\x08\x00" + head + addresses + payload)

    def tcp(
        self,
        ports: tuple[int, int],
        flags: int,
        numbers: tuple[int, int],
        data: bytes = b"",
        *,
        back: bool = False,
    ) -> None:
        """Add a segment from client to server, or ``back``."""
        ends, ports = (CLIENT, SERVER), ports[::-1] if back else ports
        segment = struct.pack(">HHIIHHHH", *ports, *numbers, 5 << 12 | flags, 8192, 0, 0) + data
        self.ip(6, *(ends[::-1] if back else ends), segment)

    def udp(self, source: str, destination: str, ports: tuple[int, int], data: bytes) -> None:
        """Add a datagram."""
        self.ip(17, source, destination, struct.pack(">HHHH", *ports, 8 + len(data), 0) + data)

    def http(self, port: int, request: bytes, answer: bytes, *, again: int = 0) -> None:
        """Add a whole exchange of 8 packets; the answer comes ``again`` times more, as one that was lost does."""
        ports, a, b = (port, 80), 1000, 5000
        self.tcp(ports, SYN, (a, 0))
        self.tcp(ports, SYN | ACK, (b, a + 1), back=True)
        self.tcp(ports, ACK, (a + 1, b + 1))
        self.tcp(ports, PUSH, (a + 1, b + 1), request)
        end = a + 1 + len(request)
        for _ in range(1 + again):
            self.tcp(ports, PUSH, (b + 1, end), answer, back=True)
        self.tcp(ports, ACK, (end, b + 1 + len(answer)))
        self.tcp(ports, FIN, (end, b + 1 + len(answer)))
        self.tcp(ports, FIN, (b + 1 + len(answer), end + 1), back=True)

    def write(self, path: Path) -> Path:
        """Write the file."""
        path.write_bytes(self.data())
        return path

    def data(self) -> bytes:
        """Return the file."""
        header = make_header()
        records = (
            pack_record(header, RawPacket(number, START + number * 10**6, len(frame), frame))
            for number, frame in enumerate(self.frames)
        )
        return header.data + b"".join(records)


REQUEST = b"GET /index.html HTTP/1.1\r\nHost: www.example.test\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
BINARY = bytes(range(256))


def exchanges() -> Made:
    """Return two HTTP exchanges (8 and 10 packets), two datagrams with hostile text, and one of bytes."""
    made = Made()
    made.http(40001, REQUEST, ANSWER)
    made.http(40002, b"GET %s HTTP/1.1\r\nHost: evil\r\n\r\n" % HOSTILE.encode(), ANSWER, again=2)
    made.udp("192.0.2.9", SERVER, (5000, 6000), HOSTILE.encode())
    made.udp(SERVER, "192.0.2.9", (6000, 5000), BINARY)
    return made
