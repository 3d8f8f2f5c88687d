"""A stream of a capture put together: what the two sides said."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from netmon_tui.domain.stream import (
    CLIENT,
    LARGEST_STREAM,
    SERVER,
    Follow,
    FollowProtocol,
    PacketPlace,
    Stream,
    marked_lines,
)
from netmon_tui.domain.user import Permission
from netmon_tui.errors import NetmonError
from netmon_tui.services.readable_files import whole_path
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.rendering import Tone, size
from netmon_tui.ui.screens.tls_keys import TlsKeys
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.line_input import LineInput
from netmon_tui.ui.widgets.live import LiveScreen
from netmon_tui.ui.widgets.text_view import TextLine, TextView

HELP = (
    "What both sides sent, in the order of the capture: > is the client, who spoke first, < the server.\n"
    "t changes between text and bytes, b between both sides and one. Text shows what does not print as escapes;\n"
    "w writes the bytes themselves, of the sides that are shown, to a file.\n"
    "p follows a TCP stream as TLS and as HTTP. TLS shows what it can decrypt: K keeps its keys."
)
MOST_LINES = 40_000
"""Lines that are shown; netmon-tui capture follow prints all."""
_TONES: tuple[Tone, Tone] = ("accent", "success")
_SIDES = {None: "both sides", CLIENT: "client", SERVER: "server"}
_NEXT = {None: CLIENT, CLIENT: SERVER, SERVER: None}
_AS: dict[str, FollowProtocol] = {"tcp": "tls", "tls": "http", "http": "tcp"}
"""As what a TCP stream is followed next."""


class StreamScreen(LiveScreen):
    """Shows a stream as text or bytes.

    Args:
        session: Services and actor.
        capture_id: Of the capture.
        wanted: Which stream, or a packet of it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("stream.back", "escape", "back", "Back", "Stop reading, or go back."),
        command("stream.form", "t", "form", "Text/bytes", "Show text or bytes."),
        command("stream.side", "b", "side", "Sides", "Show both sides, the client or the server."),
        command("stream.protocol", "p", "protocol", "TLS/HTTP", "Follow it as TLS, HTTP or TCP."),
        command("stream.keys", "K", "keys", "TLS keys", "Keep TLS keys with the capture, or remove them."),
        command("stream.write", "w", "write", "Write", "Write the bytes of the shown sides to a file."),
        command("stream.help", "question_mark,f1", "help", "Help", "Show what this is and all its keys."),
    ]

    def __init__(self, session: Session, capture_id: int, wanted: Follow | PacketPlace) -> None:
        super().__init__(session, id="stream")
        self._capture_id = capture_id
        self._request = wanted
        self._stream: Stream | None = None
        self._lacks_keys = False
        """Whether what it carries may be missing because no TLS keys are kept."""
        self._bytes = False
        self._side: int | None = None

    def compose(self) -> ComposeResult:
        """What it is, over its text."""
        yield Figure(id="stream-title")
        yield Figure(id="stream-state")
        yield LineInput(compact=True, placeholder="Write the bytes to this new file", id="stream-line")
        yield Figure(id="stream-path")
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
        analysis, actor = self.session.services.analysis, self.session.actor
        try:
            if isinstance(self._request, PacketPlace):
                self._request = await analysis.stream_of(actor, self._capture_id, self._request)
                self._title(self._label)
            self._stream = await analysis.follow(
                actor,
                self._capture_id,
                self._request,
                lambda part: self._state(f"tshark reads the capture: {part:.0%}; esc stops it"),
            )
            is_decrypted = self._request.protocol in ("tls", "http")
            keys = self.session.services.packets.keys
            self._lacks_keys = is_decrypted and not await keys.count(actor, self._capture_id)
        except NetmonError as error:
            self._state(str(error), "error")
            return
        self.refresh_bindings()
        await self._show()

    async def _show(self) -> None:
        stream = self._stream
        if stream is None:
            return
        lines = await asyncio.to_thread(_lines, stream, self._side, self._bytes)
        client, server = stream.peers
        if client:
            self._title(f"{self._label}   > client {client}   < server {server}")
        if stream.peers[0] and not stream.parts and self._lacks_keys:
            self._state("No data, and no TLS keys are kept: K takes them")
        else:
            self._state(_summary(stream, self._side, len(lines), self._label))
        self.query_one(TextView).show(lines)

    @property
    def _label(self) -> str:
        wanted = self._request
        if isinstance(wanted, PacketPlace):
            return f"The stream of packet {wanted.number}"
        return f"{wanted.protocol.upper()} stream {wanted.number}"

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what the stream or the role does not allow."""
        if action == "protocol":
            return (isinstance(self._request, Follow) and self._request.protocol in _AS) or None
        if action == "keys":
            return self.session.actor.may(Permission.CAPTURE) or None
        if action == "write":
            has_data = self._stream is not None and bool(self._stream.parts)
            return (has_data and self.session.actor.may(Permission.EXPORT)) or None
        return True

    def action_protocol(self) -> None:
        """Follow it as another protocol."""
        if isinstance(self._request, Follow) and self._request.protocol in _AS:
            self._request = replace(self._request, protocol=_AS[self._request.protocol])
            self._read_anew()

    @work(exclusive=True, group="stream-keys", exit_on_error=False)
    async def action_keys(self) -> None:
        """Keep TLS keys with the capture, or remove them, and read with what there is then."""
        if await TlsKeys(self.session, self.app).ask(self._capture_id):
            self._read_anew()

    def _read_anew(self) -> None:
        self._stream = None
        self.query_one(TextView).show([])
        self._title(self._label)
        self._read()

    def action_write(self) -> None:
        """Ask for the file."""
        side = "" if self._side is None else f"-{_SIDES[self._side]}"
        name = f"capture-{self._capture_id}-{self._label.lower().replace(' ', '-')}{side}.raw"
        line = self.query_one("#stream-line", Input)
        line.value = str(self.session.services.paths.exports / name)
        self.add_class("-line")
        line.focus()

    @on(Input.Changed, "#stream-line")
    def _tell_path(self, event: Input.Changed) -> None:
        """Say where the file will be."""
        typed = event.value.strip()
        self.query_one("#stream-path", Figure).show(f"writes {whole_path(typed)}" if typed else "")

    @on(Input.Submitted, "#stream-line")
    @work(exclusive=True, group="stream-write", exit_on_error=False)
    async def _write(self, event: Input.Submitted) -> None:
        stream, path = self._stream, event.value.strip()
        if stream is None or not path:
            return
        try:
            written = await self.session.services.transfers.export_stream(
                self.session.actor, self._capture_id, stream, self._side, whole_path(path)
            )
        except NetmonError as error:
            self._state(str(error), "error")
            return
        self._leave_line()
        if stream.cut:  # the file's name may be cut off by the edge
            part = f"Only the first {LARGEST_STREAM >> 20} MiB of the stream"
            self._state(f"{part} are written to {written}", "warning")
        else:
            self._state(f"Written to {written}", "success")

    def _leave_line(self) -> None:
        self.remove_class("-line")
        self.query_one(TextView).focus()

    def action_back(self) -> None:
        """Leave the line, or all, which ends a tshark that still reads."""
        if self.has_class("-line"):
            self._leave_line()
        else:
            self.dismiss(None)

    def action_help(self) -> None:
        """Show help."""
        self.app.push_screen(Help(title_of("A stream"), HELP, list(self.active_bindings.values())))


def _summary(stream: Stream, side: int | None, lines: int, label: str) -> str:
    if not stream.peers[0]:
        return f"The capture has nothing of {label}; p follows it as something else"
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
