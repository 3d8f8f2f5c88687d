"""The base of screens that show packets: their columns are chosen and kept, and one can go to a place in them."""

from __future__ import annotations

from textual import on, work

from netmon_tui.domain.packet_columns import PacketColumns
from netmon_tui.domain.packet_place import WAYS
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.modals.line_form import LineForm
from netmon_tui.ui.modals.packet_columns import PacketColumnForm
from netmon_tui.ui.screens.filterable import FilterableScreen
from netmon_tui.ui.widgets.arranged_packets import ArrangedPackets
from netmon_tui.ui.widgets.table import Table


class ArrangingScreen(FilterableScreen):
    """Answers what a list of packets asks about columns and places."""

    @work(exclusive=True, group="packet-columns", exit_on_error=False)
    async def recall_columns(self) -> None:
        """Show the columns that the user has chosen."""
        await self.show_chosen_columns()

    async def show_chosen_columns(self) -> None:
        """Read and show them."""
        chosen = await self.unless_forgetful(self.session.services.packets.columns.chosen(self.session.actor))
        packets = self.query_one(ArrangedPackets)
        packets.show_columns(chosen or packets.columns)

    @on(Table.ChooseColumns, "#packets")
    def _columns_asked(self, event: Table.ChooseColumns) -> None:
        event.stop()  # the frame has a dialog for all other tables
        self._choose_columns()

    @work(exclusive=True, group="choose-columns", exit_on_error=False)
    async def _choose_columns(self) -> None:
        packets = self.query_one(ArrangedPackets)
        chosen = await self.app.push_screen_wait(PacketColumnForm(packets.columns, self._checked))
        if chosen is not None:
            packets.show_columns(chosen)
            await self._keep(chosen)

    async def _checked(self, columns: PacketColumns) -> PacketColumns:
        known = self.query_one(ArrangedPackets).columns.fields
        service = self.session.services.packets.columns
        return await service.checked(columns.keys, by_tshark=columns.by_tshark, known=known)

    @on(ArrangedPackets.ColumnsChanged)
    @work(group="keep-columns", exit_on_error=False)
    async def _columns_changed(self, event: ArrangedPackets.ColumnsChanged) -> None:
        if await self._keep(event.columns) and event.field:
            place = f"; there is no room for {event.gave_way} now" if event.gave_way else ""
            toasts.tell(self.app, f"{event.field} is a column now{place}; C takes it away")

    async def _keep(self, columns: PacketColumns) -> bool:
        """Keep a choice, or tell why it cannot be and show the one before; return whether it is kept."""
        try:
            await self.session.services.packets.columns.choose(self.session.actor, columns)
        except NetmonError as error:
            toasts.report(self.app, error)
            self.recall_columns()
            return False
        return True

    @on(ArrangedPackets.PlaceAsked)
    @work(exclusive=True, group="go-to", exit_on_error=False)
    async def _go_to(self, event: ArrangedPackets.PlaceAsked) -> None:
        packets = self.query_one(ArrangedPackets)
        number = await self.app.push_screen_wait(LineForm("Go to", WAYS, "Go", packets.find_place))
        if number is not None:
            packets.go_to(number)
