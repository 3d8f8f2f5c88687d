"""A stream of a capture put together: what the two sides said."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.stream import CLIENT, SERVER, Follow, Stream, marked_lines
from netmon_tui.errors import NetmonError
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.rendering import Tone, size
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.live import LiveScreen
from netmon_tui.ui.widgets.text_view import TextLine, TextView

HELP = (
    "What both sides sent, in the order of the capture: > is the client, who spoke first, < the server.\n"
    "t changes between text and bytes, b between both sides and one. Text shows what does not print as escapes;\n"
    "netmon-tui capture follow --format raw writes the bytes themselves."
)
MOST_LINES = 40_000
"""Lines that are shown; netmon-tui capture follow prints all."""
_TONES: tuple[Tone, Tone] = ("accent", "success")
_SIDES = {None: "both sides", CLIENT: "client", SERVER: "server"}
_NEXT = {None: CLIENT, CLIENT: SERVER, SERVER: None}


class StreamScreen(LiveScreen):
    """Shows a stream as text or bytes.

    Args:
        session: Services and actor.
        capture_id: Of the capture.
        wanted: Which stream.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("stream.back", "escape", "back", "Back", "Stop reading, or back to the analysis."),
        command("stream.form", "t", "form", "Text/bytes", "Show text or bytes."),
        command("stream.side", "b", "side", "Sides", "Show both sides, the client or the server."),
        command("stream.help", "question_mark,f1", "help", "Help", "Show what this is and all its keys."),
    ]

    def __init__(self, session: Session, capture_id: int, wanted: Follow) -> None:
        super().__init__(session, id="stream")
        self._capture_id = capture_id
        self._request = wanted
        self._stream: Stream | None = None
        self._bytes = False
        self._side: int | None = None

    def compose(self) -> ComposeResult:
        """What it is, over its text."""
        yield Figure(id="stream-title")
        yield Figure(id="stream-state")
        yield TextView(id="stream-text")
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin to read."""
        self.query_one(TextView).focus()
        self._title(self._label)
        self._read()

    @work(exclusive=True, group="stream", exit_on_error=False)
    async def _read(self) -> None:
        self._state("tshark reads the capture; esc stops it")
        try:
            self._stream = await self.session.services.analysis.follow(
                self.session.actor,
                self._capture_id,
                self._request,
                lambda part: self._state(f"tshark reads the capture: {part:.0%}; esc stops it"),
            )
        except NetmonError as error:
            self._state(str(error), "error")
            return
        await self._show()

    async def _show(self) -> None:
        stream = self._stream
        if stream is None:
            return
        lines = await asyncio.to_thread(_lines, stream, self._side, self._bytes)
        client, server = stream.peers
        if client:
            self._title(f"{self._label}   > client {client}   < server {server}")
        self._state(_summary(stream, self._side, len(lines)))
        self.query_one(TextView).show(lines)

    @property
    def _label(self) -> str:
        return f"{self._request.protocol.upper()} stream {self._request.number}"

    def _title(self, text: str) -> None:
        self.query_one("#stream-title", Figure).show(text)

    def _state(self, text: str, tone: Tone = "") -> None:
        self.query_one("#stream-state", Figure).show(text, tone)

    async def action_form(self) -> None:
        """Text or bytes."""
        self._bytes = not self._bytes
        await self._show()

    async def action_side(self) -> None:
        """Both sides, or one."""
        self._side = _NEXT[self._side]
        await self._show()

    def action_back(self) -> None:
        """Leave, which ends a tshark that still reads."""
        self.dismiss(None)

    def action_help(self) -> None:
        """Show help."""
        self.app.push_screen(Help(title_of("A stream"), HELP, list(self.active_bindings.values())))


def _summary(stream: Stream, side: int | None, lines: int) -> str:
    if not stream.peers[0]:
        return "The capture has no such stream"
    sent = [sum(len(part.data) for part in stream.side(one)) for one in (CLIENT, SERVER)]
    words = [_SIDES[side], f"client sent {size(sent[CLIENT])}, server {size(sent[SERVER])}"]
    if not stream.parts:
        words.append("no data")
    if stream.cut or lines >= MOST_LINES:
        words.append("this is the beginning")
    return " · ".join(words)


def _lines(stream: Stream, side: int | None, as_bytes: bool) -> list[TextLine]:
    lines: list[TextLine] = []
    for part in stream.side(side):
        for text in marked_lines(part, as_bytes=as_bytes):
            lines.append(TextLine(text, _TONES[part.side]))
            if len(lines) == MOST_LINES:
                return lines
    return lines
