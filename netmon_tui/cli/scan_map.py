"""``scan map``: the way to the hosts of a scan, as text, as a document or as a picture."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine
from netmon_tui.cli.output import print_json, say, write_export

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services


def print_map(line: CommandLine, scan_id: int, form: str, output: Path | None, as_json: bool) -> None:
    """Print the map of a scan, or write it to a file.

    Raises:
        click.UsageError: What is asked for does not go together.
    """
    if as_json and (output is not None or form != "tree"):
        raise click.UsageError("--json goes with neither --format nor --output")
    if as_json:
        root = line.run(lambda services, actor: services.maps.whole(actor, scan_id), follow=True)
        print_json(root.as_document())
    elif output is not None:
        line.run(lambda services, actor: _write(services, actor, scan_id, form, output), follow=True)
    else:
        line.run(lambda services, actor: _print(services, actor, scan_id, form), follow=True)


async def _write(services: Services, actor: Actor, scan_id: int, form: str, output: Path) -> None:
    written = await services.transfers.export_map(actor, scan_id, form, output)
    say(f"the map of scan {scan_id} is written to {written}")


async def _print(services: Services, actor: Actor, scan_id: int, form: str) -> None:
    if form == "tree":
        chunks = await services.maps.text(actor, scan_id)
    else:
        chunks = await services.transfers.map_chunks(actor, scan_id, form)
    await asyncio.to_thread(write_export, chunks, sys.stdout)
