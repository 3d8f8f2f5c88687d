"""The shapes that values of nmap options may have: each function checks one and returns its canonical text.

All raise InvalidInput with the reason; who calls adds the option's name and its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv6Address

from netmon_tui.domain.address import parse_ip
from netmon_tui.domain.named_set import MENTION
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_mentions import is_mention, mentioned
from netmon_tui.tools.nmap_targets import parse_targets, shown

Shape = Callable[[str], str]
"""Checks the text of a value and returns its canonical form."""

MAX_PORTS_TEXT = 1_024
"""Longest list of ports, in characters."""

_TIME = re.compile(r"([0-9]{1,6})(ms|s|m|h)?")
_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_INTEGER = re.compile(r"0|[1-9][0-9]{0,8}")
_RATIO = re.compile(r"0?\.[0-9]{1,6}|0")
_PORT_ITEM = re.compile(r"((?:[TUSP]:)?)([0-9]{0,5})(-?)([0-9]{0,5})")
_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,14}")
_TIMING_NAMES = ("paranoid", "sneaky", "polite", "normal", "aggressive", "insane")


def integer(lowest: int, highest: int) -> Shape:
    """A decimal number within bounds."""

    def check(text: str) -> str:
        if not _INTEGER.fullmatch(text) or not lowest <= int(text) <= highest:
            raise InvalidInput(f"{shown(text)} is not a number from {lowest} to {highest:,}")
        return text

    return check


def duration(text: str) -> str:
    """Time as nmap writes it: seconds, or with ``ms``, ``s``, ``m`` or ``h``."""
    match = _TIME.fullmatch(text)
    if not match:
        raise InvalidInput(f"{shown(text)} is not a time", fix="write 500ms, 30s, 5m or 1h")
    return f"{int(match[1])}{match[2] or 's'}"


def duration_from(least: int) -> Shape:
    """A time of at least so many milliseconds."""

    def check(text: str) -> str:
        canonical = duration(text)
        match = _TIME.fullmatch(canonical)
        assert match
        if int(match[1]) * _MILLISECONDS[match[2]] < least:
            raise InvalidInput(f"{shown(text)} is less than {least} ms")
        return canonical

    return check


def ratio(text: str) -> str:
    """A number from 0 to less than 1, as nmap wants it."""
    if not _RATIO.fullmatch(text):
        raise InvalidInput(f"{shown(text)} is not a number from 0 to less than 1")
    return text


def timing(text: str) -> str:
    """A timing template by number or name; the number comes out."""
    if text in _TIMING_NAMES:
        return str(_TIMING_NAMES.index(text))
    if text not in {"0", "1", "2", "3", "4", "5"}:
        raise InvalidInput(f"{shown(text)} is not a timing template", fix="write -T0 to -T5")
    return text


def ports(text: str) -> str:
    """Ports and ranges, or the mention of one port set.

    A set stands alone: behind a list, ``T:`` or ``U:`` of the one would hold for the other.
    """
    items = text.split(",")
    if not any(map(is_mention, items)):
        return port_numbers(text)
    if len(items) > 1:
        raise InvalidInput("a port set stands alone", fix="put the other ports into a set with it")
    return MENTION + mentioned(text)


def port_numbers(text: str) -> str:
    """Ports and ranges, with nmap's T:, U:, S: and P: before a part; open ranges come out closed."""
    return _port_list(text, 65_535, prefixes=True)


def plain_ports(text: str) -> str:
    """Ports and ranges without protocols, as the ping options take them."""
    return _port_list(text, 65_535, prefixes=False)


def protocols(text: str) -> str:
    """IP protocol numbers and ranges."""
    return _port_list(text, 255, prefixes=False)


def _port_list(text: str, highest: int, *, prefixes: bool) -> str:
    if len(text) > MAX_PORTS_TEXT:
        raise InvalidInput(f"a list of ports has at most {MAX_PORTS_TEXT:,} characters, not {len(text):,}")
    return ",".join(_port_item(item, highest, prefixes=prefixes) for item in text.split(","))


def _port_item(item: str, highest: int, *, prefixes: bool) -> str:
    match = _PORT_ITEM.fullmatch(item)
    if not match or not (match[2] or match[3]):
        raise InvalidInput(f"{shown(item)} is not a port or a range of ports", fix="write 22,80,8000-8100")
    prefix, first, dash, last = match.groups()
    if prefix and not prefixes:
        raise InvalidInput(f"{shown(item)}: a protocol has no place here")
    low, high = int(first or (1 if dash else 0)), int(last or (highest if dash else first))
    if low > high or high > highest:
        raise InvalidInput(f"{shown(item)} is not a range within 0 to {highest}")
    return f"{prefix}{low}-{high}" if dash else f"{prefix}{low}"


def interface(text: str) -> str:
    """The name of a network interface (at most 15 characters on Linux)."""
    if not _INTERFACE.fullmatch(text):
        raise InvalidInput(f"{shown(text)} is not the name of a network interface")
    return text


def addresses(text: str) -> str:
    """A comma list of IP addresses without zones."""
    parsed = [parse_ip(item) for item in text.split(",")]
    if not all(parsed) or any(isinstance(one, IPv6Address) and one.scope_id for one in parsed):
        raise InvalidInput(f"{shown(text)} is not a list of IP addresses")
    return ",".join(str(one) for one in parsed)


def targets(text: str) -> str:
    """A comma list of targets and mentions of target sets."""
    items = text.split(",")
    sets = [MENTION + mentioned(item) for item in items if is_mention(item)]
    plain = [item for item in items if not is_mention(item)]
    return ",".join([*sets, *(parse_targets(plain, limit=2**128).texts if plain else ())])
