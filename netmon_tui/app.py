"""The Textual application: styles, login, lock, orderly quit. What it shows lives in the screens."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from textual import work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import Screen

from netmon_tui.config.paths import Paths, find_paths
from netmon_tui.config.settings import Settings, load_settings
from netmon_tui.domain.schedule import Runner
from netmon_tui.domain.user import Actor
from netmon_tui.errors import NetmonError
from netmon_tui.ui.commands import ActiveCommands, command
from netmon_tui.ui.door import ServiceDoor
from netmon_tui.ui.guarded_app import GuardedApp
from netmon_tui.ui.line_filter import AsciiLineFilter, HostileLineFilter
from netmon_tui.ui.rendering import ASCII_CLASS
from netmon_tui.ui.start_garbage import StartGarbage
from netmon_tui.ui.terminal import draws_ascii_only
from netmon_tui.ui.terminal_driver import TerminalDriver, is_hung_up, is_job_of_a_shell, let_go_of_terminal

if TYPE_CHECKING:
    from netmon_tui.services.container import Services
    from netmon_tui.ui.widgets.table_messages import ChooseColumns

_HERE = Path(__file__).resolve().parent
STYLES = next(path for path in (_HERE / "styles", _HERE.parent / "styles") if path.is_dir())
"""Inside the package when installed, beside it in a checkout."""
LATER_STYLES = ("app", "frame", "table", "scans", "captures", "neighbours", "neighbour_events", "admin")
"""Read after the login: without them its screen is painted sooner."""
_log = logging.getLogger(__name__)


class NetmonApp(GuardedApp):
    """netmon-tui.

    Args:
        settings, paths: How and where.
        user: Prefilled user name.
    """

    TITLE = "netmon-tui"
    CSS_PATH = [STYLES / "login.tcss"]
    COMMANDS: ClassVar = {ActiveCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        command("app.quit", "q", "quit", "Quit", "Leave; asks when jobs run."),
        command("app.quit_always", "ctrl+q", "quit_now", "Quit at once", "Leave without asking; jobs go on.",
                show=False, priority=True),
        command("app.suspend", "ctrl+z", "suspend_process", "Suspend", "Go back to the shell; fg comes back.",
                show=False),
        command("app.palette", "ctrl+p", "command_palette", "Palette", "Find a command by its name.",
                priority=True),
        command("app.palette_too", "colon", "command_palette", "Palette", "Find a command by its name.",
                show=False),
    ]  # fmt: skip

    def __init__(self, settings: Settings, paths: Paths, *, user: str = "") -> None:
        rules = settings.accounts
        door = ServiceDoor(
            rules.minimum_password_length, rules.registration, self._open_store, self._prepare_frame
        )
        super().__init__(
            door,
            idle_minutes=rules.idle_lock_minutes,
            user=user,
            first_run=not (paths.database_file.exists() or settings.storage.url),
            notice=paths.sudo_notice() or "",
            driver_class=TerminalDriver,
        )
        self.settings = settings
        self.paths = paths
        self.log_file = paths.log_file
        self._is_ascii = settings.interface.ascii or draws_ascii_only(os.environ)
        self._walls = (*([AsciiLineFilter()] if self._is_ascii else []), HostileLineFilter())
        self.set_class(self._is_ascii, ASCII_CLASS)
        self.set_keymap(dict(settings.keys))
        self._start_garbage = StartGarbage()

    @property
    def services(self) -> Services | None:
        """Everything behind the login; None while the store is closed."""
        return self.door.services

    async def open_services(self) -> Services:
        """Open the store, once; raises StorageError."""
        return await self.door.open_services()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters of every painted line, the wall against foreign control characters last."""
        return [*super().get_line_filters(), *self._walls]

    def get_key_display(self, binding: Binding) -> str:
        """Return how a key is written in footer and help."""
        return "enter" if self._is_ascii and binding.key == "enter" else super().get_key_display(binding)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer what is for every screen; all other commands of the palette are ours."""
        yield SystemCommand("Theme", "Choose other colours.", self.action_change_theme)
        yield SystemCommand("Redraw", "Draw everything again that others wrote over.", screen.refresh)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Send what the terminal does not show yet; Textual calls it with each picture."""
        if isinstance(self._driver, TerminalDriver):
            renderable = self._driver.sent.frugally(renderable)
        super()._display(screen, renderable)

    def on_mount(self) -> None:
        """Paint the login first; everything heavy is imported behind it."""
        if self.settings.interface.theme in self.available_themes:
            self.theme = self.settings.interface.theme
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Without a handler SIGTERM leaves the terminal raw; ignoring SIGHUP makes the input thread spin.
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(number, self._leave_on_signal, number)
        self.call_after_refresh(self._start_garbage.collect_again)

    def action_suspend_process(self) -> None:
        """Go back to the shell, with all that it started as one job, if it can bring us back."""
        if is_job_of_a_shell():
            os.killpg(0, signal.SIGTSTP)
        else:
            words = "This program is no job of a shell; q leaves."
            self.notify(words, title="No shell to go back to", severity="warning", markup=False)

    def hang_up(self) -> None:
        """Leave because the terminal is gone."""
        self._leave_on_signal(signal.SIGHUP)

    def _leave_on_signal(self, number: signal.Signals) -> None:
        self.exit(return_code=128 + number)

    def _open_store(self) -> Services:
        """Called in a thread."""
        from netmon_tui.services.container import open_services

        self.open_log()
        return open_services(self.settings, self.paths)

    def open_log(self) -> None:
        """Make the directories and open the log; raises StorageError."""
        from netmon_tui.config.logging import configure_logging

        self.paths.ensure()
        configure_logging(self.paths.log_file, self.settings.logging.level)

    async def _prepare_frame(self) -> None:
        """Import the screens in a thread and read their styles: the login stays painted meanwhile."""
        await asyncio.to_thread(importlib.import_module, "netmon_tui.ui.screens.main")
        unread = [path for path in (STYLES / f"{name}.tcss" for name in LATER_STYLES) if path.is_file()]
        for path in unread:
            if not self.stylesheet.has_source(str(path)):
                self.stylesheet.read(path)
        self.stylesheet.parse()
        self._start_garbage.keep_code()

    async def build_screens(self, actor: Actor) -> None:
        """Show the frame."""
        services = await self.open_services()
        services.rounds.start(Runner.APP)
        await self._prepare_frame()
        from netmon_tui.ui.screens.main import MainScreen
        from netmon_tui.ui.session import Session

        await self.push_screen(MainScreen(Session(services, actor)))

    # out

    def action_quit_now(self) -> None:
        """Leave without asking; jobs go on."""
        self.exit(0)

    async def action_quit(self) -> None:
        """Leave, asking when jobs run; behind the login and the lock nothing is asked."""
        if self.services is None or self.actor is None or self.locked:
            self.exit(0)
        else:
            self._ask_and_quit(self.services, self.actor)

    @work(group="leave", exclusive=True)
    async def _ask_and_quit(self, services: Services, actor: Actor) -> None:
        running = await services.activity.running(actor)
        if running:
            from netmon_tui.ui.modals.quit import Quit

            choice = await self.push_screen_wait(Quit(running))
            if choice is None:
                return
            if choice == "stop":
                await services.activity.stop_own(actor)
        self.exit(0)

    async def on_unmount(self) -> None:
        """Finish what is being written; jobs go on."""
        if self.services is not None:
            await self.record_leaving()
            try:
                await self.services.close()
            except NetmonError as error:
                _log.error("at the end: %s", error)

    def on_table_choose_columns(self, message: ChooseColumns) -> None:
        """Any table: ask which columns it shows."""
        from netmon_tui.ui.modals.columns import Columns
        from netmon_tui.ui.widgets.table import Table

        if isinstance(message.table, Table):
            self.push_screen(Columns(message.table))


def build_app(*, data_dir: Path, user: str = "") -> NetmonApp:
    """Return an application on a data directory, with default settings: for tests and embedding."""
    return NetmonApp(load_settings(environ={}), find_paths(data_dir=data_dir), user=user)


def run_app(settings: Settings, paths: Paths, *, user: str = "") -> int:
    """Run the application on the current terminal; return the exit status."""
    app = NetmonApp(settings, paths, user=user)
    result = app.run(mouse=settings.interface.mouse)
    if is_hung_up():
        let_go_of_terminal()
    return app.return_code or (result if isinstance(result, int) else 0)
