"""How much goes through each interface, by the kernel's counters: no program is started for it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from netmon_tui.domain.interface_traffic import InterfaceTraffic, TrafficRates
from netmon_tui.domain.neighbour import Interface
from netmon_tui.runtime import interfaces
from netmon_tui.runtime.interfaces import ANY_INTERFACE, Counters


class InterfaceRates:
    """Compares the counters with those of the last time. Blocks: read it in a thread."""

    def __init__(self) -> None:
        self._known: list[Interface] = []
        self._counters: Mapping[str, Counters] = {}
        self._read_at = 0.0

    def read(self) -> list[InterfaceTraffic]:
        """Return the interfaces in the kernel's order, ``any`` last; rates from the second time on.

        Raises:
            NetmonError: The kernel does not tell.
        """
        counters, now = interfaces.interface_counters(), time.monotonic()
        if not self._known or counters.keys() != self._counters.keys():
            self._known = interfaces.list_interfaces()  # addresses and gateways take longer than counters
        before, passed = self._counters, now - self._read_at
        self._counters, self._read_at = counters, now
        rates = {
            name: _rates(before[name], counted, passed)
            for name, counted in counters.items()
            if name in before
        }
        found = [
            InterfaceTraffic(replace(one, up=interfaces.is_up(one.name)), rates.get(one.name))
            for one in self._known
        ]
        return [*found, InterfaceTraffic(Interface(name=ANY_INTERFACE), _sum(rates.values()))]


def _rates(before: Counters, after: Counters, passed: float) -> TrafficRates:
    """Return what was counted per second; nothing where a counter was reset."""
    grown = [max(0, new - old) / passed for old, new in zip(before, after, strict=True)]
    rx_packets, rx_bytes, tx_packets, tx_bytes = grown
    return TrafficRates(rx_packets, tx_packets, rx_bytes, tx_bytes)


def _sum(rates: Iterable[TrafficRates]) -> TrafficRates | None:
    every = list(rates)
    if not every:
        return None
    return TrafficRates(
        sum(one.packets_in for one in every),
        sum(one.packets_out for one in every),
        sum(one.bytes_in for one in every),
        sum(one.bytes_out for one in every),
    )
