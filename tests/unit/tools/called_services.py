"""A capture of calls to services and their answers, one or two of each kind that tshark counts or measures."""

from __future__ import annotations

import struct
import uuid

from tests.unit.tools.exchanges import ACK, ANSWER, CLIENT, HOSTILE, PUSH, REQUEST, SERVER, SYN, Made

RESOLVER = "192.0.2.53"
ENDPOINT_MAPPER = "e1af8308-5d1f-11c9-91a4-08002b14a0fa"
"""Of DCE/RPC, version 3.0."""
_ADDRESS = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + b"\1\2\3\4"
_QUERY, _ANSWERED, _UPDATE = 0x0100, 0x8180, 0x2800


def dns(number: int, flags: int, name: str, kind: int, answers: int = 0) -> bytes:
    """Return a message with one question."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    head = struct.pack(">6H", number, flags, 1, answers, 0, 0)
    return head + labels + b"\0" + struct.pack(">HH", kind, 1) + _ADDRESS * answers


def add_dns(made: Made, *, refused: bool) -> None:
    """Add queries, answers, repeated ones and mDNS; and when refused, an ICMP error that quotes a query."""
    ask = [
        (1, "a.example.test", 1, 0),
        (2, "example.test", 28, 3),
        (3, "a.b.c.test", 16, 2),
        (4, "test", 65280, 0),
    ]
    for number, name, kind, error in ask:
        ports = (3000 + number, 53)
        made.udp(CLIENT, RESOLVER, ports, dns(number, _QUERY, name, kind))
        answer = dns(number, _ANSWERED | error, name, kind, 0 if error else 1)
        made.udp(RESOLVER, CLIENT, ports[::-1], answer)
    made.udp(CLIENT, RESOLVER, (3005, 53), dns(5, _UPDATE, "example.test", 6))
    made.udp(RESOLVER, CLIENT, (53, 3006), dns(6, _ANSWERED, "example.test", 1, 1))
    for _ in range(2):
        made.udp(CLIENT, RESOLVER, (3007, 53), dns(7, _QUERY, "x.test", 1))
    for _ in range(2):
        made.udp(RESOLVER, CLIENT, (53, 3007), dns(7, _ANSWERED, "x.test", 1, 1))
    made.udp(CLIENT, "224.0.0.251", (5353, 5353), dns(0, 0, "_http._tcp.local", 12))
    if refused:
        made.ip(1, RESOLVER, CLIENT, struct.pack(">BBHI", 3, 3, 0, 0) + made.frames[0][14:])


def add_http(made: Made) -> None:
    """Add requests with and without host and referer, answers of several kinds, and SSDP."""
    again = b"Host: www.example.test\r\nReferer: http://www.example.test/index.html\r\n"
    made.http(40001, REQUEST, ANSWER)
    made.http(40002, b"GET %s HTTP/1.1\r\nHost: evil\r\n\r\n" % HOSTILE.encode(), ANSWER)
    for port, request, status in (
        (40003, b'POST /form?a="b\\c" HTTP/1.1\r\n%sContent-Length: 0\r\n\r\n' % again, b"404 Not Found"),
        (40004, b"GET /%s HTTP/1.1\r\nHost: www.example.test\r\n\r\n" % (b"long" * 200), b"799 Strange"),
        (40005, b"GET /next HTTP/1.1\r\n\r\n", b"503 No"),
    ):
        made.http(port, request, b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % status)
    search = b"M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\n\r\n"
    made.udp(CLIENT, "239.255.255.250", (50000, 1900), search)


def add_calls(made: Made) -> None:
    """Add calls of SMB, SMB2, AFP, LDAP, DCE/RPC, SNMP, GTP, ONC RPC and SCSI, each with its answer."""
    for port, pairs in (
        (445, [(_smb2(command, at, 0), _smb2(command, at, 1)) for at, command in enumerate((13, 13, 4), 1)]),
        (
            445,
            [(_smb(command, at, 0), _smb(command, at, 0x80)) for at, command in enumerate((0x2B, 0x71), 1)],
        ),
        (548, [(_afp(0, b"\x10\0\0\0"), _afp(1, bytes(4)))]),
        (389, [(_hex("300c020101600702010304008000"), _hex("300c02010161070a010004000400"))]),
        (135, [(_dce(11, _BIND), _dce(12, _BOUND)), (_dce(0, _LOOKUP), _dce(2, _FOUND))]),
        (3260, [(_scsi(1, b"\x12\0\0\0\x24"), _DISK), (_scsi(2, b"\x28\0\0\0\0\0\0\0\1"), _DONE)]),
    ):
        _connect(made, (50000 + len(made.frames), port), pairs)
    snmp = "302602010104067075626c6963{}19020101020100020100300e300c06082b060102010101000500"
    made.udp(CLIENT, RESOLVER, (3161, 161), _hex(snmp.format("a0")))
    made.udp(RESOLVER, CLIENT, (161, 3161), _hex(snmp.format("a2")))
    made.udp(CLIENT, RESOLVER, (2123, 2123), _hex("320100040000000000010000"))
    made.udp(RESOLVER, CLIENT, (2123, 2123), _hex("3202000600000000000100000e01"))
    for number, port, program, version in ((1, 111, 100_000, 2), (2, 111, 100_000, 2), (3, 2049, 100_003, 3)):
        call = struct.pack(">10I", number, 0, 2, program, version, 0, 0, 0, 0, 0)
        made.udp(CLIENT, RESOLVER, (3111, port), call)
        made.udp(RESOLVER, CLIENT, (port, 3111), struct.pack(">6I", number, 1, 0, 0, 0, 0))


def _connect(made: Made, ports: tuple[int, int], pairs: list[tuple[bytes, bytes]]) -> None:
    made.tcp(ports, SYN, (99, 0))
    made.tcp(ports, SYN | ACK, (199, 100), back=True)
    a, b = 100, 200
    for call, answer in pairs:
        made.tcp(ports, PUSH, (a, b), call)
        a += len(call)
        made.tcp(ports, PUSH, (b, a), answer, back=True)
        b += len(answer)


_hex = bytes.fromhex


def _smb2(command: int, number: int, flags: int) -> bytes:
    head = struct.pack("<HHIHHIIQIIQ16s", 64, 0, 0, command, 1, flags, 0, number, 0, 0, 0, b"")
    return struct.pack(">I", 72) + b"\xfeSMB" + head + struct.pack("<HH", 4, 0)


def _smb(command: int, number: int, flags: int) -> bytes:
    head = struct.pack("<IBH12xHHHH", 0, flags, 0, 0, 1, 0, number)
    return struct.pack(">I", 35) + b"\xffSMB" + bytes([command]) + head + bytes(3)


def _afp(flags: int, data: bytes) -> bytes:
    return struct.pack(">BBHIII", flags, 2, 1, 0, len(data), 0) + data


def _dce(kind: int, body: bytes) -> bytes:
    return struct.pack("<BBBBIHHI", 5, 0, kind, 3, 0x10, 16 + len(body), 0, 1) + body


_SYNTAX = uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860").bytes_le + struct.pack("<I", 2)
_MAPPER = uuid.UUID(ENDPOINT_MAPPER).bytes_le + struct.pack("<I", 3)
_BIND = struct.pack("<HHIBBHHBB", 4096, 4096, 0, 1, 0, 0, 0, 1, 0) + _MAPPER + _SYNTAX
_BOUND = struct.pack("<HHIH4s2xBBHHH", 4096, 4096, 1, 4, b"135\0", 1, 0, 0, 0, 0) + _SYNTAX
_LOOKUP = struct.pack("<IHH20x", 0, 0, 4)
_FOUND = struct.pack("<IHBB4x", 4, 0, 0, 0)


def _iscsi(kind: int, flags: int, number: int, rest: bytes) -> bytes:
    return struct.pack(">BB14xI", kind, flags, number) + rest


def _scsi(number: int, command: bytes) -> bytes:
    return _iscsi(1, 0xC1, number, struct.pack(">III16s", 512, 1, 1, command))


_INQUIRED = bytes([0, 0, 5, 2, 31, 0, 0, 0]) + b"VENDOR  PRODUCT         1.0 "
_DISK = b"\x25\x81" + struct.pack(">HI", 0, len(_INQUIRED)) + _iscsi(0, 0, 1, b"")[8:] + bytes(28) + _INQUIRED
_DONE = _iscsi(0x21, 0x80, 2, bytes(28))


def called_services(*, refused: bool = True) -> Made:
    """Return all of them.

    Args:
        refused: Whether an ICMP error quotes a DNS query, with addresses and ports that filters find, too.
    """
    made = Made()
    add_dns(made, refused=refused)
    add_http(made)
    add_calls(made)
    made.ip(1, CLIENT, SERVER, struct.pack(">BBHHH", 8, 0, 0, 1, 1) + b"x" * 900)
    made.ip(132, CLIENT, SERVER, struct.pack(">HHII", 5000, 5001, 1, 0) + b"\x0b\0\0\4")
    return made
