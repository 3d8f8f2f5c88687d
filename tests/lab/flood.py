"""Sends many packets fast: ``python flood.py IFACE COUNT [RATE]``, the rate in packets a second.

Frames go out through an AF_PACKET socket by sendmmsg, a thousand a call, without a queueing discipline.
Of every ten, six are TCP (400 bytes), two UDP (200), one ICMP (98) and one ARP (60): mean 308 bytes. They are
for a link address nobody has, so no host answers. Prints "COUNT SECONDS" at the end. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
import time
from collections import Counter

BATCH = 1000
SHARES = {"tcp": 6, "udp": 2, "icmp": 1, "arp": 1}
"""How many of every ten frames, in this order."""
TEN = [kind for kind, share in SHARES.items() for _ in range(share)]
_SIZES = {"tcp": 400, "udp": 200, "icmp": 98, "arp": 60}
_IP_PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}
_LINK = bytes.fromhex("020000000099020000000001")
_SOL_PACKET, _PACKET_QDISC_BYPASS = 263, 20


class IoVec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class MsgHdr(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("namelen", ctypes.c_uint32),
        ("iov", ctypes.POINTER(IoVec)),
        ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class MMsgHdr(ctypes.Structure):
    _fields_ = (("header", MsgHdr), ("sent", ctypes.c_uint))


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def frame(kind: str) -> bytes:
    """One Ethernet frame of the kind."""
    size = _SIZES[kind]
    if kind == "arp":
        body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + _LINK[6:] + bytes((10, 99, 0, 1)) + bytes(6)
        return (_LINK + b"\x08\x06" + body + bytes((10, 99, 0, 2))).ljust(size, b"\0")
    addresses = bytes((10, 99, 0, 1, 10, 99, 0, 2))
    head = struct.pack(">BBHHHBBH", 0x45, 0, size - 14, 1, 0x4000, 64, _IP_PROTOCOLS[kind], 0)
    ip = head[:10] + struct.pack(">H", checksum(head + addresses)) + addresses
    rest = {
        "tcp": struct.pack(">HHIIBBHHH", 40000, 443, 1, 1, 0x50, 0x10, 512, 0, 0),
        "udp": struct.pack(">HHHH", 40001, 5353, size - 34, 0),
        "icmp": struct.pack(">BBHHH", 8, 0, 0, 1, 1),
    }[kind]
    return (_LINK + b"\x08\x00" + ip + rest).ljust(size, b"\0")


def kinds(count: int) -> Counter[str]:
    """How many frames of each kind a flood of so many packets has."""
    full, part = divmod(count, len(TEN))
    return Counter({kind: share * full for kind, share in SHARES.items()}) + Counter(TEN[:part])


def make_batch() -> tuple[ctypes.Array[MMsgHdr], list[object]]:
    """The messages of one call, and what must stay alive with them."""
    alive: list[object] = []
    messages = (MMsgHdr * BATCH)()
    for number in range(BATCH):
        data = ctypes.create_string_buffer(frame(TEN[number % len(TEN)]))
        vector = IoVec(ctypes.addressof(data), len(data) - 1)
        alive += [data, vector]
        messages[number].header.iov = ctypes.pointer(vector)
        messages[number].header.iovlen = 1
    return messages, alive


def flood(interface: str, count: int, rate: float = 0.0) -> float:
    """Send, and return the seconds it took."""
    libc = ctypes.CDLL(None, use_errno=True)
    messages, _alive = make_batch()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
        sender.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
        sender.bind((interface, 0))
        start = time.perf_counter()
        done = 0
        while done < count:
            if rate and (ahead := done / rate - (time.perf_counter() - start)) > 0:
                time.sleep(ahead)
            # Always from the frame that is due, so that the shares are exact however little one call takes.
            first = done % len(TEN)
            wanted = min(BATCH - first, count - done, int(rate // 50) + 1 if rate else BATCH)
            sent = libc.sendmmsg(sender.fileno(), ctypes.byref(messages[first]), wanted, 0)
            if sent < 0:
                error = ctypes.get_errno()
                if error != 105:  # ENOBUFS: the other side is full for a moment
                    raise OSError(error, os.strerror(error))
                sent = 0
            done += sent
        return time.perf_counter() - start


if __name__ == "__main__":
    packets = int(sys.argv[2])
    print(packets, round(flood(sys.argv[1], packets, float(sys.argv[3]) if len(sys.argv) > 3 else 0.0), 3))
