"""Tab 6: users (for administrators) and the doctor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static, TabbedContent

from netmon_tui.domain.check import Check
from netmon_tui.domain.user import Permission, Role, User, UserState
from netmon_tui.errors import NetmonError
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.record import Record
from netmon_tui.ui.modals.user import NewUser, NewUserForm, UserLimitsForm
from netmon_tui.ui.rendering import content_block, state_style, when
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.pane import Pane
from netmon_tui.ui.widgets.row_source import Cell, Row, cell_text
from netmon_tui.ui.widgets.steady_tab import SteadyTab
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

USER_COLUMNS = (
    Column("name", "Name", minimum=12, priority=0),
    Column("role", "Role", width=9, priority=0),
    Column("state", "State", width=11, priority=0),
    Column("failures", "Failed", width=6, align="right", priority=2),
    Column("last_login", "Last login", width=10, priority=1),
    Column("limits", "Limits", width=17, priority=2),
    Column("email", "E-mail", minimum=10, priority=3),
)
CHECK_COLUMNS = (
    Column("name", "Check", width=16, priority=0),
    Column("status", "Status", width=7, priority=0),
    Column("detail", "Detail", minimum=20, priority=0, share=2),
    Column("fix", "Fix", minimum=16, priority=1, share=2),
)
_DETAIL = 2
"""Place of the first of the two cells that a narrow table cuts off."""


class AdminPane(Pane):
    """Who may use the program, and whether the machine is fit for it."""

    HELP_TITLE = "Admin"
    HELP_TEXT = (
        "Users: who may log in, and as what. A user who registered waits (pending) until a lets them in. Of an "
        "administrator's rights the last one cannot be taken away. m sets what a user's scans never touch and how "
        "fast they are; Limits has both: probes a second, and how many targets are never scanned.\n\n"
        "Doctor: tools, versions, privileges, terminal and storage, each with the fix; the line under the "
        "cursor stands below in full. shift+tab and the arrows go from one list to the other."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        command("admin.new", "n", "new_user", "New", "Add a user."),
        command("admin.enable", "a", "enable", "Enable", "Approve or enable this user."),
        command("admin.disable", "x", "disable", "Disable", "Disable this user."),
        command("admin.unlock", "u", "unlock", "Unlock", "Forget this user's failed logins."),
        command("admin.role", "r", "next_role", "Role", "Give this user the next role."),
        command("admin.limits", "m", "limits", "Limits", "What this user's scans never touch, and how fast."),
        command("admin.doctor", "R", "doctor", "Check", "Run all checks of the doctor again."),
    ]

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(session, id=id)
        self._users = MemorySource([column.key for column in USER_COLUMNS])
        self._checks = MemorySource([column.key for column in CHECK_COLUMNS])
        self._manages = session.actor.may(Permission.MANAGE_USERS)

    def compose(self) -> ComposeResult:
        """Users beside the doctor, or the doctor alone."""
        if not self._manages:
            yield from self._compose_doctor()
            return
        with TabbedContent(id="admin-tabs"):
            with SteadyTab("Users", id="admin-users"):
                yield Table(USER_COLUMNS, source=self._users, id="users")
            with SteadyTab("Doctor", id="admin-doctor"):
                yield from self._compose_doctor()

    def _compose_doctor(self) -> ComposeResult:
        """The checks, and under them the one under the cursor in full."""
        yield Table(CHECK_COLUMNS, source=self._checks, empty_text="Checking ...", id="doctor")
        yield Static(id="check")

    def on_mount(self) -> None:
        """Look at the machine once."""
        self.action_doctor()

    def focus_content(self) -> None:
        """Focus the table that is shown."""
        self.query_one("#users" if self._shows_users else "#doctor", Table).focus()

    @on(Table.Opened)
    def _open(self, event: Table.Opened) -> None:
        table = event.table
        if isinstance(table, Table) and table.cursor_row is not None:
            title = "User" if table.id == "users" else "Check"
            self.app.push_screen(Record(title, table.columns, table.cursor_row))

    @on(Table.Highlighted, "#doctor")
    def _show_check(self) -> None:
        row = self.query_one("#doctor", Table).cursor_row
        detail, fix = map(cell_text, row.cells[_DETAIL:]) if row else ("", "")
        self.query_one("#check", Static).update(content_block(f"{detail}\nFix: {fix}" if fix else detail))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what belongs to the list that is shown; managing users is for administrators."""
        if action in {"new_user", "enable", "disable", "unlock", "next_role", "limits"}:
            return self._shows_users
        return action != "doctor" or not self._shows_users

    @property
    def _shows_users(self) -> bool:
        tabs = self.query(TabbedContent)
        return self._manages and (not tabs or tabs.first().active == "admin-users")

    @on(TabbedContent.TabActivated, "#admin-tabs")
    def _list_changed(self) -> None:
        self.refresh_bindings()

    def show_doctor(self) -> None:
        """Show the checks."""
        if self._manages:
            self.query_one("#admin-tabs", TabbedContent).active = "admin-doctor"
        self.query_one("#doctor", Table).focus()

    async def refresh_data(self) -> None:
        """Fetch the users again."""
        if self._manages:
            users = await self.session.services.accounts.list_users(self.session.actor)
            self._users.replace(_user_row(user) for user in users)

    @work(exclusive=True, group="doctor", exit_on_error=False)
    async def action_doctor(self) -> None:
        """Run all checks."""
        checks = await self.session.services.doctor.run()
        self._checks.replace(_check_row(check) for check in checks)
        self._show_check()

    @work(exclusive=True, group="new-user", exit_on_error=False)
    async def action_new_user(self) -> None:
        """Ask for name, password and role, and add the user."""
        least = self.session.services.settings.accounts.minimum_password_length
        await self.app.push_screen_wait(NewUserForm(self._add, least))

    async def _add(self, new: NewUser) -> None:
        await self.session.services.accounts.add_user(
            self.session.actor, new.name, new.password, role=new.role, email=new.email
        )
        self.tell(f"{new.name} may log in as {new.role}")
        await self.refresh_data()

    def action_enable(self) -> None:
        """Let the user log in."""
        accounts = self.session.services.accounts
        waiting = self._state() == UserState.PENDING
        self._change(accounts.approve if waiting else accounts.enable, "may log in")

    @work(exclusive=True, group="disable-user", exit_on_error=False)
    async def action_disable(self) -> None:
        """Keep the user out, after asking."""
        name = self._name_under_cursor()
        if not name:
            return
        question = Confirm("Disable a user", f"{name} can no longer log in.", verb="Disable")
        if await self.app.push_screen_wait(question):
            self._change(self.session.services.accounts.disable, "is disabled")

    def action_unlock(self) -> None:
        """Forget failed logins."""
        self._change(self.session.services.accounts.unlock, "is unlocked")

    def action_next_role(self) -> None:
        """Go round the roles."""
        row = self.query_one("#users", Table).cursor_row
        if row is None:
            return
        roles = list(Role)
        role = roles[(roles.index(Role(str(row.cells[1]))) + 1) % len(roles)]
        accounts = self.session.services.accounts
        self._change(lambda actor, name: accounts.set_role(actor, name, role), f"is {role} now")

    @work(exclusive=True, group="user-limits", exit_on_error=False)
    async def action_limits(self) -> None:
        """Ask what the user's scans are held to."""
        service, actor, name = self.session.services.limits, self.session.actor, self._name_under_cursor()
        if not name:
            return
        try:
            user = await service.find(actor, name)
        except NetmonError as error:
            self.report(error)
            return

        async def save(never: str, rate: int) -> None:
            await service.set(actor, name, never_scan=never, maximum_rate=rate)

        if await self.app.push_screen_wait(UserLimitsForm(user, save)):
            self.tell(f"The limits of {name} hold from the next scan on")
            await self.refresh_data()

    def _change(self, change: Callable[..., Awaitable[User]], done: str) -> None:
        name = self._name_under_cursor()
        if name:
            self._carry_out(change, name, done)

    @work(exclusive=True, group="change-user", exit_on_error=False)
    async def _carry_out(self, change: Callable[..., Awaitable[User]], name: str, done: str) -> None:
        try:
            await change(self.session.actor, name)
        except NetmonError as error:
            self.report(error)
        else:
            self.tell(f"{name} {done}")
            await self.refresh_data()

    def _name_under_cursor(self) -> str:
        key = self.query_one("#users", Table).cursor_key
        return str(key) if key is not None else ""

    def _state(self) -> str:
        row = self.query_one("#users", Table).cursor_row
        return str(row.cells[2].text).split()[-1] if row and isinstance(row.cells[2], Cell) else ""


def _user_row(user: User) -> Row:
    look = state_style("locked" if user.locked_until else user.state)
    return Row(
        user.name,
        (
            user.name,
            user.role.value,
            Cell(look.label(), look.tone),
            str(user.failures or ""),
            when(user.last_login, datetime.now(UTC)) if user.last_login else "never",
            user.limits.words,
            user.email,
        ),
    )


def _check_row(check: Check) -> Row:
    look = state_style(check.status)
    return Row(check.name, (check.name, Cell(look.label(), look.tone), check.detail, check.fix))
