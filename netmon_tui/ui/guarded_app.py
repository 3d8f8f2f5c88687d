"""Who sits at the screen: login, lock and logout of the application."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.binding import BindingType
from textual.driver import Driver

from netmon_tui.domain.user import Actor
from netmon_tui.errors import NetmonError
from netmon_tui.ui.commands import command
from netmon_tui.ui.defects import ReportsDefects
from netmon_tui.ui.keys_in_turn import KeysInTurn
from netmon_tui.ui.screens.login import LoginScreen

if TYPE_CHECKING:
    from netmon_tui.ui.door import ServiceDoor

WATCH_SECONDS = 5.0
"""How often to look whether somebody is still there, and whether they may still be."""
_TYPED = (events.Key, events.Paste)
_PRESENCE = (*_TYPED, events.MouseDown, events.MouseScrollDown, events.MouseScrollUp)
_URGENT = {"app.lock", "app.quit_always"}
_ONLY_INSIDE = {"lock", "log_out", "command_palette"}
_log = logging.getLogger(__name__)


class GuardedApp(ReportsDefects):
    """An application behind a login. Nothing but leaving works before it and behind the lock.

    The login is the bottom of the stack of screens, so that it is painted first and alone. The subclass pushes
    its screens over it in :meth:`build_screens`; a logout takes them away.

    Args:
        door: The way in.
        idle_minutes: When to lock; 0 never does.
        user: Prefilled user name.
        first_run: Whether the store looks new.
        notice: A line for the login screen.
        driver_class: What speaks to the terminal; None is Textual's own.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command(
            "app.lock", "ctrl+l", "lock", "Lock", "Cover the screen until your password is given; jobs go on.",
            show=False, priority=True,
        ),
        command("app.log_out", "L", "log_out", "Log out", "Go back to the login; jobs go on.", show=False),
    ]  # fmt: skip

    def __init__(
        self,
        door: ServiceDoor,
        *,
        idle_minutes: float,
        user: str,
        first_run: bool,
        notice: str,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class)
        self.door = door
        self.actor: Actor | None = None
        """Who is logged in."""
        self.locked = False
        """Whether the lock is before the screens."""
        self.last_presence = time.monotonic()
        """When a key or a click came."""
        self._idle_seconds = idle_minutes * 60
        self._keys = KeysInTurn(self, super().on_event)
        self._login = LoginScreen(door, first_run=first_run, name=user, notice=notice)

    async def build_screens(self, actor: Actor) -> None:
        """Show the screens of somebody who has logged in."""
        raise NotImplementedError

    def get_default_screen(self) -> LoginScreen:
        """Return the login."""
        return self._login

    @on(LoginScreen.Entered)
    def _entered(self, message: LoginScreen.Entered) -> None:
        if self.locked:
            self._unlock(message.actor)
        else:
            self.enter(message.actor)

    @work(group="enter", exclusive=True)
    async def enter(self, actor: Actor) -> None:
        """Show the program to somebody who has logged in."""
        self.actor = actor
        await self.build_screens(actor)
        await self._login.reset()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Before a login and behind the lock there are no commands."""
        return action not in _ONLY_INSIDE or (self.actor is not None and not self.locked)

    def on_mount(self) -> None:
        """Begin to watch who is there."""
        self.set_interval(WATCH_SECONDS, self.watch_account)
        if self._idle_seconds:
            self.set_interval(WATCH_SECONDS, self.lock_when_idle)

    @work(group="account", exclusive=True)
    async def watch_account(self) -> None:
        """Make an account what an administrator has made of it; behind the lock, the login does."""
        services, actor = self.door.services, self.actor
        if services is None or actor is None or self.locked:
            return
        try:
            current = await services.accounts.today(actor)
        except NetmonError as error:
            _log.warning("whether %s may still be here: %s", actor.name, error)
            return
        if current != actor and self.actor is actor and not self.locked:
            self._send_back(current)

    @work(group="leave", exclusive=True)
    async def _send_back(self, current: Actor | None) -> None:
        """Take the screens of a changed account away; no later look at it may cut that off."""
        self.actor = None
        await self._drop_screens()
        if current is None:
            self._login.tell("Your account was disabled")
        else:
            self.enter(current)
            self.notify(f"Your role is {current.role} now", markup=False)

    # lock

    async def on_event(self, event: events.Event) -> None:
        """Count keys and clicks as presence, repaints are none; let in one key at a time."""
        if isinstance(event, _PRESENCE):
            self.last_presence = time.monotonic()
        if isinstance(event, _TYPED) and not event.is_forwarded and not self._is_urgent(event):
            await self._keys.take(event)
        else:
            await super().on_event(event)

    def _is_urgent(self, event: events.Event) -> bool:
        """Whether a key waits for none before it: who locks or leaves at once means at once."""
        if not self._keys.busy or not isinstance(event, events.Key) or event.is_printable:
            return False  # nothing to wait for: looking every key up would cost on each
        active = self.active_bindings.get(event.key)
        return active is not None and active.binding.id in _URGENT

    def lock_when_idle(self) -> None:
        """Lock if nobody has been there for long enough."""
        if time.monotonic() - self.last_presence > self._idle_seconds:
            self.action_lock()

    def action_lock(self) -> None:
        """Cover everything until the same user gives the password again; jobs go on."""
        if self.actor is not None and not self.locked:
            self.locked = True
            self.clear_notifications()
            self.push_screen(LoginScreen(self.door, name=self.actor.name, locked=True))

    @work(group="enter", exclusive=True)
    async def _unlock(self, actor: Actor) -> None:
        await self.pop_screen()
        self.locked = False
        if actor != self.actor:  # the role is another one since: its screens are others
            self.actor = None
            await self._drop_screens()
            self.enter(actor)

    # out

    @work(group="leave", exclusive=True)
    async def action_log_out(self) -> None:
        """Go back to the login; jobs go on."""
        await self.record_leaving()
        self.actor = None
        await self._drop_screens()

    async def _drop_screens(self) -> None:
        """Take away everything above the login."""
        self.clear_notifications()
        while len(self.screen_stack) > 1:
            await self.pop_screen()

    async def record_leaving(self) -> None:
        """Write the logout into the audit trail, if somebody is logged in."""
        if self.actor is not None and self.door.services is not None:
            try:
                await self.door.services.accounts.log_out(self.actor)
            except NetmonError as error:
                _log.warning("a logout was not recorded: %s", error)
