"""How far hosts are: real pings, to loopback and to the hosts of the lab."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from netmon_tui.runtime.pings import round_trips
from tests.unit.runtime.network_namespace import drop_capabilities, in_own_network, needs_namespace

THERE, NOBODY = "10.77.0.10", "10.77.0.200"
LONG = 5.0
"""Seconds; nothing waits so long where all answer."""


@pytest.mark.lab
@pytest.mark.inside_lab
def test_only_hosts_that_are_there_answer() -> None:
    assert len(round_trips([NOBODY, THERE, "10.77.0.11"], 0.5)) == 2


class TestOwnNetwork:
    pytestmark = needs_namespace

    @pytest.mark.parametrize("addresses", [["127.0.0.1", "127.0.0.9"], ["::1"]])
    @pytest.mark.parametrize("groups", ["1 0", "0 2147483647"], ids=["raw", "datagram"])
    def test_all_of_them_answer(self, addresses: list[str], groups: str) -> None:
        def ping() -> list[float]:
            _loopback_up(groups)
            if groups != "1 0":
                drop_capabilities()
            return round_trips(addresses, LONG)

        found = in_own_network(ping)
        assert len(found) == len(addresses)
        assert all(0 < seconds < LONG for seconds in found)

    def test_without_a_route_nobody_answers(self) -> None:
        assert in_own_network(lambda: round_trips(["192.0.2.1"], LONG)) == []

    def test_who_may_not_ping_learns_nothing(self) -> None:
        def ping() -> list[float]:
            _loopback_up("1 0")
            drop_capabilities()
            return round_trips(["127.0.0.1"], LONG)

        assert in_own_network(ping) == []

    def test_what_others_are_told_is_no_answer(self) -> None:
        def ping() -> list[float]:
            _loopback_up("1 0")
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as other:
                # loopback shows every raw socket this, beside what is for us
                other.sendto(b"\x00\x00" + b"\xff\xff" + bytes(4 + 16), ("127.0.0.1", 0))
                return round_trips(["127.0.0.1"], LONG)

        assert len(in_own_network(ping)) == 1


def _loopback_up(groups: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    Path("/proc/sys/net/ipv4/ping_group_range").write_text(groups)
