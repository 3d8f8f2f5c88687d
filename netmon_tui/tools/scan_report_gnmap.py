"""A scan in nmap's greppable format (-oG), line by line as nmap writes it for the same result.

The format is what output.cc and nmap.cc of nmap 7.93 print; it has lines for hosts and fields between tabs.
What hosts say passes a gate on its way, so that no tab or line end of theirs makes another field or line.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Container, Iterable, Iterator

from netmon_tui.domain.host import Host, Port, Service
from netmon_tui.domain.scan import HostFound, ScanEvent, ScanFinished, ScanInfo, ScanStarted

_VERSION_LENGTH = 159
"""Characters of a service's version, as nmap's buffer has them."""
_SERVICE_DETECTION = re.compile(r"-s[A-Za-z]*V[A-Za-z]*|-A")
_VERBOSE = re.compile(r"-[vd]+[0-9]*|--verbose|--debug")
_PROTOCOLS = (("tcp", "TCP"), ("udp", "UDP"), ("sctp", "SCTP"), ("ip", "PROTOCOLS"))


def scan_to_gnmap(
    events: Iterable[ScanEvent], gate: Callable[[object], str], chosen: Container[int] | None = None
) -> Iterator[str]:
    """Yield the lines of a scan.

    Args:
        events: Of nmap's XML document, from its beginning.
        gate: Foreign text passes it.
        chosen: Positions of the hosts that are wanted in the document; None for all.
    """
    lines = _Lines(gate)
    for event in events:
        if isinstance(event, ScanStarted):
            yield lines.begin(event)
        elif isinstance(event, ScanInfo):
            lines.asked[event.protocol] = event
        elif isinstance(event, HostFound):
            yield lines.ports_scanned()
            if chosen is None or event.ordinal in chosen:
                yield from lines.host(event.host)
        elif isinstance(event, ScanFinished):
            yield lines.ports_scanned()
            yield lines.end(event)


class _Lines:
    """Writes lines, knowing what the scan was asked for.

    Args:
        gate: Foreign text passes it.
    """

    def __init__(self, gate: Callable[[object], str]) -> None:
        self._gate = gate
        self._verbose = False
        self._detects_services = False
        self.asked: dict[str, ScanInfo] = {}
        """By protocol, what was scanned."""

    def begin(self, started: ScanStarted) -> str:
        """Return the first comment."""
        options = started.args.split()
        self._verbose = any(map(_VERBOSE.fullmatch, options))
        self._detects_services = any(map(_SERVICE_DETECTION.fullmatch, options))
        version, command = self._gate(started.version), self._gate(started.args)
        return f"# Nmap {version} scan initiated {time.ctime(started.start)} as: {command}\n"

    def ports_scanned(self) -> str:
        """Return the comment about ports, once, and only where nmap was verbose."""
        if not self._verbose:
            return ""
        self._verbose = False
        parts = []
        for protocol, name in _PROTOCOLS:
            info = self.asked.get(protocol)
            parts.append(f"{name}({info.numservices};{self._gate(info.services)})" if info else f"{name}(0;)")
        return f"# Ports scanned: {' '.join(parts)}\n"

    def end(self, finished: ScanFinished) -> str:
        """Return the last comment; none when nmap gave up."""
        if finished.exit != "success" or not finished.summary:
            return ""
        return f"# {self._gate(finished.summary).replace('; ', ' -- ', 1)}\n"

    def host(self, host: Host) -> Iterator[str]:
        """Yield the lines of a host: that it is up, then its ports with what belongs to them."""
        name = next((name for name, kind in host.hostnames if kind == "PTR"), "")
        head = f"Host: {self._gate(host.address)} ({self._gate(name)})"
        yield f"{head}\tStatus: {host.status.capitalize()}\n"
        if host.timed_out:
            yield f"{head}\tStatus: Timeout\n"
        elif host.ports or host.extraports:
            yield f"{head}\t{self._ports(host)}{self._system(host)}\n"
        elif host.started is not None:
            yield "\n"  # as nmap does for a host that was examined otherwise than by its ports

    def _ports(self, host: Host) -> str:
        if "ip" in self.asked:
            text = "Protocols: " + ", ".join(map(self._protocol, host.ports))
        else:
            text = "Ports: " + ", ".join(map(self._port, host.ports))
        if len(host.extraports) == 1 and host.extraports[0].total:
            text += f"\tIgnored State: {host.extraports[0].state} ({host.extraports[0].total})"
        return text

    def _protocol(self, port: Port) -> str:
        return f"{port.number}/{port.state}/{self._field(port.service.name if port.service else '')}/"

    def _port(self, port: Port) -> str:
        name = version = ""
        if port.service is not None:
            name = self._field(self._service_name(port.service, port.state))
            version = self._field(_version(port.service))
        return f"{port.number}/{port.state}/{port.protocol}//{name}//{version}/"

    def _field(self, text: str) -> str:
        """Return a part of a port: it ends at a slash."""
        return self._gate(text).replace("/", "|")

    def _service_name(self, service: Service, state: str) -> str:
        """Return the name with nmap's doubt about it, and with the tunnel it is in."""
        tunnel = "ssl/" if service.tunnel == "ssl" else ""
        if service.name == "unknown" or (tunnel and service.method != "probed"):
            return f"{tunnel}unknown"
        doubt = self._detects_services and state == "open" and service.confidence <= 5
        return f"{tunnel}{service.name}{'?' if doubt else ''}"

    def _system(self, host: Host) -> str:
        """Return the fields of OS detection: perfect matches only, as nmap does."""
        names = "|".join(self._gate(match.name) for match in host.os if match.accuracy == 100)
        text = f"\tOS: {names}" if names else ""
        if host.tcp_sequence_index is not None:
            text += f"\tSeq Index: {host.tcp_sequence_index}"
        return text + (f"\tIP ID Seq: {self._gate(host.ip_id_class)}" if host.ip_id_class else "")


def _version(service: Service) -> str:
    """Return product, version and, as far as it fits, extra information."""
    text = " ".join(filter(None, (service.product, service.version)))[:_VERSION_LENGTH]
    extra = service.extrainfo
    room = _VERSION_LENGTH - len(text) - 2 - bool(text)
    if len(extra) > room:
        extra = f"{extra[: room - 3]}..." if room > 3 else ""
    return " ".join(filter(None, (text, extra and f"({extra})")))
