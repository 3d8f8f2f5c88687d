"""What was found of a host, as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from netmon_tui.domain.host import ExtraPorts, Host, Port, Script, Service
from netmon_tui.ui.rendering import Tone, duration, thin
from netmon_tui.ui.widgets.text_view import TextLine

SCRIPT_CHARACTERS = 16_384
"""Characters of one script's output that are shown."""
MOST_SCRIPTS = 500
MOST_GUESSES = 5
"""Guesses at the operating system that are listed."""


def headline(host: Host) -> str:
    """Return the address, first name, hardware address with vendor, and the best guess at the system."""
    name = host.hostnames[0][0] if host.hostnames else ""
    lladdr = f"{host.lladdr} ({host.vendor or 'unknown vendor'})" if host.lladdr else ""
    system = host.os[0].name if host.os else ""
    return " " + "  ".join(part for part in (host.address, name, lladdr, system) if part)


def version_of(service: Service | None) -> str:
    """Return product, version and extra information of a service, as nmap joins them."""
    if service is None:
        return ""
    extra = f"({service.extrainfo})" if service.extrainfo else ""
    tunnel = f"[{service.tunnel}]" if service.tunnel else ""
    return " ".join(part for part in (service.product, service.version, extra, tunnel) if part)


class HostText:
    """The lines about a host, in nmap's order: state, ports that were not listed, system, path, scripts.

    Args:
        host: Read only.
        neighbour: What the neighbours know of it, the most important first.
        given_up: Somebody gave it up before the scan was done with it.
    """

    def __init__(self, host: Host, neighbour: Sequence[str] = (), *, given_up: bool = False) -> None:
        self.lines: list[TextLine] = []
        self.anchors: dict[tuple[str, int], int] = {}
        """(protocol, number) of a port that has more to say, to the number of its first line."""
        first, *others = neighbour or ("",)
        self._state(host, first, given_up)
        for line in others:
            self._add(f"neighbour {line}")
        self._extraports(host.extraports)
        self._systems(host)
        self._path(host)
        if host.scripts:
            self._title("Host scripts")
            self._scripts(host.scripts)
        for port in host.ports:
            self._port(port)

    def _add(self, text: str, tone: Tone = "", indent: int = 1) -> None:
        self.lines.append(TextLine(text, tone, indent))

    def _title(self, text: str) -> None:
        self._add(text, "strong")

    def _state(self, host: Host, neighbour: str, given_up: bool) -> None:
        ttl = f", ttl {host.reason_ttl}" if host.reason_ttl else ""
        reason = f" ({host.reason}{ttl})" if host.reason and not host.partial else ""
        why = "somebody gave it up: nothing more is asked of it" if given_up else "its scan is not finished"
        unfinished = f", {why}" if host.partial else ""
        known = f", neighbour {neighbour}" if neighbour else ""
        self._add(f"{host.status}{reason}{unfinished}{known}", "warning" if host.partial else "")
        if host.timed_out:
            self._add("given up by nmap: it took longer than its time limit (--host-timeout)", "warning")
        for name, kind in host.hostnames:
            self._add(f"name      {name}{' (as typed)' if kind == 'user' else ''}")
        for address in host.addresses:
            if address.address != host.address:
                vendor = f" {address.vendor}" if address.vendor else ""
                self._add(f"{address.kind:<9} {address.address}{vendor}")
        if host.started and host.finished:
            begin = datetime.fromtimestamp(host.started, UTC).astimezone()
            self._add(
                f"scanned   {begin:%Y-%m-%d %H:%M:%S %Z}, took {duration(host.finished - host.started)}"
            )
        if host.distance is not None:
            self._add(f"distance  {host.distance} hop{'' if host.distance == 1 else 's'}")
        if host.uptime:
            self._add(f"uptime    about {duration(host.uptime)}")

    def _extraports(self, found: Iterable[ExtraPorts]) -> None:
        for extra in found:
            reasons = ", ".join(f"{count} {reason}" for reason, count in extra.reasons)
            self._add(
                f"not shown {thin(extra.total)} {extra.state}{f' ({reasons})' if reasons else ''}", "muted"
            )

    def _systems(self, host: Host) -> None:
        if host.os:
            self._title("Operating system")
        for match in host.os[:MOST_GUESSES]:
            self._add(f"{match.accuracy:>3}%  {match.name}", indent=2)
            if match.cpe:
                self._add(" ".join(match.cpe), "muted", 8)

    def _path(self, host: Host) -> None:
        if host.hops:
            self._title("Path")
        for hop in host.hops:
            rtt = f"{hop.rtt:.2f} ms" if hop.rtt is not None else ""
            self._add(f"{hop.ttl:>3}  {rtt:>10}  {hop.address or '*'}  {hop.hostname}", indent=2)

    def _port(self, port: Port) -> None:
        service = port.service
        cpe = service.cpe if service else ()
        if (not port.scripts and not cpe) or len(self.anchors) >= MOST_SCRIPTS:
            return
        self.anchors[(port.protocol, port.number)] = len(self.lines)
        name = f" {service.name} {version_of(service)}" if service else ""
        self._title(f"{port.number}/{port.protocol}{name}")
        if cpe:
            self._add(" ".join(cpe), "muted", 3)
        self._scripts(port.scripts)

    def _scripts(self, scripts: Iterable[Script]) -> None:
        for script in scripts:
            self._add(script.id, "accent", 3)
            for line in script.output[:SCRIPT_CHARACTERS].strip("\r\n").splitlines():
                self._add(line, indent=5)
            if len(script.output) > SCRIPT_CHARACTERS:
                self._add("(cut: export the scan for all of it)", "muted", 5)
