"""``scan pause|continue|resume|skip``: what can be done with a scan between its start and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, pass_line
from netmon_tui.cli.output import say
from netmon_tui.domain.counted import counted
from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import Scan

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_scan_id = click.argument("scan_id", metavar="ID", type=int)


@click.command()
@_scan_id
@pass_line
def pause(line: CommandLine, scan_id: int) -> None:
    """Halt a running scan; scan continue lets it go on."""
    line.run(lambda services, actor: services.scanning.pause(actor, scan_id), follow=True)
    say(f"scan {scan_id} is paused")


@click.command("continue")
@_scan_id
@pass_line
def continue_scan(line: CommandLine, scan_id: int) -> None:
    """Let a paused scan go on, once one of the places of scans.at_once is free."""
    scan = line.run(
        lambda services, actor: services.scanning.pause(actor, scan_id, paused=False), follow=True
    )
    say(f"scan {scan_id} {'waits for its turn' if scan.state is JobState.QUEUED else 'goes on'}")


@click.command()
@_scan_id
@click.option("--detach", is_flag=True, help="Return at once; the scan goes on by itself.")
@pass_line
def resume(line: CommandLine, scan_id: int, detach: bool) -> None:
    """Go on with a scan that was stopped or interrupted: what is finished is not scanned again."""

    async def work(services: Services, actor: Actor) -> Scan:
        resumed = await services.scanning.resume(actor, scan_id)
        return resumed if detach else await services.scanning.wait(actor, scan_id)

    _say_state(line.run(work, follow=not detach))


@click.command()
@_scan_id
@click.argument("address", metavar="ADDRESS")
@pass_line
def skip(line: CommandLine, scan_id: int, address: str) -> None:
    """Give up a host that keeps a running scan waiting; the rest goes on.

    A scan that one nmap does is stopped for it and goes on without the host: the hosts that it was at begin anew.
    """
    _say_state(line.run(lambda services, actor: services.scanning.skip(actor, scan_id, address), follow=True))


def _say_state(scan: Scan) -> None:
    say(f"scan {scan.id} is {scan.state}: {scan.hosts_up} up, {counted(scan.ports_open, 'open port')}")
