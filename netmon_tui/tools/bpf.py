"""Capture filters: built from the simple fields of the form, checked as text, and completed for a capture."""

from __future__ import annotations

import ipaddress
import re

from netmon_tui.domain.address import normalise_lladdr, parse_ip
from netmon_tui.domain.capture import Direction
from netmon_tui.domain.capture_filter_library import LONGEST_FILTER
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.bpf_words import check_words

LONGEST_COMPLETED = 2048
"""Characters of a filter to which the program has added its own conditions."""

PROTOCOLS = {
    "": "",
    "tcp": "tcp",
    "udp": "udp",
    "sctp": "sctp",
    "icmp": "icmp",
    "icmp6": "icmp6",
    "arp": "arp",
    "ip": "ip",
    "ip6": "ip6",
    "dns": "port 53",
    "dhcp": "udp and (port 67 or port 68 or port 546 or port 547)",
}
"""What the form offers, and the filter each stands for; the empty one is any protocol."""
_DIRECTIONS = {Direction.BOTH: "", Direction.IN: "inbound", Direction.OUT: "outbound"}
_WITH_PORTS = frozenset({"", "tcp", "udp", "sctp", "ip", "ip6"})
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


def build_filter(protocol: str = "", host: str = "", port: str = "") -> str:
    """Return the filter for the simple fields, each of which may be empty; an empty one lets everything pass.

    Args:
        protocol: A key of ``PROTOCOLS``.
        host: IP address, network (``10.0.0.0/8``; host bits are cleared) or MAC address.
        port: ``80`` or a range ``8000-8100``.

    Raises:
        InvalidInput: One of them is not what it should be.
    """
    name = protocol.strip().lower()
    if name not in PROTOCOLS:
        raise InvalidInput(
            f"Unknown protocol {protocol!r}", fix=f"one of {', '.join(filter(None, PROTOCOLS))}"
        )
    if port.strip() and name not in _WITH_PORTS:
        raise InvalidInput(f"{name} and a port do not go together", fix="leave the port empty")
    expression = PROTOCOLS[name]
    parts = [
        f"({expression})" if " or " in expression else expression,
        _host(host.strip()),
        _port(port.strip()),
    ]
    return " and ".join(part for part in parts if part)


def _host(host: str) -> str:
    if not host:
        return ""
    if parse_ip(host):
        return f"host {host}" if "%" not in host else f"host {host.partition('%')[0]}"
    if lladdr := normalise_lladdr(host):
        return f"ether host {lladdr}"
    try:
        return f"net {ipaddress.ip_network(host, strict=False)}"
    except ValueError:
        raise InvalidInput(
            f"{host!r} is no address or network",
            why="names are not looked up in capture filters",
            fix="give an IP address, a network such as 10.0.0.0/8, or a MAC address",
        ) from None


def _port(port: str) -> str:
    if not port:
        return ""
    found = _PORTS.fullmatch(port)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if not found or first > last or last > 65_535:
        raise InvalidInput(
            f"{port!r} is no port", fix="a number from 0 to 65535, or a range such as 8000-8100"
        )
    return f"portrange {first}-{last}" if found[2] else f"port {first}"


def check_text(capture_filter: str, *, longest: int = LONGEST_FILTER) -> str:
    """Return a filter, stripped, that may be given to tcpdump; whether it compiles is another matter.

    Host names are refused: compiling one asks the network about it, each time, with root's resolver.

    Args:
        capture_filter: What somebody wrote, or such a filter completed by this module.
        longest: How many characters are taken.

    Raises:
        InvalidInput: Too long, characters outside printable ASCII, parentheses that do not match, or a name;
            with the position of the offence.
    """
    if len(capture_filter) > longest:
        raise InvalidInput(
            "The filter is too long",
            why=f"it has {len(capture_filter)} characters, at most {longest} are taken",
            position=longest,
        )
    for position, character in enumerate(capture_filter):
        if not " " <= character <= "~":
            raise InvalidInput(
                f"The filter has a character that is not printable ASCII: {character!r}", position=position
            )
    _check_parentheses(capture_filter)
    check_words(capture_filter)
    return capture_filter.strip()


def _check_parentheses(capture_filter: str) -> None:
    """Refuse ``tcp) or (udp``, which would escape from the parentheses around a joined filter."""
    opened: list[int] = []
    for position, character in enumerate(capture_filter):
        if character == "(":
            opened.append(position)
        elif character == ")":
            if not opened:
                raise InvalidInput("The filter closes a parenthesis that is not open", position=position)
            opened.pop()
    if opened:
        raise InvalidInput("The filter does not close a parenthesis", position=opened[-1])


def both(left: str, right: str) -> str:
    """Return the filter of packets that match both; an empty filter matches everything."""
    if not left or not right:
        return left or right
    return f"({left}) and ({right})"


def directed(capture_filter: str, direction: Direction) -> str:
    """Return the filter of packets that also go that way, for the kernel only.

    Capture by tcpdump's ``-Q`` instead: libpcap 1.10 checks the packets of the first blocks itself, where no
    packet is ``inbound``, and loses them.
    """
    return both(capture_filter, _DIRECTIONS[direction])


def exclude_ssh(capture_filter: str, client: str, client_port: int, server: str, server_port: int) -> str:
    """Return the filter without the packets of one TCP connection, both ways.

    Args:
        capture_filter: The user's filter, checked; may be empty.
        client: Address and port of the SSH client, as in ``SSH_CONNECTION``.
        client_port: See ``client``.
        server: Address and port of this end.
        server_port: See ``server``.

    Raises:
        InvalidInput: An address is none, or a port is out of bounds.
    """
    if not (0 <= client_port <= 65_535 and 0 <= server_port <= 65_535):
        raise InvalidInput("The SSH session's ports are not from 0 to 65535")
    own = (
        f"not (host {_plain(client)} and host {_plain(server)}"
        f" and tcp port {client_port} and tcp port {server_port})"
    )
    return f"({capture_filter}) and {own}" if capture_filter else own


def _plain(address: str) -> str:
    """Return an address as it is in packets: without a zone, IPv4 not dressed up as IPv6."""
    parsed = parse_ip(address)
    if parsed is None:
        raise InvalidInput(f"{address!r} is no address")
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.IPv6Address(int(parsed)))
    return str(parsed)


def with_protocols(capture_filter: str) -> list[tuple[str, str]]:
    """Return (name, filter) of what is counted during a capture; the total comes first."""
    counted = (("tcp", "tcp"), ("udp", "udp"), ("icmp", "icmp or icmp6"), ("arp", "arp"))
    return [
        ("total", capture_filter),
        *((name, both(capture_filter, protocol)) for name, protocol in counted),
    ]
