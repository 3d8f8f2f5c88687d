"""What a report says of a scan, whatever its format: texts as they are, to be gated by whoever writes them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from netmon_tui.domain.counted import counted
from netmon_tui.domain.host import ExtraPorts, Host, Service
from netmon_tui.domain.scan import Scan

HOST_COLUMNS = ("Address", "Name", "Status", "Hardware address", "Vendor", "System", "Open ports")
PORT_COLUMNS = ("Port", "State", "Reason", "Service", "Product", "Version", "More")
HOP_COLUMNS = ("Hop", "Address", "Name", "Round trip")


class TextGates(NamedTuple):
    """What foreign text passes on its way into a report."""

    line: Callable[[object], str]
    """To one harmless line."""
    block: Callable[[object], str]
    """To harmless lines."""


def scan_facts(scan: Scan, hosts: int | None) -> Iterator[tuple[str, str]]:
    """Yield pairs of (label, text) about a scan, without those that are empty.

    Args:
        scan: The scan.
        hosts: How many hosts the report has; None for all.
    """
    state = str(scan.state) if scan.state.is_final else f"{scan.state}, {scan.percent:.0f} %"
    facts = [
        ("Name", scan.name),
        ("Targets", " ".join(scan.targets)),
        ("Command", shlex.join(scan.command) or scan.arguments),
        ("Started", _moment(scan.started)),
        ("Finished", _moment(scan.finished)),
        ("State", state),
        ("Hosts", f"{scan.hosts_up} up, {scan.hosts_down} down"),
        ("Open ports", str(scan.ports_open)),
        ("Selection", "" if hosts is None else f"{hosts} host{'' if hosts == 1 else 's'}"),
        ("Error", scan.error),
        *(("Warning", warning) for warning in scan.warnings),
    ]
    return ((label, text) for label, text in facts if text)


def host_facts(host: Host) -> Iterator[tuple[str, str]]:
    """Yield pairs of (label, text) about a host, without those that are empty."""
    state = f"{host.status} ({host.reason})" if host.reason else host.status
    facts = [
        ("Status", f"{state}, not finished" if host.partial else state),
        *(("Name", name) for name, _ in host.hostnames),
        *(
            ("Address", f"{one.address} {one.vendor}")
            for one in host.addresses
            if one.address != host.address
        ),
        ("Gave up", "the host took longer than its time limit" if host.timed_out else ""),
        ("Distance", "" if host.distance is None else f"{host.distance} hops"),
        ("Uptime", f"about {host.uptime} s" if host.uptime else ""),
        *(("Not shown", _extra(extra)) for extra in host.extraports),
        *(("System", f"{match.name} ({match.accuracy} %) {' '.join(match.cpe)}") for match in host.os),
    ]
    return ((label, text.rstrip()) for label, text in facts if text)


def port_cells(host: Host) -> Iterator[tuple[str, ...]]:
    """Yield the cells of a host's ports, in the order of `PORT_COLUMNS`."""
    for port in host.ports:
        service = port.service or _NO_SERVICE
        name = f"{service.tunnel}/{service.name}" if service.tunnel else service.name
        more = " ".join(filter(None, (service.extrainfo, *service.cpe)))
        number = f"{port.number}/{port.protocol}"
        yield number, port.state, port.reason, name, service.product, service.version, more


def hop_cells(host: Host) -> Iterator[tuple[str, ...]]:
    """Yield the cells of a host's path, in the order of `HOP_COLUMNS`."""
    for hop in host.hops:
        rtt = "" if hop.rtt is None else f"{hop.rtt:.2f} ms"
        yield str(hop.ttl), hop.address, hop.hostname, rtt


def script_outputs(host: Host) -> Iterator[tuple[str, str]]:
    """Yield pairs of (which script on what, its output): those of ports, then those of the host."""
    for port in host.ports:
        for script in port.scripts:
            yield f"{port.number}/{port.protocol} {script.id}", script.output.strip("\r\n")
    for script in host.scripts:
        yield script.id, script.output.strip("\r\n")


_NO_SERVICE = Service()


def _moment(time: datetime | None) -> str:
    return "" if time is None else time.astimezone().isoformat(" ", "seconds")


def _extra(extra: ExtraPorts) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in extra.reasons)
    return f"{counted(extra.total, 'port')} {extra.state}" + (f" ({reasons})" if reasons else "")
