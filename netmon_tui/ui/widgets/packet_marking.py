"""What a list of packets does with those that the user has marked: a part of the packet browser."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message

from netmon_tui.domain.capture_files import file_number
from netmon_tui.domain.packet_mark import PacketMark
from netmon_tui.errors import NetmonError
from netmon_tui.services.packet_marks import CaptureMarks
from netmon_tui.ui import toasts
from netmon_tui.ui.rendering import ASCII_CLASS
from netmon_tui.ui.widgets.packet_finding import PacketFinding

_GLYPH, _ASCII_GLYPH = "◆", "*"


class PacketMarking(PacketFinding):
    """Marks single packets and goes from mark to mark. A mark is kept at once, or told of when it cannot be.

    Args:
        kept: Where marks are kept.
        id: Identifier of the widget.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "Mark", tooltip="Mark this packet, or no longer.", id="packets.mark"),
        Binding(
            "semicolon",
            "ask_comment",
            "Comment",
            tooltip="Write a comment on this packet, for you alone.",
            id="packets.comment",
            show=False,
        ),
        Binding(
            "full_stop",
            "mark_step(True)",
            "Next mark",
            tooltip="Go to the next marked packet.",
            id="packets.next_mark",
            show=False,
        ),
        Binding(
            "comma",
            "mark_step(False)",
            "Mark before",
            tooltip="Go to the marked packet before.",
            id="packets.mark_before",
            show=False,
        ),
        Binding(
            "U", "ask_clear", "Unmark all", tooltip="Take all marks away.", id="packets.unmark", show=False
        ),
    ]

    class CommentAsked(Message):
        """The user wants to say something of a packet."""

        def __init__(self, browser: PacketMarking, number: int) -> None:
            super().__init__()
            self.browser = browser
            self.number = number

    class ClearAsked(Message):
        """The user wants no packet marked any more."""

        def __init__(self, browser: PacketMarking) -> None:
            super().__init__()
            self.browser = browser

    class MarkElsewhere(Message):
        """The next mark, or the one before, is in another file."""

        def __init__(self, forward: bool) -> None:
            super().__init__()
            self.forward = forward

    def __init__(self, kept: CaptureMarks, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._kept = kept
        self.all_marks: Sequence[PacketMark] = ()
        """The user's in all files of the capture, by file and number."""
        self._changing = asyncio.Lock()
        """Held until what was changed is shown: of two who read the marks the older might be shown last."""

    @property
    def marks(self) -> dict[int, str]:
        """What is said of each marked packet of the file, by number, rising."""
        return {mark.number: mark.comment for mark in self.all_marks if mark.file == self._file}

    @property
    def _file(self) -> int:
        return file_number(self.path.name) or 0 if self.path is not None else 0

    @property
    def _file_name(self) -> str:
        return self.path.name if self.path is not None else ""

    @work(group="marks", exit_on_error=False)
    async def load_marks(self) -> None:
        """Read which packets are marked."""
        async with self._changing:
            await self._show_marks()

    def action_mark(self) -> None:
        """Mark the packet under the cursor, or no longer."""
        number = self.table.cursor_key
        if isinstance(number, int):
            self._change(partial(self._turn_mark, number))

    async def _turn_mark(self, number: int) -> None:
        change = self._kept.unmark if number in self.marks else self._kept.mark
        await change(number, file=self._file_name)

    def action_mark_step(self, forward: bool) -> None:
        """Go to the next mark that is listed, or the one before, through all files and around."""
        here = self.table.cursor_key if isinstance(self.table.cursor_key, int) else 0
        listed = [number for number in self.marks if self.table.source.position_of(number) is not None]
        ahead = [number for number in listed if (number > here if forward else number < here)]
        if not ahead and len(self.marks) < len(self.all_marks):
            self.post_message(self.MarkElsewhere(forward))
        elif listed:
            self.table.grid.follow = False
            self.table.move_to_key((ahead or listed)[0 if forward else -1])
            self.describe_again()

    def action_ask_comment(self) -> None:
        """Ask what is to be said of the packet under the cursor."""
        if isinstance(self.table.cursor_key, int):
            self.post_message(self.CommentAsked(self, self.table.cursor_key))

    def action_ask_clear(self) -> None:
        """Ask whether all marks may go."""
        self.post_message(self.ClearAsked(self))

    async def comment(self, number: int, text: str) -> None:
        """Mark a packet with some words.

        Raises:
            NetmonError: They cannot be kept.
        """
        async with self._changing:
            await self._kept.mark(number, text, file=self._file_name)
            await self._show_marks()

    def clear_marks(self) -> None:
        """Take all marks away."""
        self._change(self._kept.unmark)

    @work(group="marks", exit_on_error=False)
    async def _change(self, change: Callable[[], Awaitable[None]]) -> None:
        async with self._changing:
            try:
                await change()
            except NetmonError as error:
                toasts.report(self.app, error)
            await self._show_marks()

    async def _show_marks(self) -> None:
        try:
            self.all_marks = await self._kept.all()
        except NetmonError as error:
            toasts.report(self.app, error)
            return
        if self._source is not None:
            self._source.mark(self.marks, _ASCII_GLYPH if self.app.has_class(ASCII_CLASS) else _GLYPH)
        self.show_count()
        self.refresh_bindings()
