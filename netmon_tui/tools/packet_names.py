"""DNS messages in the packet list: the question and the answers in one line."""

from __future__ import annotations

from netmon_tui.tools.packet_line import Line, ipv4, ipv6, text, u16

_TYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 28: "AAAA",
    29: "LOC", 33: "SRV", 35: "NAPTR", 39: "DNAME", 41: "OPT", 43: "DS", 46: "RRSIG", 47: "NSEC",
    48: "DNSKEY", 50: "NSEC3", 52: "TLSA", 64: "SVCB", 65: "HTTPS", 99: "SPF", 249: "TKEY", 250: "TSIG",
    251: "IXFR", 252: "AXFR", 255: "ANY", 257: "CAA",
}  # fmt: skip
_OPERATIONS = {
    0: "Standard query",
    1: "Inverse query",
    2: "Server status request",
    4: "Zone change notification",
    5: "Dynamic update",
}
_REPLIES = {1: "Format error", 2: "Server failure", 3: "No such name", 4: "Not implemented", 5: "Refused"}
_NAMED = frozenset({2, 5, 12, 39})
"""Types whose data is one name."""
_MOST_RECORDS = 16
_MOST_JUMPS = 32
"""Compression pointers followed in one name: more is a loop."""


def dns(line: Line, data: bytes) -> bool:
    """Decode a DNS message; False when it cannot be one."""
    identifier, flags, questions, answers = u16(data, 0), u16(data, 2), u16(data, 4), u16(data, 6)
    operation = _OPERATIONS.get(flags >> 11 & 15)
    if operation is None or questions > 256:
        return False
    response = bool(flags & 0x8000)
    line.protocol = "DNS"
    parts = [f"{operation}{' response' if response else ''} 0x{identifier:04x}"]
    line.info = parts[0]
    if response and (code := flags & 15):
        parts.append(_REPLIES.get(code, f"Error {code}"))
    at = 12
    for _ in range(min(questions, _MOST_RECORDS)):
        name, at = read_name(data, at)
        parts.append(f"{_type(u16(data, at))} {name}")
        line.info = " ".join(parts)
        at += 4
    if response:
        parts.extend(_answers(data, at, answers))
    line.info = " ".join(parts)
    return True


def _type(number: int) -> str:
    return _TYPES.get(number, f"TYPE{number}")


def _answers(data: bytes, at: int, count: int) -> list[str]:
    """Return the answers as ``A 192.0.2.1`` and so on; those after a cut are left out."""
    found: list[str] = []
    for _ in range(min(count, _MOST_RECORDS)):
        _, at = read_name(data, at)
        if at + 10 > len(data):
            break
        kind, size = u16(data, at), u16(data, at + 8)
        at += 10
        if at + size > len(data):
            break
        found.append(f"{_type(kind)} {_value(data, at, kind, size)}".rstrip())
        at += size
    return found


def _value(data: bytes, at: int, kind: int, size: int) -> str:
    if kind == 1 and size == 4:
        return ipv4(data, at)
    if kind == 28 and size == 16:
        return ipv6(data, at)
    if kind in _NAMED:
        return read_name(data, at)[0]
    if kind == 15 and size > 2:
        return f"{u16(data, at)} {read_name(data, at + 2)[0]}"
    return ""


def read_name(data: bytes, at: int) -> tuple[str, int]:
    """Return the domain name at an offset (the root is ``<Root>``) and the offset after it.

    Follows compression (RFC 1035, 4.1.4), but never for ever: the jumps and the length are bounded.

    Raises:
        IndexError: The message ends inside the name.
        struct.error: Likewise.
    """
    labels: list[str] = []
    after = -1
    jumps = length = 0
    while size := data[at]:
        if size >= 0xC0:
            if after < 0:
                after = at + 2
            jumps += 1
            if jumps > _MOST_JUMPS:
                return "<Name contains a pointer that loops>", after
            at = u16(data, at) & 0x3FFF
            continue
        label = data[at + 1 : at + 1 + size]
        length += len(label) + 1
        if size > 63 or length > 255:
            return "<Name too long>", after if after >= 0 else at + 1
        labels.append(text(label))
        at += 1 + size
    return ".".join(labels) or "<Root>", after if after >= 0 else at + 1
