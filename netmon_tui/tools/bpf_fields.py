"""Comparisons of a packet's bytes in words: flags, types and header fields where they are known, else bytes.

Offsets: RFC 768, 791, 792, 826, 4443, 8200, 9293. Bytes of TCP, UDP and ICMP are those over IPv4 alone.
"""

from __future__ import annotations

from typing import NamedTuple

from netmon_tui.tools.bpf_tree import Arithmetic, Length, Load, Number, Operation, Relation


class Words(NamedTuple):
    """A condition in words."""

    kind: str
    """What packets it is about, such as ``IPv4 TCP``; empty for any."""
    part: str
    """What is asked of them, such as ``with SYN set``; may be empty."""


class _Masked(NamedTuple):
    """``protocol[offset:size] & mask``."""

    load: Load
    offset: int
    mask: int
    """All ones where there is none."""

    @property
    def key(self) -> tuple[str, int, int]:
        """Protocol, offset and size."""
        return self.load.protocol, self.offset, self.load.size

    @property
    def whole(self) -> bool:
        """Whether no bit is masked away."""
        return self.mask == _ones(self.load)


_KINDS = {
    "tcp": "IPv4 TCP",
    "udp": "IPv4 UDP",
    "sctp": "IPv4 SCTP",
    "icmp": "ICMP",
    "icmp6": "ICMPv6",
    "igmp": "IGMP",
    "ip": "IPv4",
    "ip6": "IPv6",
    "arp": "ARP",
}
_HEADERS = {
    "tcp": ("TCP", 20), "udp": ("UDP", 8), "sctp": ("SCTP", 12), "icmp": ("ICMP", 8), "icmp6": ("ICMPv6", 4),
    "igmp": ("IGMP", 8), "ip": ("IPv4", 20), "ip6": ("IPv6", 40), "arp": ("ARP", 28), "ether": ("Ethernet", 14),
}  # fmt: skip
_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
_ALL_FLAGS = 0xFF
_FIELDS = {
    ("ip", 1, 1): "traffic class",
    ("ip", 2, 2): "total length",
    ("ip", 4, 2): "identification",
    ("ip", 8, 1): "TTL",
    ("ip", 9, 1): "protocol",
    ("ip6", 4, 2): "payload length",
    ("ip6", 6, 1): "next header",
    ("ip6", 7, 1): "hop limit",
    ("tcp", 0, 2): "source port",
    ("tcp", 2, 2): "destination port",
    ("tcp", 4, 4): "sequence number",
    ("tcp", 8, 4): "acknowledgment number",
    ("tcp", 14, 2): "window",
    ("udp", 0, 2): "source port",
    ("udp", 2, 2): "destination port",
    ("udp", 4, 2): "UDP length",
    ("icmp", 0, 1): "type",
    ("icmp", 1, 1): "code",
    ("icmp6", 0, 1): "type",
    ("icmp6", 1, 1): "code",
    ("arp", 6, 2): "operation",
    ("ether", 12, 2): "EtherType",
}
_NAMES = {
    ("icmp", 0, 1): {
        0: "echo reply", 3: "unreachable", 4: "source quench", 5: "redirect", 8: "echo request",
        9: "router advertisement", 10: "router solicitation", 11: "time exceeded", 12: "parameter problem",
    },
    ("icmp6", 0, 1): {
        1: "unreachable", 2: "packet too big", 3: "time exceeded", 4: "parameter problem",
        128: "echo request", 129: "echo reply", 133: "router solicitation", 134: "router advertisement",
        135: "neighbour solicitation", 136: "neighbour advertisement", 137: "redirect",
    },
    ("arp", 6, 2): {1: "request", 2: "reply"},
    ("ether", 12, 2): {0x0800: "IPv4", 0x0806: "ARP", 0x86DD: "IPv6", 0x88CC: "LLDP"},
}  # fmt: skip
_COMPARED = {
    "=": "equal to", "!=": "other than", "<": "below", ">": "above", "<=": "of at most", ">=": "of at least",
}  # fmt: skip
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_IDIOMS = {
    ("ip", 0, 1, 0x0F, "!=", 5): "with header options",
    ("ip", 0, 1, 0x0F, "=", 5): "without header options",
    ("ip", 0, 1, 0x0F, ">", 5): "with header options",
    ("ip", 6, 2, 0x1FFF, "=", 0): "that are whole or the first fragment",
    ("ip", 6, 2, 0x1FFF, "!=", 0): "that are a fragment other than the first",
    ("ip", 6, 2, 0x3FFF, "!=", 0): "that are fragments",
    ("ip", 6, 2, 0x3FFF, "=", 0): "that are no fragments",
    ("ip", 6, 1, 0x40, "!=", 0): "that may not be fragmented",
    ("ip", 6, 1, 0x40, "=", 0): "that may be fragmented",
    ("ip", 6, 1, 0x20, "!=", 0): "with more fragments to follow",
    ("ether", 0, 1, 0x01, "!=", 0): "to a multicast or broadcast MAC address",
    ("ether", 0, 1, 0x01, "=", 0): "to a unicast MAC address",
}
_TCP_HEADER_BYTES = Operation(
    ">>", Operation("&", Load("tcp", Number(12, ""), 1), Number(0xF0, "")), Number(2, "")
)
_TCP_FLAGS = ("tcp", 13, 1)


def relation_words(relation: Relation) -> Words:
    """Return a comparison in words; what has no words is quoted."""
    left, operator, right = relation.left, relation.operator, relation.right
    if constant(left) is not None:
        left, operator, right = right, _MIRRORED[operator], left
    value = constant(right)
    quoted = Words("", f"where `{relation.text}`")
    if value is None:
        return quoted
    shown = _shown(right, value)
    if isinstance(left, Length):
        return Words("", f"with a length {_COMPARED[operator]} {shown} bytes")
    if (payload := _payload(left, operator, value, shown)) is not None:
        return Words("IPv4 TCP", payload)
    masked = _masked(left)
    if masked is None:
        return quoted
    return Words(_KINDS.get(masked.load.protocol, ""), _condition(masked, operator, value, shown))


def constant(value: Arithmetic) -> int | None:
    """Return what a value is when it is made of constants and ``|`` alone."""
    if isinstance(value, Number):
        return value.value
    if isinstance(value, Operation) and value.operator == "|":
        left, right = constant(value.left), constant(value.right)
        return None if left is None or right is None else left | right
    return None


def _shown(value: Arithmetic, number: int) -> str:
    """Return a constant for people: hexadecimal where it was written so, or made of bits."""
    text = value.text[:2] if isinstance(value, Number) else "0x"
    return f"0x{number:x}" if text in ("0x", "0X") else str(number)


def _ones(load: Load) -> int:
    return (1 << (8 * load.size)) - 1


def _masked(value: Arithmetic) -> _Masked | None:
    """Return the bytes and the mask that a value is of; None when it is something else."""
    mask = None
    if isinstance(value, Operation) and value.operator == "&":
        swapped = constant(value.left) is not None
        bits, value = (value.left, value.right) if swapped else (value.right, value.left)
        mask = constant(bits)
        if mask is None:
            return None
    if not isinstance(value, Load) or not isinstance(value.offset, Number):
        return None
    ones = _ones(value)
    return _Masked(value, value.offset.value, ones if mask is None else mask & ones)


def _condition(masked: _Masked, operator: str, value: int, shown: str) -> str:
    idiom = _IDIOMS.get((*masked.key, masked.mask, operator, value))
    if idiom is not None:
        return idiom
    if masked.key == _TCP_FLAGS and (flags := _flags(masked.mask, operator, value)):
        return flags
    if masked.whole and masked.key in _FIELDS:
        name = _NAMES.get(masked.key, {}).get(value, "") if operator in ("=", "!=") else ""
        named = f" ({name})" if name else ""
        return f"with {_FIELDS[masked.key]} {_COMPARED[operator].removeprefix('of ')} {shown}{named}"
    return f"with {_bytes(masked)} {_COMPARED[operator].removeprefix('of ')} {shown}"


def _bytes(masked: _Masked) -> str:
    load, first = masked.load, masked.offset
    name, bytes_of = _HEADERS.get(load.protocol, (load.protocol, 0))
    header = f"{'of' if first + load.size <= bytes_of else 'from the start of'} the {name} header"
    which = f"byte {first}" if load.size == 1 else f"bytes {first} to {first + load.size - 1}"
    return f"{which} {header}" if masked.whole else f"{which} {header}, masked with 0x{masked.mask:x},"


def _flags(mask: int, operator: str, value: int) -> str:
    """Return what is asked of the TCP flags; empty when words would not be plain."""
    if operator not in ("=", "!=") or value & ~mask or not mask:
        return ""
    asked, others = _flag_names(mask), _flag_names(mask & ~value)
    if value == 0:
        if operator == "!=":
            return f"with {' or '.join(asked)} set"
        return f"without {asked[0]}" if len(asked) == 1 else f"with none of {', '.join(asked)} set"
    if operator == "!=":
        return ""
    wanted = f"with {' and '.join(_flag_names(value))} set"
    if not others:
        return wanted
    return f"{wanted} and {'no other flag' if mask == _ALL_FLAGS else 'without ' + ' or '.join(others)}"


def _flag_names(bits: int) -> list[str]:
    return [name for bit, name in enumerate(_FLAGS) if bits >> bit & 1]


def _payload(left: Arithmetic, operator: str, value: int, shown: str) -> str | None:
    """Return what is asked of the bytes behind the TCP header; None when it is about other bytes."""
    if not (isinstance(left, Load) and left.protocol == "tcp" and operator in ("=", "!=")):
        return None
    first = _payload_offset(left.offset)
    if first is None:
        return None
    raw = value.to_bytes(4, "big")[-left.size :] if value <= _ones(left) else b""
    text = (
        f' ("{raw.decode()}")'
        if raw.isascii() and raw.decode("ascii", "replace").isprintable() and raw
        else ""
    )
    which = f"byte {first}" if left.size == 1 else f"bytes {first} to {first + left.size - 1}"
    return f"with {which} of the TCP payload {_COMPARED[operator]} {shown}{text}"


def _payload_offset(offset: Arithmetic) -> int | None:
    """Return how far behind the TCP header an offset points; None when it is not written so."""
    if isinstance(offset, Operation) and offset.operator == "+" and isinstance(offset.right, Number):
        return offset.right.value if _plain(offset.left) == _TCP_HEADER_BYTES else None
    return 0 if _plain(offset) == _TCP_HEADER_BYTES else None


def _plain(value: Arithmetic) -> Arithmetic:
    """Return a value whose numbers no longer say how they were written."""
    match value:
        case Number():
            return Number(value.value, "")
        case Load():
            return Load(value.protocol, _plain(value.offset), value.size)
        case Operation():
            return Operation(value.operator, _plain(value.left), _plain(value.right))
        case _:
            return value
