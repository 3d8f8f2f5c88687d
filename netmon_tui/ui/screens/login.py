"""Login, the first administrator, registration and the lock: everything before the data.

These screens know only a :class:`Door`, so that nothing behind the login is imported, let alone loaded, before it
opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Input, Static

from netmon_tui.domain.user import Actor
from netmon_tui.errors import LoginRefused, NetmonError
from netmon_tui.ui.defects import WorkerDefects
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.plain_button import PlainButton

Mode = Literal["first", "login", "register", "locked"]
OPEN_AFTER_SECONDS = 0.05
"""The store is opened, which keeps a processor busy, when the screen is on its way to the terminal."""
_STRENGTH = ("very weak", "weak", "fair", "good", "strong")
_WORDS: dict[Mode, tuple[str, str, str]] = {
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


class _Line(Input):
    """A line whose cursor stands still: it would go on blinking behind all the other screens."""

    cursor_blink = var(False, init=False)


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
        super().__init__(classes="-locked" if locked else None)
        self._door = door
        self._mode: Mode = "locked" if locked else "first" if first_run else "login"
        self._user = name
        self._notice = notice
        self._busy = False

    @property
    def mode(self) -> Mode:
        """What is asked."""
        return self._mode

    def compose(self) -> ComposeResult:
        """One box: title, fields, what went wrong, buttons. Only what is asked: each part costs start-up time."""
        title, lead, verb = _WORDS[self._mode]
        with Vertical(id="login-box"):
            yield Static(content(title), id="login-title")
            yield Static(content(lead.format(name=self._user)), id="login-lead")
            if self._mode != "locked":
                yield Static("Name")
                yield _Line(self._user, id="name", max_length=64, compact=True)
            yield Static("Password")
            yield _Line(password=True, id="password", max_length=1024, compact=True)
            if self._makes_account:
                yield Static(content(self._strength("", "")), id="strength")
                yield Static("Password again")
                yield _Line(password=True, id="again", max_length=1024, compact=True)
                yield Static("E-mail (optional)")
                yield _Line(id="email", max_length=320, compact=True)
            if self._notice:
                yield Static(content(self._notice), id="login-notice")
            yield Static("", id="login-error")
            with Horizontal(id="login-buttons"):
                yield PlainButton(verb, id="go")
                if self._mode == "login" and self._door.registration != "closed":
                    yield PlainButton("Register", id="register")
                yield Static("^q Quit", id="login-quit")

    def on_mount(self) -> None:
        """Open the store once the form is painted."""
        if self._user and self._mode != "locked":
            self.query_one("#password").focus()
        if self._mode != "locked":
            self.set_timer(OPEN_AFTER_SECONDS, self._open_store)

    @property
    def _makes_account(self) -> bool:
        return self._mode in ("first", "register")

    async def ask(self, mode: Mode, *, name: str = "") -> None:
        """Ask for something else, in an empty form."""
        self._mode = mode
        self._user = ""
        await self.recompose()
        with self.prevent(Input.Changed):  # which would clear what is said about the name
            self.query_one("#name", Input).value = name
        self.query_one("#password" if name else "#name").focus()

    async def reset(self) -> None:
        """Forget what was typed: nobody who comes later finds it."""
        await self.ask("login")

    def tell(self, words: str) -> None:
        """Say something to whoever is sent back here."""
        self._say(words, wrong=True)

    @work(exclusive=True, group="open-store", exit_on_error=False)
    async def _open_store(self) -> None:
        try:
            first = await self._door.open()
        except NetmonError as error:
            self._say(str(error), wrong=True)
            return
        mode: Mode = "first" if first else "login"
        if mode != self._mode and self._mode != "register":
            await self.ask(mode, name=self._value("name"))

    async def action_back(self) -> None:
        """Leave the registration form."""
        if self._mode == "register":
            await self.ask("login", name=self._value("name"))

    @on(PlainButton.Pressed, "#register")
    async def _start_registration(self) -> None:
        await self.ask("register")

    @on(Input.Changed)
    def _typed(self) -> None:
        self._say("")
        if self._makes_account:
            words = self._strength(self._value("password"), self._value("name"))
            self.query_one("#strength", Static).update(content(words))

    def _strength(self, password: str, name: str) -> str:
        words = f"{self._door.minimum_password_length} characters or more"
        if not password:
            return words
        score = self._door.strength(password, name)
        return f"{len(password)} of {words}" + ("" if score is None else f", {_STRENGTH[score]}")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.input.id == ("email" if self._makes_account else "password"):
            self._go()
        else:
            self.focus_next(Input)

    @on(PlainButton.Pressed, "#go")
    def _go(self) -> None:
        if self._busy:
            return
        if self._makes_account and self._value("password") != self._value("again"):
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
            password = self.query_one("#password", Input)
            with password.prevent(Input.Changed):
                password.value = ""
            password.focus()
            self._say(str(error), wrong=True)
        except NetmonError as error:
            self._say(str(error), wrong=True)
        else:
            if actor is not None:
                self.post_message(self.Entered(actor))
        finally:
            self._busy = False

    async def _try(self) -> Actor | None:
        name = self._user if self._mode == "locked" else self._value("name")
        password = self._value("password")
        if self._mode == "first":
            return await self._door.create_first(name, password, self._value("email"))
        if self._mode == "register":
            at_once = await self._door.register(name, password, self._value("email"))
            await self.ask("login", name=name)
            self._say(
                "Registered. Log in" if at_once else "Registered. An administrator must approve it first"
            )
            return None
        return await self._door.login(name, password)

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value

    def _say(self, words: str, *, wrong: bool = False) -> None:
        line = self.query_one("#login-error", Static)
        line.set_class(wrong, "-wrong")
        line.update(content(words))
