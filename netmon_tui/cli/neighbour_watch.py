"""``neighbour watch``: what happens in the neighbour table, or every change of it, as it comes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import moment, print_json_line, print_line, say
from netmon_tui.domain.counted import counted
from netmon_tui.domain.documents import neighbour_document, timestamp
from netmon_tui.domain.neighbour_event_documents import neighbour_event_document
from netmon_tui.domain.neighbour_event_words import set_by
from netmon_tui.errors import NetmonError

if TYPE_CHECKING:
    from datetime import datetime

    from netmon_tui.domain.neighbour import NeighbourRecord
    from netmon_tui.domain.neighbour_event import NeighbourEvent
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services


@click.command()
@click.option("--table", is_flag=True, help="Print every change of an entry instead, as states come and go.")
@json_option
@pass_line
def watch(line: CommandLine, table: bool, as_json: bool) -> None:
    """Print the events of the neighbour table as they happen, one a line, until Ctrl-C (which exits with 130).

    They are those of netmon-tui neighbour events, muted ones too, when they are noticed: they have no id yet. What
    happens again is another line.
    """

    async def work(services: Services, actor: Actor) -> None:
        await services.neighbours.start()
        if services.neighbours.error:
            raise NetmonError("the neighbour table cannot be followed", why=services.neighbours.error)
        say(f"watching {counted(len(services.neighbours.keys(actor)), 'neighbour')}")
        await (_watch_table if table else _watch_events)(services, actor, as_json)

    line.run(work)


async def _watch_events(services: Services, actor: Actor, as_json: bool) -> None:
    async for watched in services.neighbours.watch(actor):
        for event in watched.events:
            if as_json:
                print_json_line(neighbour_event_document(event))
            else:
                _print_event(event)
        sys.stdout.flush()
        if watched.lost:
            say(f"{counted(watched.lost, 'event')} came faster than they were read, and are left out here")


def _print_event(event: NeighbourEvent) -> None:
    before = f" (was {event.previous_lladdr})" if event.previous_lladdr else ""
    more = (event.name, event.detail, set_by(event))
    print_line(
        f"{moment(event.time)}  {event.severity:<6}  {event.kind:<15}  {event.address}  {event.interface}"
        f"  {event.lladdr}{before}{''.join(f'  {words}' for words in more if words)}"
    )


async def _watch_table(services: Services, actor: Actor, as_json: bool) -> None:
    from datetime import UTC, datetime

    async for watched in services.neighbours.watch_table(actor):
        now = datetime.now(UTC)
        for record in watched.seen:
            _print_seen(record, now, as_json)
        for interface, address in watched.removed:
            if as_json:
                told = {
                    "time": timestamp(now),
                    "change": "removed",
                    "address": address,
                    "interface": interface,
                }
                print_json_line(told)
            else:
                print_line(f"{moment(now)}  removed  {address}  {interface}")
        sys.stdout.flush()


def _print_seen(record: NeighbourRecord, now: datetime, as_json: bool) -> None:
    if as_json:
        print_json_line({"time": timestamp(now), "change": "seen", **neighbour_document(record)})
        return
    lladdr = f"({record.lladdr})" if record.lladdr_remembered else record.lladdr
    words = (record.address, record.interface, record.state, lladdr, record.name or record.hostname)
    print_line(f"{moment(now)}  seen     {'  '.join(filter(None, words))}")
