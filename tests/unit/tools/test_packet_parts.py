"""Who speaks with whom, also within tunnels."""

import pytest

from netmon_tui.tools import link_layers
from netmon_tui.tools.packet_columns import lines_of
from netmon_tui.tools.packet_parts import ends_of, has_addresses, is_between
from netmon_tui.tools.pcap import RawPacket
from tests.unit.tools import packet_samples as samples

ETHERNET = link_layers.ETHERNET
OUTER = samples.ip4(47, b"\0\0\x08\0")[:20].replace(samples.IP_A + samples.IP_B, b"\x0a\0\0\1\x0a\0\0\2")
TUNNELLED = [name for name, data in samples.TUNNELS.items() if samples.INNER in data]
TUNNELLED.remove("an error about a tunnel")


@pytest.mark.parametrize("name", TUNNELLED)
def test_the_conversation_is_that_within(name):
    ends = ends_of(samples.TUNNELS[name], ETHERNET)
    assert ends.protocol == 17
    assert ends.ends == {(samples.IP_B, b"\x9c\x40"), (samples.IP_A, b"\x9c\x41")}
    line = next(
        lines_of(
            [RawPacket(1, 0, 0, samples.TUNNELS[name])],
            ETHERNET,
            ("source_port", "destination_port", "ttl"),
            before=None,
            first=0,
        )
    )
    assert line.cells == ("40000", "40001", "64")


def test_packets_are_chosen_by_addresses_of_every_header():
    data = samples.ethernet(0x0800, OUTER + b"\0\0\x08\0" + samples.INNER)
    for address in (b"\x0a\0\0\1", b"\x0a\0\0\2", samples.IP_A, samples.IP_B, samples.MAC_A):
        assert has_addresses(data, ETHERNET, frozenset([address]))
    assert not has_addresses(data, ETHERNET, frozenset([b"\x0a\0\0\3"]))
    assert not has_addresses(data + b"\xc0\0\2\x09", ETHERNET, frozenset([b"\xc0\0\2\x09"]))
    inner = ends_of(samples.ethernet(0x0800, samples.INNER), ETHERNET)
    assert not is_between(data, ETHERNET, inner)  # the same two hosts, but beside the tunnel
    assert is_between(data, ETHERNET, ends_of(data, ETHERNET))


@pytest.mark.parametrize("name", samples.TUNNELS)
def test_every_cut_is_told_or_not(name):
    data = samples.TUNNELS[name]
    for length in range(len(data)):
        ends_of(data[:length], ETHERNET)
