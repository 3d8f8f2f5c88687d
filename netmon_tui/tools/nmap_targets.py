"""What may be scanned: one grammar for typed, stored and imported targets.

::

    target   = ipv4 | ipv4 "/" 0..32 | octets | ipv6 ["%" interface] ["/" 0..128] | hostname
    ipv4     = four numbers of 0..255 without leading zeros
    octets   = four of n or n-m, n <= m                        (10.0.0-3.1-254)
    hostname = labels of [A-Za-z0-9_-], not beginning or ending with "-", the last one not a number

Stricter than nmap on purpose: nmap reads ``0177.0.0.1`` as 177.0.0.1 and ``127.1`` as 127.0.0.1, takes
``10.0.0.1-`` for 1 to 255 and ``1.2.3.4/33`` for one host. Nothing that begins with ``-`` passes, whoever
wrote it, so a host of a hostile file cannot come back as an option.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from netmon_tui.domain.address import Family
from netmon_tui.domain.estimate import UNCOUNTED, number_words
from netmon_tui.errors import InvalidInput

MAX_ADDRESSES = 65_536
"""Most addresses of one scan."""
MAX_TARGETS = 2_000
"""Most targets of one scan: all of them must fit on a command line."""
MAX_TARGET = 300
"""Longest single target, in characters: a host name has at most 253."""

_OCTET = r"(?:0|[1-9][0-9]{0,2})"
_NUMBER = re.compile(_OCTET)
_OCTETS = re.compile(rf"{_OCTET}(?:-{_OCTET})?(?:\.{_OCTET}(?:-{_OCTET})?){{3}}")
_NUMERIC = re.compile(r"[0-9./-]+")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ZONE = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}")
_FOREIGN_SIGN = re.compile(r"[^A-Za-z0-9._:/%\-\u0080-\U0010ffff]")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
"""IPv4 addresses in another spelling (RFC 4291); a wider network is too wide for a scan anyway."""
_DISPUTED = frozenset("ßς\u200c\u200d")
"""Signs that the two versions of IDNA turn into different names, and so into different hosts."""


@dataclass(frozen=True, slots=True)
class Target:
    """One target that passed the grammar."""

    text: str
    """Canonical spelling: what nmap is given."""
    count: int
    """Addresses it stands for; 1 for a host name."""
    family: Family | None
    """None for a host name, which can have either."""


@dataclass(frozen=True, slots=True)
class TargetSet:
    """All targets of a scan, in the order given, without repetitions."""

    targets: tuple[Target, ...]
    count: int
    """Addresses of all together; overlapping ranges count twice."""
    ipv6: bool
    """Whether nmap needs -6."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The canonical spellings."""
        return tuple(target.text for target in self.targets)


def parse_targets(items: Iterable[str], *, limit: int = MAX_ADDRESSES) -> TargetSet:
    """Check targets, one per item, and bring them into canonical form.

    Args:
        items: The targets.
        limit: Most addresses allowed.

    Raises:
        InvalidInput: A target is refused, none is left, they are too many or mix IPv4 and IPv6.
    """
    found: dict[str, Target] = {}
    count = 0
    for item in items:
        target = parse_target(item)
        if target.text in found:
            continue
        found[target.text] = target
        count += target.count
        refuse_too_many(len(found))
        _refuse_too_wide(count, limit)
    families = {target.family for target in found.values()} - {None}
    if not found:
        raise InvalidInput("No targets", fix="name an address, a network such as 192.0.2.0/24 or a host")
    if len(families) > 1:
        raise InvalidInput(
            "IPv4 and IPv6 targets cannot be mixed",
            why="nmap scans one family at a time",
            fix="make two scans",
        )
    return TargetSet(tuple(found.values()), count, Family.IPV6 in families)


def parse_target(text: str) -> Target:
    """Check one target and bring it into canonical form.

    Raises:
        InvalidInput: It is not in the grammar; the error says why.
    """
    _refuse_dangerous(text)
    parse = _parse_ipv6 if ":" in text else _parse_numbers if _NUMERIC.fullmatch(text) else _parse_name
    return parse(text)


def shown(text: str) -> str:
    """A short, plain and quoted form of refused text for a message."""
    return ascii(text if len(text) <= 60 else text[:57] + "...")


def _refuse_dangerous(text: str) -> None:
    """Refuse what no target has, before looking closer."""
    if not text:
        raise InvalidInput("A target is empty")
    if len(text) > MAX_TARGET:
        raise InvalidInput(f"{shown(text)} is too long for a target", why=f"{len(text):,} characters")
    if text[0] == "-":
        raise InvalidInput(f"{shown(text)}: a target never begins with '-'", why="nmap would read an option")
    sign = _FOREIGN_SIGN.search(text)
    if sign:
        raise InvalidInput(
            f"{shown(text)} is not a target",
            why=f"{sign[0]!a} is not allowed in one",
            position=sign.start(),
        )


def refuse_too_many(targets: int) -> None:
    """Raise InvalidInput for more targets than one scan may have."""
    if targets > MAX_TARGETS:
        raise InvalidInput(
            f"More than {MAX_TARGETS:,} targets", fix="write networks and ranges instead of single addresses"
        )


def _refuse_too_wide(count: int, limit: int) -> None:
    if count > limit:
        many = f"about {number_words(count)}" if count >= UNCOUNTED else f"{count:,}"
        raise InvalidInput(
            f"{many} addresses are too many for one scan",
            why=f"the limit is {limit:,}",
            fix="scan smaller networks",
        )


def _parse_numbers(text: str) -> Target:
    """Parse an IPv4 address, network or range."""
    address, slash, prefix = text.partition("/")
    if not _OCTETS.fullmatch(address):
        raise _not_an_address(text)
    bounds = [tuple(int(number) for number in octet.split("-")) for octet in address.split(".")]
    if any(max(octet) > 255 for octet in bounds):
        raise InvalidInput(f"{shown(text)} is not an IPv4 target", why="a part is over 255")
    if any(octet[0] > octet[-1] for octet in bounds):
        raise InvalidInput(f"{shown(text)} is not an IPv4 target", why="a range runs backwards")
    if slash:
        return _parse_ipv4_network(text, address, prefix)
    count = 1
    for octet in bounds:
        count *= octet[-1] - octet[0] + 1
    canonical = ".".join(
        str(octet[0]) if octet[0] == octet[-1] else f"{octet[0]}-{octet[-1]}" for octet in bounds
    )
    return Target(canonical, count, Family.IPV4)


def _parse_ipv4_network(text: str, address: str, prefix: str) -> Target:
    if "-" in address:
        raise InvalidInput(f"{shown(text)} is not a target", why="a range cannot have a prefix length")
    length = _prefix_length(text, prefix, 32)
    network = ipaddress.IPv4Network((address, length), strict=False)
    return Target(str(network), network.num_addresses, Family.IPV4)


def _parse_ipv6(text: str) -> Target:
    """Parse an IPv6 address or network, with or without a zone."""
    body, slash, prefix = text.partition("/")
    address, percent, zone = body.partition("%")
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        raise InvalidInput(f"{shown(text)} is not an IPv6 target") from None
    if percent and not _ZONE.fullmatch(zone):
        raise InvalidInput(f"{shown(text)} is not an IPv6 target", why="the part after '%' is no interface")
    if parsed in _MAPPED:
        raise InvalidInput(
            f"{shown(text)} is an IPv4 address",
            why="nmap reaches it by IPv4, and lists of what is never scanned would not know it",
            fix=f"write {ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)}",
        )
    if not slash:
        return Target(f"{parsed}{percent}{zone}", 1, Family.IPV6)
    length = _prefix_length(text, prefix, 128)
    network = ipaddress.IPv6Network((parsed, length), strict=False)
    return Target(f"{network.network_address}{percent}{zone}/{length}", network.num_addresses, Family.IPV6)


def _prefix_length(text: str, prefix: str, longest: int) -> int:
    if not _NUMBER.fullmatch(prefix) or int(prefix) > longest:
        raise InvalidInput(f"{shown(text)} is not a network", why=f"the prefix length must be 0 to {longest}")
    return int(prefix)


def _parse_name(text: str) -> Target:
    """Parse a host name; international ones become their ASCII form."""
    if "/" in text or "%" in text:
        raise InvalidInput(
            f"{shown(text)} is not a target",
            why="only an address can have a network prefix or a zone",
            fix="write the network by its address",
        )
    name = text.lower() if text.isascii() else _to_ascii(text)
    labels = name.removesuffix(".").split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidInput(f"{shown(text)} is not a host name")
    if _NUMBER_LABEL.fullmatch(labels[-1]):
        raise _not_an_address(text)
    return Target(name, 1, None)


def _to_ascii(text: str) -> str:
    """Apply IDNA (RFC 3490, the standard library's)."""
    if _DISPUTED & set(text):
        raise InvalidInput(
            f"{shown(text)} is not a host name that means one host",
            why="the two versions of IDNA read it differently",
            fix="write its ASCII form (xn--...)",
        )
    try:
        return text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise InvalidInput(f"{shown(text)} is not a host name") from None


_ADDRESS_MISTAKES: tuple[tuple[Callable[[str], object], str], ...] = (
    (re.compile(r"(?:^|[.-])0[0-9]").search, "a leading zero means octal to some programs and not to others"),
    (re.compile(r"-(?:[./]|$)|\.-").search, "a range needs both ends"),
    (re.compile(r"(?i)0x").search, "hexadecimal addresses are read differently by different programs"),
    (re.compile(r"\.(?:.*\.){3}").search, "it has more than four parts"),
)


def _not_an_address(text: str) -> InvalidInput:
    """The error for what looks like an address of numbers and is none."""
    reason = next((why for found, why in _ADDRESS_MISTAKES if found(text)), "an IPv4 address has four parts")
    return InvalidInput(f"{shown(text)} is not an IPv4 target", why=reason)
