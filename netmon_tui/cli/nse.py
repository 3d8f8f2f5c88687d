"""``scan scripts``: what nmap's scripts are called, do and take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import print_block, print_json, print_line, print_table, say
from netmon_tui.domain.documents import nse_detail_document, nse_document
from netmon_tui.domain.nse import NseScript, ScriptDetail

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_COLUMNS = ("NAME", "CATEGORIES")


@click.command()
@click.argument("word", default="")
@click.option("--category", default="", metavar="NAME", help="Only scripts of this category, such as vuln.")
@json_option
@pass_line
def scripts(line: CommandLine, word: str, category: str, as_json: bool) -> None:
    """List nmap's scripts (NSE) whose name or categories contain WORD.

    The whole name of a script shows its description, and the arguments that it takes.
    """

    async def work(services: Services, actor: Actor) -> list[NseScript] | ScriptDetail:
        found = await services.options.scripts(word, category)
        named = not category and any(one.name == word for one in found)
        return await services.options.script(word) if named else found

    found = line.run(work)
    if isinstance(found, ScriptDetail):
        print_json(nse_detail_document(found)) if as_json else _print_detail(found)
    elif as_json:
        print_json([nse_document(one) for one in found])
    elif found:
        print_table(_COLUMNS, [(one.name, " ".join(one.categories)) for one in found])
    else:
        say("no script is called so")


def _print_detail(detail: ScriptDetail) -> None:
    print_line(f"{detail.script.name}  {' '.join(detail.script.categories)}")
    print_line()
    print_block(detail.description)
    for argument in detail.arguments:
        print_line()
        print_line(argument.name)
        print_block(argument.description, "  ")
