"""Addresses, networks, ports and protocols in a capture filter, each judged by the qualifiers in front of it."""

from __future__ import annotations

import ipaddress

from netmon_tui.tools.bpf_arithmetic import ArithmeticReader
from netmon_tui.tools.bpf_tokens import Kind, Token
from netmon_tui.tools.bpf_tree import Identity, Qualifiers

_LARGEST_PORT = 65_535
LINK = frozenset({"ether", "link", "ppp", "slip", "fddi", "tr", "wlan"})
"""Names of the link layer, which all mean the same."""
_OF_PORTS = frozenset({"", "tcp", "udp", "sctp"})
_TRANSPORTS = frozenset(
    {"tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "igrp", "pim", "vrrp", "carp", "ah", "esp"}
)
_EXPECTED = {
    "": "an address",
    "host": "an address",
    "net": "a network such as 10.0.0.0/8",
    "port": "a port number or the name of a service",
    "portrange": "a range such as 8000-8100",
    "proto": "a number or a name such as \\tcp",
    "protochain": "a number or a name such as \\tcp",
}
_ADDRESSES = frozenset({Kind.NUMBER, Kind.ADDRESS, Kind.ADDRESS6, Kind.LLADDR})


def read_identity(reader: ArithmeticReader, qualifiers: Qualifiers, behind: tuple[str, ...]) -> Identity:
    """Read what qualifiers are of.

    Args:
        reader: Stands where it begins.
        qualifiers: Its own, or those of the identity before it.
        behind: What moved the place where packets are looked at.

    Raises:
        InvalidInput: It is none, or not one of the kind that the qualifiers ask for.
    """
    _check_together(reader, qualifiers)
    if qualifiers.kind == "gateway":
        raise reader.wrong("`gateway` takes the name of a host, and names are not looked up")
    token = reader.here
    value = _READERS.get(qualifiers.kind, _address)(reader, qualifiers)
    number = token.value if token.kind is Kind.NUMBER and value == token.text else None
    return Identity(qualifiers, value, number, behind)


def _check_together(reader: ArithmeticReader, qualifiers: Qualifiers) -> None:
    """Refuse ``tcp host`` and ``ip6 port``, which libpcap does not know."""
    protocol, kind = qualifiers.protocol, qualifiers.kind or "host"
    wrong_port = kind in ("port", "portrange") and protocol not in _OF_PORTS
    wrong_host = kind in ("host", "net") and protocol in _TRANSPORTS
    if wrong_port or wrong_host:
        apart = f"{protocol} and {qualifiers.direction} {kind}".replace("  ", " ")
        raise reader.wrong(f"`{protocol}` and `{kind}` are two conditions: write `{apart} ...`")


def _expected(reader: ArithmeticReader, qualifiers: Qualifiers) -> Exception:
    here = f", not `{reader.here.text}`" if reader.here.text else ""
    return reader.wrong(f"after `{qualifiers}` {_EXPECTED[qualifiers.kind]} is expected{here}")


def _address(reader: ArithmeticReader, qualifiers: Qualifiers) -> str:
    token = reader.here
    if token.kind not in _ADDRESSES:
        raise _expected(reader, qualifiers)
    if token.kind is Kind.LLADDR and qualifiers.protocol not in LINK:
        raise reader.wrong(f"a MAC address stands after `ether host`, not after `{qualifiers}`")
    if token.kind is not Kind.LLADDR and qualifiers.protocol in LINK:
        raise reader.wrong(f"after `{qualifiers}` a MAC address is expected")
    if reader.after.text in ("/", "mask"):
        raise reader.wrong("a network stands after `net`", reader.after)
    return _checked(reader)


def _checked(reader: ArithmeticReader) -> str:
    """Read an address that is whole; a shorter one, and a MAC address, are right by their shape."""
    token = reader.take()
    if token.kind is Kind.ADDRESS6 or (token.kind is Kind.ADDRESS and token.text.count(".") == 3):
        try:
            ipaddress.ip_address(token.text)
        except ValueError:
            raise reader.wrong(f"{token.text} is no address", token) from None
    return token.text


def _network(reader: ArithmeticReader, qualifiers: Qualifiers) -> str:
    token = reader.here
    if token.kind not in _ADDRESSES - {Kind.LLADDR} or qualifiers.protocol in LINK:
        raise _expected(reader, qualifiers)
    address = _checked(reader)
    if reader.here.text == "mask":
        reader.take()
        if reader.here.kind is not Kind.ADDRESS:
            raise reader.wrong("after `mask` a mask such as 255.255.255.0 is expected")
        return f"{address} mask {reader.take().text}"
    if reader.here.text != "/":
        return address
    if token.kind is Kind.NUMBER:
        raise reader.wrong(f"a network with a length is written in full, such as {token.text}.0.0.0/8", token)
    reader.take()
    place = reader.here
    length = reader.number("after `/` a number of bits is expected")
    longest = 128 if token.kind is Kind.ADDRESS6 else 32
    if length > longest:
        raise reader.wrong(f"a network of this kind has at most {longest} bits", place)
    _check_host_bits(reader, token, length)
    return f"{address}/{length}"


def _check_host_bits(reader: ArithmeticReader, token: Token, length: int) -> None:
    """Refuse 10.1.2.3/8, in which bits are set that are not of the network; short ones libpcap judges."""
    if token.kind is Kind.ADDRESS6 or token.text.count(".") == 3:
        network = ipaddress.ip_network(f"{token.text}/{length}", strict=False)
        if network.network_address != ipaddress.ip_address(token.text):
            raise reader.wrong(f"{token.text} is an address in the network {network}: write that", token)


def _port(reader: ArithmeticReader, qualifiers: Qualifiers) -> str:
    token = reader.here
    if token.kind is Kind.NAME and token.text[0].isdecimal() and "-" in token.text:
        direction = f"{qualifiers.direction} portrange {token.text}".strip()
        raise reader.wrong(f"a range is written `{direction}`")
    if token.kind is Kind.NUMBER:
        _check_port(reader, token.text, token.value)
    elif token.kind is not Kind.NAME:
        raise _expected(reader, qualifiers)
    return reader.take().text


def _check_port(reader: ArithmeticReader, text: str, port: int) -> None:
    if port > _LARGEST_PORT:
        raise reader.wrong(f"{text} is no port: the largest is {_LARGEST_PORT}")


def _range(reader: ArithmeticReader, qualifiers: Qualifiers) -> str:
    token = reader.here
    if token.kind not in (Kind.NUMBER, Kind.NAME):
        raise _expected(reader, qualifiers)
    for end in token.text.split("-"):
        if end.isdecimal():
            _check_port(reader, end, int(end))
    reader.take()
    if reader.here.text == "-":
        raise reader.wrong("a range is written without spaces, such as 8000-8100")
    return token.text


def _protocol(reader: ArithmeticReader, qualifiers: Qualifiers) -> str:
    token = reader.here
    if token.kind is Kind.WORD and token.text not in ("and", "or", "not"):
        raise reader.wrong(f"`{token.text}` is a word of the language: write `\\{token.text}`")
    if token.kind not in (Kind.NUMBER, Kind.NAME):
        raise _expected(reader, qualifiers)
    return reader.take().text


_READERS = {"net": _network, "port": _port, "portrange": _range, "proto": _protocol, "protochain": _protocol}
