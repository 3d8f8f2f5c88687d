"""What is known of an address or an lladdr: in the kernel's table, in the memory, and in scans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from netmon_tui.domain.documents import neighbour_document, timestamp
from netmon_tui.domain.neighbour import NeighbourRecord


class LladdrSpan(NamedTuple):
    """One lladdr that one address had."""

    interface: str
    address: str
    lladdr: str
    first_seen: datetime
    last_seen: datetime


class ScanOfHost(NamedTuple):
    """One scan that found a host up."""

    scan_id: int
    name: str
    """The scan's label; may be empty."""
    time: datetime
    """When the scan was done with the host, or began."""
    address: str
    lladdr: str
    """Empty where the scan did not see it."""
    open_ports: int


class CaptureNaming(NamedTuple):
    """One capture whose filter names an address; which packets it has, only reading them tells."""

    capture_id: int
    name: str
    time: datetime
    """When it was begun."""
    interface: str
    filter: str
    packets: int


@dataclass(frozen=True, slots=True)
class NeighbourFacts:
    """Everything of one address or one lladdr."""

    live: tuple[NeighbourRecord, ...] = ()
    """The kernel's entries, on each interface one."""
    spans: tuple[LladdrSpan, ...] = ()
    """What is remembered, seen last first."""
    scans: tuple[ScanOfHost, ...] = ()
    """The latest first; of scans that are the actor's to see."""
    captures: tuple[CaptureNaming, ...] = ()
    """The latest first; of captures that are the actor's to see."""

    @property
    def lladdrs(self) -> tuple[str, ...]:
        """All lladdrs, those in the kernel's table first."""
        known = (*(one.lladdr for one in self.live), *(one.lladdr for one in self.spans))
        return tuple(dict.fromkeys(lladdr for lladdr in known if lladdr))


def neighbour_facts_document(asked: str, facts: NeighbourFacts) -> dict[str, Any]:
    """Return the facts as JSON values.

    Args:
        asked: The address or lladdr.
        facts: What is known of it.
    """
    return {
        "asked": asked,
        "live": [neighbour_document(record) for record in facts.live],
        "lladdrs": [
            one._asdict() | {"first_seen": timestamp(one.first_seen), "last_seen": timestamp(one.last_seen)}
            for one in facts.spans
        ],
        "scans": [
            {
                "scan": one.scan_id,
                "name": one.name,
                "time": timestamp(one.time),
                "address": one.address,
                "lladdr": one.lladdr,
                "ports_open": one.open_ports,
            }
            for one in facts.scans
        ],
        "captures": [
            {
                "capture": one.capture_id,
                "name": one.name,
                "time": timestamp(one.time),
                "interface": one.interface,
                "filter": one.filter,
                "packets": one.packets,
            }
            for one in facts.captures
        ],
    }
