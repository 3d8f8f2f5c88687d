"""``capture display-filter``: display filters, kept under names and checked; and the packets that meet one."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.kept import print_usable
from netmon_tui.cli.output import print_json, print_table, say
from netmon_tui.domain.documents import saved_search_document
from netmon_tui.domain.search import SavedSearch

if TYPE_CHECKING:
    from netmon_tui.domain.display_filter import Offer
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services
    from netmon_tui.services.packet_list import PacketList


async def matching(opened: PacketList, text: str, part: range, most: int) -> list[int]:
    """Return the numbers of the packets of a part that meet a display filter, at most so many, rising."""
    checked = await opened.check_filter(text)
    found: list[int] = []
    async with aclosing(opened.matching(checked).numbers()) as batches:
        async for numbers in batches:
            found += [number for number in numbers if number in part]
            if len(found) >= most or numbers[-1:] >= [part.stop]:
                break
    return found[:most]


async def wanted_filter(services: Services, actor: Actor, text: str | None, saved: str | None) -> str:
    """Return the filter that was typed, or the saved one that was named; empty for none."""
    if saved is not None:
        kept = (await services.filters.find(actor, saved)).text
        return f"({kept}) && ({text})" if text else kept
    return text or ""


@click.group("display-filter")
def display_filter() -> None:
    """Display filters: Wireshark's language for choosing packets that are captured already."""


@display_filter.command("list")
@json_option
@pass_line
def list_filters(line: CommandLine, as_json: bool) -> None:
    """List the display filters that you have saved, and those that others share."""
    print_usable(
        line,
        lambda services, actor: services.filters.usable(actor),
        ("FILTER",),
        lambda one: (one.text,),
        as_json,
    )


@display_filter.command()
@json_option
@pass_line
def recent(line: CommandLine, as_json: bool) -> None:
    """List the display filters that you applied last on the screen."""
    found = line.run(lambda services, actor: services.filters.recent(actor))
    print_json(found) if as_json else print_table(("FILTER",), ((one,) for one in found))


@display_filter.command()
@click.argument("name")
@click.argument("display", metavar="DISPLAY")
@click.option("--share", is_flag=True, help="Let everybody see and use it.")
@json_option
@pass_line
def save(line: CommandLine, name: str, display: str, share: bool, as_json: bool) -> None:
    """Keep a display filter under a name; one of yours under that name is replaced."""

    async def work(services: Services, actor: Actor) -> SavedSearch:
        await services.packets.check_filter(display)
        return await services.filters.save(actor, name, display, shared=share)

    kept = line.run(work)
    print_json(saved_search_document(kept)) if as_json else say(f"{kept.name}: saved")


@display_filter.command()
@click.argument("name")
@pass_line
def delete(line: CommandLine, name: str) -> None:
    """Delete a saved display filter."""

    async def work(services: Services, actor: Actor) -> None:
        await services.filters.delete(actor, await services.filters.find(actor, name))

    line.run(work)
    say(f"{name}: deleted")


@display_filter.command()
@click.argument("display", metavar="DISPLAY")
@pass_line
def check(line: CommandLine, display: str) -> None:
    """Say whether a display filter is right; exit status 2 with the reason when it is not."""
    line.run(lambda services, actor: services.packets.check_filter(display))
    say("the filter is right")


@display_filter.command()
@click.argument("capture_id", metavar="ID", type=int)
@click.argument("beginning")
@json_option
@pass_line
def fields(line: CommandLine, capture_id: int, beginning: str, as_json: bool) -> None:
    """List the names that begin with BEGINNING and can stand in a display filter.

    Without a dot these are protocols, as "tc"; with one, a protocol's fields, as "tcp.".
    """

    async def work(services: Services, actor: Actor) -> list[Offer]:
        opened = await services.packets.open(actor, capture_id)
        try:
            return await opened.complete_filter(beginning)
        finally:
            await opened.close()

    found = line.run(work)
    if as_json:
        print_json([one._asdict() for one in found])
    else:
        print_table(("NAME", "MEANING"), found)
