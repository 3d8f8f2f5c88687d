"""Interfaces as this machine's kernel has them, and in a namespace of the test's own."""

import logging
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import Interface, InterfaceAddress
from netmon_tui.runtime.interfaces import (
    Counters,
    SshSession,
    default_gateways,
    gateways_in_routes,
    interface_counters,
    interface_linktype,
    list_interfaces,
    local_networks,
    ssh_session,
)
from tests.unit.runtime.network_namespace import in_own_network, ip, make_pair, needs_namespace

ROUTES = ("route add default via 10.0.0.254 dev left", "-6 route add default via fe80::1 dev left")


def make_many() -> None:
    """The pair, and every kind of address and link that is read differently."""
    make_pair()
    ip(
        "addr add 10.9.9.1/24 dev left label left:1",
        "addr add 10.5.5.1 peer 10.5.5.2/32 dev right",
        "tuntap add dev tunnel mode tun",
        "link set tunnel up",
        "addr add 10.8.0.1/24 dev tunnel",
        "link add bare type bridge",
        *ROUTES[:1],
    )
    subprocess.run(["ip", *ROUTES[1].split()], check=True)


class TestInANamespace:
    pytestmark = needs_namespace

    def test_interfaces_with_all_they_have(self) -> None:
        found = in_own_network(lambda: (make_many(), list_interfaces())[1])
        by_name = {interface.name: interface for interface in found}
        assert list(by_name) == ["lo", "right", "left", "tunnel", "bare"]
        left = by_name["left"]
        assert left.lladdr == "02:00:00:00:00:01"
        assert left.gateways == ("10.0.0.254", "fe80::1")
        assert (left.up, left.loopback) == (True, False)
        assert {
            InterfaceAddress("10.0.0.1", 8, Family.IPV4),
            InterfaceAddress("10.9.9.1", 24, Family.IPV4),
            InterfaceAddress("fd00::1", 64, Family.IPV6),
            InterfaceAddress("fe80::ff:fe00:1", 64, Family.IPV6),
        } == set(left.addresses)
        assert (left.resolves, by_name["lo"].resolves) == (True, False)
        assert by_name["right"].addresses[0] == InterfaceAddress("10.5.5.1", 32, Family.IPV4)
        assert by_name["tunnel"] == Interface(
            "tunnel", addresses=(InterfaceAddress("10.8.0.1", 24, Family.IPV4),), up=False, resolves=False
        )
        assert by_name["lo"].loopback
        assert not by_name["bare"].up

    def test_networks_worth_a_scan(self) -> None:
        def work() -> list[str]:
            make_many()
            ip(
                "addr add 169.254.7.7/24 dev left",
                "addr add 10.9.9.2/24 dev left",
                "addr add 172.16.5.4/16 dev left",
            )
            return local_networks()

        assert sorted(in_own_network(work)) == ["10.9.9.0/24", "172.16.0.0/16"]

    def test_names_are_exact_and_of_this_namespace(self) -> None:
        def work() -> list[bool]:
            make_many()
            names = ["left", "any", "lef", "left ", "left:1", "../left", "", "eth0", "left\0"]
            return [bool(interface_linktype(name)) for name in names]

        assert in_own_network(work) == [True, True, *[False] * 7]

    def test_gateways_without_the_ip_command(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        def work() -> dict[str, tuple[str, ...]]:
            make_many()
            failing = tmp_path / "ip"
            failing.write_text("#!/bin/sh\nexit 1\n")
            failing.chmod(0o755)
            monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
            return default_gateways()

        assert in_own_network(work) == {"left": ("10.0.0.254", "fe80::1")}

    def test_an_ip_command_that_anybody_could_have_put_there_is_not_run(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        folder, mark = tmp_path / "everybody", tmp_path / "ran"
        folder.mkdir()

        def work() -> dict[str, tuple[str, ...]]:
            make_many()
            for name in ("ip", "which"):
                (folder / name).write_text(f"#!/bin/sh\ntouch {mark}\necho {folder}/ip\n")
                (folder / name).chmod(0o755)
            folder.chmod(0o777)
            monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
            return default_gateways()

        assert in_own_network(work) == {"left": ("10.0.0.254", "fe80::1")}
        assert not mark.exists()

    def test_gateways_of_a_multipath_route(self) -> None:
        def work() -> dict[str, tuple[str, ...]]:
            make_pair()
            hops = [
                "nexthop",
                "via",
                "10.0.0.254",
                "dev",
                "left",
                "nexthop",
                "via",
                "10.0.0.253",
                "dev",
                "left",
            ]
            subprocess.run(["ip", "route", "add", "default", *hops], check=True)
            return default_gateways()

        assert in_own_network(work)["left"][0] == "10.0.0.254"

    def test_gateways_are_read_from_the_routes_without_starting_a_program(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def work() -> list[tuple[str, str]]:
            make_many()
            monkeypatch.setenv("PATH", "/nowhere")
            return sorted(gateways_in_routes())

        assert in_own_network(work) == [("left", "10.0.0.254"), ("left", "fe80::1")]

    def test_no_routes_no_gateways(self) -> None:
        assert in_own_network(default_gateways) == {}

    def test_looking_for_gateways_leaves_the_logging_alone(self) -> None:
        root = logging.getLogger()
        handlers = list(root.handlers)
        root.handlers[:] = []
        try:
            in_own_network(default_gateways)
            assert root.handlers == []
        finally:
            root.handlers[:] = handlers

    def test_link_types_are_those_of_tcpdump(self) -> None:
        def work() -> dict[str, tuple[str, str]]:
            make_many()
            return {
                name: (interface_linktype(name), tcpdump_says(name))
                for name in ("left", "lo", "tunnel", "any")
            }

        for name, (ours, theirs) in in_own_network(work).items():
            assert f"  {ours} (" in theirs, name

    def test_an_unknown_interface_has_no_link_type(self) -> None:
        assert in_own_network(lambda: interface_linktype("left")) == ""

    def test_counters_count_what_is_sent(self) -> None:
        def work() -> tuple[Counters, Counters]:
            make_pair()
            before = interface_counters()["lo"]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for _ in range(10):
                    sender.sendto(b"x" * 100, ("127.0.0.1", 9))
            return before, interface_counters()["lo"]

        before, after = in_own_network(work)
        assert before == (0, 0, 0, 0)
        assert after.tx_packets - before.tx_packets >= 10
        assert after.rx_bytes >= 10 * 128


def tcpdump_says(name: str) -> str:
    done = subprocess.run(["tcpdump", "-L", "-i", name], capture_output=True, text=True)
    return done.stdout + done.stderr


def test_loopback_of_this_machine() -> None:
    loopback = next(interface for interface in list_interfaces() if interface.loopback)
    assert InterfaceAddress("127.0.0.1", 8, Family.IPV4) in loopback.addresses
    assert loopback.name in interface_counters()
    assert interface_linktype(loopback.name)


@pytest.mark.parametrize(
    ("value", "session"),
    [
        ("192.0.2.9 50022 192.0.2.1 22", SshSession("192.0.2.9", 50022, "192.0.2.1", 22)),
        ("fe80::9%eth0 50022 fe80::1%eth0 22", SshSession("fe80::9%eth0", 50022, "fe80::1%eth0", 22)),
        ("", None),
        ("192.0.2.9 50022 192.0.2.1", None),
        ("192.0.2.9 50022 192.0.2.1 22 1", None),
        ("192.0.2.9 0 192.0.2.1 22", None),
        ("192.0.2.9 65536 192.0.2.1 22", None),
        ("192.0.2.9 -1 192.0.2.1 22", None),
        ("192.0.2.9 ²² 192.0.2.1 22", None),
        ("0177.0.0.1 22 192.0.2.1 22", None),
        ("host 22 192.0.2.1 22", None),
        ("192.0.2.9 22) or tcp 192.0.2.1 22", None),
    ],
)
def test_ssh_session(value: str, session: SshSession | None) -> None:
    assert ssh_session({"SSH_CONNECTION": value}) == session


def test_no_ssh_session() -> None:
    assert ssh_session({}) is None


def test_the_ssh_session_is_found_behind_sudo() -> None:
    """sudo and su hand on no SSH_CONNECTION: it is that of the shell they were started from."""
    inner = "from netmon_tui.runtime.interfaces import *; print(ssh_session(session_environment()))"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}], env={{}}, check=True)"
    shell = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}
    done = subprocess.run(
        [sys.executable, "-c", outer], env=shell, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(SshSession("192.0.2.1", 50000, "192.0.2.2", 22))
