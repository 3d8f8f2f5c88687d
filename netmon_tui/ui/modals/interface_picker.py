"""The interfaces with what goes through each of them this second."""

from __future__ import annotations

from contextlib import aclosing

from textual import on, work
from textual.app import ComposeResult

from netmon_tui.domain.interface_traffic import InterfaceTraffic
from netmon_tui.errors import NetmonError
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content, rate
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Cell, Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("name", "Interface", minimum=10, priority=0),
    Column("state", "State", width=5, priority=0),
    Column("in", "In", width=9, align="right", priority=0),
    Column("out", "Out", width=9, align="right", priority=0),
    Column("bytes", "Bytes/s", width=9, align="right", priority=1),
    Column("addresses", "Addresses", minimum=18, share=1, priority=0),
)


class InterfacePicker(Dialog[str]):
    """Gives the name of the one that is chosen.

    Args:
        session: Services and actor.
        chosen: The one to begin at.
    """

    def __init__(self, session: Session, chosen: str) -> None:
        super().__init__()
        self._capturing = session.services.capturing
        self._chosen = chosen
        self._source = MemorySource([column.key for column in COLUMNS])
        self._table = Table(COLUMNS, source=self._source, empty_text="No interfaces", id="interfaces")

    def compose(self) -> ComposeResult:
        """The list over the keys."""
        with self.box("Interfaces", id="interfaces-box") as box:
            box.border_subtitle = content("packets per second; enter chooses, esc closes")
            yield self._table

    def on_mount(self) -> None:
        """Begin to count."""
        self._count()
        self._table.focus()

    @work(exclusive=True, group="interfaces", exit_on_error=False)
    async def _count(self) -> None:
        """Show what goes through, each second."""
        try:
            async with aclosing(self._capturing.interface_traffic()) as seconds:
                self._source.replace(map(_row, await anext(seconds)))
                self._table.move_to_key(self._chosen)
                async for found in seconds:
                    self._source.replace(map(_row, found))
        except NetmonError as error:
            self._table.set_texts(error=str(error))

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        self.dismiss(str(event.key))


def _row(one: InterfaceTraffic) -> Row:
    interface, rates = one.interface, one.rates
    addresses = " ".join(address.address for address in interface.addresses)
    state = Cell("up", "success") if interface.up else Cell("down", "muted")
    if rates is None:
        return Row(interface.name, (interface.name, state, "", "", "", addresses))
    through = rates.bytes_in + rates.bytes_out
    return Row(
        interface.name,
        (
            interface.name,
            state,
            _rate(rates.packets_in),
            _rate(rates.packets_out),
            Cell(rate(through, "B/s"), "" if through else "muted", through),
            addresses,
        ),
    )


def _rate(packets: float) -> Cell:
    """Return packets per second; where nothing goes through, the figure stands back."""
    return Cell(rate(packets), "accent" if packets else "muted", packets)
