"""Whether the kernel's neighbour tables run out of room, in words that say what to do.

Above gc_thresh3 entries the kernel refuses new ones ("neighbour table overflow" in its log), and hosts that
are there cannot be reached. Permanent entries do not count.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

from netmon_tui.domain.address import Family
from netmon_tui.domain.check import Check, CheckStatus
from netmon_tui.domain.neighbour import NeighbourLimits, NudState
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import NetmonError
from netmon_tui.runtime.netlink import dump_limits, dump_neighbours

NEAR = 0.8
"""Share of gc_thresh3 from which on a table is called nearly full."""
_ROOM = 4
"""Times as many entries as now are advised."""


def crowding(limits: NeighbourLimits, exempt: int, refused_before: int = 0) -> str:
    """Return what is the matter with a table; empty while there is room.

    Args:
        limits: What the kernel tells.
        exempt: Entries that count for no limit, as far as they are seen from here. When more than the limit
            remain, others are out of sight (in other namespaces, or put in by a routing daemon), and only
            refusals tell.
        refused_before: Refusals that are no news.
    """
    counted = limits.entries - exempt
    refused = limits.refused - refused_before
    if refused > 0:
        what = "1 new entry was" if refused == 1 else f"{refused:,} new entries were"
        return f"{_name(limits)} was full: {what} refused"
    if limits.hard * NEAR <= counted <= limits.hard:
        return f"{_name(limits)} is nearly full: {counted:,} of at most {limits.hard:,} entries"
    return ""


def remedy(limits: NeighbourLimits) -> str:
    """Return the command that makes room."""
    place = "net.ipv4" if limits.family is Family.IPV4 else "net.ipv6"
    hard = limits.hard * _ROOM
    return (
        f"sysctl -w {place}.neigh.default.gc_thresh3={hard} {place}.neigh.default.gc_thresh2={hard // 2}"
        " (on the host itself; keep it in /etc/sysctl.d)"
    )


def limit_checks() -> list[Check]:
    """Return the doctor's lines about the tables, one for each family. Blocks for some milliseconds."""
    try:
        found = dump_limits()
        exempt = permanent_entries(found)
    except NetmonError as error:
        return [Check("neighbour table", CheckStatus.WARN, str(error), error.fix)]
    return [_check(limits, exempt[limits.family]) for limits in found]


def permanent_entries(found: Iterable[NeighbourLimits]) -> Counter[Family]:
    """Return how many entries of each family are permanent; the table is only read where it matters."""
    if not any(limits.entries >= limits.hard * NEAR for limits in found):
        return Counter()
    return Counter(row.family for row in dump_neighbours() if row.state is NudState.PERMANENT)


def _check(limits: NeighbourLimits, exempt: int) -> Check:
    name = f"neighbours {limits.family}"
    trouble = crowding(limits, exempt)
    if trouble:
        since = " since the machine started" if limits.refused else ""
        return Check(name, CheckStatus.WARN, trouble + since, remedy(limits))
    return Check(name, CheckStatus.OK, f"{limits.entries:,} entries, gc_thresh3 {limits.hard:,}")


def _name(limits: NeighbourLimits) -> str:
    return f"the kernel's {'IPv4' if limits.family is Family.IPV4 else 'IPv6'} neighbour table"


class NeighbourRoom:
    """Watches the room that is left while a table is looked at.

    Args:
        read: Asks the kernel for its limits.
    """

    def __init__(self, read: Callable[[], list[NeighbourLimits]] = dump_limits) -> None:
        self._read = read
        self._refused: dict[tuple[Family, int], int] = {}
        """Refusals when a limit was first seen: of a limit that was raised, earlier ones are no news."""

    async def notice(self, actor: Actor) -> str:
        """Return what is the matter and what helps, in one line; empty while there is room.

        Raises:
            NetmonError: The kernel does not tell.
        """
        actor.require(Permission.VIEW)
        return await asyncio.to_thread(self._notice)

    def _notice(self) -> str:
        found = self._read()
        exempt = permanent_entries(found)
        for limits in found:
            before = self._refused.setdefault((limits.family, limits.hard), limits.refused)
            trouble = crowding(limits, exempt[limits.family], before)
            if trouble:
                return f"{trouble}. {remedy(limits)}"
        return ""
