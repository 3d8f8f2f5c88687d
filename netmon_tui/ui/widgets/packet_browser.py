"""A capture file on the screen: the list of packets, the field tree of one, and its bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from netmon_tui.domain.address import normalise_lladdr, parse_ip
from netmon_tui.domain.counted import counted
from netmon_tui.domain.packet import PacketDetail
from netmon_tui.errors import NetmonError
from netmon_tui.services.packet_list import PacketList
from netmon_tui.services.packet_marks import CaptureMarks
from netmon_tui.ui.rendering import thin
from netmon_tui.ui.widgets.display_filtered import NO_PACKETS
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.hex_view import HexView
from netmon_tui.ui.widgets.kept_place import KeptPlace
from netmon_tui.ui.widgets.packet_bytes import PacketBytes
from netmon_tui.ui.widgets.packet_columns import table_columns
from netmon_tui.ui.widgets.packet_following import DETAIL, PacketFollowing
from netmon_tui.ui.widgets.packet_growth import PacketGrowth
from netmon_tui.ui.widgets.packet_list import FILE_ORDERS, PacketSource
from netmon_tui.ui.widgets.packet_status import PacketStatus
from netmon_tui.ui.widgets.packet_table import PacketTable
from netmon_tui.ui.widgets.packet_tree import PacketTree
from netmon_tui.ui.widgets.row_source import cell_text
from netmon_tui.ui.widgets.table import Table

DEBOUNCE_SECONDS = 0.12
"""Rest of the cursor before a packet is dissected: holding an arrow key down costs nothing."""
_ZOOMS = ("-zoom-list", "-zoom-tree", "-zoom-bytes")


class PacketBrowser(PacketFollowing):
    """Shows a file that may still grow; whoever mounts it calls :meth:`look` when it may have grown.

    Args:
        open_file: Opens the file; raises NetmonError while there is none.
        marks: The user's marks in it.
        id: Identifier of the widget.
    """

    DEFAULT_CSS = """
    PacketBrowser {
        height: 1fr;
        #packets { height: 1fr; }
        #packet-parts { height: 1fr; }
        #packet-damage { display: none; }
        &.-damaged #packet-damage { display: block; }
        &.-zoom-list #packet-parts, &.-zoom-tree #packets, &.-zoom-bytes #packets { display: none; }
        &.-zoom-tree PacketBytes, &.-zoom-bytes PacketTree { display: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "M",
            "range",
            "Range",
            tooltip="Say where a part begins, and where it ends.",
            id="packets.range",
            show=False,
        ),
        Binding("z", "zoom", "Zoom", tooltip="Give one part all the room, and back.", id="packets.zoom"),
    ]

    def __init__(
        self, open_file: Callable[[], Awaitable[PacketList]], marks: CaptureMarks, *, id: str | None = None
    ) -> None:
        super().__init__(marks, id=id)
        self._open_file = open_file
        self._growth: PacketGrowth | None = None
        self._had_address = False
        self._told_following = ""
        """What the line of status says of where the cursor goes of itself."""
        self._is_gone = False
        self.range: tuple[int, int] = (0, 0)
        """Numbers of the first and the last packet of a part; 0 where there is none (yet)."""

    def compose(self) -> ComposeResult:
        """Filter over list over tree and bytes."""
        yield self.filter_bar
        yield self.find_bar
        yield PacketTable(table_columns(self.columns), empty_text=NO_PACKETS, id="packets")
        yield Figure(id="packet-damage", classes="-error")
        yield PacketStatus(id="packet-status")
        with Horizontal(id="packet-parts"):
            yield PacketTree(id="packet-tree")
            yield PacketBytes(id="packet-sources")

    async def on_unmount(self) -> None:
        """Release the file."""
        self._is_gone = True
        if self._packets is not None:
            await self._packets.close()

    @property
    def table(self) -> Table:
        """The list of packets."""
        return self.query_one("#packets", Table)

    @property
    def is_listed(self) -> bool:
        """Whether all that the file had at the last look is listed."""
        return self._growth is None or not self._growth.indexing

    @property
    def address(self) -> str:
        """The address that is meant: the field's, the cell's, or else the packet's source or destination.

        An IP address, or a MAC in normal form where it is such a field or cell.
        """
        node, table = self.query_one(PacketTree).node, self.table
        in_tree = node is not None and _has_focus(self.query_one(PacketTree))
        meant = [node.value] if node is not None and in_tree else []
        if self._source is not None:
            meant += [cell_text(table.grid.cursor_cell), *self._source.pages.ends(table.cursor_key)]
        return next((text for text in meant if parse_ip(text) or normalise_lladdr(text) == text), "")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to follow in a file that no longer grows, and nothing to end where nothing runs."""
        if action == "end_filter":
            return self.is_busy() or self.has_search or bool(self.filter_bar.text)
        if action == "match":
            return self.has_search
        if action in {"mark_step", "ask_clear"}:
            return bool(self.all_marks)
        growing = self._packets is None or self._packets.growing or self.has_newer
        return growing or self.following if action == "follow" else True

    async def look(self, *, growing: bool) -> None:
        """Open the file once there is one, and index what is new: shortly after this, or at once if that is quick.

        Args:
            growing: Whether it is still being written.
        """
        if self._packets is None:
            try:
                await self._take(await self._open_file())
            except NetmonError as error:
                self.table.set_texts(error="" if growing else str(error))
                return
            if self._growth is not None and self._growth.note(growing=growing):
                self.call_after_refresh(self._index, self._growth)  # the first rows do not wait for that
        elif self._growth is not None and self._growth.note(growing=growing):
            self._index(self._growth)
            await self._growth.advanced()

    async def _take(self, packets: PacketList) -> None:
        """Show a file that was opened; its first rows are read before, so that they are painted with all else."""
        if self._is_gone:
            await packets.close()
            return
        self._packets = packets
        source = self._source = PacketSource(packets)
        self._growth = PacketGrowth(packets, source, lambda: self.is_moved_on)
        source.show_columns(self.columns)
        with suppress(NetmonError, OSError):  # the table says it when it loads them itself
            if not packets.count:
                await source.advance()
            await source.load(0, 1)
        source.subscribe(self.show_count)
        self.table.set_texts(error="")
        self.table.set_source(source)
        self._place = KeptPlace(self.table.grid, source)
        self.show_count()
        self.load_marks()
        self.call_after_refresh(self._warm_up, packets)

    @work(group="warm-up", exit_on_error=False)
    async def _warm_up(self, packets: PacketList) -> None:
        await packets.warm_up()

    @work(group="packet-index", exit_on_error=False)
    async def _index(self, growth: PacketGrowth) -> None:
        try:
            await growth.index()
        except (NetmonError, OSError) as error:
            self.table.set_texts(error=str(error))
        self.show_count()
        self.end_following()

    def show_count(self) -> None:
        """Say how many packets there are, how far the index is, and what is wrong with the file."""
        packets, source = self._packets, self._source
        if packets is None or source is None:
            return
        self.fit_columns()
        words = [counted(packets.count, "packet", thin(packets.count))]
        if source.text or source.chosen is not None:
            words.insert(0, f"{thin(source.count)} of")
        if source.searched is not None:
            by_whom = " by the dissector, esc stops" if source.asks_dissector else ""
            words.append(f"· looked through {thin(source.searched)}{by_whom}")
        if not packets.complete:
            words.append(f"· indexing {packets.progress:.0%}")
        if self._doing:
            words.append(f"· {self._doing}")
        self._told_following = self.following_words
        if self.following_words:
            words.append(f"· {self.following_words}")
        if self.found_words:
            words.append(f"· {self.found_words}")
        if self.all_marks:
            others = len(self.all_marks) - len(self.marks)
            elsewhere = f", {thin(others)} elsewhere" if others else ""
            words.append(f"· {thin(len(self.marks))} marked{elsewhere}")
        if self.range[0]:
            words.append(f"· part {thin(self.range[0])} to {thin(self.range[1]) if self.range[1] else '…'}")
        # each line is a window of the dissector's, far from the next: too slow to be asked for unasked
        is_worded = source.chosen is None or self.columns.by_tshark
        self.query_one(PacketStatus).show_count(" ".join(words), "" if is_worded else "P: tshark's words")
        self.query_one("#packet-damage", Figure).show(packets.damage)
        self.set_class(bool(packets.damage), "-damaged")

    @property
    def shown(self) -> tuple[str, Sequence[int] | None]:
        """The filters and the packets that they show; None without a filter and while one still looks."""
        if self._source is None or self._source.searched is not None or self.is_busy():
            return "", None
        filters = (self.filter_bar.text, f"/{self._source.text}" if self._source.text else "")
        return " and ".join(filter(None, filters)), self._source.shown

    def action_range(self) -> None:
        """Begin a part at the packet under the cursor, end it there, or forget it."""
        number, (first, last) = self.table.cursor_key, self.range
        if not isinstance(number, int) or last:
            self.range = (0, 0)
        else:
            self.range = (min(first, number), max(first, number)) if first else (number, 0)
        self.show_count()

    def action_zoom(self) -> None:
        """Give the part with the focus all the room, or all parts theirs."""
        zoomed = any(self.has_class(name) for name in _ZOOMS)
        self.remove_class(*_ZOOMS)
        if not zoomed:
            in_parts = "-zoom-tree" if _has_focus(self.query_one(PacketTree)) else "-zoom-list"
            self.add_class("-zoom-bytes" if _has_focus(self.query_one(HexView)) else in_parts)

    @on(Table.Highlighted, "#packets")
    def _highlighted(self, event: Table.Highlighted) -> None:
        event.stop()
        if event.key is None and self.table.row_count:
            return  # the row's page is on its way
        if bool(self.address) is not self._had_address:
            self._had_address = bool(self.address)
            self.refresh_bindings()
        if self._told_following != self.following_words:
            self.show_count()
        if not isinstance(event.key, int):
            self.stop_describing()
            self._show(None)
        elif self.is_moved_on:
            self.describe_later(event.key)
        else:
            self.describe(event.key)

    @on(Table.LoadFailed, "#packets")
    def _not_loaded(self, event: Table.LoadFailed) -> None:
        """Look at the file again: it may be shorter than it was when its damage was told."""
        event.stop()
        self.show_count()

    @on(Table.Opened, "#packets")
    async def _opened(self, event: Table.Opened) -> None:
        event.stop()
        tree = self.query_one(PacketTree)
        await tree.fill()
        tree.table.focus()

    @on(Table.SortChanged, "#packets")
    def _sorted(self, event: Table.SortChanged) -> None:
        event.stop()
        if event.column_key not in FILE_ORDERS:
            self.table.sort_by("number", event.reverse)
            self.notify("Packets stay in the order of the file. Filter with / to find some.", markup=False)

    def describe_again(self) -> None:
        """Dissect the packet under the cursor anew."""
        if isinstance(self.table.cursor_key, int):
            self.describe(self.table.cursor_key)

    @work(exclusive=True, group=DETAIL, exit_on_error=False)
    async def describe(self, number: int) -> None:
        """Show a packet after a moment: with our own decoder, then with the dissector, if there is one."""
        assert self._packets is not None
        await asyncio.sleep(DEBOUNCE_SECONDS)
        try:
            self._show(await self._packets.sketch(number))
            self._show(await self._packets.detail(number))
        except (NetmonError, OSError) as error:
            self.query_one(PacketStatus).show_packet(error)

    def _show(self, detail: PacketDetail | None) -> None:
        self.query_one(PacketBytes).show(detail)
        self.query_one(PacketTree).show(detail)
        self.show_places(detail)
        words = f"packet {thin(detail.summary.number)} by {detail.dissector}" if detail else ""
        self.query_one(PacketStatus).show_packet(words)

    @on(PacketTree.FieldHighlighted)
    def _mark_bytes(self, event: PacketTree.FieldHighlighted) -> None:
        event.stop()
        node = event.node
        self.query_one(PacketBytes).mark(*((node.source, node.offset, node.size) if node else (0, -1, 0)))
        self._name_field()

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _name_field(self) -> None:
        """Name the field under the cursor while one is among the fields or the bytes."""
        node = self.query_one(PacketTree).node
        if node is not None and (
            _has_focus(self.query_one(PacketTree)) or _has_focus(self.query_one(HexView))
        ):
            self.query_one(PacketStatus).show_field(node.name, node.size)
        else:
            self.query_one(PacketStatus).show_field("", 0)

    @on(HexView.ByteChosen)
    def _show_field(self, event: HexView.ByteChosen) -> None:
        event.stop()
        self.query_one(PacketTree).reveal(event.offset, self.query_one(PacketBytes).source)


def _has_focus(part: Widget) -> bool:
    return part.has_focus_within or part.has_focus
