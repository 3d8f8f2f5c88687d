"""``capture verify``: whether the files of captures are what was stored."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import Progress, print_json, print_table, say_error
from netmon_tui.domain.capture_documents import checked_file_document
from netmon_tui.domain.checked_file import CheckedFile, Finding
from netmon_tui.errors import NetmonError

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services


@click.command()
@click.argument("capture_ids", metavar="ID...", nargs=-1, required=True, type=int)
@json_option
@pass_line
def verify(line: CommandLine, capture_ids: tuple[int, ...], as_json: bool) -> int:
    """Compare the files of captures with the SHA-256 that was stored when these ended.

    Exit status 1 when a file is gone, cannot be read, or has another size or other bytes.
    """
    found: list[tuple[int, CheckedFile]] = []
    refusals: list[NetmonError] = []
    progress = Progress()

    def show(number: int, part: float) -> None:
        progress.show(f"capture {number} is read: {part:.0%}")

    async def work(services: Services, actor: Actor) -> None:
        for number in dict.fromkeys(capture_ids):
            tell = partial(show, number)
            try:
                checked = await services.checks.verify(actor, number, tell)
                found.extend((number, one) for one in checked)
            except NetmonError as error:
                progress.clear()
                say_error(error)
                refusals.append(error)

    try:
        line.run(work, follow=True)
    finally:
        progress.clear()
    if as_json:
        print_json([{"capture": number} | checked_file_document(one) for number, one in found])
    elif found:
        rows = ((number, one.file.path, one.words) for number, one in found)
        print_table(("ID", "FILE", "FOUND"), rows)
    if refusals and len(capture_ids) == 1:
        return refusals[0].exit_code
    return int(bool(refusals) or any(one.finding is not Finding.SAME for _, one in found))
