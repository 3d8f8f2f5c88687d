"""Events of the neighbour table as rows and as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from netmon_tui.domain.neighbour_event import NeighbourEvent
from netmon_tui.domain.neighbour_event_words import meaning, sentence
from netmon_tui.ui.rendering import SEVERITY_TONES, thin, when
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("severity", "Severity", width=8, priority=0),
    Column("kind", "What", width=15, priority=0),
    Column("address", "Address", minimum=15, share=2, priority=0),
    Column("interface", "Iface", width=7, priority=3),
    Column("lladdr", "lladdr", width=17, priority=1),
    Column("previous_lladdr", "Before", width=17, priority=2),
    Column("name", "Device", minimum=7, priority=1),
    Column("count", "Times", width=5, align="right", priority=5),
    Column("last", "Last", width=7, priority=0),
    Column("acknowledged_by", "Seen to", width=8, priority=4),
)


@dataclass(frozen=True, slots=True)
class EventRow(Row):
    """A line that knows its event; how it looks is in the cells alone."""

    event: NeighbourEvent | None = field(default=None, compare=False)


def event_row(event: NeighbourEvent, vendor: str, now: datetime) -> EventRow:
    """Return the line of an event.

    Args:
        event: The event.
        vendor: Of its lladdr; what people call the device tells more.
        now: The moment.
    """
    is_done = bool(event.acknowledged or event.muted)
    cells = (
        Cell(event.severity.value, "muted" if is_done else SEVERITY_TONES[event.severity]),
        event.kind.words,
        event.address,
        event.interface,
        event.lladdr,
        event.previous_lladdr,
        event.name or vendor,
        thin(event.count),
        when(event.last or event.time, now),
        event.acknowledged_by or ("(muted)" if event.muted else ""),
    )
    return EventRow(event.id, cells, event=event)


def event_text(event: NeighbourEvent, vendor: Callable[[str], str]) -> str:
    """Return everything about an event, as lines.

    Args:
        event: The event.
        vendor: Finds the vendor of a lladdr.
    """
    lines = [f"{sentence(event)}.", meaning(event.kind), ""]
    facts = list(_facts(event, vendor))
    width = max(len(name) for name, _ in facts)
    return "\n".join([*lines, *(f"{name:<{width}}  {value}" for name, value in facts)])


def _facts(event: NeighbourEvent, vendor: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    yield "Severity", event.severity.value
    yield "Address", f"{event.address} on {event.interface}"
    yield "lladdr", f"{event.lladdr}  {vendor(event.lladdr)}".strip()
    if event.previous_lladdr:
        yield "Before", f"{event.previous_lladdr}  {vendor(event.previous_lladdr)}".strip()
    yield "First", _moment(event.time)
    if event.count > 1:
        yield "Last", f"{_moment(event.last or event.time)}, {thin(event.count)} times in all"
    if event.acknowledged:
        yield "Seen to", f"by {event.acknowledged_by}, {_moment(event.acknowledged)}"
    if event.muted:
        yield "Muted", "a rule says that nobody is told of it"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
