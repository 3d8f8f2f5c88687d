"""``scan import``: many files, each a scan of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netmon_tui.cli.context import CommandLine
from netmon_tui.cli.output import say, say_error
from netmon_tui.domain.scan import Scan
from netmon_tui.domain.user import Actor
from netmon_tui.errors import AlreadyImported, NetmonError

if TYPE_CHECKING:
    from netmon_tui.services.container import Services


def store_files(line: CommandLine, files: Sequence[Path], *, again: bool) -> tuple[list[Scan], int]:
    """Store what can be stored, say what cannot, and return the scans with the exit status."""
    imported: list[Scan] = []
    refusals: list[NetmonError] = []

    async def work(services: Services, actor: Actor) -> None:
        for file in files:
            try:
                imported.append(await _store(services, actor, file, again))
            except NetmonError as error:
                say_error(error)
                refusals.append(error)

    line.run(work)
    status = refusals[0].exit_code if refusals else 0
    return imported, status if len(files) == 1 else min(status, 1)


async def _store(services: Services, actor: Actor, file: Path, again: bool) -> Scan:
    """Return the scan of a file: a new one, or the one that the document is already."""
    try:
        if str(file) == "-":
            return await services.transfers.import_stream(actor, sys.stdin.buffer, "stdin", again=again)
        return await services.transfers.import_scan(actor, file, again=again)
    except AlreadyImported as known:
        say(known)
        return await services.scans.get(actor, known.scan_id)
