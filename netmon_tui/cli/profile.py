"""``profile``: named sets of nmap options for scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.kept import VERBS, print_usable, reference, report, run_on
from netmon_tui.cli.output import print_json, print_pairs, yes_no
from netmon_tui.domain.documents import profile_document
from netmon_tui.domain.profile import Profile, SaveProfile

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

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
    print_profiles(line, as_json)


def print_profiles(line: CommandLine, as_json: bool) -> None:
    """Print the profiles that the user may use."""
    print_usable(
        line,
        lambda services, actor: services.profiles.usable(actor),
        ("ARGUMENTS", "DESCRIPTION"),
        lambda one: (one.arguments, one.description),
        as_json,
    )


@profile.command()
@reference
@json_option
@pass_line
def show(line: CommandLine, name: str, as_json: bool) -> None:
    """Show one profile."""
    _print(line.run(lambda services, actor: services.profiles.find(actor, name)), as_json)


@profile.command()
@reference
@click.option("--args", "arguments", required=True, metavar="OPTIONS", help=_args_help)
@click.option("--description", default="", metavar="TEXT", help="One sentence.")
@click.option("--share", is_flag=True, help="Let everybody see and use it.")
@json_option
@pass_line
def add(line: CommandLine, name: str, arguments: str, description: str, share: bool, as_json: bool) -> None:
    """Keep nmap options under a name."""
    new = SaveProfile(name, arguments, description)
    report(
        line.run(lambda services, actor: services.profiles.create(actor, new, shared=share)), "added", as_json
    )


@profile.command()
@reference
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

    report(run_on(line, name, work), "changed", as_json)


for _verb in VERBS:
    profile.add_command(_verb)


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
