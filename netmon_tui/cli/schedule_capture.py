"""``schedule capture``: captures that repeat."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from netmon_tui.cli.capture_files import rotating
from netmon_tui.cli.capture_starting import request_of, request_options
from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.filter_place import placed
from netmon_tui.cli.schedule_options import report, time_options
from netmon_tui.domain.job import Rotation
from netmon_tui.domain.schedule import SaveSchedule, Schedule

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services


@click.command()
@click.argument("name", metavar="NAME")
@click.argument("interfaces", metavar="INTERFACE...", nargs=-1, required=True)
@request_options
@rotating
@time_options
@click.option("--disabled", is_flag=True, help="Let it not run yet.")
@json_option
@pass_line
def capture(
    line: CommandLine,
    /,
    name: str,
    interfaces: tuple[str, ...],
    every: str | None,
    cron: str | None,
    zone: str | None,
    catch_up: bool | None,
    disabled: bool,
    rotation: Rotation,
    as_json: bool,
    **asked: Any,
) -> None:
    """Capture again and again, each time until a limit is reached, of which one is needed.

    With --format pcapng several interfaces give one capture, as with capture run. Otherwise make a schedule
    for each interface: one starts one capture.

    As --cron "0 8 * * *" --duration 600: every day from 08:00 on for ten minutes.
    """
    request = replace(
        request_of(line.settings.captures, ",".join(dict.fromkeys(interfaces)), asked), rotation=rotation
    )

    async def work(services: Services, actor: Actor) -> Schedule:
        when = services.schedules.when(every=every or "", cron=cron or "", zone=zone or "")
        new = SaveSchedule(name, (), when, catch_up=catch_up is not False, capture=request)
        return await services.schedules.create(actor, new, enabled=not disabled)

    with placed(request.filter):
        report(line.run(work), "added", as_json)
