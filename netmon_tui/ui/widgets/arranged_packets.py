"""What a list of packets does with its columns, and how one gets to a place in it: part of the packet browser."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from netmon_tui.domain.packet_columns import PacketColumns, title_of
from netmon_tui.errors import NetmonError, NotFound
from netmon_tui.ui import toasts
from netmon_tui.ui.widgets.display_filtered import DisplayFiltered
from netmon_tui.ui.widgets.packet_columns import Needs, table_columns
from netmon_tui.ui.widgets.packet_tree import PacketTree


class ArrangedPackets(DisplayFiltered):
    """Shows chosen columns; whoever mounts it keeps the choice and opens the dialogs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+g",
            "ask_place",
            "Go to",
            tooltip="Go to a packet by number, time, part of the file or distance.",
            id="packets.go_to",
            show=False,
        ),
        Binding(
            "ctrl+t",
            "time_form",
            "Time form",
            tooltip="Show the time in the next form: local, UTC, with date, since the first, delta, epoch.",
            id="packets.time_form",
            show=False,
        ),
        Binding(
            "P",
            "by_tshark",
            "tshark's words",
            tooltip="Show protocol and info as tshark words them, or in our own words.",
            id="packets.by_tshark",
            show=False,
        ),
    ]

    class PlaceAsked(Message):
        """The user wants to go somewhere: the screen asks where."""

    class ColumnsChanged(Message):
        """Other columns are shown: the screen keeps the choice."""

        def __init__(self, columns: PacketColumns, field: str = "", gave_way: str = "") -> None:
            super().__init__()
            self.columns = columns
            self.field = field
            """The one that was added out of the field tree; empty for any other change."""
            self.gave_way = gave_way
            """Titles of those that were seen before and have no room now."""

    columns = PacketColumns()
    """Those that are shown."""
    _needs: Needs | None = None
    """What the columns were made for last; None before there are packets."""

    def show_columns(self, columns: PacketColumns) -> None:
        """Show other columns; the cursor stays on its packet."""
        self.columns = columns
        self._lay_out()
        if self._source is not None:
            self._source.show_columns(columns)

    def fit_columns(self) -> None:
        """Give numbers and addresses the room that the packets which were seen need, if that is another now."""
        if self._packets is None or self._source is None:
            return
        needs = Needs.of(self._packets.count, self._source.pages.widest_end)
        if needs != self._needs:
            self._needs = needs
            self._lay_out()

    def _lay_out(self) -> None:
        fine = self._packets is not None and self._packets.nanoseconds
        self.table.set_columns(table_columns(self.columns, nanoseconds=fine, needs=self._needs))

    async def find_place(self, text: str) -> int:
        """Return the number of the packet that a place means, counted from the one under the cursor.

        Raises:
            InvalidInput: It is no place.
            NotFound: There are no packets.
        """
        here = self.table.cursor_key
        if self._packets is None:
            raise NotFound("there are no packets yet")
        return await self._packets.find(text, here if isinstance(here, int) else 1)

    def go_to(self, number: int) -> None:
        """Put the cursor on a packet, or on the first after it that the filters let through."""
        if self._source is None:
            return
        self.table.grid.follow = False
        self.table.grid.put_cursor(self._source.position_near(number))
        self.show_count()

    def action_ask_place(self) -> None:
        """Ask where to go."""
        self.post_message(self.PlaceAsked())

    def action_time_form(self) -> None:
        """Show the time in its next form."""
        self._rearrange(self.columns.next_time())

    def action_by_tshark(self) -> None:
        """Show protocol and info in tshark's words, or in ours."""
        by_tshark = not self.columns.by_tshark
        self._rearrange(PacketColumns(self.columns.keys, by_tshark))
        toasts.tell(self.app, f"Protocol and info in {'tshark' if by_tshark else 'our own'} words")

    @on(PacketTree.ColumnAsked)
    def _add_field(self, event: PacketTree.ColumnAsked) -> None:
        """Add a field of the tree as a column."""
        event.stop()
        try:
            self._rearrange(self.columns.with_field(event.name), event.name)
        except NetmonError as error:
            toasts.report(self.app, error)

    def _rearrange(self, columns: PacketColumns, field: str = "") -> None:
        before = self.table.visible_columns
        self.show_columns(columns)
        after = self.table.visible_columns
        lost = [title_of(key) for key in before if key in columns.keys and key not in after]
        self.post_message(self.ColumnsChanged(columns, field, " and ".join(lost)))
