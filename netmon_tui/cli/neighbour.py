"""``neighbour``: the kernel's ARP and NDP table, once or as it changes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.neighbour_devices import VERBS as DEVICE_VERBS
from netmon_tui.cli.neighbour_edit import VERBS as EDIT_VERBS
from netmon_tui.cli.neighbour_events import EVENT_VERBS
from netmon_tui.cli.neighbour_hooks import hooks
from netmon_tui.cli.neighbour_show import show, shown_lladdr
from netmon_tui.cli.neighbour_sweep import sweep
from netmon_tui.cli.neighbour_watch import watch
from netmon_tui.cli.output import (
    moment,
    print_json,
    print_table,
    say,
    write_export,
)
from netmon_tui.domain.counted import counted
from netmon_tui.domain.documents import neighbour_document

if TYPE_CHECKING:
    from netmon_tui.domain.neighbour import NeighbourRecord
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_COLUMNS = ("ADDRESS", "LLADDR", "VENDOR", "INTERFACE", "STATE", "NAME", "ROUTER", "FIRST SEEN", "LAST SEEN")
_remembered_option = click.option(
    "--remembered", is_flag=True, help="Addresses too that are not in the kernel's table now (GONE)."
)
_names_option = click.option(
    "--names", is_flag=True, help="Ask for host names (reverse DNS) and wait for them."
)


@click.group()
def neighbour() -> None:
    """Neighbours: which hardware address answers for which IP address."""


neighbour.add_command(show)
neighbour.add_command(sweep)
neighbour.add_command(watch)


@neighbour.command("list")
@_remembered_option
@_names_option
@json_option
@pass_line
def list_neighbours(line: CommandLine, remembered: bool, names: bool, as_json: bool) -> None:
    """Print the table as it is now; of an entry without a lladdr the one that it had last, in brackets."""
    found = line.run(lambda services, actor: _table(services, actor, names, remembered))
    if as_json:
        print_json([neighbour_document(record) for record in found])
    else:
        print_table(_COLUMNS, map(_row, found))


async def _table(
    services: Services, actor: Actor, names: bool, remembered: bool = False
) -> list[NeighbourRecord]:
    """Return the table and what else is wanted: what is only remembered, and the names that came in time."""
    live = await services.neighbours.once(actor)
    found = [*live, *(await services.segment.pivots.remembered(actor) if remembered else ())]
    if not names:
        return found
    if late := await services.segment.names.resolve(actor, [record.address for record in found]):
        say(f"{counted(late, 'name')} did not come in time")
    return [replace(record, hostname=services.segment.names.name(record.address)) for record in found]


def _row(record: NeighbourRecord) -> tuple[object, ...]:
    return (
        record.address,
        shown_lladdr(record),
        f"{record.vendor} (private)".strip() if record.private else record.vendor,
        record.interface,
        record.state,
        record.name or record.hostname,
        "router" if record.router else "",
        moment(record.first_seen),
        moment(record.last_seen),
    )


@neighbour.command()
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="A new file, else stdout.")
@_remembered_option
@_names_option
@pass_line
def export(line: CommandLine, form: str, output: Path | None, remembered: bool, names: bool) -> None:
    """Write the table as CSV or JSON."""

    async def work(services: Services, actor: Actor) -> None:
        records = await _table(services, actor, names, remembered)
        if output is None:
            write_export(await services.transfers.neighbour_chunks(actor, records, form), sys.stdout)
            return
        written = await services.transfers.export_neighbours(actor, records, form, output)
        say(f"{counted(len(records), 'neighbour')} written to {written}")

    line.run(work)


for _verb in (*EDIT_VERBS, *DEVICE_VERBS, *EVENT_VERBS, hooks):
    neighbour.add_command(_verb)
