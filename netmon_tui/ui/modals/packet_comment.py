"""What a user says of a packet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static

from netmon_tui.domain.packet_mark import LONGEST_COMMENT
from netmon_tui.ui.modals.form import SavingForm
from netmon_tui.ui.rendering import thin


class PacketComment(SavingForm[bool]):
    """Asks for some words; stays open until they are kept.

    Args:
        number: Of the packet.
        before: What was said of it.
        keep: Keeps the words, and marks the packet; raises NetmonError.
    """

    def __init__(self, number: int, before: str, keep: Callable[[int, str], Awaitable[None]]) -> None:
        super().__init__()
        self._number = number
        self._said = before
        self._keep = keep

    def compose(self) -> ComposeResult:
        """One line."""
        with self.box(f"Mark packet {thin(self._number)}", id="packet-comment"):
            yield Input(
                self._said, placeholder="comment", id="comment", max_length=LONGEST_COMMENT, compact=True
            )
            yield Static("", id="comment-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Mark", id="keep", variant="primary")

    async def save(self) -> bool:
        """Keep the words."""
        await self._keep(self._number, self.query_one(Input).value)
        return True
