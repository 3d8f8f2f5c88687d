"""What goes through the interfaces of a namespace, by the kernel's counters."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from netmon_tui.domain.interface_traffic import InterfaceTraffic
from netmon_tui.runtime.interface_rates import InterfaceRates
from tests.unit.runtime.network_namespace import in_own_network, ip, make_pair, needs_namespace

pytestmark = needs_namespace


def send(count: int) -> None:
    """Send so many packets of 100 bytes to oneself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        for _ in range(count):
            own.sendto(bytes(100), own.getsockname())


def test_the_rates_are_those_of_the_interface_and_of_any() -> None:
    def work() -> tuple[list[InterfaceTraffic], list[InterfaceTraffic]]:
        make_pair()
        ip("link set lo up")
        rates = InterfaceRates()
        first = rates.read()
        send(50)
        return first, rates.read()

    first, second = in_own_network(work)
    assert [one.interface.name for one in second] == ["lo", "right", "left", "any"]
    assert all(one.rates is None for one in first)
    lo, right, _, together = (one.rates for one in second)
    assert lo is not None and right is not None and together is not None
    assert lo.packets_in == lo.packets_out >= 50
    assert 128 <= lo.bytes_in / lo.packets_in < 200
    assert together.packets_in >= lo.packets_in > right.packets_in


def test_interfaces_that_come_go_and_are_switched_off_while_it_looks() -> None:
    def work() -> list[list[tuple[str, bool]]]:
        make_pair()
        rates, seen = InterfaceRates(), []
        for change in ("link add late type bridge", "link set left down", "link del late"):
            rates.read()
            ip(change)
            seen.append([(one.interface.name, one.interface.up) for one in rates.read()])
        return seen

    added, down, gone = in_own_network(work)
    assert ("late", False) in added and ("left", True) in added
    assert ("left", False) in down
    assert "late" not in dict(gone)


def test_no_program_is_started_from_the_second_time_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def work() -> bool:
        make_pair()
        rates, mark = InterfaceRates(), tmp_path / "ran"
        rates.read()
        for name in ("ip", "which"):
            (tmp_path / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        rates.read()
        return mark.exists()

    assert in_own_network(work) is False
