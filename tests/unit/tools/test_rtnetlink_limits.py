"""The limits of the neighbour tables: bytes as the kernel lays them out, and this machine's kernel."""

import struct
import subprocess
from pathlib import Path

import pytest

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import NeighbourLimits
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.netlink import dump_limits
from netmon_tui.tools.rtnetlink_limits import LimitsAnswer, limits_request, read_limits
from tests.unit.runtime.network_namespace import entries, in_own_network, ip, make_pair, needs_namespace
from tests.unit.tools.test_rtnetlink import attribute, message

NEWNEIGHTBL = 64


def table(family: int = 2, *, entries: int = 900, refused: int = 7) -> bytes:
    parts = [attribute(1, b"arp_cache\0")]
    parts += [attribute(kind, struct.pack("=I", size)) for kind, size in ((2, 128), (3, 512), (4, 1024))]
    parts.append(attribute(5, struct.pack("=HHIIIIIII", 4, 336, entries, 0, 0, 0, 0, 0, 0)))
    parts.append(attribute(7, struct.pack("=11Q", *range(10), refused)))
    return message(NEWNEIGHTBL, struct.pack("=Bxxx", family) + b"".join(parts))


def interface_share() -> bytes:
    body = struct.pack("=Bxxx", 2) + attribute(1, b"arp_cache\0") + attribute(6, bytes(40))
    return message(NEWNEIGHTBL, body)


DONE = message(3, struct.pack("=i", 0))


def read(*datagrams: bytes) -> LimitsAnswer:
    answer = LimitsAnswer()
    for datagram in datagrams:
        read_limits(answer, datagram)
    return answer


def test_whole_tables_are_read_and_the_rest_is_passed_over() -> None:
    answer = read(table() + interface_share(), table(10, entries=4, refused=0) + table(99), DONE)
    assert answer.found == [
        NeighbourLimits(Family.IPV4, 900, 128, 512, 1024, 7),
        NeighbourLimits(Family.IPV6, 4, 128, 512, 1024, 0),
    ]
    assert (answer.done, answer.error) == (True, 0)
    assert read(message(2, struct.pack("=i", -1))).error == 1
    assert limits_request(5)[4:6] == struct.pack("=H", 66)


@pytest.mark.parametrize("size", [1, 10, 17, 30, 60, len(table()) - 1])
def test_what_is_cut_is_refused(size: int) -> None:
    with pytest.raises(InvalidInput):
        read(table()[:size])


def test_this_kernel_says_what_its_sysctls_say() -> None:
    folder = Path("/proc/sys/net/ipv4/neigh/default")
    if not folder.is_dir():
        pytest.skip("this network namespace has no such sysctls")
    numbers = [int((folder / f"gc_thresh{n}").read_text()) for n in (1, 2, 3)]
    found = {limits.family: limits for limits in dump_limits()}
    assert [found[Family.IPV4].idle, found[Family.IPV4].soft, found[Family.IPV4].hard] == numbers


@needs_namespace[0]
@needs_namespace[1]
def test_entries_of_any_namespace_are_counted_and_the_limits_are_the_machines() -> None:
    def work() -> tuple[int, int, int, str]:
        make_pair()
        before = {limits.family: limits for limits in dump_limits()}[Family.IPV4]
        ip(*entries(3000))
        after = {limits.family: limits for limits in dump_limits()}[Family.IPV4]
        words = ["ip", "ntable", "change", "name", "arp_cache", "thresh3", "16"]
        refused = subprocess.run(words, capture_output=True, text=True)
        return before.entries, after.entries, after.refused - before.refused, refused.stderr

    before, after, refused, said = in_own_network(work)
    assert after - before > 2_500, "others may come and go meanwhile"
    assert refused == 0, "permanent entries have no limit"
    assert "No such file" in said, "only the first namespace may change them"
