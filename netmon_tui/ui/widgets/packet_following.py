"""Staying at the newest packet of a capture while it runs, and going to the last one of a file that is indexed."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from netmon_tui.ui.rendering import thin
from netmon_tui.ui.widgets.packet_marking import PacketMarking
from netmon_tui.ui.widgets.packet_tree import PacketTree
from netmon_tui.ui.widgets.table import Table

REST_SECONDS = 3.0
"""Rest of a cursor that is moved on before its packet is dissected: longer than between two looks at a flood."""
DETAIL = "packet-detail"
"""The group of the worker that dissects."""


class PacketFollowing(PacketMarking):
    """A cursor on the last packet moves on to new ones, until it is moved or the capture ends.

    On the way to the last packet of a file that is not indexed yet it does so, too, until all are listed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", tooltip="Stay at the newest packet, or not.", id="packets.follow"),
    ]
    has_ended = False
    """Whether the capture has: no packet comes that is newer than those of its files."""
    _is_on_way = False
    """Whether the cursor goes with the end of the list only until all packets are listed."""
    _rest: asyncio.TimerHandle | None = None
    """Dissects the packet on which a cursor that is moved on rests, when it has rested."""

    @property
    def following(self) -> bool:
        """Whether the cursor stays on the newest packet."""
        return self.is_moved_on and not self._is_on_way

    @property
    def is_moved_on(self) -> bool:
        """Whether the cursor goes with the end of the list."""
        return self.table.grid.follow

    @property
    def following_words(self) -> str:
        """Where the cursor goes of itself; empty where it stays."""
        if not self.is_moved_on:
            return ""
        return "going to the last packet" if self._is_on_way else "following, f ends it"

    @property
    def is_listed(self) -> bool:
        """Whether all that the file had at the last look is listed."""
        raise NotImplementedError

    def describe_later(self, number: int) -> None:
        """Dissect a packet on which a cursor that is moved on rests; until then say whose fields are shown."""
        tree = self.query_one(PacketTree)
        shown = tree.detail.summary.number if tree.detail is not None else number
        ends = "; f ends following" if self.following else ""
        tree.tell(f"of packet {thin(shown)}{ends}" if shown != number else "")
        self.stop_describing()
        # No worker that waits: in a flood this is called at every look at the file.
        self._rest = asyncio.get_running_loop().call_later(REST_SECONDS, self._describe_rested, number)

    def stop_describing(self) -> None:
        """Dissect no packet that was asked for before."""
        self.workers.cancel_group(self, DETAIL)
        if self._rest is not None:
            self._rest.cancel()

    def _describe_rested(self, number: int) -> None:
        if self.is_attached and self.is_moved_on:  # else the file is left, or the cursor is the user's
            self.describe(number)

    def describe(self, number: int) -> object:
        """Dissect a packet once the cursor rests on it, unless another is to be dissected before."""
        raise NotImplementedError

    def action_follow(self) -> None:
        """Stay at the newest packet, or stop that."""
        grid = self.table.grid
        grid.follow, self._is_on_way = not self.following, False
        if grid.follow:
            grid.action_edge(True)
        else:
            self.describe_again()
        self.show_count()

    @on(Table.LastAsked, "#packets")
    def _go_to_last(self, event: Table.LastAsked) -> None:
        """Go on to the last packet of the file, however many are listed so far."""
        event.stop()
        if not self.is_listed and not self.is_moved_on:
            self.table.grid.follow = self._is_on_way = True
            self.show_count()

    def end_following(self) -> None:
        """Show the packet under the cursor once it is the last one: all are listed, or the capture has ended."""
        if self.is_moved_on and (self.has_ended or self._is_on_way):
            self._is_on_way = False
            self.action_follow()
            self.refresh_bindings()
