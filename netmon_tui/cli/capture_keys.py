"""``capture keys``: the TLS keys that are kept with a capture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, pass_line
from netmon_tui.cli.output import print_line
from netmon_tui.domain.counted import counted
from netmon_tui.errors import NotFound, UsageError

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services


@click.command()
@click.argument("capture_id", metavar="ID", type=int)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--remove", is_flag=True, help="Delete the keys that are kept.")
@pass_line
def keys(line: CommandLine, capture_id: int, file: Path | None, remove: bool) -> None:
    """Keep TLS keys with a capture, so that packets, filters, analyses and streams show what was encrypted.

    FILE is what a program wrote for SSLKEYLOGFILE; without it, say how many keys are kept. A slice gets them,
    too, where they open only connections whose beginning is in it; an exported file does not.
    """
    if remove and file is not None:
        raise UsageError("keys are either given or removed", fix="leave out --remove, or the file")

    async def work(services: Services, actor: Actor) -> int:
        if remove and not await services.packets.keys.remove(actor, capture_id):
            raise NotFound(f"no keys are kept with capture {capture_id}")
        if file is not None:
            return await services.packets.keys.give(actor, capture_id, file)
        return await services.packets.keys.count(actor, capture_id)

    print_line(f"{counted(line.run(work), 'TLS key')} kept with capture {capture_id}")
