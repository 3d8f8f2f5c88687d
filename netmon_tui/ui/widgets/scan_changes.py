"""What changed since the scan before, one change a line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from netmon_tui.domain.address import packed_sort_key
from netmon_tui.domain.comparison import Change, ChangeLine
from netmon_tui.domain.ignoring import Sifted
from netmon_tui.domain.scan import Scan
from netmon_tui.errors import InvalidInput
from netmon_tui.ui.rendering import SEVERITY_TONES, Tone, content, when
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Cell, Row, cell_text
from netmon_tui.ui.widgets.scan_words import what
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("severity", "Change", width=9, priority=0),
    Column("address", "Address", minimum=15, priority=0),
    Column("subject", "What", minimum=17, priority=0),
    Column("before", "Before", minimum=12, share=3, priority=1),
    Column("after", "After", minimum=12, share=3, priority=0),
)
MOST_LINES = 20_000
"""More are read by nobody, and would have to fit in memory."""
_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}


@dataclass(frozen=True, slots=True)
class ChangeRow(Row):
    """A row that knows its line; how it looks is in the cells alone."""

    line: ChangeLine | None = field(default=None, compare=False)


class ScanChanges(Vertical):
    """A comparison of one scan with another, the scan before it unless told.

    Args:
        session: Services and actor.
        scan_id: The later scan.
        partner: The earlier one; None for the pinned scan of the same targets or the run before.
    """

    DEFAULT_CSS = """
    ScanChanges { height: 1fr; }
    #changes-notes { height: auto; max-height: 4; padding: 0 1; color: $text-muted; }
    """

    def __init__(self, session: Session, scan_id: int, partner: int | None = None) -> None:
        super().__init__(id="scan-changes")
        self._session = session
        self._scan_id = scan_id
        self._partner = partner
        self._source = MemorySource([column.key for column in COLUMNS])
        self._shown: tuple[int, str] | None = None
        self._sifted: tuple[Scan, Sifted] | None = None
        self._with_ignored = False
        self._scan: Scan | None = None

    def compose(self) -> ComposeResult:
        """What is compared, over the changes."""
        yield Figure(id="changes-head", classes="-muted")
        yield Static(id="changes-notes")
        yield Table(COLUMNS, source=self._source, id="changes")

    @property
    def address(self) -> str:
        """Address of the change under the cursor; empty when there is none."""
        row = self.query_one(Table).cursor_row
        return cell_text(row.cells[1]) if row else ""

    @property
    def line(self) -> ChangeLine | None:
        """The change under the cursor."""
        row = self.query_one(Table).cursor_row
        return row.line if isinstance(row, ChangeRow) else None

    async def difference(self, line: ChangeLine) -> tuple[tuple[int, int], list[str]]:
        """Return which scans are compared, and how the output of a line's script differs.

        Raises:
            NetmonError: As the services say.
        """
        if self._sifted is None:
            return (0, 0), []
        earlier = self._sifted[0].id
        service, actor = self._session.services.comparison, self._session.actor
        return (earlier, self._scan_id), await service.difference(actor, earlier, self._scan_id, line)

    async def show_ignored(self) -> None:
        """Show also what ignore rules leave out, or no longer."""
        self._with_ignored = not self._with_ignored
        await self._paint()

    @property
    def ignores(self) -> bool:
        """Whether ignore rules leave something out."""
        return self._sifted is not None and self._sifted[1].count > 0

    async def compare_again(self) -> None:
        """Compare although that has been done: the ignore rules changed; raises as :meth:`refresh_data`."""
        self._shown = None
        if self._scan is not None:
            await self.refresh_data(self._scan)

    def focus_content(self) -> None:
        """Focus the table."""
        self.query_one(Table).focus()

    async def refresh_data(self, scan: Scan) -> None:
        """Compare, unless that has been done; a scan that still runs has no changes yet.

        Raises:
            NetmonError: As the services say.
        """
        self._scan = scan
        if not scan.state.is_final:
            self._say("", empty="What changed is told when the scan has ended")
            return
        try:
            await self._compare(scan)
        except InvalidInput as error:
            self._say("", empty=str(error))

    async def _compare(self, scan: Scan) -> None:
        partner = await self._find_partner()
        if partner is None:
            self._say("", empty="Nothing to compare with: no completed scan of these targets came before")
            return
        if self._shown == (partner.id, scan.state):
            return
        self._say(f"Comparing with scan {partner.id} ...", empty="")
        services, actor = self._session.services, self._session.actor
        sifted = await services.comparison.sifted(actor, partner.id, self._scan_id)
        if self.is_attached:  # it may take seconds, and nobody has to wait for it
            self._shown, self._sifted = (partner.id, scan.state), (partner, sifted)
            await self._paint()

    async def _paint(self) -> None:
        if self._sifted is None:
            return
        sifted = self._sifted[1]
        rows, head = await asyncio.to_thread(_rows_and_head, *self._sifted, self._with_ignored)
        if self.is_attached:
            self._source.replace(rows)
            self._say(head, notes="; ".join(sifted.kept.notes), empty="Nothing changed")
            self.refresh_bindings()

    async def _find_partner(self) -> Scan | None:
        services, actor = self._session.services, self._session.actor
        if self._partner is not None:
            return await services.scans.get(actor, self._partner)
        return await services.comparison.predecessor(actor, self._scan_id)

    def _say(self, head: str, *, notes: str = "", empty: str) -> None:
        self.query_one("#changes-head", Figure).show(head, "muted")
        said = self.query_one("#changes-notes", Static)
        said.update(content(notes))
        said.display = bool(notes)
        self.query_one(Table).set_texts(empty=empty)


def _rows_and_head(partner: Scan, sifted: Sifted, with_ignored: bool) -> tuple[list[Row], str]:
    """Make what is shown, which takes seconds when everything changed."""
    rows = list(islice(_rows(sifted, with_ignored), MOST_LINES))
    return rows, _head(partner, sifted, with_ignored)


def _head(partner: Scan, sifted: Sifted, with_ignored: bool) -> str:
    pinned = "the baseline, " if partner.pinned else ""
    begun = when(partner.started or partner.created, datetime.now(UTC))
    counts = sifted.kept.counts
    words = [f"{str(counts) or 'Nothing'} since {pinned}scan {partner.id} of {begun}"]
    if sifted.count:
        words.append(f"{sifted}{'' if with_ignored else ' (a shows them)'}")
    words.append(what(partner))
    if sum(counts) + sifted.count * with_ignored > MOST_LINES:
        words.append(f"the first {MOST_LINES} are listed: scan diff writes all")
    return " " + "  ".join(word for word in words if word)


def _rows(sifted: Sifted, with_ignored: bool) -> Iterator[Row]:
    """Yield the changes in the order of addresses; the place in it makes each sortable back."""
    ignored = set(sifted.ignored.lines()) if with_ignored else set()
    shown = sifted.whole if with_ignored else sifted.kept
    for place, line in enumerate(shown.lines()):
        yield ChangeRow((place, line.address, line.ordinal), _cells(line, line in ignored), line=line)


def _cells(line: ChangeLine, is_ignored: bool) -> tuple[str | Cell, ...]:
    word = "ignored" if is_ignored else line.severity
    tone: Tone = "muted" if is_ignored else SEVERITY_TONES[line.severity]
    return (
        Cell(f"{_SIGNS[line.change]} {word}", tone, sort=line.severity.rank),
        Cell(line.address, sort=packed_sort_key(line.address)),
        line.what,
        line.before,
        line.after,
    )
