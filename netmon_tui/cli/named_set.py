"""``target-set`` and ``port-set``: lists under names, written as @NAME where targets or ports are typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.kept import VERBS, keeping, print_usable, reference, report, run_on
from netmon_tui.cli.output import print_json, print_pairs, yes_no
from netmon_tui.domain.documents import set_document
from netmon_tui.domain.named_set import NamedSet, SaveSet

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services


@click.group("target-set")
def target_set() -> None:
    """Target sets: addresses, networks, ranges and names, scanned as @NAME.

    CONTENT is what scan run takes as targets. NAME alone is one of your own; OWNER/NAME is one that another user
    shares. A scan takes what is in a set when it starts; a schedule at every run.
    """


@click.group("port-set")
def port_set() -> None:
    """Port sets: ports as nmap -p takes them, scanned as -p @NAME.

    CONTENT is a list as T:22,80,U:53,1-1024. NAME alone is one of your own; OWNER/NAME is one that another user
    shares. A scan takes what is in a set when it starts; a schedule at every run.
    """


@click.command("list")
@json_option
@pass_line
def _list(line: CommandLine, as_json: bool) -> None:
    """List the sets that you may use."""
    print_usable(
        line,
        lambda services, actor: keeping(services).usable(actor),
        ("CONTENT", "DESCRIPTION"),
        lambda one: (one.content, one.description),
        as_json,
    )


@click.command("show")
@reference
@json_option
@pass_line
def _show(line: CommandLine, name: str, as_json: bool) -> None:
    """Show one set."""
    found = line.run(lambda services, actor: keeping(services).find(actor, name))
    if as_json:
        print_json(set_document(found))
        return
    print_pairs(
        [
            ("name", found.name),
            (f"{found.kind}s", found.content),
            ("description", found.description),
            ("owner", found.owner),
            ("shared", yes_no(found.shared)),
        ]
    )


@click.command("add")
@reference
@click.argument("content", metavar="CONTENT...", nargs=-1)
@click.option("--description", default="", metavar="TEXT", help="One sentence.")
@click.option("--share", is_flag=True, help="Let everybody see and use it.")
@json_option
@pass_line
def _add(
    line: CommandLine, name: str, content: tuple[str, ...], description: str, share: bool, as_json: bool
) -> None:
    """Keep a list under a name."""
    new = SaveSet(name, " ".join(content), description)
    made = line.run(lambda services, actor: keeping(services).create(actor, new, shared=share))
    report(made, "added", as_json)


@click.command("edit")
@reference
@click.argument("content", metavar="[CONTENT]...", nargs=-1)
@click.option("--name", "new_name", metavar="TEXT", help="Another name.")
@click.option("--description", metavar="TEXT", help="One sentence.")
@json_option
@pass_line
def _edit(
    line: CommandLine,
    name: str,
    content: tuple[str, ...],
    new_name: str | None,
    description: str | None,
    as_json: bool,
) -> None:
    """Change what is given, the rest stays; scans that were made with it stay as they are."""
    if not content and new_name is description is None:
        raise click.UsageError("nothing to change: give CONTENT, --name or --description")

    async def work(services: Services, actor: Actor, found: NamedSet) -> NamedSet:
        new = SaveSet(
            found.name if new_name is None else new_name,
            " ".join(content) or found.content,
            found.description if description is None else description,
        )
        changed: NamedSet = await keeping(services).change(actor, found, new)
        return changed

    report(run_on(line, name, work), "changed", as_json)


for _verb in (_list, _show, _add, _edit, *VERBS):
    target_set.add_command(_verb)
    port_set.add_command(_verb)
