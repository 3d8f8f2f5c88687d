"""Commands of iproute2 as they are shown, and its JSON."""

import pytest

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.iproute import IpNeighbour, neighbour_command, parse_ip_json_neigh


def test_commands() -> None:
    add = neighbour_command("add", "eth0", address="192.0.2.7", lladdr="00-16-3E-01-02-03")
    assert " ".join(add) == "ip neigh add 192.0.2.7 lladdr 00:16:3e:01:02:03 dev eth0 nud permanent"
    replace = neighbour_command("replace", "eth0", address="2001:db8::0:7", lladdr="00163e010203")
    assert " ".join(replace) == "ip neigh replace 2001:db8::7 lladdr 00:16:3e:01:02:03 dev eth0 nud permanent"
    assert (
        " ".join(neighbour_command("del", "br-1", address="192.0.2.7")) == "ip neigh del 192.0.2.7 dev br-1"
    )
    assert " ".join(neighbour_command("flush", "eth0.5")) == "ip neigh flush dev eth0.5"


@pytest.mark.parametrize("interface", ["", "-x", "a b", "a/b", "a\nb", "x" * 16, "a:1", "a\0b"])
def test_names_that_no_interface_can_have(interface: str) -> None:
    with pytest.raises(InvalidInput):
        neighbour_command("flush", interface)


@pytest.mark.parametrize("address", ["", "192.0.2.300", "-4", "fe80::1%eth0", "host", "192.0.2.0/24"])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(InvalidInput):
        neighbour_command("del", "eth0", address=address)


def test_a_mac_that_is_none() -> None:
    with pytest.raises(InvalidInput):
        neighbour_command("add", "eth0", address="192.0.2.7", lladdr="00:11:22")


def test_json() -> None:
    output = b"""[{"dst":"192.0.2.7","dev":"eth0","lladdr":"00:16:3e:01:02:03","state":["STALE"]},
                  {"dst":"2001:db8::7","dev":"eth0","router":null,"state":["FAILED"]}]"""
    assert parse_ip_json_neigh(output) == [
        IpNeighbour("192.0.2.7", "eth0", "00:16:3e:01:02:03", "STALE"),
        IpNeighbour("2001:db8::7", "eth0", "", "FAILED"),
    ]
    assert parse_ip_json_neigh(b"") == []


@pytest.mark.parametrize(
    "output", [b"{", b"[1]", b"[{}]", b'[{"dst":"a","dev":"b","state":[]}]', b"\xff", b"7"]
)
def test_what_is_not_its_json(output: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_ip_json_neigh(output)
