"""What a scan finds: hosts, ports, services, scripts, OS matches and hops.

``Service``, ``Script`` and ``Port`` are named tuples and not dataclasses because a scan of 65,536 hosts
makes a million of them: a frozen dataclass costs four times as much to build.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Service(NamedTuple):
    """What listens on a port, as nmap's ``<service>`` says."""

    name: str = ""
    """Protocol name from nmap-services or a probe, such as ``http``."""
    product: str = ""
    version: str = ""
    extrainfo: str = ""
    tunnel: str = ""
    """``ssl`` when the service was found inside TLS."""
    method: str = ""
    """``table`` (guessed from the number) or ``probed`` (answered)."""
    confidence: int = 0
    """0 to 10."""
    cpe: tuple[str, ...] = ()
    hostname: str = ""
    ostype: str = ""
    devicetype: str = ""


class Script(NamedTuple):
    """Output of one NSE script."""

    id: str
    output: str
    data: Any = None
    """Structured ``<table>``/``<elem>`` output as dicts, lists and strings; None without any."""


class PortDetail(NamedTuple):
    """What nmap seldom says of a port."""

    reason_ip: str = ""
    """Who answered, when it was not the host."""
    owner: str = ""
    """User that the service runs as, as the host's identd says."""
    rpc: str = ""
    """``rpc`` when the service is a program of ONC RPC."""
    rpc_number: int | None = None
    rpc_lowest: int | None = None
    rpc_highest: int | None = None
    """Program number and versions of that."""
    fingerprint: str = ""
    """What an unknown service answered, in nmap's form for submissions."""


NO_DETAIL = PortDetail()


class Port(NamedTuple):
    """One port of one host."""

    number: int
    protocol: str
    """``tcp``, ``udp``, ``sctp`` or ``ip``."""
    state: str
    """``open``, ``closed``, ``filtered``, ``unfiltered``, ``open|filtered`` or ``closed|filtered``."""
    reason: str = ""
    reason_ttl: int = 0
    service: Service | None = None
    scripts: tuple[Script, ...] = ()
    detail: PortDetail | None = None


class ExtraPorts(NamedTuple):
    """Ports that nmap only counts because there are many in one state."""

    state: str
    total: int
    reasons: tuple[tuple[str, int], ...] = ()
    """Pairs of (reason, how many)."""
    where: tuple[tuple[str, str], ...] = ()
    """Pairs of (protocol, ``1-21,23``), one for each reason; empty before nmap 7.90."""


class OsMatch(NamedTuple):
    """One guess at the operating system."""

    name: str
    accuracy: int
    """Percent."""
    cpe: tuple[str, ...] = ()
    classes: tuple[tuple[str, str, str, str, int], ...] = ()
    """``<osclass>`` as (type, vendor, osfamily, osgen, accuracy)."""
    line: int = 0
    """Where in nmap-os-db the fingerprint is."""


class SequenceTest(NamedTuple):
    """How one of a host's counters goes on from packet to packet, from ``-O``."""

    kind: str
    """``tcp`` (sequence numbers), ``ipid`` (IP identifications) or ``tcpts`` (TCP timestamps)."""
    grade: str
    """nmap's words for it: a difficulty for ``tcp``, else a class such as ``All zeros``."""
    samples: str = ""
    """The values seen, in hexadecimal, with commas."""
    tcp_index: int | None = None
    """How hard ``tcp`` is to guess: 0 is trivial."""


class RoundTrip(NamedTuple):
    """nmap's timing of a host, in microseconds."""

    smoothed: int | None
    variance: int | None
    timeout: int | None


class Hop(NamedTuple):
    """One router on the way, from ``--traceroute``."""

    ttl: int
    address: str
    hostname: str = ""
    rtt: float | None = None
    """Round trip in milliseconds."""


class HostAddress(NamedTuple):
    """One address of a host."""

    address: str
    kind: str
    """``ipv4``, ``ipv6`` or ``mac``."""
    vendor: str = ""


ONLY_LISTED = "unknown"
"""Status of every host that a list scan (``-sL``) names: it asks none of them."""


@dataclass(slots=True)
class Host:
    """One host that a scan reported. Built field by field by the parser, read only afterwards."""

    address: str
    """The IP address (the first one nmap lists)."""
    status: str = "unknown"
    """``up``, ``down``, ``unknown`` or ``skipped``."""
    reason: str = ""
    reason_ttl: int = 0
    addresses: tuple[HostAddress, ...] = ()
    """Every address, the link-layer one included."""
    hostnames: tuple[tuple[str, str], ...] = ()
    """Pairs of (name, type), type being ``user`` or ``PTR``."""
    ports: tuple[Port, ...] = ()
    extraports: tuple[ExtraPorts, ...] = ()
    scripts: tuple[Script, ...] = ()
    """Host scripts."""
    os: tuple[OsMatch, ...] = ()
    hops: tuple[Hop, ...] = ()
    distance: int | None = None
    """Network distance in hops."""
    uptime: int | None = None
    """Seconds since the last boot, as guessed."""
    started: float | None = None
    finished: float | None = None
    """POSIX time."""
    timed_out: bool = False
    partial: bool = False
    """Known only from live output: the scan had not finished this host."""
    sequences: tuple[SequenceTest, ...] = ()
    os_ports: tuple[tuple[str, str, int], ...] = ()
    """Ports that the guess at the operating system used, as (state, protocol, number)."""
    os_fingerprints: tuple[str, ...] = ()
    last_boot: str = ""
    """When the host started, in nmap's words and the scanner's time zone."""
    smurf_responses: int | None = None
    """Answers to one ping of what is a broadcast address."""
    trace_protocol: str = ""
    trace_port: int | None = None
    """What the path was traced with."""
    round_trip: RoundTrip | None = None
    comment: str = ""

    @property
    def lladdr(self) -> str:
        """The MAC address in lower case, or an empty string."""
        return next((a.address.lower() for a in self.addresses if a.kind == "mac"), "")

    @property
    def vendor(self) -> str:
        """The vendor nmap gave for the MAC, or an empty string."""
        return next((a.vendor for a in self.addresses if a.kind == "mac"), "")

    @property
    def tcp_sequence_index(self) -> int | None:
        """How hard TCP sequence numbers are to guess."""
        return next((test.tcp_index for test in self.sequences if test.kind == "tcp"), None)

    @property
    def ip_id_class(self) -> str:
        """How IP identifications follow each other, such as ``All zeros``."""
        return next((test.grade for test in self.sequences if test.kind == "ipid"), "")

    @property
    def open_ports(self) -> int:
        """How many ports are open."""
        return sum(port.state == "open" for port in self.ports)


class HostLine(NamedTuple):
    """One line of a scan's host list."""

    ordinal: int
    """Key of the host within its scan."""
    address: str
    status: str
    hostname: str
    lladdr: str
    vendor: str
    os: str
    open_ports: int
    partial: bool
    timed_out: bool


class ServiceLine(NamedTuple):
    """One port of one host, for the list of services across hosts."""

    ordinal: int
    address: str
    number: int
    protocol: str
    state: str
    reason: str
    service: str
    product: str
    version: str


class KnownHost(NamedTuple):
    """One address over all scans that the actor may see."""

    address: str
    hostname: str
    lladdr: str
    vendor: str
    os: str
    open_ports: int
    """In the latest scan that reported it."""
    scans: int
    last_scan: int
    """Id of that scan."""
    last_seen: float | None
    """POSIX time."""
