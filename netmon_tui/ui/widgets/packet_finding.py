"""What a list of packets does to find some by what is in them: a part of the packet browser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.worker import Worker

from netmon_tui.domain.packet import PacketDetail
from netmon_tui.domain.packet_find import FoundPackets, Wanted
from netmon_tui.errors import NetmonError, NotFound
from netmon_tui.services.packet_finding import PacketFinder
from netmon_tui.ui import toasts
from netmon_tui.ui.rendering import thin
from netmon_tui.ui.widgets.arranged_packets import ArrangedPackets
from netmon_tui.ui.widgets.find_bar import FindBar
from netmon_tui.ui.widgets.packet_bytes import PacketBytes
from netmon_tui.ui.widgets.packet_tree import PacketTree

_TELL_SECONDS = 0.2
"""Between two words about how far a search is."""


class PacketFinding(ArrangedPackets):
    """Goes from match to match while a search still runs; escape stops it, and once more forgets it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+f",
            "find",
            "Find",
            tooltip="Find packets by text, expression or bytes: in bytes, list or tree.",
            id="packets.find",
        ),
        Binding("n", "match(True)", "Next match", tooltip="The next match.", id="packets.next_match"),
        Binding(
            "N",
            "match(False)",
            "Match before",
            tooltip="The match before.",
            id="packets.match_before",
            show=False,
        ),
    ]

    class FindElsewhere(Message):
        """This file has no more of what is looked for: the next file, or the one before, may have it."""

        def __init__(self, wanted: Wanted, forward: bool) -> None:
            super().__init__()
            self.wanted = wanted
            self.forward = forward

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.has_newer = False
        """Whether a newer one than this is still written to, to which following leads."""
        self.find_bar = FindBar(id="find-bar")
        self._finder: PacketFinder | None = None
        self._found = FoundPackets(1, 0)
        self._filters: tuple[str, str] = ("", "")
        """What the list was filtered by when the search began."""
        self._search: Worker[None] | None = None
        self._step: bool | None = None
        """Whether the user waits for the next match (True) or the one before (False)."""
        self._from = 0
        """The packet from which that counts."""
        self._arrived = 0
        """The match that was gone to."""
        self._told = 0.0

    # what the browser adds

    @property
    def shown(self) -> tuple[str, Sequence[int] | None]:
        """The filters and the packets that they show; None without a filter and while one still looks."""
        raise NotImplementedError

    # the search

    @property
    def is_finding(self) -> bool:
        """Whether a search runs."""
        return self._search is not None and not self._search.is_finished

    @property
    def has_search(self) -> bool:
        """Whether there is a search, at its end or not."""
        return self._finder is not None

    @property
    def found_words(self) -> str:
        """How far the search is, and which match the cursor is on; empty without a search."""
        if self._finder is None:
            return ""
        count, place = len(self._found.numbers), self._found.place(self._here)
        more = "" if self._found.complete else "+"
        words = f"match {thin(place)} of {thin(count)}{more}" if place else f"{thin(count)}{more} matches"
        if self.is_finding:
            by_whom = " by the dissector, esc stops" if self._finder.asks_dissector else ""
            return f"{words}, looking {self._found.part:.0%}{by_whom}"
        return words if self._found.complete else f"{words}, stopped at {self._found.part:.0%}"

    @property
    def _here(self) -> int:
        """The packet under the cursor, also where its line is not loaded yet."""
        key = self.table.cursor_key
        return key if isinstance(key, int) else self._arrived

    async def action_find(self) -> None:
        """Begin to type what is looked for, also before there are packets: else its words were keys of the list."""
        await self.find_bar.open()

    def action_match(self, forward: bool) -> None:
        """Go to another match, once it is known which."""
        if self._finder is None or self._packets is None:
            return
        self._step, self._from = forward, self._here
        if not self.is_finding and (self._is_outdated() or not self._found.complete):
            self._search = self._look_for(self._finder.wanted)
        else:
            self._try_step()

    def _is_outdated(self) -> bool:
        """Whether other packets are listed than were when the search began, or more to come to after the last."""
        assert self._finder is not None and self._packets is not None and self._source is not None
        following = self._found.after(self._from) or 0
        grown = self._packets.count > self._finder.count and following <= self._from
        return grown or self._filters != (self.filter_bar.text, self._source.text)

    def action_end_filter(self) -> None:
        """Stop or forget the search, or else what the base stops."""
        if self.is_finding and self._search is not None:
            self._search.cancel()
        elif self._finder is not None and not self.is_busy():
            self._finder, self._arrived = None, 0
            self.show_places(self.query_one(PacketTree).detail)
            self._tell()
            self.refresh_bindings()
        else:
            super().action_end_filter()

    @on(FindBar.Left)
    def _find_left(self, event: FindBar.Left) -> None:
        event.stop()
        self.table.focus()
        self.find_bar.close()

    @on(FindBar.Asked)
    def _find_asked(self, event: FindBar.Asked) -> None:
        event.stop()
        if self._packets is None:
            self.find_bar.tell(NotFound("there are no packets yet"))
            return
        self._step, self._from = True, self._here - 1
        self._search = self._look_for(event.wanted)

    @work(group="find", exclusive=True, exit_on_error=False)
    async def _look_for(self, wanted: Wanted) -> None:
        """Look through all packets that are listed, from the one under the cursor on."""
        assert self._packets is not None and self._source is not None
        filters = (self.filter_bar.text, self._source.text)
        numbers = self.shown[1]
        if any(filters) and numbers is None:
            toasts.tell(self.app, "The filter still looks through the file: find when it is done")
            return
        try:
            wanted = replace(wanted, by_tshark=self.columns.by_tshark)
            finder = await self._packets.finder(wanted, numbers)
        except NetmonError as error:
            self.find_bar.tell(error)
            return
        start = max(1, self._here)  # read once: the cursor may move before the search begins
        self._finder, self._filters = finder, filters
        self._found = FoundPackets(finder.begins_at(start), finder.count)
        self.show_places(self.query_one(PacketTree).detail)
        await self._leave_bar()
        try:
            async with aclosing(finder.batches(start)) as batches:
                async for batch in batches:
                    self._found.add(batch)
                    self._try_step()
                    if time.monotonic() - self._told > _TELL_SECONDS:
                        self._tell()
            if not self._found.numbers and self.has_others:
                self._try_step()
            elif not self._found.numbers:
                toasts.tell(self.app, f"Nothing is found: {wanted.words()}: {wanted.text}")
        except NetmonError as error:
            toasts.report(self.app, error)
        except OSError as error:
            toasts.tell(self.app, f"The search ended early: {error}")
        finally:
            self.call_after_refresh(self._ended)

    async def _leave_bar(self) -> None:
        """Close the line, and wait until the list has its room: a match is scrolled to in what is then there."""
        self.find_bar.leave()
        self.refresh_bindings()
        gone = asyncio.Event()
        self.call_after_refresh(gone.set)
        await gone.wait()

    def _ended(self) -> None:
        if self.is_attached:
            self._tell()
            self.refresh_bindings()

    def _tell(self) -> None:
        self._told = time.monotonic()
        self.show_count()

    def _try_step(self) -> None:
        """Go to the match that the user waits for, if it is known; to another file, if that is where it may be."""
        forward, finder = self._step, self._finder
        if forward is None or finder is None:
            return
        number = self._found.after(self._from) if forward else self._found.before(self._from)
        is_ahead = number is not None and (number > self._from if forward else number < self._from)
        has_none = self._found.complete and not self._found.numbers
        if self.has_others and not is_ahead and (number is not None or has_none):
            self._step = None
            self.post_message(self.FindElsewhere(finder.wanted, forward))
        elif number is not None:
            self._arrive(number)

    def _arrive(self, number: int) -> None:
        self._step, self._arrived = None, number
        self.table.grid.follow = False
        self.table.move_to_key(number)
        shown = self.query_one(PacketTree).detail
        if shown is not None and shown.summary.number == number:
            self.show_places(shown)  # anew, its fields would take the cursor back from who has moved it since
        else:
            self.describe_again()
        self._tell()

    def go_round(self, forward: bool) -> None:
        """Go to the first match of this file, or the last: no other file has one."""
        numbers = self._found.numbers
        if numbers:
            self._arrive(numbers[0 if forward else -1])
        elif self._finder is not None:
            wanted = self._finder.wanted
            toasts.tell(self.app, f"Nothing is found in any file: {wanted.words()}: {wanted.text}")

    @work(group="pursue", exclusive=True, exit_on_error=False)
    async def pursue(self, wanted: Wanted, forward: bool) -> None:
        """Look for something in all of the file, as it is filtered, and go to the first match, or the last."""
        if self._source is None or self._packets is None:
            return
        while await self._source.advance():
            pass
        await self.end_of_work()
        self.find_bar.take(wanted)
        self._step, self._from = forward, 0 if forward else self._packets.count + 1
        self._search = self._look_for(wanted)

    @work(group="places", exclusive=True, exit_on_error=False)
    async def show_places(self, detail: PacketDetail | None) -> None:
        """Mark in the bytes and fields of the packet that is shown what was found, and bring it into sight."""
        finder, tree = self._finder, self.query_one(PacketTree)
        places = await asyncio.to_thread(finder.places, detail.data) if finder and detail else []
        self.query_one(PacketBytes).show_found(places)
        tree.show_found(finder.is_in_field if finder else None)
        if finder is not None and detail is not None and detail.summary.number == self._arrived:
            tree.reveal(places[0].start) if places else tree.reveal_found()
