"""The model against what nmap 7.93 was measured to take, and against what its options bound."""

from __future__ import annotations

import pytest

from netmon_tui.domain.estimate import Span
from netmon_tui.tools.nmap_arguments import parse_options
from netmon_tui.tools.nmap_estimate import Extent, Reckoning, open_ended, reckon
from netmon_tui.tools.nmap_ports import ports_per_host
from netmon_tui.tools.nmap_rate import under_ceiling


def reckoned(
    line: str, hosts: int, *, local: bool = True, privileged: bool = True, ceiling: int = 0
) -> Reckoning:
    options = under_ceiling(parse_options(line), ceiling)
    extent = Extent(hosts, ports_per_host(options, {}), privileged, ipv6=False, local=local)
    return reckon(options, extent, staged=False)


@pytest.mark.parametrize(
    ("line", "hosts", "seconds", "probes"),
    [
        # the lab: 256 addresses, 7 hosts that answer at once
        ("-n -sn", 256, 2.03, 509), ("-n -F", 256, 2.10, 1_209), ("-n -sS", 256, 2.16, 7_509),
        ("-n -p-", 256, 7.68, 459_254), ("-n -T4 -F", 256, 2.08, 1_209), ("-n -T5 -F", 256, 1.83, 1_207),
        ("-n --max-rate 50 -F", 256, 25.19, 1_228), ("-n -sU --top-ports 20", 256, 2.10, 698),
        ("-n -sT -F", 256, 2.05, 1_209), ("-n -p-", 1, 0.93, 65_536), ("-n -p-", 5, 4.23, 327_680),
        ("-n -T2 -p 22,80,443", 5, 1.71, 20), ("-n -T1 -p 22,80", 1, 45.2, 3),
        ("-n --max-rate 50 -F", 5, 10.24, 505),
        ("-n -sU --top-ports 20", 5, 0.17, 140), ("-n --scan-delay 100ms -p 1-50", 5, 5.47, 255),
        # hosts of the lab that are up and silent, whatever port is asked
        ("-n -F", 1, 3.16, 201), ("-n", 1, 21.22, 2_001), ("-n -F", 4, 9.34, 804), ("-n -F", 20, 41.19, 4_020),
        ("-n -T4 -F", 4, 9.19, 804), ("-n --max-retries 0 -F", 4, 4.17, 404), ("-n -T2 -p 22,80,443", 4, 10.54, 28),
        ("-n -sU --top-ports 20", 4, 2.78, 220), ("-n -F", 256, 7.90, 5_192),
        # addresses that nobody has, not asked by ARP
        ("-n -sn --disable-arp-ping", 256, 20.3, 2_005), ("-n -Pn -F --disable-arp-ping", 1, 21.11, 200),
        ("-n -Pn -F --disable-arp-ping", 4, 81.19, 800),
    ],
)  # fmt: skip
def test_what_was_measured_lies_in_the_range(line: str, hosts: int, seconds: float, probes: int) -> None:
    model = reckoned(line, hosts)
    assert model.seconds.lowest <= seconds <= model.seconds.highest, model
    assert model.probes.lowest <= probes <= model.probes.highest, model


def test_what_the_range_says_is_worth_saying() -> None:
    """The upper end is within some hundred times of what a network that answers takes."""
    for line, hosts, measured in (("-n -sn", 256, 2.03), ("-n -F", 256, 2.1), ("-n -p-", 1, 0.93)):
        assert reckoned(line, hosts).seconds.highest < measured * (2_000 if "-p-" in line else 60)


@pytest.mark.parametrize("ceiling", [10, 50])
def test_a_ceiling_of_the_rate_is_a_floor_of_the_time(ceiling: int) -> None:
    free, bounded = reckoned("-n -p 1-1000", 1), reckoned("-n -p 1-1000", 1, ceiling=ceiling)
    assert bounded.seconds.lowest == pytest.approx(1_000 / ceiling, rel=0.01)
    assert bounded.seconds.lowest > free.seconds.lowest
    assert bounded.seconds.highest >= 2_000 / ceiling


@pytest.mark.parametrize(
    ("slower", "faster"),
    [
        ("-T0 -p 22", "-T1 -p 22"), ("-T1 -p 22", "-T2 -p 22"), ("-T2 -p 22", "-T3 -p 22"),
        ("-F", "-F --max-retries 0"),
        ("-F", "-F --min-rate 5000"), ("-p-", "-p- --host-timeout 30s"), ("-F -A", "-F"), ("-F", "-F -n"),
        ("-F --scan-delay 1s", "-F"), ("-F --min-rtt-timeout 2s", "-F"),
        ("-Pn -F", "-Pn -F --initial-rtt-timeout 100ms"),
        ("-p- -T4", "-p- -T5"), ("-F", "-F --min-parallelism 100"), ("-F --max-parallelism 1", "-F"),
        ("-sU -F --max-hostgroup 1", "-sU -F"),
    ],
)  # fmt: skip
def test_options_make_it_slower_or_faster(slower: str, faster: str) -> None:
    upper = [reckoned(line, 64, local=False).seconds.highest for line in (slower, faster)]
    assert upper[0] > upper[1]


@pytest.mark.parametrize(
    ("line", "probes"),
    [
        ("-sn", 4), ("-sn -PE", 1), ("-sn -PS22-24,80 -PA", 5), ("-sn -PO", 3), ("-sn -PO1,6", 2),
        ("-Pn -p 1-9", 9),
        ("-sn -PU53 -PP -PM", 3), ("-sL", 0),
    ],
)  # fmt: skip
def test_probes_of_a_host_that_is_far_away(line: str, probes: int) -> None:
    assert reckoned(f"{line} --max-retries 0", 1, local=False).probes.highest == probes


def test_a_host_that_is_given_up_takes_no_longer() -> None:
    assert reckoned("-p- --scan-delay 1s --host-timeout 10s", 1).seconds.lowest <= 10


def test_without_rights_two_connections_ask_for_a_host() -> None:
    assert reckoned("-sn --max-retries 0", 10, privileged=False).probes == Span(9, 20)


def test_no_number_is_too_large() -> None:
    for line in ("-sn", "-p-", "-Pn -sU -p-", "-T0", "--max-rate 1 -F", "-A", "-sL"):
        model = reckoned(line, 2**128, local=False)
        assert 0 <= model.seconds.lowest <= model.seconds.highest
        assert model.probes.highest > 2**127 or line == "-sL"


@pytest.mark.parametrize(
    ("line", "words"),
    [("-F", ""), ("-sV", "versions"), ("-sV --script ssl-cert", "versions and scripts"),
     ("-A", "versions, systems and scripts")],
)  # fmt: skip
def test_what_may_take_longer_is_named(line: str, words: str) -> None:
    assert open_ended(parse_options(line)) == words
