"""Adding a user, and what a user's scans are held to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, Select, Static

from netmon_tui.domain.user import LONGEST_LIST, Role, User
from netmon_tui.errors import InvalidInput
from netmon_tui.ui.modals.form import SavingForm
from netmon_tui.ui.rendering import content


@dataclass(frozen=True, slots=True)
class NewUser:
    """What was typed."""

    name: str
    password: str
    role: Role
    email: str


class NewUserForm(SavingForm[bool]):
    """Asks for name, password and role; stays open until they are accepted.

    Args:
        add: Adds the user; raises NetmonError when something is refused.
        least: Fewest characters of a password.
    """

    def __init__(self, add: Callable[[NewUser], Awaitable[None]], least: int) -> None:
        super().__init__()
        self._add = add
        self._least = least

    def compose(self) -> ComposeResult:
        """Fields and buttons."""
        with self.box("New user"):
            yield Label("Name")
            yield Input(id="name", max_length=32, compact=True)
            yield Label(content(f"Password, at least {self._least} characters"))
            yield Input(id="password", password=True, max_length=1024, compact=True)
            yield Label("Role")
            roles = [(content(role.value), role) for role in Role]
            yield Select(roles, value=Role.OPERATOR, allow_blank=False, id="role", compact=True)
            yield Label("E-mail (optional)")
            yield Input(id="email", max_length=320, compact=True)
            yield Static("", id="user-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Add", id="add", variant="primary")

    async def save(self) -> bool:
        """Add the user."""
        fields = {name: self.query_one(f"#{name}", Input).value for name in ("name", "password", "email")}
        role = Role(str(self.query_one("#role", Select).value))
        await self._add(NewUser(fields["name"], fields["password"], role, fields["email"]))
        return True


class UserLimitsForm(SavingForm[bool]):
    """Asks for what a user's scans never touch and how fast they may be; stays open until it is accepted.

    Args:
        user: Whose.
        save: Sets list and rate; raises NetmonError when something is refused.
    """

    def __init__(self, user: User, save: Callable[[str, int], Awaitable[object]]) -> None:
        super().__init__()
        self._user = user
        self._save = save

    def compose(self) -> ComposeResult:
        """Fields and buttons."""
        limits = self._user.limits
        with self.box(f"Limits of {self._user.name}", id="limits-form"):
            yield Label("Never scanned: addresses, networks, ranges, names")
            yield Input(limits.never_scan, id="never-scan", max_length=LONGEST_LIST, compact=True)
            yield Label("Probes a second at most; empty for no ceiling")
            rate = str(limits.maximum_rate or "")
            yield Input(rate, id="maximum-rate", type="integer", max_length=7, compact=True)
            yield Static("Both come on top of the settings that hold for everybody.", classes="key-hint")
            yield Static("", id="limits-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Save", id="save", variant="primary")

    async def save(self) -> bool:
        """Set list and rate."""
        never, rate = (field.value for field in self.query(Input))
        if not rate.strip().isascii() or not (rate.strip() or "0").isdigit():
            raise InvalidInput(f"{rate!r} is no number of probes a second")
        await self._save(never, int(rate.strip() or "0"))
        return True
