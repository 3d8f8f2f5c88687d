"""Login, the first administrator, registration and the lock: everything before the data.

These screens know only a :class:`Door`, so that nothing behind the login is imported, let alone loaded, before it
opens.
"""

from __future__ import annotations

from typing import Protocol

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Button, Input, Label, Static

from netmon_tui.domain.user import Actor
from netmon_tui.errors import LoginRefused, NetmonError
from netmon_tui.ui.rendering import content

_STRENGTH = ("very weak", "weak", "fair", "good", "strong")


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

    def strength(self, password: str, name: str) -> int:
        """0 to 4."""


class LoginScreen(Screen[Actor]):
    """Asks who you are; dismissed with the actor.

    Args:
        door: The way in.
        first_run: Whether the store looks new, so that the right form is painted at once.
        name: Prefilled user name.
        locked: The session is only locked: this user alone can open it again.
        notice: One line to show, such as which data directory sudo uses.
    """

    BINDINGS = [("ctrl+q", "quit", "Quit"), ("escape", "back", "Back")]

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
            yield Label("Name")
            yield Input(self._user, id="name", max_length=64, compact=True, disabled=self._locked)
            yield Label("Password")
            yield Input(password=True, id="password", max_length=1024, compact=True)
            with Vertical(id="new-account"):
                yield Label("Password again")
                yield Input(password=True, id="again", max_length=1024, compact=True)
                yield Label("E-mail (optional)")
                yield Input(id="email", max_length=320, compact=True)
                yield Static("", id="strength")
            yield Static(content(self._notice), id="login-notice")
            yield Static("", id="login-error")
            with Horizontal(id="login-buttons"):
                yield Button("Log in", id="go", variant="primary", compact=True)
                yield Button("Register", id="register", compact=True)
                yield Static("^q Quit", id="login-quit")

    def on_mount(self) -> None:
        """Show the form; open the store behind it."""
        self._show_mode()
        self.query_one("#password" if self._user else "#name").focus()
        if not self._locked:
            self._open_store()

    def _show_mode(self) -> None:
        leads = {
            "first": "Create the administrator",
            "login": "Unlock" if self._locked else "Log in",
            "register": "Register",
        }
        labels = {"first": "Create", "login": "Unlock" if self._locked else "Log in", "register": "Register"}
        self.query_one("#login-lead", Static).update(content(leads[self._mode]))
        self.query_one("#go", Button).label = content(labels[self._mode])
        self.query_one("#new-account").display = self._mode != "login"
        offered = self._mode == "login" and not self._locked and self._door.registration != "closed"
        self.query_one("#register").display = offered
        self._show_strength()

    @work(exclusive=True, group="open-store", exit_on_error=False)
    async def _open_store(self) -> None:
        try:
            first = await self._door.open()
        except NetmonError as error:
            self._fail(f"{error}")
            return
        mode = "first" if first else "login"
        if mode != self._mode:
            self._mode = mode
            self._show_mode()

    def action_back(self) -> None:
        """Leave the registration form."""
        if self._mode == "register":
            self._mode = "login"
            self._show_mode()

    @on(Button.Pressed, "#register")
    def _start_registration(self) -> None:
        self._mode = "register"
        self._show_mode()
        self.query_one("#name").focus()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._fail("")
        self._show_strength()

    def _show_strength(self) -> None:
        if self._mode == "login":
            return
        password, name = self._value("password"), self._value("name")
        least = self._door.minimum_password_length
        words = f"at least {least} characters"
        if password:
            score = self._door.strength(password, name)
            words = f"{len(password)} of {least} characters or more, {_STRENGTH[score]}"
        self.query_one("#strength", Static).update(content(words))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        fields = [f for f in self.query(Input) if not f.disabled and f.region.height]
        position = fields.index(event.input)
        last = "password" if self._mode == "login" else "email"
        if event.input.id == last or position == len(fields) - 1:
            self._go()
        else:
            fields[position + 1].focus()

    @on(Button.Pressed, "#go")
    def _go(self) -> None:
        if self._busy:
            return
        if self._mode != "login" and self._value("password") != self._value("again"):
            self._fail("The two passwords differ")
            return
        self._enter()

    @work(exclusive=True, group="login", exit_on_error=False)
    async def _enter(self) -> None:
        """Hashing runs in a thread; the screen stays alive meanwhile."""
        self._busy = True
        self.query_one("#login-error", Static).update("Checking ...")
        try:
            actor = await self._try()
        except LoginRefused as error:
            self._fail(str(error))
            self.query_one("#password", Input).value = ""
            self._fail(str(error))
        except NetmonError as error:
            self._fail(str(error))
        else:
            if actor is not None:
                self.dismiss(actor)
        finally:
            self._busy = False

    async def _try(self) -> Actor | None:
        name, password, email = self._value("name"), self._value("password"), self._value("email")
        if self._mode == "first":
            return await self._door.create_first(name, password, email)
        if self._mode == "login":
            return await self._door.login(self._user if self._locked else name, password)
        at_once = await self._door.register(name, password, email)
        self._mode = "login"
        self._show_mode()
        self._fail("Registered: log in" if at_once else "Registered: an administrator must approve it")
        return None

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value

    def _fail(self, words: str) -> None:
        self.query_one("#login-error", Static).update(content(words))
