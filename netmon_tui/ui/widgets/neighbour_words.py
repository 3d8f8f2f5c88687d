"""What the neighbours know of a scanned host, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from netmon_tui.domain.neighbour_facts import NeighbourFacts

MOST_BEFORE = 5
"""Earlier lladdrs that are told one by one."""


def neighbour_lines(facts: NeighbourFacts, lladdr: str = "") -> tuple[str, ...]:
    """Return a line for each entry in the kernel's table, and one for each other lladdr that the address had.

    Args:
        facts: Of the host's address.
        lladdr: What is told already and need not be repeated.
    """
    return tuple(_lines(facts, lladdr))


def _lines(facts: NeighbourFacts, lladdr: str) -> Iterator[str]:
    told = set()
    for one in facts.live:
        present = "" if one.lladdr_remembered else one.lladdr
        told.add((one.interface, present))
        vendor = f" ({one.vendor})" if one.vendor else ""
        shown = f", {present}{vendor}" if present not in ("", lladdr) else ""
        yield f"{one.state} on {one.interface}{shown}"
    others = [one for one in facts.spans if (one.interface, one.lladdr) not in told]
    for span in others[:MOST_BEFORE]:
        had = "had" if facts.live else "not in the table, had"
        yield f"{had} {span.lladdr} on {span.interface} {_time(span.first_seen)} to {_time(span.last_seen)}"
    if len(others) > MOST_BEFORE:
        yield f"and {len(others) - MOST_BEFORE} more lladdrs"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
