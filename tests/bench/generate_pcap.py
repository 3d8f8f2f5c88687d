"""Write a deterministic capture file of any size: ``generate_pcap.py OUT PACKETS``.

TCP 62, UDP 10, DNS 15, ARP 6 and ICMP 7 of a hundred packets, 314 bytes on average, as in an office network.
"""

from __future__ import annotations

import random
import struct
import sys
from pathlib import Path

from netmon_tui.tools.pcap import make_header

START = 1_700_000_000
"""POSIX time of the first packet."""
_KINDS = 512
"""Different packets, which then repeat."""


def generate(path: Path, packets: int, seed: int = 7) -> None:
    """Write a file of so many packets, in time order, microsecond steps that vary."""
    rng = random.Random(seed)
    bodies = [frame(rng) for _ in range(_KINDS)]
    header = make_header()
    record = header.record
    microseconds = 0
    with path.open("wb", buffering=1 << 20) as file:
        file.write(header.data)
        for number in range(packets):
            body = bodies[number * 31 % _KINDS]
            microseconds += 40 + number % 17
            seconds, fraction = divmod(microseconds, 1_000_000)
            file.write(record.pack(START + seconds, fraction, len(body), len(body)) + body)


def frame(rng: random.Random) -> bytes:
    """Return one Ethernet frame."""
    kind = rng.randrange(100)
    if kind < 62:
        return ethernet(0x0800, ip4(6, tcp(rng)))
    if kind < 72:
        return ethernet(
            0x0800, ip4(17, udp(rng.randrange(1024, 65536), 9999, rng.randbytes(rng.randrange(400))))
        )
    if kind < 87:
        return ethernet(
            0x0800, ip4(17, udp(rng.randrange(1024, 65536), 53, question(f"host{kind}.example.test")))
        )
    if kind < 93:
        return ethernet(0x0806, arp("10.1.2.3", "10.1.2.4"))
    return ethernet(0x0800, ip4(1, struct.pack(">BBHHH", 8, 0, 0, kind, 1) + bytes(56)))


def ethernet(kind: int, payload: bytes) -> bytes:
    """Return a frame padded to 60 bytes."""
    return (bytes.fromhex("020000000002020000000001") + struct.pack(">H", kind) + payload).ljust(60, b"\0")


def ip4(
    protocol: int, payload: bytes, *, source: bytes = b"\x0a\1\2\3", destination: bytes = b"\x0a\1\2\4"
) -> bytes:
    """Return an IPv4 packet without options."""
    return (
        struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0)
        + source
        + destination
        + payload
    )


def tcp(rng: random.Random) -> bytes:
    """Return a TCP segment to a well-known port."""
    ports = rng.randrange(1024, 65536), rng.choice([22, 80, 443, 8080])
    payload = rng.randbytes(rng.choice([0, 0, 120, 600, 1200]))
    return (
        struct.pack(">HHIIHHHH", *ports, rng.getrandbits(32), rng.getrandbits(32), 0x5018, 502, 0, 0)
        + payload
    )


def udp(source: int, destination: int, payload: bytes) -> bytes:
    """Return a UDP datagram without checksum."""
    return struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload


def question(name: str, kind: int = 1) -> bytes:
    """Return a DNS query."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)


def arp(sender: str, target: str, operation: int = 1) -> bytes:
    """Return an ARP message."""
    addresses = [bytes(int(part) for part in address.split(".")) for address in (sender, target)]
    head = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation)
    return head + bytes.fromhex("020000000001") + addresses[0] + bytes(6) + addresses[1]


if __name__ == "__main__":
    generate(Path(sys.argv[1]), int(sys.argv[2]))
