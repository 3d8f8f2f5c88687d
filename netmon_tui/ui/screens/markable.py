"""The base of screens in which packets are marked: asks for what is said of one, and before all marks go."""

from __future__ import annotations

from textual import on, work

from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.packet_comment import PacketComment
from netmon_tui.ui.screens.arranging import ArrangingScreen
from netmon_tui.ui.widgets.packet_marking import PacketMarking


class MarkableScreen(ArrangingScreen):
    """Answers two keys of a list of packets."""

    @on(PacketMarking.CommentAsked)
    @work(exclusive=True, group="packet-comment", exit_on_error=False)
    async def _ask_comment(self, event: PacketMarking.CommentAsked) -> None:
        before = event.browser.marks.get(event.number, "")
        await self.app.push_screen_wait(PacketComment(event.number, before, event.browser.comment))

    @on(PacketMarking.ClearAsked)
    @work(exclusive=True, group="clear-marks", exit_on_error=False)
    async def _ask_clear(self, event: PacketMarking.ClearAsked) -> None:
        marks = event.browser.all_marks
        comments = sum(bool(mark.comment) for mark in marks)
        lost = f"{len(marks)} marks and {comments} comments are lost."
        question = Confirm("Unmark all packets", lost, verb="Unmark")
        if await self.app.push_screen_wait(question):
            event.browser.clear_marks()
