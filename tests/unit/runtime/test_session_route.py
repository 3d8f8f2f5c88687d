"""Which entries carry an SSH session, asked of real routing tables."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from netmon_tui.runtime.interfaces import SshSession
from netmon_tui.runtime.session_route import Carriers, session_carriers
from tests.unit.runtime.network_namespace import in_own_network, ip, make_pair, needs_namespace

pytestmark = needs_namespace
ROUTES = (
    "route add default via 10.0.0.254 dev left",
    "route add 198.51.100.0/24" + "".join(f" nexthop via 10.0.0.{n} dev left" for n in (250, 251, 252, 253)),
    "route add 2001:db8:7::/48" + "".join(f" nexthop via fe80::{n} dev left" for n in (250, 251, 252, 253)),
    "route add ::/0 via fe80::fe dev left",
    "nexthop add id 5 via 10.0.0.251 dev left",
    "route add 192.0.3.0/24 nhid 5",
    "route add 203.0.113.0/24 via inet6 fe80::fd dev left",
)


def carriers(
    client: str, server: str = "10.0.0.1", more: Callable[[], None] = lambda: None
) -> set[tuple[str, str]]:
    def work() -> set[tuple[str, str]]:
        make_pair()
        ip(*ROUTES)
        more()
        return set(session_carriers(SshSession(client, 50_000, server, 22)).named)

    return in_own_network(work)


@pytest.mark.parametrize(
    ("client", "gateways"),
    [
        ("10.0.0.9", set()),
        ("192.0.2.9", {"10.0.0.254"}),
        ("198.51.100.9", {f"10.0.0.{n}" for n in (250, 251, 252, 253)}),
        ("192.0.3.9", {"10.0.0.251"}),
        ("203.0.113.9", {"fe80::fd"}),
    ],
)
def test_the_client_and_the_gateways_of_its_route(client: str, gateways: set[str]) -> None:
    assert carriers(client) == {("", client), *(("left", gateway) for gateway in gateways)}


def test_ipv6() -> None:
    assert carriers("2001:db8::9", "fd00::1") == {("", "2001:db8::9"), ("left", "fe80::fe")}
    hops = {("left", f"fe80::{n}") for n in (250, 251, 252, 253)}
    assert carriers("2001:db8:7::9", "fd00::1") == {("", "2001:db8:7::9"), *hops}
    assert carriers("fd00::9", "fd00::1") == {("", "fd00::9")}
    assert carriers("fe80::9%left", "fe80::1%left") == {("", "fe80::9")}


def test_a_dual_stack_server_spells_ipv4_as_ipv6() -> None:
    assert carriers("::ffff:192.0.2.9", "::ffff:10.0.0.1") == {("", "192.0.2.9"), ("left", "10.0.0.254")}


def test_a_route_that_only_our_address_has() -> None:
    def policy() -> None:
        ip("addr add 10.9.9.9/32 dev left", "route add default via 10.0.0.200 dev left table 77")
        ip("rule add from 10.9.9.9 lookup 77")

    found = carriers("192.0.2.9", "10.9.9.9", policy)
    assert {("left", "10.0.0.200"), ("", "192.0.2.9")} <= found


def test_without_a_route_or_a_session() -> None:
    def work() -> tuple[Carriers, Carriers]:
        return session_carriers(None), session_carriers(SshSession("192.0.2.9", 50_000, "192.0.2.1", 22))

    without, unreachable = in_own_network(work)
    assert without == Carriers()
    assert unreachable == Carriers(frozenset({("", "192.0.2.9")}))


@pytest.mark.parametrize(("server", "client"), [("10.0.0.1", "10.0.0.9"), ("fd00::1", "fd00::9")])
def test_sessions_that_no_environment_names(server: str, client: str) -> None:
    def work() -> tuple[Carriers, ...]:
        make_pair()
        ip("addr add 10.0.0.9/8 dev left", "addr add fd00::9/64 dev left nodad", *ROUTES)
        with _connected(server, client, 22):
            named = SshSession("192.0.2.9", 50_000, "10.0.0.1", 22)
            return session_carriers(None), session_carriers(named)

    unnamed, beside = in_own_network(work)
    assert unnamed == Carriers(others=frozenset({("", client)})), "anybody can connect: no reason to refuse"
    assert beside.named == {("", "192.0.2.9"), ("left", "10.0.0.254")}
    assert beside.others == {("", client)}


def test_connections_to_a_port_of_the_session_count() -> None:
    def work() -> tuple[Carriers, ...]:
        make_pair()
        ip("addr add 10.0.0.9/8 dev left")
        with _connected("10.0.0.1", "10.0.0.9", 2222):
            named = session_carriers(SshSession("10.0.0.8", 50_000, "10.0.0.1", 2222))
            return named, session_carriers(None)

    named, unnamed = in_own_network(work)
    assert (named.named, named.others) == ({("", "10.0.0.8")}, {("", "10.0.0.9")})
    assert unnamed == Carriers(), "without a name, only port 22 is known to be SSH's"


@contextmanager
def _connected(server: str, client: str, port: int) -> Iterator[None]:
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with (
        socket.create_server((server, port), family=family) as listening,
        socket.create_connection((server, port), source_address=(client, 0)),
        listening.accept()[0],
    ):
        yield
