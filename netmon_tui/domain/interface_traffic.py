"""What goes through an interface at the moment."""

from __future__ import annotations

from dataclasses import dataclass

from netmon_tui.domain.neighbour import Interface


@dataclass(frozen=True, slots=True)
class TrafficRates:
    """What goes through, each per second."""

    packets_in: float
    packets_out: float
    bytes_in: float
    bytes_out: float


@dataclass(frozen=True, slots=True)
class InterfaceTraffic:
    """An interface and what goes through it."""

    interface: Interface
    rates: TrafficRates | None = None
    """None before there is something to compare with."""
