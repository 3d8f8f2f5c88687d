"""Who talks in a capture: talkers, conversations, services and packet lengths, by what its packets' headers say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from netmon_tui.domain.address import parse_ip

PORTED = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp", "UDPLite": "udp"}
"""Protocols with ports, and Wireshark's names of them."""
_KEEPS_UP = 0.9
"""Part of a growing file that is read of one that is kept up with."""
TrafficKind = Literal["talkers", "conversations", "services", "lengths"]


@dataclass(frozen=True, slots=True)
class Service:
    """What is spoken: a protocol and, where it has ports, that of the better known side."""

    protocol: str
    """``TCP``, ``ICMPv6``, ``ARP``, or a number where there is no name."""
    number: int
    """Of the IP protocol, or the ethertype, whose lowest is 0x600; -1 for neither."""
    port: int | None = None

    @property
    def label(self) -> str:
        """``TCP 443``."""
        return self.protocol if self.port is None else f"{self.protocol} {self.port}"

    @property
    def filter(self) -> str:
        """Display filter that leaves its packets; empty when none does."""
        if self.port is not None:
            return f"{PORTED[self.protocol]}.port == {self.port}"
        if self.number < 0:
            return "llc" if self.protocol == "LLC" else ""
        if self.number > 0xFF:
            fields = ("eth.type", "vlan.etype", "sll.etype")
            return f"({' || '.join(f'{field} == 0x{self.number:04x}' for field in fields)})"
        return f"(ip.proto == {self.number} || ipv6.nxt == {self.number})"


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What one side sent and received; bytes are those on the wire, link layer included."""

    sent_packets: int
    sent_bytes: int
    received_packets: int
    received_bytes: int

    @property
    def packets(self) -> int:
        """Both ways."""
        return self.sent_packets + self.received_packets

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.sent_bytes + self.received_bytes


@dataclass(frozen=True, slots=True)
class Talker(Exchanged):
    """An address with what it sent and received."""

    address: str
    """IP, or Ethernet where the packets carry no IP."""

    @property
    def filter(self) -> str:
        """Display filter that leaves its packets."""
        text = address_filter(self.address)
        return text if parse_ip(self.address) else f"{text} && !ip && !ipv6"


@dataclass(frozen=True, slots=True)
class Conversation(Exchanged):
    """Two addresses and what they speak, over all ports of the client, who is the side that sent."""

    client: str
    """The side whose port is the less known; without ports, or with equal ones, the lower address."""
    server: str
    service: Service

    @property
    def filter(self) -> str:
        """Display filter that leaves its packets, and those of the same service the other way round."""
        ends = (address_filter(self.client), address_filter(self.server))
        return " && ".join((*dict.fromkeys(ends), self.service.filter))


@dataclass(frozen=True, slots=True)
class ServiceShare:
    """How much of a service there is."""

    service: Service
    packets: int
    bytes: int

    @property
    def filter(self) -> str:
        """Display filter that leaves its packets; empty when none does."""
        return self.service.filter


@dataclass(frozen=True, slots=True)
class LengthShare:
    """How many packets have a length on the wire from ``least`` to ``most`` bytes, in Wireshark's classes."""

    least: int
    most: int | None
    packets: int

    @property
    def label(self) -> str:
        """``40-79``."""
        return f"{self.least} and more" if self.most is None else f"{self.least}-{self.most}"

    @property
    def filter(self) -> str:
        """Display filter that leaves its packets."""
        least = f"frame.len >= {self.least}"
        return least if self.most is None else f"{least} && frame.len <= {self.most}"


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was counted of a capture so far, the largest first."""

    talkers: tuple[Talker, ...] = ()
    conversations: tuple[Conversation, ...] = ()
    services: tuple[ServiceShare, ...] = ()
    lengths: tuple[LengthShare, ...] = ()
    packets: int = 0
    """An estimate where it was sampled."""
    bytes: int = 0
    sampled: float = 1.0
    """One packet of so many was looked at; 1 when all were, and the figures are exact."""
    read: float = 1.0
    """Part of the file that is behind us, 0 to 1."""
    keeps_up: bool = True
    """Whether the last look read about all that had come since the one before: if not, the figures grow as fast as
    we read."""
    forgotten: tuple[tuple[TrafficKind, int], ...] = ()
    """Packets of small entries that the tables had no room for."""
    damage: str = ""
    """Why nothing is read beyond some place in the file."""
    unread: str = ""
    """The link type, where it is one whose addresses are not read."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What limits the figures, in words."""
        notes = [f"addresses of {self.unread} are not read"] if self.unread else []
        if self.sampled > 1:
            notes.append(f"sampled 1 of {self.sampled:.3g}, figures are estimates")
        for kind, packets in self.forgotten:
            part = 100 * packets / (self.packets or 1) / (2 if kind == "talkers" else 1)
            notes.append(f"the smallest {kind} are left out ({part:.2g} % of the packets)")
        return (*notes, self.damage) if self.damage else tuple(notes)

    @property
    def lag(self) -> str:
        """How far reading is behind a file that grows, in words; empty where it keeps up."""
        return (
            f"behind: {self.read:.0%} of the file is read"
            if self.read < _KEEPS_UP and not self.damage
            else ""
        )


def address_filter(address: str) -> str:
    """Return the display filter for packets from or to an address."""
    found = parse_ip(address)
    if found is None:
        return f"eth.addr == {address}"
    return f"{'ip' if found.version == 4 else 'ipv6'}.addr == {address}"


def traffic_document(traffic: Traffic) -> dict[str, Any]:
    """Return what was counted for JSON; each entry has the display filter that leaves its packets."""
    kinds: tuple[TrafficKind, ...] = ("talkers", "conversations", "services", "lengths")
    return {
        "packets": traffic.packets,
        "bytes": traffic.bytes,
        "sampled": round(traffic.sampled, 3),
        "read": round(traffic.read, 4),
        "notes": list(traffic.notes),
        **{kind: [{**asdict(one), "filter": one.filter} for one in getattr(traffic, kind)] for kind in kinds},
    }
