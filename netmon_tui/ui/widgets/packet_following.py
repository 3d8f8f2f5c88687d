"""Staying at the newest packet of a capture while it runs."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from netmon_tui.ui.widgets.packet_marking import PacketMarking


class PacketFollowing(PacketMarking):
    """A cursor on the last packet moves on to new ones, until it is moved or the capture ends."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", tooltip="Stay at the newest packet, or not.", id="packets.follow"),
    ]
    has_ended = False
    """Whether the capture has: no packet comes that is newer than those of its files."""

    @property
    def following(self) -> bool:
        """Whether the cursor stays on the newest packet."""
        return self.table.grid.follow

    def action_follow(self) -> None:
        """Stay at the newest packet, or stop that."""
        grid = self.table.grid
        grid.follow = not grid.follow
        if grid.follow:
            grid.action_edge(True)
        else:
            self.describe_again()
        self.show_count()

    def end_following(self) -> None:
        """Show the packet under the cursor once the capture has ended; it is the last one by then."""
        if self.has_ended and self.following:
            self.action_follow()
            self.refresh_bindings()
