"""One host over all scans: when it was up and its ports open, and how it was at any time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.comparison import PortKey
from netmon_tui.domain.history import HostHistory, HostThen, Interval, Intervals, Seen
from netmon_tui.domain.neighbour_facts import NeighbourFacts
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.modals.history import History
from netmon_tui.ui.modals.moment_form import MomentForm
from netmon_tui.ui.rendering import ASCII_CLASS, age, state_style
from netmon_tui.ui.screens.pivots import AddressPage, pivot_commands
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.neighbour_words import neighbour_lines
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

HELP = (
    "When the host was up and each of its ports open, over all your completed scans, each counted for the\n"
    "ports that it asked for. The host is known by its address alone; the line below tells what the table of\n"
    "neighbours says of it and which lladdrs had it, n lists them with the scans that found them elsewhere, and\n"
    "another one which captures have a filter that names it.\n"
    "[ and ] step through the scans of the host, t asks for a time: then every port is shown as the last scan\n"
    "before that asked for it found it, with the age of that. enter opens the scan, esc goes back."
)
SPANS = (
    Column("what", "What", width=9, priority=0),
    Column("state", "State", width=9, priority=0),
    Column("since", "Since", width=16, priority=0),
    Column("last", "Last seen", width=16, priority=3),
    Column("gone", "Gone", width=16, priority=1),
    Column("scans", "Scans", width=5, align="right", priority=1),
    Column("service", "Service", minimum=10, share=2, priority=2),
)
THEN = (
    Column("port", "Port", width=9, priority=0),
    Column("state", "State", width=9, priority=0),
    Column("service", "Service", minimum=10, share=2, priority=1),
    Column("scan", "Scan", width=6, align="right", priority=0),
    Column("time", "Known from", width=16, priority=2),
    Column("age", "Age", width=6, align="right", priority=0),
)


class HostHistoryScreen(AddressPage):
    """The intervals of a host, or its state at a time.

    Args:
        session: Services and actor.
        address: The host.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("history.back", "escape", "back", "Back", "To the intervals, then to the list."),
        command("history.older", "left_square_bracket", "step(-1)", "Older", "As the scan before found it."),
        command("history.newer", "right_square_bracket", "step(1)", "Newer", "As the scan after found it."),
        command("history.time", "t", "time", "Time", "As it was at a time."),
        *pivot_commands("history"),
        command("history.lladdrs", "n", "lladdrs", "lladdrs", "Every lladdr that had this address."),
        command("history.freeze", "p", "freeze", "Freeze", "Stop and continue updating.", show=False),
        command(
            "history.help", "question_mark,f1", "help", "Help", "What this screen is for and all its keys."
        ),
    ]

    def __init__(self, session: Session, address: str) -> None:
        super().__init__(session)
        self._address = address
        self._history = HostHistory(address, ())
        self._facts = NeighbourFacts()
        self._moment: datetime | None = None
        """The time that is shown; None for the intervals."""
        self._spans = MemorySource([column.key for column in SPANS])
        self._then = MemorySource([column.key for column in THEN])

    def compose(self) -> ComposeResult:
        """Two lines over one of two tables."""
        yield Figure(id="history-head")
        yield Figure(id="history-mode")
        yield Figure(id="history-neighbour")
        yield Figure(id="history-captures")
        yield Table(
            SPANS, source=self._spans, empty_text="No completed scan of it yet. Press s", id="history-spans"
        )
        yield Table(THEN, source=self._then, empty_text="No open port is known", id="history-then")
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin with the intervals."""
        self._choose_table()

    async def refresh_live(self, *, changed: bool) -> None:
        """Read the scans again; those that have not ended do not count."""
        if changed:
            services, actor = self.session.services, self.session.actor
            self._history = await services.history.of(actor, self._address)
            self._facts = await services.segment.pivots.of_host(actor, self._address)
            captures = await services.segment.pivots.captures_naming(actor, self._address)
            self._facts = replace(self._facts, captures=tuple(captures))
            await self._show()

    async def _show(self) -> None:
        moment, ascii_only = self._moment, self.app.has_class(ASCII_CLASS)
        rows, head = await asyncio.to_thread(_rows_and_head, self._history, moment, ascii_only)
        self.query_one("#history-head", Figure).show(head)
        self.query_one("#history-mode", Figure).show(self._mode(), "muted")
        told = "; ".join(neighbour_lines(self._facts)) or "never resolved"
        self.query_one("#history-neighbour", Figure).show(f" Neighbour: {told}", "muted")
        captures = self.query_one("#history-captures", Figure)
        captures.display = bool(self._facts.captures)
        captures.show(_captures(self._facts), "muted")
        (self._spans if moment is None else self._then).replace(rows)

    def _mode(self) -> str:
        looks = self._history.looks
        if self._moment is None:
            return f" {len(looks)} completed scan{'' if len(looks) == 1 else 's'} asked for it"
        then = self._history.at(self._moment)
        state = "not known" if then.seen is None else "up" if then.up else "down"
        known = f" (scan {then.seen.scan_id}, {_age(then, then.seen)} before)" if then.seen else ""
        place = sum(look.time <= self._moment for look in looks)
        return f" As of {_time(self._moment)}, scan {place} of {len(looks)}: {state}{known}"

    def _choose_table(self) -> None:
        spans, then = self.query_one("#history-spans", Table), self.query_one("#history-then", Table)
        spans.display, then.display = self._moment is None, self._moment is not None
        (spans if self._moment is None else then).focus()

    async def _go_to(self, moment: datetime | None) -> None:
        self._moment = moment
        self._choose_table()
        await self._show()

    @property
    def pivot(self) -> tuple[str, str]:
        """The host."""
        return self._address, ""

    async def action_back(self) -> None:
        """Back to the intervals, or to where one came from."""
        if self._moment is None:
            self.dismiss(None)
        else:
            await self._go_to(None)

    async def action_step(self, step: int) -> None:
        """Show the host as the scan before or after found it."""
        times = [look.time for look in self._history.looks]
        if not times:
            return
        if self._moment is None:
            await self._go_to(times[-1])
            return
        earlier = [time for time in times if time < self._moment]
        later = [time for time in times if time > self._moment]
        if step < 0 and earlier:
            await self._go_to(earlier[-1])
        elif step > 0:
            await self._go_to(later[0] if later else None)

    @work(exclusive=True, group="history-time", exit_on_error=False)
    async def action_time(self) -> None:
        """Ask for a time."""
        first = "" if self._moment is None else f"{self._moment.astimezone():%Y-%m-%dT%H:%M}"
        moment = await self.app.push_screen_wait(MomentForm(first))
        if moment is not None:
            await self._go_to(moment)

    @work(exclusive=True, group="history-lladdrs", exit_on_error=False)
    async def action_lladdrs(self) -> None:
        """Show every lladdr that had the address, and the scans that found the latest elsewhere."""
        pivots, actor = self.session.services.segment.pivots, self.session.actor
        facts = await pivots.of_host(actor, self._address)
        lladdr, record = next(iter(facts.lladdrs), ""), next(iter(facts.live), None)
        scans = await pivots.scans_elsewhere(actor, lladdr, self._address)
        rows = [(span.lladdr, span.first_seen, span.last_seen) for span in facts.spans]
        found = await self.app.push_screen_wait(History(self._address, rows, lladdr, scans, record))
        if found is not None:
            self.app.push_screen(ScanDetailScreen(self.session, found.scan_id, found.address))

    def action_help(self) -> None:
        """Show help."""
        title = title_of("The history of a host")
        self.app.push_screen(Help(title, HELP, list(self.active_bindings.values())))

    @on(Table.Opened)
    def _open(self, event: Table.Opened) -> None:
        if isinstance(event.key, tuple):
            self.app.push_screen(ScanDetailScreen(self.session, int(event.key[0]), self._address))


def _rows_and_head(history: HostHistory, moment: datetime | None, ascii_only: bool) -> tuple[list[Row], str]:
    """Make what is shown, which takes a second for a host with every port open."""
    up = history.up
    rows = _spans(up, history.ports, ascii_only) if moment is None else _ports(history.at(moment), ascii_only)
    return list(rows), _head(history, up)


def _head(history: HostHistory, up: Intervals) -> str:
    if not up:
        return f" {history.address}  never seen up"
    last = up[-1]
    told = f"up since {_time(last.first.time)}" if last.ended is None else f"last up {_time(last.last.time)}"
    return f" {history.address}  {told} ({last.scans} scan{'' if last.scans == 1 else 's'})"


def _captures(facts: NeighbourFacts) -> str:
    names = (f"{one.capture_id} {one.name}".rstrip() for one in facts.captures)
    return f" Captures whose filter names it: {', '.join(names)}"


def _spans(up: Intervals, ports: dict[PortKey, Intervals], ascii_only: bool) -> Iterator[Row]:
    for one in reversed(up):
        yield _span("host", -1, one, "up" if one.ended is None else "down", ascii_only)
    for (protocol, number), found in ports.items():
        for one in reversed(found):
            state = "open" if one.ended is None else "closed"
            yield _span(f"{number}/{protocol}", number, one, state, ascii_only)


def _span(what: str, number: int, one: Interval, state: str, ascii_only: bool) -> Row:
    look = state_style(state)
    gone = _time(one.ended.time) if one.ended else ""
    return Row(
        (one.last.scan_id, what, one.first),
        (
            Cell(what, sort=number),
            Cell(look.label(ascii_only), look.tone),
            _time(one.first.time),
            _time(one.last.time),
            gone,
            str(one.scans),
            one.service,
        ),
    )


def _ports(then: HostThen, ascii_only: bool) -> Iterator[Row]:
    for port in then.ports:
        look = state_style(port.facts.state)
        seconds = (then.moment - port.seen.time).total_seconds()
        yield Row(
            (port.seen.scan_id, port.protocol, port.number),
            (
                Cell(f"{port.number}/{port.protocol}", sort=port.number),
                Cell(look.label(ascii_only), look.tone),
                port.facts.words,
                str(port.seen.scan_id),
                _time(port.seen.time),
                Cell(_age(then, port.seen), sort=seconds),
            ),
        )


def _time(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _age(then: HostThen, seen: Seen) -> str:
    return age((then.moment - seen.time).total_seconds())
