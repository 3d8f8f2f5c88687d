"""The key to the sweeps, and what the neighbours' tab shows of what is only remembered."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import ClassVar

from textual import work
from textual.binding import BindingType

from netmon_tui.domain.job import JobState
from netmon_tui.domain.neighbour import NeighbourRecord
from netmon_tui.errors import NetmonError
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.sweep_form import SweepForm
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.pane import Pane
from netmon_tui.ui.widgets.row_source import Row

LEAST_SECONDS = 2.0
"""Between two looks into the memory, however often it changes."""
SHARE = 10
"""Of the time one part at most goes to such looks: of ten thousand addresses one takes half a second."""
MOST_SECONDS = 10.0
"""After which ages move on."""


class WithSweeps(Pane):
    """A tab in which a key sweeps a local network."""

    BINDINGS: ClassVar[list[BindingType]] = [
        command(
            "neighbours.sweep", "w", "sweep", "Sweep", "Ask every address of a local network by ARP or ND."
        ),
    ]

    @work(exclusive=True, group="neighbour-sweep", exit_on_error=False)
    async def action_sweep(self) -> None:
        """Ask what is swept, and start it."""
        services, actor = self.session.services, self.session.actor
        try:
            networks = await services.segment.sweeps.networks(actor)
            profiles = await services.profiles.usable(actor)
            sweep = await self.app.push_screen_wait(SweepForm(self.session, networks, profiles))
            if sweep is None:
                return
            scan = await services.scanning.start(actor, sweep.request)
        except NetmonError as error:
            self.report(error)
            return
        begins = "waits for its turn" if scan.state is JobState.QUEUED else "runs"
        self.tell(f"Scan {scan.id} {begins}: {scan.name}")
        self._tell_end(scan.id)

    @work(group="neighbour-swept", exit_on_error=False)
    async def _tell_end(self, scan_id: int) -> None:
        """Say what came of a sweep, if the tab is still there then."""
        try:
            ended = await self.session.services.scanning.wait(self.session.actor, scan_id)
        except NetmonError as error:  # deleted meanwhile
            self.report(error)
            return
        if ended.state is JobState.COMPLETED:
            self.tell(f"{ended.name}: {ended.hosts_up} up; v shows them all")
        else:
            self.tell(f"{ended.name} is {ended.state}: {ended.error}")


class RememberedRows:
    """The rows of addresses that are not in the kernel's table now, while they are wanted.

    Args:
        session: Services and actor.
        source: The rows of the table, theirs among them.
        make_rows: Makes rows of records.
        gone: Returns a row as one that is only remembered; None for one that is not remembered.
    """

    def __init__(
        self,
        session: Session,
        source: MemorySource,
        make_rows: Callable[[Sequence[NeighbourRecord]], Awaitable[list[Row]]],
        gone: Callable[[Row], Row | None],
    ) -> None:
        self._session = session
        self._source = source
        self._make_rows = make_rows
        self._gone = gone
        self.wanted = False
        """Whether they are shown."""
        self._stamp: tuple[int, int] | None = None
        self._looked_at = 0.0
        self._rest = LEAST_SECONDS
        self._keys: frozenset[Hashable] = frozenset()
        """Of those that are shown."""

    async def toggle(self) -> bool:
        """Show them, or no longer; return which."""
        self.wanted, self._stamp = not self.wanted, None
        if self.wanted:
            await self.refresh()
        else:
            self._show([])
        return self.wanted

    async def refresh(self) -> None:
        """Bring them up to date, if they are wanted and something has changed."""
        services, now = self._session.services, time.monotonic()
        since = now - self._looked_at
        if not self.wanted or (self._stamp is not None and since < self._rest):
            return
        stamp = (await services.revision(), services.neighbours.revision)
        if stamp == self._stamp and since < max(MOST_SECONDS, self._rest):
            return
        self._stamp, self._looked_at = stamp, now
        rows = await self._make_rows(await services.segment.pivots.remembered(self._session.actor))
        if self.wanted:
            self._show(rows)
        self._rest = max(LEAST_SECONDS, SHARE * (time.monotonic() - now))

    def _show(self, rows: Sequence[Row]) -> None:
        live = frozenset(self._session.services.neighbours.keys(self._session.actor))
        fresh = [row for row in rows if row.key not in live]
        keys = frozenset(row.key for row in fresh)
        self._source.remove([key for key in self._keys - keys if key not in live])
        self._source.update(rows=fresh)
        self._keys = keys

    def take_over(self, removed: Iterable[Hashable]) -> list[Hashable]:
        """Show rows that left the kernel's table where they stood; return the keys of those to be taken out.

        A row that went and came back later would take the cursor with it.
        """
        kept: dict[Hashable, Row] = {}
        for key in removed if self.wanted else ():
            row = self._source.row(key)
            if row is not None and (gone := self._gone(row)) is not None:
                kept[key] = gone
        self._source.update(rows=kept.values())
        self._keys |= kept.keys()
        return [key for key in removed if key not in kept]
