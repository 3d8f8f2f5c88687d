"""What a list of packets does with display filters, and with the whole file: the base of the packet browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.binding import Binding, BindingType

from netmon_tui.domain.display_filter import Offer, is_counted, join, needs_all
from netmon_tui.errors import InvalidInput, NetmonError, NotFound
from netmon_tui.services.packet_list import PacketList
from netmon_tui.ui import toasts
from netmon_tui.ui.rendering import thin
from netmon_tui.ui.widgets.busy_list import BusyList
from netmon_tui.ui.widgets.display_filter_bar import DisplayFilterBar
from netmon_tui.ui.widgets.filter_rounds import FilterRounds
from netmon_tui.ui.widgets.kept_place import KeptPlace
from netmon_tui.ui.widgets.packet_list import PacketSource
from netmon_tui.ui.widgets.packet_tree import PacketTree
from netmon_tui.ui.widgets.table import Table

_ROUNDS = "display-filter-rounds"
NO_PACKETS = "No packets yet"
_NONE_YET = "No packet meets the display filter so far. Press esc to show all"
_NONE = "No packet meets the display filter. Press esc to show all"
_NONE_HERE = "No packet of this file meets it. { } look in others, D in all, esc shows all"
_NONE_COUNTED = "No packet of this file meets it. D looks in all, esc shows all"
_BROKEN_OFF = "The file was not looked through to its end. Press esc to show all"


class Listed(NamedTuple):
    """What filters let through."""

    words: str
    """Such as ``shown in the first 33% by dns``: the name of what is made of it is cut at its end."""
    numbers: Sequence[int]
    """Of the packets, ascending."""
    is_whole: bool
    """Whether all packets were looked at."""


class DisplayFiltered(BusyList):
    """Shows the packets that meet a filter while tshark finds them; escape stops it, and once more shows all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "d",
            "display_filter",
            "Show only",
            tooltip="Show only packets that meet a filter in Wireshark's language.",
            id="packets.display_filter",
        ),
        Binding(
            "escape",
            "end_filter",
            "Stop or clear",
            tooltip="Stop what is running, or show all packets again.",
            id="packets.end_filter",
            show=False,
        ),
        Binding(
            "W",
            "whole",
            "Whole file",
            tooltip="Let the dissector load the whole file: streams and reassembly over all of it.",
            id="packets.whole",
            show=False,
        ),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.has_others = False
        """Whether the capture has other files, in which something can be found too."""
        self._packets: PacketList | None = None
        self._source: PacketSource | None = None
        self._place: KeptPlace | None = None
        """Where the filter was begun; None before the file is open."""
        self._chosen_by = ""
        """The filter that let the listed packets through; the line may have another by now."""
        self._reach: Callable[[], str] = str
        """Tells how far that has looked, empty when through all."""
        self.filter_bar = DisplayFilterBar(self._check, self.offer, id="display-filter-bar")

    @property
    def path(self) -> Path | None:
        """The file; None before it is open."""
        return self._packets.path if self._packets is not None else None

    @property
    def listed(self) -> Listed | None:
        """What filters have let through so far, also while one still looks; None without a filter."""
        source = self._source
        numbers = source.shown if source is not None else None
        if source is None or numbers is None:
            return None
        reach = [self._reach()]
        if source.searched is not None:
            whose = "packets" if source.chosen is None else "of those"
            reach.append(f"in the first {source.searched:,} {whose}")
        filters = " and ".join(filter(None, (self._chosen_by, f"/{source.text}" if source.text else "")))
        how_far = ", ".join(filter(None, reach))
        words = f"shown {how_far} by {filters}" if how_far else f"shown by {filters}"
        return Listed(words, numbers, is_whole=not how_far)

    async def interface(self) -> str:
        """Return the interface of the packet under the cursor; empty where the file does not tell it.

        Raises:
            NetmonError: The file cannot be read.
        """
        number = self.table.cursor_key
        if self._packets is None or not isinstance(number, int):
            return ""
        return next((line.cells[0] for line in await self._packets.lines([number], ["interface"])), "")

    # what the browser adds

    @property
    def table(self) -> Table:
        """The list of packets."""
        raise NotImplementedError

    def describe_again(self) -> None:
        """Dissect the packet under the cursor anew."""
        raise NotImplementedError

    # filters

    async def offer(self, word: str) -> Sequence[Offer]:
        """Return names of fields and protocols that begin so."""
        return await self._packets.complete_filter(word) if self._packets else ()

    async def _check(self, text: str) -> str:
        if self._packets is None:
            raise NotFound("there are no packets yet")
        return await self._packets.check_filter(text)

    async def action_display_filter(self) -> None:
        """Begin to type a filter."""
        await self.filter_bar.open()

    def action_end_filter(self) -> None:
        """Stop what is running, or show all packets again."""
        if self.is_busy():
            self._stop_newest()
            return
        self.filter_bar.clear()
        self._show_all()

    @on(DisplayFilterBar.Left)
    def _filter_left(self, event: DisplayFilterBar.Left) -> None:
        event.stop()
        self.table.focus()
        self.filter_bar.close()

    @on(DisplayFilterBar.Applied)
    def _filter_applied(self, event: DisplayFilterBar.Applied) -> None:
        self.begin_filter(event.text)

    def begin_filter(self, text: str) -> None:
        """Show the packets that meet a filter, which is right; all of them when it is empty."""
        self._stop()
        self.workers.cancel_group(self, _ROUNDS)
        if self._place is not None:
            self._place.keep()
        self.filter_bar.show(text)
        if not text:
            self._show_all()
        elif self._packets is not None:
            self.busy_with(self._find(text))
        self.refresh_bindings()

    def show_everything(self) -> None:
        """End what runs, and show all packets."""
        self._stop()
        self.filter_bar.clear()
        self.table.filter_by("")
        self._show_all()

    def _show_all(self) -> None:
        self.workers.cancel_group(self, _ROUNDS)
        self._doing = self._chosen_by = ""
        self._reach = str
        if self._source is not None and self._place is not None and self._source.chosen is not None:
            self.table.set_texts(empty=NO_PACKETS)
            self._place.show_all()
        self.show_count()
        self.refresh_bindings()

    @work(group="display-filter", exclusive=True, exit_on_error=False)
    async def _find(self, text: str) -> None:
        """Fill the list with the packets that meet a filter."""
        packets, source, place = self._packets, self._source, self._place
        assert packets is not None and source is not None and place is not None
        grows = packets.growing
        run = await packets.matching_after(text, 0) if grows else packets.matching(text)
        self.table.set_texts(empty=_NONE_YET)
        source.choose([])
        self._chosen_by, self._reach = text, lambda: f"in the first {run.progress:.0%}"
        place.begin()
        ended = "stopped"
        ticks = self._tick(lambda: f"filter {run.progress:.0%}")
        try:
            async with aclosing(run.numbers()) as batches:
                async for numbers in batches:
                    while numbers[-1:] and numbers[-1] > packets.count and await packets.extend():
                        pass
                    there = [number for number in numbers if number <= packets.count]
                    source.choose_more(there)
                    place.found(there)
            place.reach()
            ended = ""
            if not grows:
                self._reach = str
                self._tell_none(text)
        except (NetmonError, OSError) as error:
            ended = "not to the end"
            self._filter_failed(error)
            if isinstance(error, NotFound):  # the file is gone: what was there before stays
                source.choose(None)
        finally:
            self._end_ticks(ticks, f"{ended} at {run.progress:.0%}" if ended == "stopped" else ended)
        if not ended and grows:
            self._find_more(FilterRounds(packets, source, text, run.last), text)

    @work(group=_ROUNDS, exclusive=True, exit_on_error=False)
    async def _find_more(self, rounds: FilterRounds, text: str) -> None:
        """Add what comes while the capture runs."""
        ended = ""
        self._reach = lambda: "" if rounds.is_over else f"up to packet {rounds.covered:,}"
        try:
            while not rounds.is_over:
                self._say(f"filter up to packet {thin(rounds.covered)}")
                await asyncio.sleep(rounds.pause)
                await rounds.look()
            self._tell_none(text)
        except (NetmonError, OSError) as error:
            ended = f"filter only up to packet {thin(rounds.covered)}"
            self._filter_failed(error)
        self._say(ended)

    def _tell_none(self, text: str) -> None:
        """Say, in place of rows, that the file was looked through and has none; others may have some."""
        elsewhere = _NONE_COUNTED if needs_all(text) else _NONE_HERE
        self.table.set_texts(empty=elsewhere if self.has_others else _NONE)

    def _filter_failed(self, error: NetmonError | OSError) -> None:
        self.table.set_texts(empty=_BROKEN_OFF)
        self.filter_bar.tell(error if isinstance(error, NetmonError) else InvalidInput(str(error)))

    @on(PacketTree.FilterAsked)
    def _filter_asked(self, event: PacketTree.FilterAsked) -> None:
        """Filter by a field, unless its value is another where more of the file is known."""
        event.stop()
        detail = self.query_one(PacketTree).detail
        field = event.filter.partition(" ")[0]
        if detail is not None and detail.window is not None and is_counted(field):
            words = f"{event.filter} holds within a part of the file: W loads the whole file"
            toasts.tell(self.app, words)
            return
        self.filter_bar.put(join(self.filter_bar.text, event.filter, event.how), apply=True)

    # the whole file

    def action_whole(self) -> None:
        """Let the dissector load the whole file."""
        if self._packets is not None and not self._packets.knows_whole and not self.is_busy():
            self.busy_with(self._load_whole())

    @work(group="whole-file", exclusive=True, exit_on_error=False)
    async def _load_whole(self) -> None:
        packets = self._packets
        assert packets is not None
        ticks = self._tick(lambda: f"whole file {packets.whole_progress:.0%}, esc stops")
        try:
            await packets.load_whole()
            self._dissect_again()
        except NetmonError as error:
            toasts.report(self.app, error)
        finally:
            self._end_ticks(ticks, "")

    def take_keys(self) -> None:
        """Show what the dissector makes of the file with other TLS keys, and filter by that."""
        self._dissect_again()
        if self.filter_bar.text:
            self.post_message(DisplayFilterBar.Applied(self.filter_bar.text))

    def _dissect_again(self) -> None:
        self.describe_again()
        if self._source is not None:
            self._source.show_columns(self._source.pages.columns)
