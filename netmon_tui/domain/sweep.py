"""Sweeps: asking every address of a local network who has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from netmon_tui.domain.address import Family, IPAddress, IPNetwork, parse_ip
from netmon_tui.domain.scan import ScanPreview, StartScan


@dataclass(frozen=True, slots=True)
class LocalNetwork:
    """A network that an interface of this machine is in: who is in it answers ARP (IPv4) or ND (IPv6)."""

    interface: str
    network: IPNetwork

    @property
    def family(self) -> Family:
        """Which of the two is asked."""
        return Family.IPV4 if self.network.version == 4 else Family.IPV6

    @property
    def text(self) -> str:
        """The network as a target, a link-local one with its zone: ``fe80::%eth0/64``."""
        if self.network.version == 6 and self.network.is_link_local:
            return f"{self.network.network_address}%{self.interface}/{self.network.prefixlen}"
        return str(self.network)


class Extent(NamedTuple):
    """The addresses of a target, both ends included, and the zone that it names."""

    first: IPAddress
    last: IPAddress
    zone: str

    def is_in(self, network: IPNetwork) -> bool:
        """Whether all of them are in a network."""
        return self.first in network and self.last in network

    def holds(self, text: str) -> bool:
        """Whether an address lies between the ends."""
        address = parse_ip(text)
        if address is None or address.version != self.first.version:
            return False
        return int(self.first) <= int(address) <= int(self.last)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep that may start."""

    network: LocalNetwork
    """Where its addresses are."""
    extent: Extent
    """Which of the network are meant."""
    request: StartScan
    """What the scan is asked to do."""
    preview: ScanPreview
    """What would run, with every warning."""
    warnings: tuple[str, ...] = ()
    """Those that no other scan has; they are in the preview too."""
