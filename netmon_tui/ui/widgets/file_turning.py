"""The files of a capture: the packets of one of them, and keys for the one before and the next."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from netmon_tui.domain.display_filter import needs_all
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.services.capture_on_disk import OnDisk
from netmon_tui.services.packet_list import PacketList
from netmon_tui.services.packets import PacketService
from netmon_tui.ui import toasts
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.packet_browser import PacketBrowser


class FileTurning(Vertical):
    """Shows the newest file, and a line about the others when there are any.

    Whoever mounts it calls :meth:`look` when the files may have changed.

    Args:
        packets: Opens files.
        actor: Who looks.
        capture_id: At which capture.
        id: Identifier of the widget.
    """

    DEFAULT_CSS = """
    FileTurning {
        height: 1fr;
        #file-set { display: none; }
        &.-several #file-set { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left_square_bracket",
            "turn(-1)",
            "Older file",
            tooltip="Show the packets of the file before this one.",
            id="files.older",
            show=False,
        ),
        Binding(
            "right_square_bracket",
            "turn(1)",
            "Newer file",
            tooltip="Show the packets of the file after this one.",
            id="files.newer",
            show=False,
        ),
    ]

    def __init__(
        self, packets: PacketService, actor: Actor, capture_id: int, *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._service = packets
        self._actor = actor
        self._capture_id = capture_id
        self.browser = self._of_file("")
        """The packets of the file that is shown."""
        self._files: Sequence[Path] = ()
        self._keys: tuple[int, int] | None = None
        """What is another once the kept TLS keys are."""
        self._growing = False
        self._looking = ""
        """In which file a match is looked for, in words."""
        self._lock = asyncio.Lock()
        """Held while another file is put in the place of one."""
        self._turning = 0
        """How many wait for that, or do it."""
        self._early: list[events.Key] = []
        """Keys that were pressed meanwhile."""

    def compose(self) -> ComposeResult:
        """The line over the packets."""
        yield Figure(id="file-set")
        yield self.browser

    def _of_file(self, name: str) -> PacketBrowser:
        return PacketBrowser(lambda: self._open(name), self._service.marks.of(self._actor, self._capture_id))

    async def _open(self, name: str) -> PacketList:
        try:
            return await self._service.open(self._actor, self._capture_id, name)
        except (NotFound, InvalidInput):
            if not name:
                raise
            return await self._service.open(self._actor, self._capture_id, "1")  # the ring was quicker

    @property
    def shown_file(self) -> str:
        """The name of the file that is shown when there are others; empty when it is all there is."""
        path = self.browser.path
        return path.name if path is not None and self._files and list(self._files) != [path] else ""

    @property
    def pinned_file(self) -> str:
        """The name of the older file that is shown.

        Empty of the newest, which stands for the whole capture, and of one that is gone: nobody can open it.
        """
        older = [path.name for path in self._files[:-1]]
        return self.shown_file if self.shown_file in older else ""

    @property
    def _has_newer(self) -> bool:
        """Whether there is a newer file than the one that is shown."""
        return self.shown_file not in ("", *(path.name for path in self._files[-1:]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what there is no file for; while one is opened it waits until that is known."""
        if action != "turn" or (self.browser.path is None and len(self._files) > 1):
            return True
        return self._next(int(str(parameters[0]))) is not None or None

    async def look(self, on_disk: OnDisk, *, growing: bool) -> None:
        """Show what is new in the file, and which files there are.

        Args:
            on_disk: What the capture has.
            growing: Whether it still runs.
        """
        async with self._lock:
            await self._take(on_disk, growing)

    async def _look(self, growing: bool) -> None:
        await self._take(await self._service.on_disk(self._actor, self._capture_id), growing)

    async def _take(self, on_disk: OnDisk, growing: bool) -> None:
        before, self._growing = self._files, growing
        self._files, keys = on_disk
        self._look_at_keys(keys)
        if self._goes_on() and self._has_newer:
            await self._show_file(self._files[-1], following=True)
        await self.browser.look(growing=self._grows(self.browser.path))
        self.browser.has_others = bool(self.shown_file)
        self.browser.has_newer = growing and self._has_newer
        self.browser.has_ended = not growing
        if self.browser.is_listed:  # else once it is
            self.browser.end_following()
        self._tell()
        if before != self._files:
            self.refresh_bindings()

    def _look_at_keys(self, keys: tuple[int, int]) -> None:
        """Show what other TLS keys make of the packets, whoever gave or removed them."""
        before, self._keys = self._keys, keys
        if before is not None and before != keys:
            self.browser.take_keys()
            toasts.tell(self.app, "The capture has other TLS keys: its packets are read anew")

    def _grows(self, path: Path | None) -> bool:
        """Whether a file, None for the newest, is still written to."""
        return self._growing and path in (None, *self._files[-1:])

    def _goes_on(self) -> bool:
        """Whether the newest file is to be shown: never while somebody types, whose keys would be commands then."""
        return self.browser.following and not isinstance(self.screen.focused, Input)

    def _tell(self) -> None:
        path, several = self.browser.path, bool(self.shown_file)
        self.set_class(several, "-several")
        line = self.query_one("#file-set", Figure)
        if not several or path is None:
            return
        if path not in self._files:
            line.show(
                f"{path.name}: the ring has deleted it; no filters here · ] others",
                "warning",
            )
            return
        place = self._files.index(path) + 1
        text = self.browser.filter_bar.text
        keys = "[ ] turn, { } to matches" if text and not needs_all(text) else "[ older, ] newer"
        keys = self._looking or f"{keys}, D lists all"
        line.show(f"File {place} of {len(self._files)} · {path.name} · {keys}", "muted")

    def _next(self, step: int) -> Path | None:
        """Return the file that many places on; of a deleted one the oldest that is left."""
        path = self.browser.path
        if not self.shown_file or path is None:
            return None
        if path not in self._files:
            return self._files[0]
        place = self._files.index(path) + step
        return self._files[place] if 0 <= place < len(self._files) else None

    @work(group="file-set", exit_on_error=False)  # one after the other: none is left half shown
    async def action_turn(self, step: int) -> None:
        """Show the file before or after this one, with the same display filter."""
        with self._keys_waiting():
            await self._turn(step)

    async def _turn(self, step: int) -> None:
        async with self._lock:
            path = self._next(step)
            if path is not None:
                await self._show_file(path)
                await self._look(self._growing)

    @contextmanager
    def _keys_waiting(self) -> Iterator[None]:
        """Keep the keys that are pressed meanwhile for the file that is shown then: its list has no packets yet."""
        self._turning += 1
        try:
            yield
        finally:
            self._turning -= 1
            if not self._turning and self.is_attached:
                early, self._early = self._early, []
                for key in early:
                    self.app.post_message(events.Key(key.key, key.character))

    def on_key(self, event: events.Key) -> None:
        """Keep a key for the file that is on its way; escape leads away from it."""
        if self._turning and event.key != "escape":
            event.stop()
            self._early.append(event)

    async def _show_file(self, path: Path, *, following: bool = False) -> None:
        """Put the packets of a file in the place of those that are shown, with the same display filter.

        Args:
            path: The file.
            following: Stay at its newest packet.
        """
        with self._keys_waiting():
            await self._replace(path, following)

    async def _replace(self, path: Path, following: bool) -> None:
        old, new = self.browser, self._of_file(path.name)
        text, new.has_others = old.filter_bar.text, True
        with self.app.batch_update():
            await self.mount(new)
            self.browser = new
            if old.has_focus_within:  # before it is gone: keys that are pressed meanwhile are for the new one
                self.screen.set_focus(new.table.grid)
            await old.remove()
        new.show_columns(old.columns)
        new.filter_bar.remember(old.filter_bar.recent)
        await new.look(growing=self._grows(path))
        if needs_all(text):
            toasts.tell(self.app, f"{text} counts within one file: it is not taken along")
        elif text:
            new.begin_filter(text)
        if following:
            new.action_follow()
