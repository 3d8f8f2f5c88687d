"""Capture filters in plain words, with what surprises about them. What has no words is quoted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address

from netmon_tui.domain.capture_filter_library import FilterExplanation
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.bpf_fields import Words, relation_words
from netmon_tui.tools.bpf_identity import LINK
from netmon_tui.tools.bpf_parser import parse
from netmon_tui.tools.bpf_tree import (
    Both,
    Cast,
    Either,
    Encapsulation,
    Identity,
    Node,
    Not,
    Other,
    Primitive,
    Protocol,
    Qualifiers,
    Relation,
    Tree,
    joined,
    written,
)

_KINDS = {
    "arp": "ARP", "rarp": "RARP", "ip": "IPv4", "ip6": "IPv6", "tcp": "TCP", "udp": "UDP", "sctp": "SCTP",
    "icmp": "ICMP", "icmp6": "ICMPv6", "igmp": "IGMP", "pim": "PIM", "ah": "AH", "esp": "ESP",
    "vrrp": "VRRP or CARP", "carp": "VRRP or CARP", "stp": "spanning tree", "ipx": "IPX", "isis": "IS-IS",
}  # fmt: skip
"""VRRP and CARP have the same protocol number."""
_DIRECTIONS = {
    "": "to or from", "src": "from", "dst": "to", "src or dst": "to or from", "src and dst": "both from and to",
}  # fmt: skip
_ARP_ROLES = {
    "": "as sender or target", "src": "as sender", "dst": "as target", "src or dst": "as sender or target",
    "src and dst": "as sender and target",
}  # fmt: skip
_IP_PROTOCOLS = {
    1: "ICMP", 2: "IGMP", 4: "IPv4 in IPv4", 6: "TCP", 17: "UDP", 41: "IPv6 in IPv4", 44: "fragment",
    47: "GRE", 50: "ESP", 51: "AH", 58: "ICMPv6", 88: "EIGRP", 89: "OSPF", 103: "PIM", 112: "VRRP or CARP",
    132: "SCTP",
}  # fmt: skip
_ETHER_TYPES = {
    0x0800: "IPv4", 0x0806: "ARP", 0x86DD: "IPv6", 0x8100: "802.1Q VLAN", 0x88A8: "802.1ad VLAN",
    0x8847: "MPLS", 0x8863: "PPPoE discovery", 0x8864: "PPPoE session", 0x888E: "802.1X", 0x88CC: "LLDP",
    0x88E5: "MACsec", 0x88F7: "PTP", 0x8809: "slow protocols, such as LACP",
}  # fmt: skip
_LEAST_ETHER_TYPE = 1_501
"""Numbers below are lengths of 802.3 frames, and libpcap takes them for an LLC service access point."""
_CASTS = {
    ("", "broadcast"): Words("", "to the broadcast MAC address"),
    ("", "multicast"): Words("", "to a multicast or broadcast MAC address"),
    ("ip", "broadcast"): Words("IPv4", "to a broadcast address"),
    ("ip", "multicast"): Words("IPv4", "to an address from 224.0.0.0 up (multicast, broadcast)"),
    ("ip6", "multicast"): Words("IPv6", "to a multicast address"),
}
_PLACES = {"vlan": "VLAN tag", "mpls": "MPLS label", "pppoes": "PPPoE header", "geneve": "Geneve header"}
_TAGGED = {"vlan": "VLAN", "mpls": "MPLS label", "pppoes": "PPPoE session", "geneve": "Geneve network"}
_DIRECTION_WORDS = {"inbound": "in", "outbound": "out"}
"""libpcap 1.10 knows of no direction in the first blocks of packets; tcpdump's ``-Q`` does not need it."""
_JOINT = re.compile(r", |(?<!both from) and |except")
"""What joins conditions, other than in ``both from and to``."""
_CHOICE = re.compile(r", | or (?!from )")
"""An ``or`` other than in ``to or from``."""
_WITHOUT_IPV6 = frozenset({"tcp", "udp", "sctp"})


def explain(text: str) -> FilterExplanation:
    """Return what a filter means, empty for one that has no words.

    It is right only for a filter that compiles: that nothing or everything meets it, only its program says.
    """
    try:
        tree = parse(text)
    except InvalidInput:
        return FilterExplanation()
    if tree is None:
        return FilterExplanation()
    return FilterExplanation(_phrase(tree.root, "packets"), tuple(_cautions(tree)))


# conditions that are joined


def _phrase(node: Node, noun: str) -> str:
    """Return a condition as packets, ``TCP packets from port 80``; with an empty noun as ``TCP from port 80``."""
    match node:
        case Either():
            return _either(node, noun)
        case Both():
            return _both(list(joined(node, Both)), noun)
        case _:
            return _both([node], noun)


def _inside(phrase: str) -> str:
    """Return a phrase as a part of another, in brackets where it could be read in two ways."""
    return f"({phrase})" if _JOINT.search(phrase) else phrase


def _either(node: Either, noun: str) -> str:
    if kinds := _kinds_of(node):
        return f"{kinds} {noun}".strip()
    phrases = [
        _phrase(group[0], noun) if isinstance(group[0], Both | Not) else _said(_words(group), noun)
        for group in _alike(joined(node, Either))
    ]
    return ", or ".join(map(_inside, phrases)) if len(phrases) > 1 else phrases[0]


def _kinds_of(node: Either) -> str:
    """Return ``TCP or UDP`` for kinds of packets of which nothing else is asked; empty for anything else."""
    one_by_one = list(joined(node, Either))
    if any(isinstance(one, Both | Not) for one in one_by_one):
        return ""
    words = [_words([one]) for one in one_by_one]
    return "" if any(one.part for one in words) else " or ".join(one.kind for one in words)


def _alike(nodes: Iterable[Node]) -> list[list[Node]]:
    """Put those together that follow each other and differ in their value alone: ``port 80 or 81``."""
    groups: list[list[Node]] = []
    for node in nodes:
        if groups and _differ_in_value(groups[-1][0], node):
            groups[-1].append(node)
        else:
            groups.append([node])
    return groups


def _differ_in_value(one: Node, other: Node) -> bool:
    if not (isinstance(one, Identity) and isinstance(other, Identity)):
        return False
    return one.qualifiers == other.qualifiers and one.behind == other.behind


def _both(nodes: Sequence[Node], noun: str) -> str:
    """Return conditions that are all met: what packets, what is asked of them, and the exceptions last."""
    words = [_asked(node) for node in nodes if not isinstance(node, Not)]
    exceptions = [f"except {_inside(_phrase(node.of, ''))}" for node in nodes if isinstance(node, Not)]
    if not words:
        return f"all {noun} ".replace("  ", " ") + ", ".join(exceptions)
    parts = [one.part for one in words if one.part]
    if len(parts) > 1:
        parts = [f"({one})" if _CHOICE.search(one) and one[0] != "(" else one for one in parts]
    kind = _stacked([one.kind for one in words if one.kind])
    return ", ".join((_said(Words(kind, " and ".join(parts)), noun), *exceptions))


def _asked(node: Node) -> Words:
    """Return one of several conditions that are all met."""
    if not isinstance(node, Either):
        return _words([node])
    kinds = _kinds_of(node)
    return Words(kinds, "") if kinds else Words("", _inside(_either(node, "")))


def _stacked(kinds: Sequence[str]) -> str:
    """Return kinds in a row, each once: TCP and IPv4 TCP are IPv4 TCP."""
    kept: list[str] = []
    for kind in kinds:
        if not any(_is_of(kind, one) for one in kept):
            kept = [*(one for one in kept if not _is_of(one, kind)), kind]
    return " ".join(f"({one})" if " or " in one and len(kept) > 1 else one for one in kept)


def _is_of(kind: str, other: str) -> bool:
    """Whether all packets of the other kind are of this one, and the name says so."""
    return kind == other or (" or " not in kind + other and set(kind.split()) <= set(other.split()))


def _said(words: Words, noun: str) -> str:
    kind = f"({words.kind})" if " or " in words.kind and words.part and words.kind[0] != "(" else words.kind
    return " ".join(word for word in (kind, noun, words.part) if word)


# one condition


def _words(group: Sequence[Node]) -> Words:
    """Return the words of one condition, or of identities that differ in their value."""
    first = group[0]
    match first:
        case Identity():
            identities = [one for one in group if isinstance(one, Identity)]
            return _placed(first, _identities(first.qualifiers, identities))
        case Protocol():
            kind = _KINDS.get(first.name)
            return _placed(first, Words(kind, "") if kind else _quoted(first))
        case Cast():
            protocol = "" if first.protocol in LINK else first.protocol
            return _placed(first, _CASTS.get((protocol, first.name)) or _quoted(first))
        case Encapsulation():
            return _placed(first, Words("", _tagged(first)))
        case Relation():
            return _placed(first, relation_words(first))
        case Other():
            return _placed(first, _other(first))
        case _:
            raise AssertionError(first)


def _placed(primitive: Primitive, words: Words) -> Words:
    """Say where packets are looked at, when a ``vlan`` in front has moved the place."""
    if not primitive.behind:
        return words
    carried = f"carrying {_said(words, '')}" if words.kind else words.part
    return Words("", f"{carried} behind the {_PLACES[primitive.behind[-1]]}")


def _quoted(primitive: Primitive) -> Words:
    return Words("", f"that meet `{written(primitive).strip()}`")


def _tagged(encapsulation: Encapsulation) -> str:
    name = _TAGGED[encapsulation.name]
    if encapsulation.number is None:
        return f"with a {_PLACES[encapsulation.name]}"
    return f"with {name} {encapsulation.number}"


def _other(condition: Other) -> Words:
    match condition.name:
        case "less":
            return Words("", f"of at most {condition.number} bytes")
        case "greater":
            return Words("", f"of at least {condition.number} bytes")
        case "outbound":
            return Words("", "sent by this machine")
        case "inbound":
            return Words("", "not sent by this machine")
        case "pppoed":
            return Words("", "of PPPoE discovery")
        case _:
            return _quoted(condition)


def _identities(qualifiers: Qualifiers, identities: Sequence[Identity]) -> Words:
    direction = _DIRECTIONS.get(qualifiers.direction)
    if direction is None:
        return Words("", f"that meet `{' or '.join(map(written, identities))}`")
    protocol, kind = qualifiers.protocol, _KINDS.get(qualifiers.protocol, "")
    values = [_value(qualifiers.kind, one) for one in identities]
    match qualifiers.kind:
        case "proto" | "protochain":
            return _protocol_words(qualifiers, identities)
        case "port" | "portrange":
            return Words(kind, f"{direction} {_ports(qualifiers.kind, values)}")
    what = "network " if qualifiers.kind == "net" else ""
    named = f"{what}{' or '.join(values)}"
    if protocol in LINK:
        return Words("", f"{direction} MAC address {named}")
    if protocol in ("arp", "rarp"):
        return Words(kind, f"with {named} {_ARP_ROLES[qualifiers.direction]}")
    if protocol not in ("", "ip", "ip6"):
        return Words("", f"that meet `{' or '.join(map(written, identities))}`")
    return Words(kind, f"{direction} {named}")


def _ports(kind: str, values: Sequence[str]) -> str:
    if kind == "port":
        return f"port {' or '.join(values)}"
    return f"ports {' or '.join(values)}"


def _value(kind: str, identity: Identity) -> str:
    """Return an address or port as it is meant: ``net 10`` is 10.0.0.0/8, ``net 10.0.0.0`` that address alone."""
    value, number = identity.value, identity.number
    if kind == "portrange":
        ends = [*map(int, value.split("-"))] if re.fullmatch(r"[1-9]\d*-[1-9]\d*", value) else []
        return f"{min(ends)} to {max(ends)}" if ends else value
    if kind in ("", "host", "net") and number is not None:
        return _network_of(number) if kind == "net" else str(IPv4Address(number))
    if kind in ("", "host", "net") and re.fullmatch(r"\d+(\.\d+){1,2}", value):
        parts = value.count(".") + 1
        return f"{value}{'.0' * (4 - parts)}/{8 * parts}"
    if kind == "port" and number is not None:
        return str(number)
    if kind == "net" and not re.search("/| mask ", value):
        return f"{value}/{128 if ':' in value else 32}"
    return value


def _network_of(number: int) -> str:
    """Return the network that libpcap makes of a number alone: moved up until its first byte is none of zero."""
    length = 32
    while number and not number & 0xFF00_0000:
        number, length = number << 8, length - 8
    return f"{IPv4Address(number)}/{length}"


def _protocol_words(qualifiers: Qualifiers, identities: Sequence[Identity]) -> Words:
    """Return the words for ``ip proto 89`` and ``ether proto 0x88cc``."""
    if qualifiers.protocol in LINK:
        if all(one.number is not None and one.number >= _LEAST_ETHER_TYPE for one in identities):
            named = [_named(one, _ETHER_TYPES, hexadecimal=True) for one in identities]
            return Words("", f"of EtherType {' or '.join(named)}")
        return Words("", f"that meet `{' or '.join(map(written, identities))}`")
    if qualifiers.protocol not in ("", "ip", "ip6"):
        return Words("", f"that meet `{' or '.join(map(written, identities))}`")
    named = [_named(one, _IP_PROTOCOLS) for one in identities]
    said = f"of IP protocol {' or '.join(named)}"
    if qualifiers.kind == "protochain":
        said = f"with IP protocol {' or '.join(named)} somewhere in the chain of headers"
    return Words(_KINDS.get(qualifiers.protocol, ""), said)


def _named(identity: Identity, names: dict[int, str], *, hexadecimal: bool = False) -> str:
    if identity.number is None:
        return identity.value.removeprefix("\\")
    shown = f"0x{identity.number:04x}" if hexadecimal else str(identity.number)
    return f"{shown} ({names[identity.number]})" if identity.number in names else shown


# what surprises


def _cautions(tree: Tree) -> Iterable[str]:
    if tree.mixed:
        yield (f"`and` and `or` weigh the same, from left to right: this is `{written(tree.root)}`")
    places = dict.fromkeys(word for one in tree.primitives for word in one.behind)
    if tree.either_behind and places:
        word = next(iter(places))
        yield f"after `{word}` everything is looked for behind the {_PLACES[word]}, also what stands after `or`"
    protocols = dict.fromkeys(
        load for one in tree.primitives if isinstance(one, Relation) for load in _loaded(one.text)
    )
    for protocol in protocols:
        yield f"`{protocol}[...]` looks at IPv4 alone, never at IPv6"

    for word in dict.fromkeys(one.name for one in tree.primitives if isinstance(one, Other)):
        if direction := _DIRECTION_WORDS.get(word):
            yield f"`{word}` comes late and loses the first packets: choose the direction `{direction}` instead"


def _loaded(text: str) -> list[str]:
    return [word for word in re.findall(r"(\w+) *\[", text) if word in _WITHOUT_IPV6]
