"""``neighbour show``: everything that is known of one address or lladdr."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import moment, print_json, print_line, print_table
from netmon_tui.domain.neighbour_facts import neighbour_facts_document
from netmon_tui.errors import NotFound

if TYPE_CHECKING:
    from netmon_tui.domain.neighbour import NeighbourRecord
    from netmon_tui.domain.neighbour_facts import NeighbourFacts
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_LIVE = ("ADDRESS", "LLADDR", "VENDOR", "INTERFACE", "STATE")
_SPANS = ("ADDRESS", "LLADDR", "INTERFACE", "FIRST SEEN", "LAST SEEN")
_CAPTURES = ("CAPTURE", "TIME", "INTERFACE", "PACKETS", "FILTER", "NAME")
_SCANS = ("SCAN", "TIME", "ADDRESS", "LLADDR", "OPEN", "NAME")


@click.command()
@click.argument("asked", metavar="ADDRESS|LLADDR")
@json_option
@pass_line
def show(line: CommandLine, asked: str, as_json: bool) -> None:
    """Show what is known of an address or lladdr.

    Its entries in the kernel's table, every lladdr that the address had (or address that the lladdr had) since
    it was first seen, the latest scans of yours that found it up, and your captures whose filter names it.
    """

    async def work(services: Services, actor: Actor) -> tuple[str, NeighbourFacts]:
        await services.neighbours.once(actor)
        return await services.segment.pivots.about(actor, asked)

    known, facts = line.run(work, follow=True)
    if as_json:
        print_json(neighbour_facts_document(known, facts))
    elif facts.live or facts.spans or facts.scans or facts.captures:
        _print(facts)
    else:
        raise NotFound(f"nothing is known of {known}", fix="netmon-tui neighbour sweep asks who is there")


def shown_lladdr(record: NeighbourRecord) -> str:
    """Return a lladdr as tables show it: in brackets where it is only remembered."""
    return f"({record.lladdr})" if record.lladdr_remembered else record.lladdr


def _print(facts: NeighbourFacts) -> None:
    parts = (
        (
            _LIVE,
            [(one.address, shown_lladdr(one), one.vendor, one.interface, one.state) for one in facts.live],
        ),
        (
            _SPANS,
            [
                (one.address, one.lladdr, one.interface, moment(one.first_seen), moment(one.last_seen))
                for one in facts.spans
            ],
        ),
        (
            _SCANS,
            [
                (one.scan_id, moment(one.time), one.address, one.lladdr, one.open_ports, one.name)
                for one in facts.scans
            ],
        ),
        (
            _CAPTURES,
            [
                (one.capture_id, moment(one.time), one.interface, one.packets, one.filter, one.name)
                for one in facts.captures
            ],
        ),
    )
    shown = [(columns, rows) for columns, rows in parts if rows]
    for number, (columns, rows) in enumerate(shown):
        if number:
            print_line()
        print_table(columns, rows)
