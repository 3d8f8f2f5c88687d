"""The line under a list of packets: how many there are and what is done, and what is shown of one below."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal

from netmon_tui.domain.counted import counted
from netmon_tui.errors import NetmonError
from netmon_tui.ui.rendering import thin
from netmon_tui.ui.widgets.figure import Figure

_LEFT_SHARE = 2 / 3
"""Of the line, as the style sheet gives it to the left figure."""


class PacketStatus(Horizontal):
    """Two figures: the left one has all the room where it needs that, for the right one tells least.

    While a field is looked at, its name and size stand at the right, in a half of the line.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._words = self._hint = ""
        self._packet: str | NetmonError | OSError = ""
        self._field = ""

    def compose(self) -> ComposeResult:
        """Left and right."""
        yield Figure(id="packet-count")
        yield Figure(id="packet-dissector")

    def show_count(self, words: str, hint: str = "") -> None:
        """Say how many packets there are, and what is done with them; a hint only where that leaves room."""
        self._words, self._hint = words, hint
        self._share()

    def show_packet(self, words: str | NetmonError | OSError) -> None:
        """Say which packet is shown, or why none is."""
        self._packet = words
        self._show_right()

    def show_field(self, name: str, size: int) -> None:
        """Name the field that is looked at; none when the name is empty."""
        self._field = " · ".join(filter(None, (name, counted(size, "byte", thin(size)) if size else "")))
        self._show_right()

    def on_resize(self) -> None:
        """Share the room anew."""
        self._share()

    def _show_right(self) -> None:
        words = self._field or self._packet
        self.query_one("#packet-dissector", Figure).show(words, "" if isinstance(words, str) else "error")
        self._share()

    def _share(self) -> None:
        room = _LEFT_SHARE * self.content_size.width
        is_full = cell_len(self._words) > room
        hinted = f"{self._words} · {self._hint}" if self._hint else self._words
        self.query_one("#packet-count", Figure).show(self._words if cell_len(hinted) > room else hinted)
        tells_more = bool(self._field) or not isinstance(self._packet, str)
        self.set_class(tells_more, "-field")
        self.set_class(is_full and not tells_more, "-full")
