"""TCP and UDP of the packet list, and the choice of the protocol above them."""

from __future__ import annotations

import struct

from netmon_tui.tools.packet_applications import tcp_application, udp_application
from netmon_tui.tools.packet_line import Line, u16

_TCP = struct.Struct(">HHIIHH").unpack_from
_FLAGS = (
    (0x02, "SYN"),
    (0x01, "FIN"),
    (0x04, "RST"),
    (0x08, "PSH"),
    (0x10, "ACK"),
    (0x20, "URG"),
    (0x40, "ECE"),
    (0x80, "CWR"),
)


def tcp(line: Line, data: bytes, length: int) -> None:
    """Decode TCP; ``length`` is what IP said there is, header included, in bytes."""
    line.protocol = "TCP"
    source, destination, sequence, acknowledged, bits, window = _TCP(data, 0)
    header = (bits >> 12) * 4
    if header < 20:
        line.info = f"{source} → {destination} Bogus TCP header length ({header}, must be at least 20)"
        return
    flags = [name for bit, name in _FLAGS if bits & bit]
    parts = [f"{source} → {destination} [{', '.join(flags) or '<None>'}] Seq={sequence}"]
    if bits & 0x10:
        parts.append(f"Ack={acknowledged}")
    parts.append(f"Win={window} Len={max(length - header, 0)}")
    parts.extend(_options(data[20:header]))
    line.info = " ".join(parts)
    payload = data[header:]
    if payload:
        tcp_application(line, payload, source, destination)


def _options(data: bytes) -> list[str]:
    """Return TCP's options in Wireshark's words; stops without complaint where they are cut."""
    found: list[str] = []
    at = 0
    while at < len(data) and data[at] != 0:
        if data[at] == 1:
            at += 1
            continue
        size = data[at + 1] if at + 1 < len(data) else 0
        if size < 2 or at + size > len(data):
            break
        found.append(_option(data[at], data[at + 2 : at + size]))
        at += size
    return [option for option in found if option]


def _option(kind: int, value: bytes) -> str:
    if kind == 2 and len(value) == 2:
        return f"MSS={u16(value, 0)}"
    if kind == 3 and len(value) == 1:
        return f"WS={1 << min(value[0], 14)}"
    if kind == 4:
        return "SACK_PERM"
    if kind == 8 and len(value) == 8:
        return "TSval={} TSecr={}".format(*struct.unpack(">II", value))
    return ""


def udp(line: Line, data: bytes) -> None:
    """Decode UDP."""
    line.protocol = "UDP"
    source, destination, length = u16(data, 0), u16(data, 2), u16(data, 4)
    line.info = f"{source} → {destination} Len={max(length - 8, 0)}"
    end = length if 8 <= length <= len(data) else len(data)
    payload = data[8:end]
    if payload:
        udp_application(line, payload, source, destination)
