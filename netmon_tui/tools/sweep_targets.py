"""Which addresses a sweep of a local network asks."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from netmon_tui.domain.address import eui64_address
from netmon_tui.domain.sweep import Extent, LocalNetwork
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_targets import Target


class Known(NamedTuple):
    """An address that was resolved."""

    interface: str
    address: str
    lladdr: str


def extent_of(target: Target) -> Extent:
    """Return the addresses of a target; raises InvalidInput for a host name."""
    if target.family is None:
        raise InvalidInput(f"{target.text} is a name", fix="sweep a network or an address")
    body, _, rest = target.text.partition("%")
    zone, slash, prefix = rest.partition("/")
    if "-" in body:
        octets = [part.split("-") for part in body.split(".")]
        first, last = (".".join(octet[end] for octet in octets) for end in (0, -1))
        return Extent(ipaddress.ip_address(first), ipaddress.ip_address(last), "")
    network = ipaddress.ip_network(f"{body}{slash}{prefix}", strict=False)
    return Extent(network[0], network[-1], zone)


def worth_asking(
    local: LocalNetwork, extent: Extent, known: Iterable[Known], is_spared: Callable[[str], bool]
) -> list[str]:
    """Return who is asked in a network that is too wide to be counted through.

    Args:
        local: The network.
        extent: The part of it that is meant.
        known: Everybody that was ever resolved, those seen last first.
        is_spared: Whether an address must never be scanned: then no address of its lladdr is asked.

    Returns:
        Targets: the known addresses, and those that known lladdrs of the segment have by EUI-64.
    """
    everybody = list(known)
    spared = {one.lladdr for one in everybody if is_spared(one.address)}
    here = [one for one in everybody if one.interface == local.interface and one.lladdr not in spared]
    candidates = [one.address for one in here]
    candidates += [address for one in here if (address := eui64_address(local.network, one.lladdr))]
    wanted = (text for text in dict.fromkeys(candidates) if extent.holds(text) and not is_spared(text))
    return [zoned(text, local.interface) for text in wanted]


def zoned(target: str, interface: str) -> str:
    """Return a target as nmap reaches it: a link-local address or network with its zone, unless it has one."""
    body, slash, prefix = target.partition("/")
    if ":" in body and "%" not in body and interface and ipaddress.ip_address(body).is_link_local:
        return f"{body}%{interface}{slash}{prefix}"
    return target


def fitting(networks: Sequence[LocalNetwork], target: Target, interface: str) -> list[LocalNetwork]:
    """Return the local networks that all addresses of a target are in.

    Args:
        networks: Those that there are.
        target: What is to be swept.
        interface: Only networks of this one; nothing for any.

    Raises:
        InvalidInput: There is none, so that ARP and ND do not get there, or which is meant is not clear.
    """
    extent = extent_of(target)
    zone = interface or extent.zone
    if extent.zone and extent.zone != zone:
        raise InvalidInput(f"{target.text} is not on {interface}")
    known = [one for one in networks if zone in ("", one.interface)]
    found = [one for one in known if extent.is_in(one.network)]
    if not found:
        where = f" of {zone}" if zone else ""
        here = ", ".join(f"{one.text} ({one.interface})" for one in known) or "none"
        raise InvalidInput(
            f"{target.text} is not in a local network{where}",
            why=f"ARP and ND do not leave the segment; local are: {here}",
            fix="scan what lies behind a router: netmon-tui scan run TARGET --profile 'Ping scan'",
        )
    if len(found) > 1 and extent.first.is_link_local and not zone:
        raise InvalidInput(
            f"{target.text} is on several interfaces",
            fix=f"name one: {', '.join(one.interface for one in found)}",
        )
    return found


def only_network(networks: Sequence[LocalNetwork], interface: str) -> LocalNetwork:
    """Return the only local IPv4 network, of an interface if one is named; raises InvalidInput."""
    found = [one for one in networks if one.network.version == 4 and interface in ("", one.interface)]
    if len(found) == 1:
        return found[0]
    if not found:
        where = f" of {interface}" if interface else ""
        raise InvalidInput(f"there is no local IPv4 network{where} to sweep")
    named = ", ".join(f"{one.text} ({one.interface})" for one in found)
    raise InvalidInput("which network is not said", why="there are several", fix=f"name one: {named}")
