"""The base of screens that follow the database: one tick, one refresh at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import ClassVar

from textual import events, on
from textual.css.query import NoMatches
from textual.screen import ModalScreen, Screen
from textual.timer import Timer
from textual.worker import Worker

from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.defects import WorkerDefects
from netmon_tui.ui.line_compositor import LineCompositor
from netmon_tui.ui.session import Session
from netmon_tui.ui.uncollected import rest_from_collecting
from netmon_tui.ui.widgets.pace import PacedScreen
from netmon_tui.ui.widgets.role_keys import RoleKeys

PATIENCE_SECONDS = 0.15
"""For so long a new screen waits for what it shows first, before it is painted without."""
GATHERING_SECONDS = 0.06
"""For so long what a refresh changes is gathered: what is painted in two steps costs twice."""


class LiveScreen(WorkerDefects, PacedScreen[None], RoleKeys):
    """Calls :meth:`refresh_live` at the configured rate, while it is on top and not frozen.

    A refresh that takes longer than a tick is not cut off by the next one: ticks are left out meanwhile.

    Args:
        session: Services and actor.
        id: Identifier of the screen.
    """

    MOST_TICKS_PER_SECOND: ClassVar[float] = 20.0
    """For a screen with nothing to show that changes more often."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._compositor = LineCompositor()
        self.session = session
        self.frozen = False
        """Whether the user stopped updating."""
        self._revision = -1
        self._refreshing = False
        self._due = asyncio.Event()
        self._refresher: Worker[None] | None = None
        self._ticker: Timer | None = None
        self._wanted = True
        self._told = ""
        self._first_refresh = asyncio.Event()
        """Set after the first refresh."""
        self._was_on_top = False

    @property
    def beneath(self) -> Screen[object]:
        """The screen below this one, also while others stand above it; once this one is left, that on top."""
        stack = self.app.screen_stack
        return stack[stack.index(self) - 1] if self in stack else stack[-1]

    async def refresh_live(self, *, changed: bool) -> None:
        """Show what is new.

        Args:
            changed: Whether the database changed since the last call, or the refresh was asked for.

        Raises:
            NetmonError: Shown as a toast, once while it lasts.
        """

    async def has_changed(self) -> bool:
        """Return whether the database changed since the last call; a screen that reads anyhow need not ask."""
        before, self._revision = self._revision, await self.session.services.revision()
        return self._revision != before

    def refresh_now(self) -> None:
        """Refresh, whether or not the database changed."""
        self._wanted = True
        self._begin_refresh()

    def refresh_early(self) -> None:
        """Do not wait for the next tick, if there would be one: not under another screen and not frozen."""
        self._wanted |= self._refreshing  # what is under way may have looked already
        self._tick()

    @on(events.Mount)
    async def _begin(self) -> None:
        """Begin to tick, and paint nothing before there is something to show: each layout costs as much as all."""
        self._begin_ticking()
        self.refresh_now()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._first_refresh.wait()

    def _begin_ticking(self) -> None:
        wanted = self.session.services.settings.interface.repaints_per_second
        self._ticker = self.set_interval(1 / min(wanted, self.MOST_TICKS_PER_SECOND), self._tick)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Come to the top; not all styled again the first time, as it was when it was mounted a moment ago."""
        if self._ticker is not None:
            self._ticker.resume()
        event.refresh_styles = self._was_on_top
        self._was_on_top = True
        self.query("ToastRack").set(display=True)

    def on_screen_suspend(self) -> None:
        """Leave the toasts to the screen above, which shows the same ones, and rest under a whole screen."""
        stack = self.app.screen_stack  # empty while the program ends
        if self._ticker is not None and not (stack and isinstance(stack[-1], ModalScreen)):
            self._ticker.pause()
        self.query("ToastRack").set(display=False)

    def prepare(self) -> None:
        """Take the classes of the present size, before there are widgets; to be called where they are composed.

        Textual does so after the first layout, and then styles every widget a second time.
        """
        rest_from_collecting()
        width, height = self.app.size
        for length, breakpoints in (
            (width, self.HORIZONTAL_BREAKPOINTS),
            (height, self.VERTICAL_BREAKPOINTS),
        ):
            fitting = [name for least, name in sorted(breakpoints or ()) if length >= least]
            self.add_class(*fitting[-1:])

    def toggle_frozen(self) -> None:
        """Stop or continue updating."""
        self.frozen = not self.frozen

    def _tick(self) -> None:
        # Not is_current, which is also true just below the top: there each message repaints the screen above.
        if self.app.screen is self and not self.frozen:
            self._begin_refresh()
        elif self.frozen or isinstance(self.app.screen, ModalScreen):
            self.show_time()

    def show_time(self) -> None:
        """Show what time it is, if the screen has a clock: it goes on under a dialog, and while frozen."""

    def _begin_refresh(self) -> None:
        if self._refreshing:
            return
        self._refreshing = True
        self._due.set()
        # One worker for all: to make one for each refresh, and to tell what becomes of it, costs as much again.
        if self._refresher is None or self._refresher.is_finished:
            self._refresher = self.run_worker(
                self._refresh_when_due, group="live-refresh", exit_on_error=False
            )

    async def _refresh_when_due(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            while True:
                changed = await self.has_changed() or self._wanted
                self._wanted = False
                if self._first_refresh.is_set():
                    self.hold_paint(self, GATHERING_SECONDS)
                await self.refresh_live(changed=changed)
                await self.paint_held(self)
                if not self._wanted:
                    break
            self._told = ""
        except NoMatches:
            if self in self.app.screen_stack:
                raise  # else it is being taken down, its widgets first
        except NetmonError as error:
            self._wanted = True  # what it was for is still to be shown
            self._tell_once(error)
        finally:
            self._refreshing = False
            self._first_refresh.set()

    def _tell_once(self, error: NetmonError) -> None:
        if str(error) != self._told:
            self._told = str(error)
            toasts.report(self.app, error)
