"""The Textual application: styles, login, lock, orderly quit. What it shows lives in the screens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.filter import LineFilter

from netmon_tui.config.paths import Paths, find_paths
from netmon_tui.config.settings import Settings, load_settings
from netmon_tui.domain.user import Actor
from netmon_tui.errors import NetmonError
from netmon_tui.ui.commands import ActiveCommands, command
from netmon_tui.ui.line_filter import HostileLineFilter
from netmon_tui.ui.rendering import ASCII_CLASS, content
from netmon_tui.ui.screens.login import LoginScreen

if TYPE_CHECKING:
    from netmon_tui.services.container import Services

_HERE = Path(__file__).resolve().parent
STYLES = next(path for path in (_HERE / "styles", _HERE.parent / "styles") if path.is_dir())
"""Inside the package when installed, beside it in a checkout."""
_IDLE_CHECK_SECONDS = 5.0
_log = logging.getLogger(__name__)


class NetmonApp(App[int]):
    """netmon-tui.

    Args:
        settings, paths: How and where.
        user: Prefilled user name.
    """

    TITLE = "netmon-tui"
    CSS_PATH = [STYLES / "login.tcss", STYLES / "app.tcss"]
    COMMANDS: ClassVar = {ActiveCommands}
    COMMAND_PALETTE_BINDING = "ctrl+p,colon"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        command("app.quit", "q", "quit", "Quit", "Leave; asks when jobs run."),
        command(
            "app.quit_always", "ctrl+q", "quit", "Quit", "Leave from anywhere.", show=False, priority=True
        ),
        command(
            "app.lock", "ctrl+l", "lock", "Lock", "Lock the screen; jobs go on.", show=False, priority=True
        ),
        Binding("ctrl+c", "help_quit", show=False, system=True),
    ]

    def __init__(self, settings: Settings, paths: Paths, *, user: str = "") -> None:
        super().__init__()
        self.settings = settings
        self.paths = paths
        self.services: Services | None = None
        self.actor: Actor | None = None
        self._user = user
        self._opening: asyncio.Task[Services] | None = None
        self._wall = HostileLineFilter()
        self._last_key = time.monotonic()
        self._locked = False
        if settings.interface.ascii:
            self.add_class(ASCII_CLASS)
        self.set_keymap(dict(settings.keys))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters of every painted line, the wall against foreign control characters last."""
        return [*super().get_line_filters(), self._wall]

    def on_mount(self) -> None:
        """Paint the login first; everything heavy is imported behind it."""
        if self.settings.interface.theme in self.available_themes:
            self.theme = self.settings.interface.theme
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Without a handler SIGTERM leaves the terminal raw; ignoring SIGHUP makes the input thread spin.
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(number, self._leave_on_signal, number)
        self._show_login()
        minutes = self.settings.accounts.idle_lock_minutes
        if minutes:
            self.set_interval(_IDLE_CHECK_SECONDS, self._lock_when_idle)

    def _leave_on_signal(self, number: signal.Signals) -> None:
        self.exit(return_code=128 + number)

    def _show_login(self) -> None:
        from netmon_tui.ui.door import ServiceDoor

        notice = self.paths.sudo_notice() or ""
        first_run = not self.paths.database_file.exists() and not self.settings.storage.url
        door = ServiceDoor(self.settings, self.open_services)
        screen = LoginScreen(door, first_run=first_run, name=self._user, notice=notice)
        self.push_screen(screen, self._enter)

    async def open_services(self) -> Services:
        """Open the store once, off the event loop; later calls get the same services."""
        if self.services is None:
            if self._opening is None:
                self._opening = asyncio.create_task(
                    asyncio.to_thread(_open_services, self.settings, self.paths)
                )
            try:
                self.services = await asyncio.shield(self._opening)
            except NetmonError:
                self._opening = None
                raise
            await self.services.supervisor.start()
        return self.services

    def _enter(self, actor: Actor | None) -> None:
        if actor is not None:
            self.actor = actor
            self._build_main(actor)

    @work(exit_on_error=True)
    async def _build_main(self, actor: Actor) -> None:
        """Import the screens in a thread: the login stays painted until the frame is ready."""
        services = await self.open_services()
        main, session = await asyncio.to_thread(_import_main)
        for name in ("frame", "table", "scans", "captures", "neighbours", "admin"):
            path = STYLES / f"{name}.tcss"
            if path.is_file() and not self.stylesheet.has_source(str(path)):
                self.stylesheet.read(path)
        self.stylesheet.parse()
        await self.push_screen(main(session(services, actor)))

    async def on_event(self, event: events.Event) -> None:
        """Count keys and clicks as presence; repaints are none."""
        if isinstance(event, events.Key | events.MouseDown | events.MouseScrollDown | events.MouseScrollUp):
            self._last_key = time.monotonic()
        await super().on_event(event)

    def _lock_when_idle(self) -> None:
        idle = time.monotonic() - self._last_key
        if idle > self.settings.accounts.idle_lock_minutes * 60:
            self.action_lock()

    def action_lock(self) -> None:
        """Cover everything until the same user gives the password again; jobs go on."""
        if self.actor is None or self._locked:
            return
        from netmon_tui.ui.door import ServiceDoor

        self._locked = True
        door = ServiceDoor(self.settings, self.open_services)
        self.push_screen(LoginScreen(door, name=self.actor.name, locked=True), self._unlocked)

    def _unlocked(self, _actor: Actor | None) -> None:
        self._locked = False

    async def action_quit(self) -> None:
        """Leave, asking when jobs run; behind the login and the lock nothing is asked."""
        if self.services is None or self.actor is None or self._locked:
            self.exit(0)
        else:
            self._ask_and_quit(self.services, self.actor)

    @work(exclusive=True, group="quit")
    async def _ask_and_quit(self, services: Services, actor: Actor) -> None:
        running = await services.activity.running(actor)
        if not running:
            self.exit(0)
            return
        from netmon_tui.ui.modals.quit import Quit

        choice = await self.push_screen_wait(Quit(running))
        if choice == "stop":
            await services.activity.stop_own(actor)
        if choice is not None:
            self.exit(0)

    async def on_unmount(self) -> None:
        """Finish what is being written; jobs go on."""
        if self.services is not None:
            await self.services.close()

    def _fatal_error(self) -> None:
        """End on a defect: the details go to the log without local variables, which may hold passwords."""
        import sys
        import traceback

        kind, error, trace = sys.exc_info()
        _log.error("".join(traceback.format_exception(kind, error, trace)))
        self.bell()
        self._exit_renderables.append(
            content(
                f"netmon-tui failed: {kind.__name__ if kind else 'error'}; details in {self.paths.log_file}"
            ).plain
        )
        self._close_messages_no_wait()


def _open_services(settings: Settings, paths: Paths) -> Services:
    from netmon_tui.services.container import open_services

    return open_services(settings, paths)


def _import_main():  # type: ignore[no-untyped-def] # noqa: ANN202
    from netmon_tui.ui.screens.main import MainScreen
    from netmon_tui.ui.session import Session

    return MainScreen, Session


def build_app(*, data_dir: Path, user: str = "") -> NetmonApp:
    """Return an application on a data directory, with default settings: for tests and embedding."""
    return NetmonApp(load_settings(environ={}), find_paths(data_dir=data_dir), user=user)


def run_app(settings: Settings, paths: Paths, *, user: str = "") -> int:
    """Run the application on the current terminal; return the exit status."""
    app = NetmonApp(settings, paths, user=user)
    result = app.run(mouse=settings.interface.mouse)
    return app.return_code or (result if isinstance(result, int) else 0)
