"""How many probes a scan sends and how long that takes, told before anything is sent: a range, never a number.

The lower end is a network that answers everything at once and where few addresses are up; the upper end one where
half of them are up (all, of a few) and half of these are silent behind a filter. Measured with nmap 7.93:

- who answers is asked 75,000 ports a second and more on a local network, so that is the floor;
- who is silent is asked each port twice, ten probes at a time: 1,000 ports 21 s near by (100 ms of patience), 100
  ports 21 s when nothing at all has answered (a second of patience). Several silent hosts take turns, until others
  answer beside them: then nmap sends seven times as fast;
- addresses of the local network are asked by ARP: 249 that nobody has take 2 s; elsewhere each gets four probes
  twice, some 20 a second when all are silent;
- Linux tells of one closed UDP port a second: a host that is up takes a second for each.
"""

from __future__ import annotations

from dataclasses import dataclass

from netmon_tui.domain.estimate import Span
from netmon_tui.tools.nmap_arguments import NmapOptions
from netmon_tui.tools.nmap_ports import numbers
from netmon_tui.tools.nmap_timing import Timing, timing_of

_FEW = 32
"""So few addresses may all be up, and all be silent: they were chosen one by one."""
_SPARSE = 50
"""Of so many addresses at least one is up."""
_FASTEST = 100_000.0
"""Probes of ports a second, at most, that are answered at once."""
_FASTEST_PINGS = 10_000.0
_SILENCE_SECONDS = 1.0
"""What it takes at least to learn that some addresses of a network are nobody's."""
_ARP_RATE = 100.0
"""Probes a second, at least, to addresses of the local network that nobody has."""
_ANSWERED_RATE = 1_000.0
"""Probes a second, at least, to ports that answer, however far away."""
_MIXED = 2
"""So much faster silent hosts are asked while others answer."""
_FAR_TIMEOUT = 0.3
"""Seconds nmap waits for a host that is far away and has answered before."""
_UDP_SECONDS = 1.1
"""What a closed UDP port takes on a host that tells of one a second."""
_GROUP = 64
"""Hosts that are scanned at once, at least, unless fewer are asked for."""
_NAMES_SECONDS = 15.0
"""What a silent name server costs a group of hosts."""
_START_SECONDS = 3.0
_PINGS_WITH_PORTS = ("-PS", "-PA", "-PU", "-PY")
_PINGS = ("-PE", "-PP", "-PM", "-PR")


@dataclass(frozen=True, slots=True)
class Extent:
    """What is scanned."""

    hosts: int
    """Addresses and names."""
    ports: dict[str, int]
    """Of each host, by protocol."""
    privileged: bool
    """Whether raw packets are sent."""
    ipv6: bool
    local: bool
    """Whether all addresses are in networks of this machine, and so are asked by ARP."""


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What the model says."""

    probes: Span
    """Bounds: from all who answer at once to the last retry of every port of every host."""
    seconds: Span
    up: Span
    """Hosts up that the times assume."""
    all_may_be_silent: bool
    """Whether all of them may drop what they are asked, or only half of them."""


def reckon(options: NmapOptions, extent: Extent, *, staged: bool) -> Reckoning:
    """Return probes and times of a scan.

    Args:
        options: As nmap gets them, the ceiling of the rate added.
        extent: What is scanned.
        staged: Whether several nmaps do it.
    """
    if options.has("-sL"):
        names = 0.0 if options.has("-n") else _NAMES_SECONDS + extent.hosts / _GROUP
        return Reckoning(Span(0, 0), Span(0.0, _START_SECONDS + names), Span(0, 0), all_may_be_silent=False)
    timing = timing_of(options)
    kinds = _kinds(options, extent)
    up = _up(extent, kinds)
    model = _Model(options, extent, timing, kinds, up)
    probes = _probes(extent, timing, kinds, sum(extent.ports.values()))
    return Reckoning(probes, model.seconds(staged=staged), up, model.all_silent)


def open_ended(options: NmapOptions) -> str:
    """Return what takes as long as the services that answer let it: ``versions and scripts``; empty for nothing."""
    slow = {"versions": ("-sV", "-A"), "systems": ("-O", "-A"), "scripts": ("-sC", "--script", "-A")}
    found = [what for what, names in slow.items() if options.has(*names)]
    return " and ".join(filter(None, [", ".join(found[:-1]), *found[-1:]]))


def _kinds(options: NmapOptions, extent: Extent) -> int:
    """Return how many different probes ask whether a silent address is up. ARP does so even with -Pn."""
    if extent.local and extent.privileged and not options.has("--disable-arp-ping", "--send-ip"):
        return 1
    if options.has("-Pn"):
        return 0
    asked = sum(_listed(options.value(name)) for name in _PINGS_WITH_PORTS if options.has(name))
    asked += sum(options.has(name) for name in _PINGS)
    if options.has("-PO"):
        asked += _listed(options.value("-PO")) if options.value("-PO") else 3
    return asked or (2 if not extent.privileged else 3 if extent.ipv6 else 4)


def _listed(ports: str) -> int:
    """Return how many ports a ping option names; one where it is left to nmap."""
    return len(numbers(ports, "")) or 1


def _up(extent: Extent, kinds: int) -> Span:
    if not kinds:
        return Span(extent.hosts, extent.hosts)
    lowest = -(-extent.hosts // _SPARSE)
    return Span(lowest, extent.hosts if extent.hosts <= _FEW else -(-extent.hosts // 2))


def _probes(extent: Extent, timing: Timing, kinds: int, ports: int) -> Span:
    """Return bounds that hold whatever the network does; of the hosts, one may be this machine itself."""
    lowest = max(0, extent.hosts - 1) if kinds else 0 if timing.host_timeout else extent.hosts * ports
    return Span(lowest, extent.hosts * (kinds + ports) * (1 + timing.retries))


class _Model:
    """The times of one scan."""

    def __init__(self, options: NmapOptions, extent: Extent, timing: Timing, kinds: int, up: Span) -> None:
        self._options = options
        self._extent = extent
        self._timing = timing
        self._kinds = kinds
        self._up = up
        self._ports = sum(extent.ports.values())
        self.all_silent = extent.hosts <= _FEW or not kinds
        self._silent = up.highest if self.all_silent else up.highest / 2
        self._mixed = 1 if self.all_silent else _MIXED
        group = min(_GROUP, int(options.value("--max-hostgroup") or _GROUP))
        self._groups = max(1, -(-int(up.highest) // group))

    def seconds(self, *, staged: bool) -> Span:
        """Return the shortest and the longest time."""
        lowest = self._lowest()
        highest = self._discovery() + self._port_scan() + self._detection(staged=staged) + _START_SECONDS
        if self._timing.most_rate:
            highest = max(highest, self._most_probes() / self._timing.most_rate + _START_SECONDS)
        if not self._options.has("-n"):
            highest += _NAMES_SECONDS * self._groups
        return Span(lowest, max(highest, lowest))

    def _lowest(self) -> float:
        timing, hosts, up = self._timing, self._extent.hosts, self._up.lowest
        pings = max(0, hosts - 1) if self._kinds else 0
        ports = up * self._ports
        seconds = max(pings / _FASTEST_PINGS, _SILENCE_SECONDS if pings >= _FEW else 0.0) + ports / _FASTEST
        seconds = max(seconds, (self._ports - 1) * timing.delay if up else 0.0)
        if timing.most_rate:
            seconds = max(seconds, (pings + ports - 1) / timing.most_rate)
        return min(seconds, timing.host_timeout) if timing.host_timeout else seconds

    def _most_probes(self) -> float:
        """Return how many probes are sent at the upper end."""
        tries = self._timing.tries
        answered = self._up.highest - self._silent
        return self._extent.hosts * self._kinds * tries + (self._silent * tries + answered) * self._ports

    def _discovery(self) -> float:
        timing, probes = self._timing, self._extent.hosts * self._kinds * self._timing.tries
        if not probes:
            return 0.0
        patience = timing.tries * timing.first_timeout
        if timing.serial:
            return float(probes * max(timing.first_timeout, timing.delay) + patience)
        rate = (
            _ARP_RATE if self._kinds == 1 and self._extent.local else 2 * timing.window / timing.first_timeout
        )
        if timing.least_rate:
            rate = max(rate, timing.least_rate)
        return float(probes / rate + patience)

    def _port_scan(self) -> float:
        timing = self._timing
        if not self._ports:
            return 0.0
        silent, answered = self._silent * self._ports * timing.tries, self._up.highest - self._silent
        timeout = max(timing.least_timeout, self._distance()) if self._kinds else timing.first_timeout
        if timing.serial:
            probes = silent + answered * self._ports
            return float(probes * max(timing.delay, timeout) + timing.first_timeout)
        seconds = silent * timeout / (timing.window * self._mixed) + answered * self._ports / _ANSWERED_RATE
        seconds = max(seconds, self._groups * self._ports * timing.tries * timing.delay)
        seconds = max(seconds, self._groups * self._extent.ports.get("udp", 0) * _UDP_SECONDS)
        if timing.least_rate:
            seconds = min(
                seconds, (silent + answered * self._ports) / timing.least_rate + timing.first_timeout
            )
        if timing.host_timeout:
            seconds = min(seconds, self._groups * timing.host_timeout)
        return float(seconds + timing.tries * timing.first_timeout)

    def _distance(self) -> float:
        return 0.0 if self._extent.local else _FAR_TIMEOUT

    def _detection(self, *, staged: bool) -> float:
        """Return what a usual host takes: two or three services, which many are asked for at once in stages."""
        if not open_ended(self._options):
            return 0.0
        return 60.0 + self._up.highest * (0.5 if staged else 2.0)
