"""The cast of the lab: who lives at which address, with which hardware address, and what answers there.

Pure data, standard library only: both sides read it, the holder (which opens the sockets) and the tests
(which compare what a scan found with :data:`EXPECTED`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

SUBNET = "10.77.0.0/24"
SUBNET6 = "fd77::/64"
SCAN = "scan"
"""The host where the application and the tests run; its interface, like everyone's, is ``eth0``."""

DOMAIN = "lab.test"
"""Names end in it (RFC 6761: never a real domain); the resolver at 10.77.0.13 answers A, AAAA and PTR."""

NMAP_NAMES = {
    (7, "tcp"): "echo",
    (7, "udp"): "echo",
    (21, "tcp"): "ftp",
    (22, "tcp"): "ssh",
    (23, "tcp"): "telnet",
    (25, "tcp"): "smtp",
    (53, "udp"): "domain",
    (80, "tcp"): "http",
    (2323, "tcp"): "3d-nfsd",
    (8080, "tcp"): "http-proxy",
}
"""What nmap calls a port without ``-sV`` (its file nmap-services)."""


@dataclass(frozen=True, slots=True)
class Service:
    """One open port of a host."""

    port: int
    protocol: str
    """``tcp`` or ``udp``."""
    behaviour: str
    """A key of :data:`tests.lab.services.STREAMS` or :data:`tests.lab.services.DATAGRAMS`."""

    @property
    def name(self) -> str:
        """nmap's name for the port, ``unknown`` where this table has none."""
        return NMAP_NAMES.get((self.port, self.protocol), "unknown")


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the lab: a network namespace with one interface ``eth0``."""

    name: str
    """Also the name of its namespace and of the switch's port: at most 15 letters and digits."""
    address: str
    lladdr: str
    services: tuple[Service, ...] = ()

    @property
    def address6(self) -> str:
        """``fd77::`` with the last number of the IPv4 address written as it is: 10.77.0.13 is fd77::13."""
        return f"fd77::{self.address.rsplit('.', 1)[1]}"

    @property
    def expected(self) -> dict[tuple[int, str], str]:
        """Every open port and nmap's name for it, and nothing else."""
        return {(service.port, service.protocol): service.name for service in self.services}

    def as_json(self) -> dict[str, Any]:
        """The form that crosses the control socket; :func:`host_from_json` reads it."""
        services = [[service.port, service.protocol, service.behaviour] for service in self.services]
        return {"name": self.name, "address": self.address, "lladdr": self.lladdr, "services": services}


def host_from_json(value: dict[str, Any]) -> Host:
    """The inverse of :meth:`Host.as_json`."""
    return host(value["address"], value["lladdr"], value["services"], name=value["name"])


def host(address: str, lladdr: str, services: Iterable[Iterable[Any]] = (), *, name: str = "") -> Host:
    """A host from ``(port, protocol, behaviour)`` triples, named ``hN``: N is the last number of its address.

    Raises:
        ValueError: The address is not an IPv4 address of :data:`SUBNET`.
    """
    if ipaddress.IPv4Address(address) not in ipaddress.IPv4Network(SUBNET):
        raise ValueError(f"{address} is not in {SUBNET}")
    listed = tuple(
        Service(int(port), str(protocol), str(behaviour)) for port, protocol, behaviour in services
    )
    return Host(name or f"h{address.rsplit('.', 1)[1]}", address, lladdr.lower(), listed)


SCANNER = host("10.77.0.1", "00:1b:21:00:00:01", name=SCAN)

CAST: tuple[Host, ...] = (
    SCANNER,
    # A Raspberry Pi with a web page and a secure shell
    host("10.77.0.10", "b8:27:eb:00:00:10", [(22, "tcp", "ssh"), (80, "tcp", "http")]),
    # A Synology with the two classics that speak first
    host("10.77.0.11", "00:11:32:00:00:11", [(21, "tcp", "ftp"), (25, "tcp", "smtp")]),
    # The attacker, a Tp-link: every text it sends means harm to a terminal or to a markup language
    host(
        "10.77.0.12",
        "50:c7:bf:00:00:12",
        [
            (21, "tcp", "hostile-lines"),
            (22, "tcp", "hostile-ssh"),
            (80, "tcp", "hostile-http"),
            (2323, "tcp", "megabyte-line"),
        ],
    ),
    # A Hewlett Packard: web proxy, echo and the resolver of the lab
    host("10.77.0.13", "3c:d9:2b:00:00:13", [(7, "udp", "echo"), (53, "udp", "dns"), (8080, "tcp", "http")]),
    # A Cisco that is up, answers pings and refuses every port
    host("10.77.0.14", "00:00:0c:00:00:14"),
    # A Philips bulb, the tarpit: 23 says nothing, 7 sends without end (nmap -sV never stops by itself)
    host("10.77.0.15", "00:17:88:00:00:15", [(7, "tcp", "endless"), (23, "tcp", "silent")]),
)

RESOLVER = "10.77.0.13"

EXPECTED: dict[str, dict[tuple[int, str], str]] = {h.address: h.expected for h in CAST if h is not SCANNER}
"""Address -> {(port, protocol): nmap's name}: exactly what a scan of all ports finds; without the scanner."""

HOSTILE_TEXTS: tuple[str, ...] = (
    "\x1b[2J\x1b[31mred\x1b[0m",  # clears the screen, changes colour
    "\x1b]52;c;cm0gLXJmIC8=\x07",  # OSC 52: writes "rm -rf /" to the clipboard
    "\x1b]0;owned\x07",  # changes the window's title
    "\x1bP+q544e\x1b\\",  # DCS: asks the terminal to answer into our input
    "\x9b31m",  # CSI as a single C1 control
    "[@click=app.quit]x[/]",  # Textual markup that quits when clicked
    "a[/]b[bold]",  # Rich markup that closes what was never opened
    "\u202egnp.exe\u202c",  # bidi override: reads "exe.png"
    "over\rwritten\x08\x08",
)
"""What the attacker says, one kind of harm each; with a zero-width and a bidi character it is not ASCII."""

HOSTILE_TITLE = "<b>" + "".join(HOSTILE_TEXTS[:2]) + "[@click=app.quit]x[/] a[/]b"
HOSTILE_NAME = b"\x1b[31mevil[/]"
"""The first label of the attacker's PTR answer, as raw bytes."""
