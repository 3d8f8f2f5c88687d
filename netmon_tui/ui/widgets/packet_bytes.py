"""The bytes of a packet beside its fields: those of the frame, or those that were made of it and of others."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from netmon_tui.domain.packet import ByteSource, PacketDetail
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.hex_view import HexView


class PacketBytes(Vertical):
    """Shows the bytes that a field is in; over those that are not the frame's stands what they are."""

    DEFAULT_CSS = """
    PacketBytes {
        height: 1fr;
        #bytes-name { display: none; padding: 0 1; }
        &.-named #bytes-name { display: block; }
    }
    """
    BINDINGS = [
        Binding(
            "b",
            "turn",
            "Other bytes",
            tooltip="Show the next: the frame, what was decrypted, what was put together.",
            id="hex.source",
        ),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sources: tuple[ByteSource, ...] = ()
        """The frame first."""
        self.source = 0
        """Which of them is shown."""
        self._place = (0, -1, 0)
        """Source, offset and size of the field that is marked where it is."""
        self._found: Sequence[range] = ()
        """Where something was found in the frame."""
        self._heading = Figure(id="bytes-name")
        self.view = HexView(id="packet-bytes")
        """The lines."""

    def compose(self) -> ComposeResult:
        """What they are, over the lines."""
        yield self._heading
        yield self.view

    def show(self, detail: PacketDetail | None) -> None:
        """Show the frame of a packet, or nothing."""
        sources = (ByteSource("", detail.data), *detail.sources) if detail else ()
        if sources[:1] != self._sources[:1]:
            self._found = ()
        if sources != self._sources:
            self._sources, self._place = sources, (0, -1, 0)
            self._turn_to(0)
            self.refresh_bindings()

    def mark(self, source: int, offset: int, size: int) -> None:
        """Show what a field is in, and mark it there; a field that is nowhere (-1) changes only the mark."""
        if source >= len(self._sources):
            return  # of the packet before
        self._place = (source, offset, size)
        if offset >= 0 and source != self.source:
            self._turn_to(source)
        else:
            self._mark()

    def show_found(self, places: Sequence[range]) -> None:
        """Show where something was found in the frame, as long as that is shown."""
        self._found = places
        self.view.show_found(() if self.source else places)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is no key for others where there are none."""
        return len(self._sources) > 1 if action == "turn" else True

    def action_turn(self) -> None:
        """Show the next; the cursor among the fields stays."""
        self._turn_to((self.source + 1) % len(self._sources))

    def _turn_to(self, source: int) -> None:
        self.source = source
        title = self._sources[source].title if source else ""
        self._heading.show(title, "muted")
        self.set_class(bool(title), "-named")
        self.view.show(self._sources[source].data if self._sources else b"")
        self.show_found(self._found)
        self._mark()

    def _mark(self) -> None:
        source, offset, size = self._place
        self.view.mark(offset if source == self.source else -1, size)
