"""``capture interfaces``: what can be captured on, and how much goes through it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import print_json, print_json_line, print_table, yes_no
from netmon_tui.domain.capture_documents import interface_traffic_document
from netmon_tui.domain.interface_traffic import InterfaceTraffic

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_COLUMNS = ("NAME", "UP", "PACKETS/S IN", "OUT", "BYTES/S IN", "OUT", "LLADDR", "ADDRESSES", "GATEWAYS")


@click.command()
@click.option("--watch", is_flag=True, help="Print them again each second until Ctrl-C.")
@json_option
@pass_line
def interfaces(line: CommandLine, watch: bool, as_json: bool) -> None:
    """List what can be captured on, with the packets and bytes of one second.

    With --watch and --json each second is one line.
    """

    async def work(services: Services, actor: Actor) -> None:
        async with aclosing(services.capturing.interface_traffic()) as seconds:
            await anext(seconds)
            async for found in seconds:
                if not watch:
                    return _print(found, as_json)
                _print_second(found, as_json)
        return None

    line.run(work)


def _print(found: Sequence[InterfaceTraffic], as_json: bool) -> None:
    if as_json:
        print_json([interface_traffic_document(one) for one in found])
    else:
        print_table(_COLUMNS, map(_row, found))


def _print_second(found: Sequence[InterfaceTraffic], as_json: bool) -> None:
    if as_json:
        print_json_line([interface_traffic_document(one) for one in found])
    else:
        print_table(_COLUMNS, map(_row, found))
        print(flush=True)


def _row(one: InterfaceTraffic) -> tuple[object, ...]:
    interface, rates = one.interface, one.rates
    figures = (rates.packets_in, rates.packets_out, rates.bytes_in, rates.bytes_out) if rates else ()
    return (
        interface.name,
        yes_no(interface.up),
        *((f"{figure:.0f}" for figure in figures) if figures else ("",) * 4),
        interface.lladdr,
        " ".join(f"{a.address}/{a.prefix}" for a in interface.addresses),
        " ".join(interface.gateways),
    )
