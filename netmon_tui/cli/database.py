"""``database``: bring it up to date, check it, copy it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import print_json, print_line, say
from netmon_tui.errors import DatabaseDamaged

if TYPE_CHECKING:
    from netmon_tui.services.container import Services


@click.group()
def database() -> None:
    """The database: bring it up to date, check it, copy it."""


@database.command()
@json_option
@pass_line
def upgrade(line: CommandLine, as_json: bool) -> None:
    """Bring the database to this program's schema; a copy is kept in the backups folder. Needs no login."""

    async def work(services: Services) -> tuple[str, str]:
        return services.maintenance.place, services.maintenance.schema

    place, schema = line.run_without_login(work)
    if as_json:
        print_json({"database": place, "schema": schema})
    else:
        print_line(f"{place} has schema {schema}")


@database.command()
@json_option
@pass_line
def check(line: CommandLine, as_json: bool) -> int:
    """Check the database from end to end; exits with 5 when it is damaged. Needs no login."""

    async def work(services: Services) -> tuple[str, tuple[str, ...]]:
        return services.maintenance.place, await services.maintenance.check()

    place, found = line.run_without_login(work)
    if as_json:
        print_json({"database": place, "ok": not found, "problems": list(found)})
    else:
        for problem in found or ("whole",):
            print_line(f"{place}: {problem}")
    return DatabaseDamaged.exit_code if found else 0


@database.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@pass_line
def backup(line: CommandLine, file: Path) -> None:
    """Write a consistent copy to a new file (mode 0600), also while the program runs; for administrators."""
    line.run(lambda services, actor: services.maintenance.back_up(actor, file))
    say(f"the database is copied to {file}")
