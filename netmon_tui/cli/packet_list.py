"""``capture packets`` and ``capture columns``: the packets of a file in chosen columns, and the choice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.capture_files import file_option, tell_file
from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.display_filter import matching, wanted_filter
from netmon_tui.cli.output import print_json, print_table, say
from netmon_tui.domain.capture_documents import packet_document
from netmon_tui.domain.packet_columns import (
    OWN,
    PacketColumns,
    PacketLine,
    check_columns,
    title_of,
)
from netmon_tui.domain.packet_place import WAYS
from netmon_tui.errors import UsageError

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

PACKET_TITLES = ("NO", "TIME", "SOURCE", "DESTINATION", "PROTOCOL", "LENGTH", "INFO")
_USUAL_LIMIT = 1_000


@click.command()
@click.argument("capture_id", metavar="ID", type=int)
@click.option("--from", "since", metavar="PLACE", help=f"The first packet: {WAYS}.")
@click.option("--to", "until", metavar="PLACE", help="The last one; a distance counts from the first.")
@click.option("--last", type=click.IntRange(1, 1_000_000), metavar="N", help="Only the last N of these.")
@click.option("--offset", type=click.IntRange(min=0), default=0, show_default=True, help="Packets to skip.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), help="At most so many: 1000, or what --last says."
)
@click.option("--filter", "text", metavar="DISPLAY", help="Only packets that meet a display filter.")
@click.option("--saved", metavar="NAME", help="The same by a saved one; both must be met if there are two.")
@click.option("--columns", metavar="KEYS", help='Keys by commas as "capture columns" lists them, or "mine".')
@click.option("--by-tshark", is_flag=True, help="Protocol and info in tshark's words (with --columns).")
@file_option
@json_option
@pass_line
def packets(
    line: CommandLine,
    capture_id: int,
    since: str | None,
    until: str | None,
    last: int | None,
    offset: int,
    limit: int | None,
    text: str | None,
    saved: str | None,
    columns: str | None,
    by_tshark: bool,
    file: str,
    as_json: bool,
) -> None:
    """List packets: number, time, addresses, protocol, length and a summary, or other columns; of the newest file.

    DISPLAY is in Wireshark's language, as "tcp.port == 443 && ip.addr == 192.0.2.1", and tshark carries it out.
    Times are local; the first packet at or after one is meant. Fields such as dns.qry.name can be columns.
    """
    if by_tshark and columns is None:
        raise UsageError("--by-tshark needs --columns", fix="such as --columns number,protocol,info")

    limit = limit or last or _USUAL_LIMIT

    async def work(services: Services, actor: Actor) -> tuple[PacketColumns, list[PacketLine]]:
        chosen = await _chosen(services, actor, columns, by_tshark)
        opened = await services.packets.open(actor, capture_id, file)
        try:
            tell_file(await services.packets.file_set(actor, capture_id), file)
            wanted = await wanted_filter(services, actor, text, saved)
            most = None if last else offset + limit
            part = await opened.find_part(since or "", until or "", None if wanted else most)
            numbers = await matching(opened, wanted, part, most or len(part)) if wanted else part
            numbers = numbers[offset:][-(last or len(part)) :][:limit]
            whole = bool(wanted) and await opened.has_keys()
            return chosen, await opened.worded(await opened.lines(numbers, chosen.keys), chosen, whole=whole)
        finally:
            await opened.close()

    chosen, found = line.run(work)
    if not as_json:
        print_table([_heading(key) for key in chosen.keys], (one.cells for one in found))
    elif columns is None:
        print_json([packet_document(one.summary) for one in found])
    else:
        print_json([dict(zip(chosen.keys, one.cells, strict=True)) for one in found])


def _heading(key: str) -> str:
    return title_of(key).upper().rstrip(".") if key in OWN else key


async def _chosen(services: Services, actor: Actor, columns: str | None, by_tshark: bool) -> PacketColumns:
    if columns is None:
        return PacketColumns()
    service = services.packets.columns
    if columns == "mine":
        mine = await service.chosen(actor)
        return replace(mine, by_tshark=mine.by_tshark or by_tshark)
    return await service.checked(columns.split(","), by_tshark=by_tshark)


@click.command()
@click.option("--set", "keys", metavar="KEYS", help='Choose these, by commas; "usual" for the usual ones.')
@click.option("--by-tshark/--own", default=None, help="Protocol and info in tshark's words, or in ours.")
@json_option
@pass_line
def columns(line: CommandLine, keys: str | None, by_tshark: bool | None, as_json: bool) -> None:
    """List the columns that packets can have and those that you have chosen, or choose others.

    The choice is that of your packet lists on the screen, and of "capture packets --columns mine".
    """

    async def work(services: Services, actor: Actor) -> PacketColumns:
        service = services.packets.columns
        chosen = await service.chosen(actor)
        if keys is None and by_tshark is None:
            return chosen
        if keys is not None:
            shown = PacketColumns().keys if keys == "usual" else tuple(keys.split(","))
            chosen = check_columns(shown, by_tshark=chosen.by_tshark)
        if by_tshark is not None:
            chosen = replace(chosen, by_tshark=by_tshark)
        return await service.choose(actor, chosen)

    chosen = line.run(work)
    if as_json:
        print_json({"keys": chosen.keys, "by_tshark": chosen.by_tshark, "own": list(OWN)})
        return
    others = [key for key in OWN if key not in chosen.keys]
    order = [(key, str(at)) for at, key in enumerate(chosen.keys, 1)] + [(key, "") for key in others]
    rows = ((key, at, title_of(key), _meaning(key)) for key, at in order)
    print_table(("KEY", "SHOWN", "TITLE", "MEANING"), rows)
    if chosen.by_tshark:
        say("protocol and info are in tshark's words")


def _meaning(key: str) -> str:
    return OWN[key].meaning if key in OWN else "field, as the dissector says"
