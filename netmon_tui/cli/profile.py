"""``profile``: named sets of nmap options for scans."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import print_json, print_pairs, print_table, say, write_export, yes_no
from netmon_tui.domain.documents import profile_document
from netmon_tui.domain.profile import Profile, SaveProfile

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_COLUMNS = ("NAME", "ARGUMENTS", "OWNER", "SHARED", "DESCRIPTION")
_reference = click.argument("name", metavar="NAME")
_args_help = 'nmap options, as "-sT -p 22,80".'


@click.group()
def profile() -> None:
    """Scan profiles: Zenmap's, your own, and those that others share.

    NAME alone is one of Zenmap's or your own; OWNER/NAME is one that another user shares.
    """


@profile.command("list")
@json_option
@pass_line
def list_profiles(line: CommandLine, as_json: bool) -> None:
    """List the profiles that you may use."""
    print_usable(line, as_json)


def print_usable(line: CommandLine, as_json: bool) -> None:
    """Print the profiles that the user may use, each under the name that it has for this user."""

    async def work(services: Services, actor: Actor) -> tuple[tuple[Profile, ...], Actor]:
        return await services.profiles.usable(actor), actor

    found, actor = line.run(work)
    if as_json:
        print_json([profile_document(one) for one in found])
        return
    rows = [
        (one.reference_for(actor), one.arguments, one.owner, yes_no(one.shared), one.description)
        for one in found
    ]
    print_table(_COLUMNS, rows)


@profile.command()
@_reference
@json_option
@pass_line
def show(line: CommandLine, name: str, as_json: bool) -> None:
    """Show one profile."""
    _print(line.run(lambda services, actor: services.profiles.find(actor, name)), as_json)


@profile.command()
@_reference
@click.option("--args", "arguments", required=True, metavar="OPTIONS", help=_args_help)
@click.option("--description", default="", metavar="TEXT", help="One sentence.")
@click.option("--share", is_flag=True, help="Let everybody see and use it.")
@json_option
@pass_line
def add(line: CommandLine, name: str, arguments: str, description: str, share: bool, as_json: bool) -> None:
    """Keep nmap options under a name."""
    new = SaveProfile(name, arguments, description)
    _report(
        line.run(lambda services, actor: services.profiles.create(actor, new, shared=share)), "added", as_json
    )


@profile.command()
@_reference
@click.option("--name", "new_name", metavar="TEXT", help="Another name.")
@click.option("--args", "arguments", metavar="OPTIONS", help=_args_help)
@click.option("--description", metavar="TEXT", help="One sentence.")
@json_option
@pass_line
def change(
    line: CommandLine,
    name: str,
    new_name: str | None,
    arguments: str | None,
    description: str | None,
    as_json: bool,
) -> None:
    """Change name, options or description; scans that were made with it stay as they are."""
    if new_name is arguments is description is None:
        raise click.UsageError("nothing to change: give --name, --args or --description")

    async def work(services: Services, actor: Actor, found: Profile) -> Profile:
        new = SaveProfile(
            found.name if new_name is None else new_name,
            found.arguments if arguments is None else arguments,
            found.description if description is None else description,
        )
        return await services.profiles.change(actor, found, new)

    _report(_run_on(line, name, work), "changed", as_json)


@profile.command()
@_reference
@click.argument("new_name", metavar="NEW-NAME")
@json_option
@pass_line
def copy(line: CommandLine, name: str, new_name: str, as_json: bool) -> None:
    """Make a profile of your own that is like another one, also like one of Zenmap's."""
    copied = line.run(lambda services, actor: services.profiles.copy(actor, name, new_name))
    _report(copied, "added", as_json)


@profile.command()
@_reference
@pass_line
def delete(line: CommandLine, name: str) -> None:
    """Delete a profile; scans that were made with it stay."""

    async def work(services: Services, actor: Actor, found: Profile) -> Profile:
        await services.profiles.delete(actor, found)
        return found

    _report(_run_on(line, name, work), "deleted", as_json=False)


@profile.command()
@_reference
@click.option("--off", is_flag=True, help="Only you see it from now on.")
@json_option
@pass_line
def share(line: CommandLine, name: str, off: bool, as_json: bool) -> None:
    """Let everybody see and use a profile; only you and administrators can change it."""

    async def work(services: Services, actor: Actor, found: Profile) -> Profile:
        return await services.profiles.share(actor, found, shared=not off)

    _report(_run_on(line, name, work), "no longer shared" if off else "shared", as_json)


@profile.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="A new file, else stdout.")
@pass_line
def export(line: CommandLine, names: tuple[str, ...], output: Path | None) -> None:
    """Write your own profiles, or those that are named, as TOML."""

    async def work(services: Services, actor: Actor) -> None:
        if output is not None:
            say(f"written to {await services.profiles.export_file(actor, output, names)}")
            return
        document = await services.profiles.export(actor, names)
        await asyncio.to_thread(write_export, [document], sys.stdout)

    line.run(work)


@profile.command("import")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Change your own profiles of the same names.")
@json_option
@pass_line
def import_profiles(line: CommandLine, file: Path, replace: bool, as_json: bool) -> None:
    """Store the profiles of a TOML file as your own: all of them, or none if one is refused."""
    stored = line.run(lambda services, actor: services.profiles.import_file(actor, file, replace=replace))
    if as_json:
        print_json([profile_document(one) for one in stored])
    else:
        say(f"{len(stored)} profile{'' if len(stored) == 1 else 's'} imported")


def _run_on(
    line: CommandLine, name: str, work: Callable[[Services, Actor, Profile], Awaitable[Profile]]
) -> Profile:
    """Find a profile by what it is called and carry out a command on it."""

    async def found(services: Services, actor: Actor) -> Profile:
        return await work(services, actor, await services.profiles.find(actor, name))

    return line.run(found)


def _print(found: Profile, as_json: bool) -> None:
    if as_json:
        print_json(profile_document(found))
        return
    print_pairs(
        [
            ("name", found.name),
            ("arguments", found.arguments),
            ("description", found.description),
            ("owner", found.owner),
            ("shared", yes_no(found.shared)),
        ]
    )


def _report(found: Profile, what: str, as_json: bool) -> None:
    if as_json:
        print_json(profile_document(found))
    else:
        say(f"{found.name}: {what}")
