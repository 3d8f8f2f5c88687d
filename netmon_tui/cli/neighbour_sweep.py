"""``neighbour sweep``: ask every address of a local network who has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import moment, print_json, print_table, say
from netmon_tui.domain.documents import neighbour_document, scan_document, schedule_document
from netmon_tui.domain.job import JobState

if TYPE_CHECKING:
    from netmon_tui.cli.scan import FoundScan
    from netmon_tui.domain.neighbour import NeighbourRecord
    from netmon_tui.domain.scan import Scan
    from netmon_tui.domain.schedule import Schedule
    from netmon_tui.domain.sweep import Sweep
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

INTERRUPTED = 130
_COLUMNS = ("ADDRESS", "LLADDR", "VENDOR", "INTERFACE", "FIRST SEEN")


@click.command()
@click.argument("network", metavar="[NETWORK]", default="")
@click.option("--interface", default="", metavar="IF", help="Where the network is, if several are in it.")
@click.option("--detach", is_flag=True, help="Print the scan's id and return; the sweep goes on by itself.")
@click.option("--dry-run", is_flag=True, help="Print the command and its warnings; start nothing.")
@click.option(
    "--every", default="", metavar="SPAN", help="Now, and again by a schedule, as every 10m or 12h."
)
@json_option
@pass_line
def sweep(
    line: CommandLine,
    network: str,
    interface: str,
    detach: bool,
    dry_run: bool,
    every: str,
    as_json: bool,
) -> int:
    """Ask every address of a local network who has it, by ARP or ND, and remember the answers.

    It is a scan as any other (scan list), with all limits. NETWORK may be an address or a range; without it the
    only local IPv4 network is meant. An IPv6 network is too wide to be counted through: those addresses are
    asked that are known, or that known lladdrs have by EUI-64; fe80::/64 means the link-local ones.
    """
    if every:
        repeated, scan_id = line.run(
            lambda services, actor: _repeat(services, actor, network, interface, every), follow=True
        )
        if as_json:
            print_json(schedule_document(repeated) | {"scan": scan_id})
        else:
            say(
                f"scan {scan_id} runs, and again {repeated.words}: netmon-tui schedule show '{repeated.name}'"
            )
        return 0
    if dry_run:
        planned = line.run(lambda services, actor: services.segment.sweeps.plan(actor, network, interface))
        _print_plan(planned, as_json)
        return 0
    if detach:
        started = line.run(lambda services, actor: _start(services, actor, network, interface))
        print_json(scan_document(started)) if as_json else print(started.id)
        return 0
    return _print_answers(
        *line.run(lambda services, actor: _run(services, actor, network, interface), follow=True), as_json
    )


def _print_plan(planned: Sweep, as_json: bool) -> None:
    from netmon_tui.cli.scan_preview import preview_document, print_preview

    if as_json:
        print_json(preview_document(planned.preview) | {"interface": planned.network.interface})
    else:
        print_preview(planned.preview)


async def _plan(services: Services, actor: Actor, network: str, interface: str) -> Sweep:
    """Return the sweep; tell what is peculiar to it."""
    planned = await services.segment.sweeps.plan(actor, network, interface)
    for warning in planned.warnings:
        say(f"warning: {warning}")
    return planned


async def _start(services: Services, actor: Actor, network: str, interface: str) -> Scan:
    planned = await _plan(services, actor, network, interface)
    return await services.scanning.start(actor, planned.request)


async def _repeat(
    services: Services, actor: Actor, network: str, interface: str, every: str
) -> tuple[Schedule, int]:
    when = services.schedules.when(every=every)
    planned = await _plan(services, actor, network, interface)
    repeated = await services.schedules.create(actor, services.segment.sweeps.repeating(planned, when))
    return repeated, await services.schedules.run_now(actor, repeated)


async def _run(
    services: Services, actor: Actor, network: str, interface: str
) -> tuple[FoundScan, list[NeighbourRecord], bool]:
    from netmon_tui.cli.scan import run_scan

    planned = await _plan(services, actor, network, interface)
    found, pressed = await run_scan(services, actor, planned.request)
    up = {host.address for host in found[1] if host.status == "up"}
    return found, await services.segment.pivots.answers(actor, planned, found[0], up), pressed


def _print_answers(found: FoundScan, answers: list[NeighbourRecord], pressed: bool, as_json: bool) -> int:
    ended, hosts, _ = found
    if as_json:
        print_json(scan_document(ended, hosts) | {"neighbours": [neighbour_document(one) for one in answers]})
    else:
        print_table(_COLUMNS, map(_row, answers))
        say(
            f"scan {ended.id} is {ended.state}: {len(answers)} answered{f'; {ended.error}' if ended.error else ''}"
        )
    return INTERRUPTED if pressed else int(ended.state is not JobState.COMPLETED)


def _row(record: NeighbourRecord) -> tuple[object, ...]:
    return (
        record.address,
        record.lladdr,
        f"{record.vendor} (private)".strip() if record.private else record.vendor,
        record.interface,
        moment(record.first_seen),
    )
