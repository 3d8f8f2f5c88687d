"""``login`` and ``logout``: a session token in a private file, so that commands need no password each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, ask, ask_password, has_terminal, pass_line
from netmon_tui.cli.output import say
from netmon_tui.errors import NotLoggedIn

if TYPE_CHECKING:
    from netmon_tui.services.container import Services


@click.command()
@click.option("--user", metavar="NAME", help="Who logs in; --user before the command means the same.")
@pass_line
def login(line: CommandLine, user: str | None) -> None:
    """Log in and keep a session token (file mode 0600) until it expires."""
    line.run_without_login(lambda services: _login(line, services, user or line.user))


@click.command()
@pass_line
def logout(line: CommandLine) -> None:
    """End the session that login has started."""
    line.run_without_login(lambda services: _logout(line, services))


async def _login(line: CommandLine, services: Services, name: str | None) -> None:
    from netmon_tui.config.files import atomic_write

    if await services.accounts.needs_first_user():
        raise NotLoggedIn("there is no user yet", fix="netmon-tui user add NAME makes the administrator")
    if not name and has_terminal():
        name = ask("User")
    if not name:
        raise NotLoggedIn("nobody to log in", fix="name the user with --user NAME")
    actor = await services.accounts.login(name, _password(line, name))
    former = line.read_token()
    token = await services.accounts.issue_token(actor)
    atomic_write(services.paths.token_file, token.encode() + b"\n")
    if former:
        await services.accounts.revoke_token(former)
    say(f"{actor.name} ({actor.role}) is logged in for {services.settings.accounts.session_hours} hours")


def _password(line: CommandLine, name: str) -> str:
    if line.password_file:
        return line.password
    if has_terminal():
        return ask_password(f"Password of {name}")
    raise NotLoggedIn("no password", fix="give it with --password-file FILE before the command, - for stdin")


async def _logout(line: CommandLine, services: Services) -> None:
    if token := line.read_token():
        await services.accounts.revoke_token(token)
    services.paths.token_file.unlink(missing_ok=True)
    say("logged out" if token else "nobody was logged in")
