"""The files of a capture on the screen, and what is looked for through all of them: matches, marks, packets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.worker import get_current_worker

from netmon_tui.domain.capture_files import file_number
from netmon_tui.domain.display_filter import needs_all
from netmon_tui.domain.packet_find import Wanted
from netmon_tui.domain.set_matches import SetMatch
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.widgets.display_filter_bar import DisplayFilterBar
from netmon_tui.ui.widgets.file_turning import FileTurning
from netmon_tui.ui.widgets.packet_browser import PacketBrowser
from netmon_tui.ui.widgets.packet_finding import PacketFinding
from netmon_tui.ui.widgets.packet_marking import PacketMarking

Has = Callable[[str], Awaitable[int]]
"""Returns the first packet of a file, by its name, in which something is; 0 for none."""


class FileSetBrowser(FileTurning):
    """Turns to the file that has what is next, the nearest first and around."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left_curly_bracket",
            "match_file(-1)",
            "Older match",
            tooltip="Show the next older file with packets that meet the display filter.",
            id="files.older_match",
            show=False,
        ),
        Binding(
            "right_curly_bracket",
            "match_file(1)",
            "Newer match",
            tooltip="Show the next newer file with packets that meet the display filter.",
            id="files.newer_match",
            show=False,
        ),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what there is no other file or no filter for."""
        if action == "match_file":
            return bool(self.shown_file and self.browser.filter_bar.text) or None
        return super().check_action(action, parameters)

    # the next file with something

    async def _nearest(self, has: Has, step: int) -> Path | None:
        """Return the next file that has something; escape ends that. Raises as looking into one does."""
        self.browser.busy_with(get_current_worker())
        try:
            return await self._file_with(has, step)
        finally:
            self._looking = ""
            if self.is_attached:
                self._tell()
                self.call_after_refresh(self.refresh_bindings)

    async def _file_with(self, has: Has, step: int) -> Path | None:
        files = list(self._files)
        around = files
        if self.browser.path in files:
            here = files.index(self.browser.path)
            around = files[here + 1 :] + files[:here]
        for path in around if step > 0 else reversed(around):
            self._looking = f"looking in file {files.index(path) + 1}, esc stops"
            self._tell()
            try:
                if await has(path.name):
                    return path
            except NetmonError:
                if await asyncio.to_thread(path.exists):
                    raise  # else the ring was quicker
        return None

    @work(exclusive=True, group="match-file", exit_on_error=False)
    async def action_match_file(self, step: int) -> None:
        """Show the next file with packets that meet the display filter."""
        browser, text = self.browser, self.browser.filter_bar.text
        if needs_all(text):
            toasts.tell(self.app, f"{text} counts within one file: D lists what meets it through all files")
            return

        async def has(name: str) -> int:
            return await self._service.first_match(self._actor, self._capture_id, name, text)

        try:
            path = await self._nearest(has, step)
        except NetmonError as error:
            toasts.report(self.app, error)
            return
        if path is None:
            toasts.tell(self.app, f"No other file has packets that meet {text}")
        else:
            self._turn_from(browser, path)

    @on(PacketFinding.FindElsewhere)
    def _find_elsewhere(self, event: PacketFinding.FindElsewhere) -> None:
        event.stop()
        self._find_on(event.wanted, event.forward)

    @work(exclusive=True, group="match-file", exit_on_error=False)
    async def _find_on(self, wanted: Wanted, forward: bool) -> None:
        """Go on to find something in the next file that has it, or around in the one that is shown."""
        browser, filter = self.browser, self.browser.filter_bar.text
        text = "" if needs_all(filter) else filter  # as it is not taken along

        async def has(name: str) -> int:
            return await self._service.first_found(self._actor, self._capture_id, name, wanted, text)

        try:
            path = await self._nearest(has, 1 if forward else -1)
        except NetmonError as error:
            toasts.report(self.app, error)
            return
        if path is None:
            browser.go_round(forward)
        else:
            self._turn_from(browser, path, lambda new: new.pursue(wanted, forward))

    @work(group="file-set", exit_on_error=False)
    async def _turn_from(
        self,
        browser: PacketBrowser,
        path: Path,
        then: Callable[[PacketBrowser], object] | None = None,
    ) -> None:
        async with self._lock:
            if browser is self.browser:
                await self._show_file(path)
                await self._look(self._growing)
                if then is not None:
                    then(self.browser)

    @on(DisplayFilterBar.Applied)
    def _filter_applied(self) -> None:
        self._tell()
        self.refresh_bindings()

    # a packet of some file

    @on(PacketMarking.MarkElsewhere)
    def _mark_elsewhere(self, event: PacketMarking.MarkElsewhere) -> None:
        event.stop()
        self._turn_to_mark(event.forward)

    @work(group="file-set", exit_on_error=False)  # one after the other: none is left half shown
    async def _turn_to_mark(self, forward: bool) -> None:
        """Show the next file with marks, or the one before, around, and go to its first or last mark."""
        async with self._lock:
            step = 1 if forward else -1
            here = file_number(self.browser.path.name) if self.browser.path else None
            marks = sorted(self.browser.all_marks, key=lambda mark: step * mark.file)
            ahead = [mark.file for mark in marks if mark.file != here]
            if not ahead:
                return
            file = next((one for one in ahead if (one - (here or 0)) * step > 0), ahead[0])
            path = next((path for path in self._files if file_number(path.name) == file), None)
            if path is None:
                toasts.tell(self.app, "the ring has deleted the file of that mark")
                return
            numbers = [mark.number for mark in marks if mark.file == file]
            await self._go_to(path, min(numbers) if forward else max(numbers))

    @work(group="file-set", exit_on_error=False)
    async def show_packet(self, match: SetMatch) -> None:
        """Show a packet among all those of its file."""
        async with self._lock:
            path = next((path for path in self._files if path.name == match.file), None)
            if path is None:
                toasts.tell(self.app, f"the ring has deleted {match.file}")
                return
            self.browser.show_everything()
            await self._go_to(path, match.number)

    async def _go_to(self, path: Path, number: int) -> None:
        try:
            if path != self.browser.path:
                await self._show_file(path)
                await self._look(self._growing)
            await self.browser.find_place(str(number))
        except NetmonError as error:
            toasts.report(self.app, error)
            return
        self.browser.go_to(number)
