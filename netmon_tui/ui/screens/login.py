"""Login, the first administrator, registration and the lock: everything before the data.

These screens know only a :class:`Door`, so that nothing behind the login is imported, let alone loaded, before it
opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static

from netmon_tui.domain.user import Actor
from netmon_tui.errors import LoginRefused, NetmonError
from netmon_tui.ui.defects import WorkerDefects
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.plain_button import PlainButton

_STRENGTH = ("very weak", "weak", "fair", "good", "strong")
_WORDS = {
    "first": ("netmon-tui", "Create the administrator", "Create"),
    "login": ("netmon-tui", "Log in", "Log in"),
    "register": ("netmon-tui", "Register", "Register"),
    "locked": ("Locked", "Jobs go on. The password of {name} opens it", "Unlock"),
}
"""What is asked -> title, what to do, the button."""


class Door(Protocol):
    """What the login screens ask of the application."""

    minimum_password_length: int
    registration: str
    """``closed``, ``approval`` or ``open``."""

    async def open(self) -> bool:
        """Open the store; whether there is no user yet. Raises NetmonError."""

    async def login(self, name: str, password: str) -> Actor:
        """Raises LoginRefused."""

    async def create_first(self, name: str, password: str, email: str) -> Actor:
        """Create the administrator and log in."""

    async def register(self, name: str, password: str, email: str) -> bool:
        """Register; whether the account may log in at once."""

    def strength(self, password: str, name: str) -> int | None:
        """0 (refused) to 4 (strong); None when that cannot be said yet."""


class LoginScreen(WorkerDefects, Screen[None]):
    """Asks who you are, and posts :class:`Entered`; whoever gets that takes the screen away or covers it.

    Args:
        door: The way in.
        first_run: Whether the store looks new, so that the right form is painted at once.
        name: Prefilled user name.
        locked: The session is only locked: this user alone can open it again.
        notice: One line to show, such as which data directory sudo uses.
    """

    @dataclass
    class Entered(Message):
        """Name and password were right."""

        actor: Actor

    BINDINGS = [Binding("escape", "back", "Back", id="login.back")]

    def __init__(
        self, door: Door, *, first_run: bool = False, name: str = "", locked: bool = False, notice: str = ""
    ) -> None:
        super().__init__()
        self._door = door
        self._mode = "first" if first_run else "login"
        self._user = name
        self._locked = locked
        self._notice = notice
        self._busy = False

    def compose(self) -> ComposeResult:
        """One box: title, fields, what went wrong, buttons."""
        with Vertical(id="login-box"):
            yield Static("netmon-tui", id="login-title")
            yield Static("", id="login-lead")
            with Vertical(id="login-name"):
                yield Static("Name")
                yield Input(self._user, id="name", max_length=64, compact=True)
            yield Static("Password")
            yield Input(password=True, id="password", max_length=1024, compact=True)
            with Vertical(id="new-account"):
                yield Static("", id="strength")
                yield Static("Password again")
                yield Input(password=True, id="again", max_length=1024, compact=True)
                yield Static("E-mail (optional)")
                yield Input(id="email", max_length=320, compact=True)
            yield Static(content(self._notice), id="login-notice")
            yield Static("", id="login-error")
            with Horizontal(id="login-buttons"):
                yield PlainButton("Log in", id="go")
                yield PlainButton("Register", id="register")
                yield Static("^q Quit", id="login-quit")

    def on_mount(self) -> None:
        """Show the form; open the store once it is painted."""
        self.set_class(self._locked, "-locked")
        self.query_one("#login-notice").display = bool(self._notice)
        self._show_mode()
        self.query_one("#password" if self._user else "#name").focus()
        if not self._locked:
            self.call_after_refresh(self._open_store)

    def _show_mode(self) -> None:
        title, lead, verb = _WORDS["locked" if self._locked else self._mode]
        self.query_one("#login-title", Static).update(content(title))
        self.query_one("#login-lead", Static).update(content(lead.format(name=self._user)))
        self.query_one("#go", PlainButton).relabel(verb)
        self.query_one("#login-name").display = not self._locked
        self.query_one("#new-account").display = self._mode != "login"
        offered = self._mode == "login" and not self._locked and self._door.registration != "closed"
        self.query_one("#register").display = offered
        self._show_strength()

    @work(exclusive=True, group="open-store", exit_on_error=False)
    async def _open_store(self) -> None:
        try:
            first = await self._door.open()
        except NetmonError as error:
            self._say(str(error), wrong=True)
            return
        mode = "first" if first else "login"
        if mode != self._mode:
            self._mode = mode
            self._show_mode()

    def reset(self) -> None:
        """Forget what was typed: nobody who comes later finds it."""
        self._empty("name", "password", "again", "email")
        self._mode = "login"
        self._show_mode()
        self._say("")
        self.query_one("#name").focus()

    def action_back(self) -> None:
        """Leave the registration form."""
        if self._mode == "register":
            self._leave_registration()

    @on(PlainButton.Pressed, "#register")
    def _start_registration(self) -> None:
        self._mode = "register"
        self._show_mode()
        self.query_one("#name").focus()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._say("")
        self._show_strength()

    def _show_strength(self) -> None:
        if self._mode == "login":
            return
        password = self._value("password")
        least = self._door.minimum_password_length
        words = f"{least} characters or more"
        if password:
            words = f"{len(password)} of {words}"
            score = self._door.strength(password, self._value("name"))
            words += "" if score is None else f", {_STRENGTH[score]}"
        self.query_one("#strength", Static).update(content(words))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        last = "password" if self._mode == "login" else "email"
        if event.input.id == last:
            self._go()
        else:
            self.focus_next(Input)

    @on(PlainButton.Pressed, "#go")
    def _go(self) -> None:
        if self._busy:
            return
        if self._mode != "login" and self._value("password") != self._value("again"):
            self._say("The two passwords differ", wrong=True)
            return
        self._enter()

    @work(exclusive=True, group="login", exit_on_error=False)
    async def _enter(self) -> None:
        """Hashing runs in a thread; the screen stays alive meanwhile."""
        self._busy = True
        self._say("Checking ...")
        try:
            actor = await self._try()
        except LoginRefused as error:
            self._empty("password")
            self.query_one("#password").focus()
            self._say(str(error), wrong=True)
        except NetmonError as error:
            self._say(str(error), wrong=True)
        else:
            if actor is not None:
                self.post_message(self.Entered(actor))
        finally:
            self._busy = False

    async def _try(self) -> Actor | None:
        name, password, email = self._value("name"), self._value("password"), self._value("email")
        if self._mode == "first":
            return await self._door.create_first(name, password, email)
        if self._mode == "login":
            return await self._door.login(self._user if self._locked else name, password)
        at_once = await self._door.register(name, password, email)
        self._leave_registration()
        self._say("Registered. Log in" if at_once else "Registered. An administrator must approve it first")
        return None

    def _leave_registration(self) -> None:
        self._mode = "login"
        self._empty("password", "again", "email")
        self._show_mode()
        self.query_one("#password").focus()

    def _empty(self, *fields: str) -> None:
        with self.prevent(Input.Changed):
            for field in fields:
                self.query_one(f"#{field}", Input).value = ""

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value

    def _say(self, words: str, *, wrong: bool = False) -> None:
        line = self.query_one("#login-error", Static)
        line.set_class(wrong, "-wrong")
        line.update(content(words))
