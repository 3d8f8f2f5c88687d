"""When a neighbour table is called full, and what is said then."""

from dataclasses import replace

import pytest

from netmon_tui.domain.address import Family
from netmon_tui.domain.check import CheckStatus
from netmon_tui.domain.neighbour import NeighbourLimits
from netmon_tui.domain.user import Actor, Role
from netmon_tui.services.neighbour_limits import NeighbourRoom, crowding, limit_checks, remedy

EVE = Actor(4, "eve", Role.VIEWER)


def limits(entries: int, refused: int = 0, family: Family = Family.IPV4) -> NeighbourLimits:
    return NeighbourLimits(family, entries, 128, 512, 1024, refused)


@pytest.mark.parametrize(
    ("entries", "exempt", "crowded"),
    [(819, 0, False), (820, 0, True), (1024, 0, True), (10_000, 9_200, False), (10_000, 9_100, True),
     (10_000, 0, False)],
)  # fmt: skip
def test_near_the_limit_counts_what_the_kernel_counts(entries: int, exempt: int, crowded: bool) -> None:
    assert bool(crowding(limits(entries), exempt)) is crowded


def test_words_and_remedy() -> None:
    assert crowding(limits(900), 0) == (
        "the kernel's IPv4 neighbour table is nearly full: 900 of at most 1,024 entries"
    )
    assert crowding(limits(20, refused=1200), 0, 200) == (
        "the kernel's IPv4 neighbour table was full: 1,000 new entries were refused"
    )
    assert remedy(limits(900, family=Family.IPV6)).startswith(
        "sysctl -w net.ipv6.neigh.default.gc_thresh3=4096 net.ipv6.neigh.default.gc_thresh2=2048"
    )


async def test_a_refusal_is_news_only_when_somebody_watches() -> None:
    told = [limits(20, refused=5), limits(20, family=Family.IPV6)]
    room = NeighbourRoom(lambda: list(told))
    assert await room.notice(EVE) == ""
    told[0] = limits(20, refused=6)
    assert "1 new entry was refused. sysctl -w net.ipv4." in await room.notice(EVE)
    told[0] = limits(20, refused=6)
    told[1] = limits(1000, family=Family.IPV6)
    assert "IPv4" in await room.notice(EVE)
    told[0] = replace(told[0], hard=4096)
    assert "IPv6" in await room.notice(EVE), "more room was made for the other"


def test_the_doctor_has_a_line_for_each_family() -> None:
    checks = {check.name: check for check in limit_checks()}
    assert {"neighbours ipv4", "neighbours ipv6"} <= checks.keys()
    for check in checks.values():
        assert "gc_thresh3" in check.detail or (check.status is CheckStatus.WARN and "sysctl" in check.fix)
