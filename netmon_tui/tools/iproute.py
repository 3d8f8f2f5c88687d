"""iproute2: the ``ip neigh`` commands that change the neighbour table, and what ``ip -j neigh`` prints."""

from __future__ import annotations

import json
import re
from typing import Literal, NamedTuple

from netmon_tui.domain.address import normalise_lladdr, parse_ip
from netmon_tui.errors import InvalidInput

NeighbourVerb = Literal["add", "replace", "del", "flush"]

_INTERFACE = re.compile(r"[^-\s/:\0][^\s/:\0]{0,14}")
"""What the kernel's dev_valid_name() accepts, without a leading dash."""


class IpNeighbour(NamedTuple):
    """One entry as iproute2 tells it."""

    address: str
    interface: str
    lladdr: str
    """Empty while unresolved."""
    state: str
    """As NudState spells it."""


def neighbour_command(
    verb: NeighbourVerb, interface: str, *, address: str = "", lladdr: str = ""
) -> tuple[str, ...]:
    """Return the command line that changes the table.

    Args:
        verb: ``add`` and ``replace`` make a permanent entry and need both addresses, ``del`` needs the
            address, ``flush`` neither.
        interface: Its name.
        address: IPv4 or IPv6, without a zone.
        lladdr: A MAC address in any common spelling.

    Raises:
        InvalidInput: a value is malformed.
    """
    if not _INTERFACE.fullmatch(interface):
        raise InvalidInput(f"{interface!r} cannot be the name of an interface")
    if verb == "flush":
        return ("ip", "neigh", "flush", "dev", interface)
    parsed = parse_ip(address)
    if parsed is None or "%" in address:
        raise InvalidInput(f"{address!r} is not an IPv4 or IPv6 address", fix="give it without a zone")
    if verb == "del":
        return ("ip", "neigh", "del", str(parsed), "dev", interface)
    mac = normalise_lladdr(lladdr)
    if mac is None:
        raise InvalidInput(f"{lladdr!r} is not a MAC address", fix="write it as 00:11:22:33:44:55")
    return ("ip", "neigh", verb, str(parsed), "lladdr", mac, "dev", interface, "nud", "permanent")


def parse_ip_json_neigh(output: bytes) -> list[IpNeighbour]:
    """Return the entries of ``ip -j neigh show nud all``.

    Raises:
        InvalidInput: the output is not what iproute2 prints.
    """
    try:
        return [
            IpNeighbour(row["dst"], row["dev"], row.get("lladdr", ""), row["state"][0])
            for row in json.loads(output or b"[]")
        ]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise InvalidInput("this is not the JSON output of ip neigh", why=repr(error)) from error
