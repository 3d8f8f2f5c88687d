"""What is known of a capture besides its packets, and how it is handed over."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from textual.app import ComposeResult
from textual.binding import Binding

from netmon_tui.domain.capture import Capture
from netmon_tui.domain.capture_files import CaptureFile
from netmon_tui.domain.checked_file import CheckedFile
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.rendering import content, size, thin
from netmon_tui.ui.widgets.text_view import TextLine, TextView

_LABEL_CELLS = 12
_MOST_ROWS = 28
_INNER_CELLS = 70
"""What is left of a dialog for a text that scrolls."""


class CaptureAbout(Dialog[bool]):
    """Lines to read and to copy.

    Args:
        capture: As it is.
        hand_over: Commands that fetch it to another machine.
        differing: Its files that are not as they were stored.
    """

    BINDINGS = [Binding("y", "copy", "Copy", tooltip="Copy the commands to the clipboard.", id="about.copy")]

    def __init__(
        self, capture: Capture, hand_over: Sequence[str], differing: Sequence[CheckedFile] = ()
    ) -> None:
        super().__init__()
        self._capture = capture
        self._hand_over = hand_over
        self._differing = differing

    def compose(self) -> ComposeResult:
        """The lines."""
        with self.box(f"Capture {self._capture.id}", id="capture-about") as box:
            copies = "y copies the commands, " if self._hand_over else ""
            box.border_subtitle = content(f"{copies}esc closes")
            yield TextView(id="about")

    def on_mount(self) -> None:
        """Show them, as high as they are, within reason."""
        view, lines = self.query_one(TextView), list(_lines(self._capture, self._hand_over, self._differing))
        room = min(_INNER_CELLS, self.app.size.width - 6)
        rows = sum(1 + (len(line.text) + line.indent) // room for line in lines) + 2  # words break early
        view.styles.height = min(_MOST_ROWS, rows, max(5, self.app.size.height - 4))
        view.show(lines)
        view.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse to copy commands where there are none."""
        return action != "copy" or bool(self._hand_over)

    def action_copy(self) -> None:
        """Put the commands into the terminal's clipboard."""
        self.app.copy_to_clipboard("\n".join(self._hand_over))
        self.notify("Copied, if the terminal takes it", markup=False)


def _lines(
    capture: Capture, hand_over: Sequence[str], differing: Sequence[CheckedFile]
) -> Iterator[TextLine]:
    if capture.error:
        yield TextLine(capture.error, "warning")
    for one in differing:
        yield TextLine(f"{one.file.name}: {one.words}", "warning")
    for label, text in _facts(capture):
        if text:
            yield TextLine(f"{label:<{_LABEL_CELLS}}{text}")
    for row in capture.note.splitlines():
        yield TextLine(row, "accent", 2)
    if hand_over:
        yield TextLine("From another machine", "strong")
    for command in hand_over:
        yield TextLine(command, "", 2)


def _facts(capture: Capture) -> Iterator[tuple[str, str]]:
    yield "Name", capture.name
    yield "Tags", " ".join(capture.tags)
    yield "From", capture.lineage
    yield "Interface", capture.interface
    yield "Filter", capture.filter
    yield "Link type", capture.linktype
    yield "Format", capture.format
    yield "Snaplen", thin(capture.snaplen)
    yield "Owner", capture.owner
    yield "Kept", "whatever its age" if capture.kept else ""
    yield "Command", shlex.join(capture.command)
    yield "Files", capture.files_words
    if capture.counters.overwritten:
        yield "Packets", f"{capture.packets_words}, rest deleted by the ring"
    for file in capture.files:
        yield from _of_file(file, several=len(capture.packet_files) > 1)
    yield "Note", " " if capture.note else ""


def _of_file(file: CaptureFile, *, several: bool) -> Iterator[tuple[str, str]]:
    """Say what a file is; of several, what packets it has."""
    if several and file.first_packet and file.last_packet:
        first, last = (moment.astimezone() for moment in (file.first_packet, file.last_packet))
        yield "File", file.path
        yield (
            "Packets",
            f"{thin(file.packets)}, {size(file.bytes)}, {first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S}",
        )
    else:
        yield "File", f"{file.path}  {size(file.bytes)}"
    yield "SHA-256", file.sha256
