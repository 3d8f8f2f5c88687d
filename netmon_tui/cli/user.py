"""``user``: accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import (
    CommandLine,
    ask_password,
    has_terminal,
    json_option,
    pass_line,
    read_secret,
)
from netmon_tui.cli.output import moment, print_json, print_pairs, print_table, say
from netmon_tui.domain.documents import user_document
from netmon_tui.domain.user import Role
from netmon_tui.errors import UsageError

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor, User
    from netmon_tui.services.container import Services

_ROLES = click.Choice([role.value for role in Role])
_COLUMNS = ("NAME", "ROLE", "STATE", "EMAIL", "LAST LOGIN", "LOCKED UNTIL", "LIMITS")
_new_password_option = click.option(
    "--new-password-file", metavar="FILE", help="File whose first line is the new password, - for stdin."
)


@click.group()
def user() -> None:
    """Accounts: who may use the program, and as what."""


@user.command()
@click.argument("name")
@click.option("--role", type=_ROLES, help="What the user may do; viewer if not named.")
@click.option("--email", default="", metavar="ADDRESS", help="Optional e-mail address.")
@_new_password_option
@json_option
@pass_line
def add(
    line: CommandLine, name: str, role: str | None, email: str, new_password_file: str | None, as_json: bool
) -> None:
    """Make a user.

    While there is no user at all this needs no login and makes an administrator; --password-file before the
    command then names the new password too.
    """

    async def work(services: Services) -> User:
        if await services.accounts.needs_first_user():
            if role not in (None, Role.ADMIN.value):
                raise UsageError("the first user is the administrator", fix="leave --role away")
            secret = _new_password(new_password_file or line.password_file, name)
            return await services.accounts.create_first_admin(name, secret, email)
        actor = await line.authenticate(services)
        secret = _new_password(new_password_file, name)
        return await services.accounts.add_user(
            actor, name, secret, role=Role(role or Role.VIEWER), email=email
        )

    _report(line.run_without_login(work), "added", as_json)


@user.command("list")
@json_option
@pass_line
def list_users(line: CommandLine, as_json: bool) -> None:
    """List all users."""
    users = line.run(lambda services, actor: services.accounts.list_users(actor))
    if as_json:
        print_json([user_document(found) for found in users])
        return
    rows = (
        (u.name, u.role, u.state, u.email, moment(u.last_login), moment(u.locked_until), u.limits.words)
        for u in users
    )
    print_table(_COLUMNS, rows)


@user.command()
@click.argument("name")
@_new_password_option
@pass_line
def password(line: CommandLine, name: str, new_password_file: str | None) -> None:
    """Set a password and end the user's sessions.

    For one's own the current password is needed too: from --password-file before the command, or a prompt.
    """

    async def work(services: Services, actor: Actor) -> None:
        current = None
        if actor.name == name.strip().lower():
            current = line.password if line.password_file else _prompt(f"Current password of {name}")
        new = _new_password(new_password_file, name)
        await services.accounts.set_password(actor, name, new, current)

    line.run(work)
    say(f"{name}: the password is changed and the sessions are ended")


@user.command()
@click.argument("name")
@click.argument("new_role", metavar="ROLE", type=_ROLES)
@json_option
@pass_line
def role(line: CommandLine, name: str, new_role: str, as_json: bool) -> None:
    """Change what a user may do: admin, operator or viewer."""
    changed = line.run(lambda s, actor: s.accounts.set_role(actor, name, Role(new_role)))
    _report(changed, "role changed", as_json)


@user.command()
@click.argument("name")
@json_option
@pass_line
def disable(line: CommandLine, name: str, as_json: bool) -> None:
    """Keep a user out and end the sessions."""
    _report(line.run(lambda s, actor: s.accounts.disable(actor, name)), "disabled", as_json)


@user.command()
@click.argument("name")
@json_option
@pass_line
def enable(line: CommandLine, name: str, as_json: bool) -> None:
    """Let a disabled user in again."""
    _report(line.run(lambda s, actor: s.accounts.enable(actor, name)), "enabled", as_json)


@user.command()
@click.argument("name")
@json_option
@pass_line
def unlock(line: CommandLine, name: str, as_json: bool) -> None:
    """Forget a user's failed logins."""
    _report(line.run(lambda s, actor: s.accounts.unlock(actor, name)), "unlocked", as_json)


@user.command()
@click.argument("name")
@json_option
@pass_line
def approve(line: CommandLine, name: str, as_json: bool) -> None:
    """Let somebody in who has registered."""
    _report(line.run(lambda s, actor: s.accounts.approve(actor, name)), "approved", as_json)


@user.command()
@click.argument("name")
@click.option(
    "--never-scan", metavar="TEXT", help="Addresses, networks and names with spaces between; '' for none."
)
@click.option("--maximum-rate", type=int, metavar="N", help="Probes a second; 0 for no ceiling.")
@json_option
@pass_line
def limits(
    line: CommandLine, name: str, never_scan: str | None, maximum_rate: int | None, as_json: bool
) -> None:
    """Show or set what a user's scans never touch, and how fast they may be.

    Both come on top of the settings scans.never_scan and scans.maximum_rate, which hold for everybody; of two
    ceilings the lower one counts. Scans that run go on as they were begun.
    """

    async def work(services: Services, actor: Actor) -> User:
        if never_scan is None and maximum_rate is None:
            return await services.limits.find(actor, name)
        return await services.limits.set(actor, name, never_scan=never_scan, maximum_rate=maximum_rate)

    found = line.run(work)
    if as_json:
        print_json(user_document(found))
        return
    rate = found.limits.maximum_rate
    print_pairs(
        [
            ("user", found.name),
            ("never scanned", found.limits.never_scan or "nothing of their own"),
            ("probes a second", str(rate) if rate else "no ceiling of their own"),
        ]
    )


def _new_password(file: str | None, name: str) -> str:
    if file:
        return read_secret(file)
    return _prompt(f"New password of {name}", confirm=True)


def _prompt(question: str, *, confirm: bool = False) -> str:
    if not has_terminal():
        raise UsageError("no password", fix="give it with --new-password-file FILE, - for stdin")
    return ask_password(question, confirm=confirm)


def _report(found: User, what: str, as_json: bool) -> None:
    if as_json:
        print_json(user_document(found))
    else:
        say(f"{found.name} ({found.role}): {what}")
