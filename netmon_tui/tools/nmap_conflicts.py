"""Which nmap options do not go together: what nmap refuses is refused, what it silently drops is told.

Everything here was tried on nmap 7.93; the tests try it again on the nmap that is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_mentions import is_mention

Given = Mapping[str, str]
"""Options that are set, by name, with their values (empty for those without one)."""

_TCP_SCANS = frozenset({"-sS", "-sT", "-sA", "-sW", "-sM", "-sN", "-sF", "-sX"})
_SCTP_SCANS = frozenset({"-sY", "-sZ"})
_PORT_SCANS = _TCP_SCANS | _SCTP_SCANS | {"-sU"}
_NO_PORTS = frozenset({"-sn", "-sL"})
_PINGS = frozenset({"-PS", "-PA", "-PU", "-PY", "-PO", "-PE", "-PP", "-PM", "-PR"})
_VERSION_DETAILS = frozenset({"--version-intensity", "--version-light", "--version-all", "--allports"})
_SYSTEM_DETAILS = frozenset({"--osscan-limit", "--osscan-guess", "--max-os-tries"})
_PORT_CHOICES = frozenset({"--top-ports", "--port-ratio", "--exclude-ports", "-r"})
_PORT_NUMBER = re.compile(r"[0-9]+")
_PORTS_OF = {"T": ("TCP", _TCP_SCANS), "U": ("UDP", frozenset({"-sU"})), "S": ("SCTP", _SCTP_SCANS)}


class Together(NamedTuple):
    """Options that do not go together."""

    left: frozenset[str]
    right: frozenset[str]
    reason: str


REFUSED_TOGETHER = (
    Together(_NO_PORTS, _PORT_SCANS | {"-sO"}, "a scan without ports has no port scan technique"),
    Together(_NO_PORTS, frozenset({"-p", "-F"}), "a scan without ports has no list of ports"),
    Together(_NO_PORTS, frozenset({"-O", "-A"}), "operating system detection needs a port scan"),
    Together(frozenset({"-sO"}), _PORT_SCANS, "-sO stands alone"),
)
"""nmap refuses any of the left with any of the right."""

DROPPED = (
    Together(_NO_PORTS, _PORT_CHOICES, "no ports are scanned"),
    Together(_NO_PORTS, _VERSION_DETAILS | {"-sV"}, "no ports are scanned"),
    Together(
        frozenset({"-sL"}), _PINGS | {"-Pn", "--traceroute"}, "a list scan sends nothing to the targets"
    ),
    Together(frozenset({"-Pn"}), _PINGS | {"--discovery-ignore-rst"}, "every host counts as up"),
    Together(frozenset({"-Pn"}), frozenset({"-sn"}), "every host counts as up, and no ports are scanned"),
    Together(frozenset({"--top-ports", "--port-ratio"}), frozenset({"-F"}), "they say how many ports"),
    Together(frozenset({"-sO"}), frozenset({"-sV", "-O", "-A"}), "protocols have no services or ports"),
    Together(frozenset({"-sT"}), frozenset({"--source-port", "--ttl"}), "connect scans send no raw packets"),
    Together(frozenset({"--system-dns"}), frozenset({"--dns-servers"}), "the system asks its own servers"),
)
"""With any of the left, nmap does without the right."""

REQUIRED: dict[str, str] = {"--defeat-rst-ratelimit": "-sS", "--defeat-icmp-ratelimit": "-sU"}
"""Options that nmap refuses without another one."""

USELESS_WITHOUT = (
    (_VERSION_DETAILS, frozenset({"-sV", "-A"})),
    (_SYSTEM_DETAILS, frozenset({"-O", "-A"})),
    (frozenset({"--script-timeout", "--script-args"}), frozenset({"--script", "-sC", "-A", "-sV"})),
)
"""Options that change nothing without any of some others."""

IPV4_ONLY = frozenset({"-PP", "-PM"})
"""nmap refuses them with -6."""

_LEAST_AND_MOST = ("rate", "parallelism", "hostgroup")
_NO_LIMIT = 10**9


def refuse_conflicts(given: Given) -> None:
    """Refuse what nmap itself would refuse after it was started.

    Raises:
        InvalidInput: Two options exclude each other, or one lacks another.
    """
    for left, right, reason in REFUSED_TOGETHER:
        if given.keys() & left and given.keys() & right:
            one, other = min(given.keys() & left), min(given.keys() & right)
            raise InvalidInput(f"{one} and {other} exclude each other", why=reason)
    for name, needed in REQUIRED.items():
        if name in given and needed not in given:
            raise InvalidInput(f"{name} needs {needed}")
    ports = [] if is_mention(given.get("-p", "")) else _PORT_NUMBER.findall(given.get("-p", ""))
    if "-sO" in given and any(int(number) > 255 for number in ports):
        raise InvalidInput("-p: the protocols of -sO are 0 to 255")
    for what in _LEAST_AND_MOST:
        least, most = given.get(f"--min-{what}", "0"), given.get(f"--max-{what}", _NO_LIMIT)
        if int(least) > int(most):
            raise InvalidInput(f"--min-{what} is over --max-{what}")


def refuse_for_ipv6(given: Given) -> None:
    """Refuse what nmap refuses when it scans by IPv6; raises InvalidInput."""
    for name in sorted(IPV4_ONLY & given.keys()):
        raise InvalidInput(f"{name} works with IPv4 only", why="a target is scanned by IPv6")


def dropped(given: Given) -> Iterator[str]:
    """Yield a sentence for everything that nmap would do without."""
    for left, right, reason in DROPPED:
        for name in sorted(given.keys() & right):
            if others := sorted(given.keys() & left):
                yield f"{name} does nothing with {others[0]}: {reason}"
    for details, needed in USELESS_WITHOUT:
        if not given.keys() & needed:
            for name in sorted(given.keys() & details):
                yield f"{name} does nothing without {' or '.join(sorted(needed, key=str.lower))}"
    yield from _ports_of_other_scans(given)


def _ports_of_other_scans(given: Given) -> Iterator[str]:
    """Say when ``-p U:53`` and its like name ports of a scan that was not asked for."""
    asked = given.keys() & (_PORT_SCANS | {"-sO"})
    for mark, (protocol, scans) in _PORTS_OF.items():
        wanted = asked & scans or (not asked and mark == "T")
        if f"{mark}:" in given.get("-p", "") and not wanted:
            yield f"-p {mark}: names ports of a {protocol} scan, which is not asked for"
