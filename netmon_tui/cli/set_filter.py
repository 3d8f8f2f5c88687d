"""``capture matches``: the packets of all files of a capture that meet a display filter."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.capture_files import tell_missed
from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.display_filter import wanted_filter
from netmon_tui.cli.output import print_json, print_table, say
from netmon_tui.cli.packet_list import PACKET_TITLES
from netmon_tui.domain.capture_documents import packet_document
from netmon_tui.domain.packet_columns import PacketColumns, PacketLine
from netmon_tui.errors import NetmonError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services
    from netmon_tui.services.packet_list import PacketList
    from netmon_tui.services.set_filter import SetFilter


@click.command()
@click.argument("capture_id", metavar="ID", type=int)
@click.argument("text", metavar="[DISPLAY]", required=False)
@click.option("--saved", metavar="NAME", help="By a saved filter; both must be met if there are two.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1_000, show_default=True)
@json_option
@pass_line
def matches(
    line: CommandLine, capture_id: int, text: str | None, saved: str | None, limit: int, as_json: bool
) -> None:
    """List the packets that meet a display filter in all files of a capture: file, number in it, and its line.

    tshark reads one file after the other. Where packets far before matter, as for tcp.stream, and where TLS keys
    are kept, it reads them as one, and numbers and streams in DISPLAY count through all of them.
    """
    if text is None and saved is None:
        raise UsageError("there is no display filter", fix="such as: netmon-tui capture matches 3 dns")

    async def work(services: Services, actor: Actor) -> list[tuple[Path, PacketLine]]:
        wanted = await services.packets.check_filter(await wanted_filter(services, actor, text, saved))
        search = await services.packets.filter_set(actor, capture_id, wanted)
        return await _lines(services, actor, capture_id, search, limit)

    found = line.run(work)
    if as_json:
        print_json([packet_document(one.summary) | {"file": path.name} for path, one in found])
    else:
        print_table(("FILE", *PACKET_TITLES), ((path.name, *one.cells) for path, one in found))


async def _lines(
    services: Services, actor: Actor, capture_id: int, search: SetFilter, limit: int
) -> list[tuple[Path, PacketLine]]:
    async with aclosing(search.batches()) as batches:
        async for path, numbers in batches:
            search.matches.add(path, numbers[: limit - len(search.matches)])
            if len(search.matches) == limit:
                say(f"the first {limit}; --limit shows more")
                break
    missed = search.missed
    found: list[tuple[Path, PacketLine]] = []
    for path, numbers in search.matches.part(0, len(search.matches)):
        try:
            lines = await _of_file(await services.packets.open(actor, capture_id, path.name), numbers)
            found += ((path, one) for one in lines)
        except NetmonError:
            if await asyncio.to_thread(path.exists):
                raise
            missed += 1
    tell_missed(missed)
    return found


async def _of_file(opened: PacketList, numbers: Sequence[int]) -> list[PacketLine]:
    columns = PacketColumns()
    try:
        while opened.count < numbers[-1] and await opened.extend():
            pass
        lines = await opened.lines(numbers, columns.keys)
        return await opened.worded(lines, columns, whole=await opened.has_keys())
    finally:
        await opened.close()
