"""``schedule``: scans and captures that repeat by interval or cron expression."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import moment, print_json, print_pairs, print_table, yes_no
from netmon_tui.cli.schedule_capture import capture
from netmon_tui.cli.schedule_options import report, time_options
from netmon_tui.domain.documents import schedule_document
from netmon_tui.domain.schedule import SaveSchedule, Schedule
from netmon_tui.errors import InvalidInput

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

T = TypeVar("T")
_COLUMNS = ("NAME", "WHERE", "WHAT", "WHEN", "NEXT", "LAST", "STATE", "CHANGES", "OWNER", "ERROR")
_reference = click.argument("name", metavar="NAME")
_profile = click.option("--profile", metavar="NAME", help="One of: netmon-tui profile list.")
_args = click.option("--args", "arguments", metavar="OPTIONS", help='nmap options, as "-sT -p 22,80".')
_confirm = click.option(
    "--confirm-intrusive", "confirmed", is_flag=True, help="Let it run scripts that may do harm."
)
_stages = click.option(
    "--stages/--one-nmap",
    "staged",
    default=None,
    help="Whether several nmaps may do it in stages, where that is faster.",
)


@click.group()
def schedule() -> None:
    """Schedules: scans and captures that repeat, started by any running netmon-tui or by `netmon-tui worker`.

    NAME alone is one of your own; OWNER/NAME is another user's, for administrators.
    """


schedule.add_command(capture)


@schedule.command()
@_reference
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@_profile
@_args
@time_options
@_confirm
@_stages
@click.option("--disabled", is_flag=True, help="Let it not run yet.")
@json_option
@pass_line
def add(
    line: CommandLine,
    name: str,
    targets: tuple[str, ...],
    profile: str | None,
    arguments: str | None,
    every: str | None,
    cron: str | None,
    zone: str | None,
    catch_up: bool | None,
    confirmed: bool,
    staged: bool | None,
    disabled: bool,
    as_json: bool,
) -> None:
    """Scan targets again and again.

    An interval counts from now on. A cron expression goes by the clock of its time zone: a time that the
    change of the clock leaves out runs right after it, and one that comes twice runs once.
    """
    _refuse_both(profile, arguments)

    async def work(services: Services, actor: Actor) -> Schedule:
        when = services.schedules.when(every=every or "", cron=cron or "", zone=zone or "")
        new = SaveSchedule(
            name,
            targets,
            when,
            profile or "",
            arguments or "",
            catch_up is not False,
            confirmed,
            staged is not False,
        )
        return await services.schedules.create(actor, new, enabled=not disabled)

    report(line.run(work), "added", as_json)


@schedule.command("list")
@json_option
@pass_line
def list_schedules(line: CommandLine, as_json: bool) -> None:
    """List schedules, with how their last scans and captures went."""

    async def work(services: Services, actor: Actor) -> tuple[list[Schedule], Actor]:
        return await services.schedules.find_all(actor), actor

    found, actor = line.run(work, follow=True)
    if as_json:
        print_json([schedule_document(one) for one in found])
        return
    print_table(_COLUMNS, [_row(one, actor) for one in found])


def _row(one: Schedule, actor: Actor) -> tuple[object, ...]:
    return (
        one.reference_for(actor),
        one.target_words,
        one.option_words,
        one.words,
        moment(one.next_run) or "disabled",
        one.last_words,
        one.last_state or "",
        one.last_changes or "",
        one.owner,
        one.last_error,
    )


@schedule.command()
@_reference
@json_option
@pass_line
def show(line: CommandLine, name: str, as_json: bool) -> None:
    """Show one schedule, with its next five run times."""

    async def work(
        services: Services, actor: Actor, found: Schedule
    ) -> tuple[Schedule, tuple[datetime, ...]]:
        return found, await services.schedules.times(found)

    found, times = _run_on(line, name, work)
    if as_json:
        print_json(schedule_document(found, times))
        return
    last = f"{found.last_words}, {found.last_state or 'deleted'}" if found.last_words else ""
    print_pairs(
        [
            ("name", found.name),
            ("capture", "" if found.capture is None else f"on {found.target_words}: {found.option_words}"),
            ("targets", " ".join(found.targets)),
            ("profile", found.profile),
            ("arguments", found.arguments),
            ("when", found.words),
            ("cron", found.when.cron),
            ("zone", found.when.zone),
            ("catch up", yes_no(found.catch_up)),
            ("enabled", yes_no(found.enabled)),
            ("owner", found.owner),
            ("last run", moment(found.last_run)),
            (f"last {found.noun}", f"{last} {found.last_changes or ''}".strip()),
            ("last error", found.last_error),
            *(("next", time.isoformat(timespec="seconds")) for time in times),
        ]
    )


@schedule.command()
@_reference
@click.option("--name", "new_name", metavar="TEXT", help="Another name.")
@click.option("--target", "targets", metavar="TARGET", multiple=True, help="Other targets; repeatable.")
@_profile
@_args
@time_options
@_confirm
@_stages
@json_option
@pass_line
def edit(
    line: CommandLine,
    name: str,
    new_name: str | None,
    targets: tuple[str, ...],
    profile: str | None,
    arguments: str | None,
    every: str | None,
    cron: str | None,
    zone: str | None,
    catch_up: bool | None,
    confirmed: bool,
    staged: bool | None,
    as_json: bool,
) -> None:
    """Change what is given; the rest stays."""
    _refuse_both(profile, arguments)
    nothing = {new_name, profile, arguments, every, cron, zone, catch_up, staged} == {None}
    if nothing and not targets and not confirmed:
        raise click.UsageError("nothing to change: netmon-tui schedule edit --help lists what can be")

    async def work(services: Services, actor: Actor, found: Schedule) -> Schedule:
        new = found.saved
        if found.capture and (targets or profile or arguments or confirmed or staged is not None):
            raise InvalidInput(f"{found.name} captures: it has no targets and options of nmap")
        if (every, cron) != (None, None):
            when = services.schedules.when(every=every or "", cron=cron or "", zone=zone or new.when.zone)
            new = replace(new, when=when)
        elif zone is not None:
            new = replace(new, when=replace(new.when, zone=zone))
        if (profile, arguments) != (None, None):
            new = replace(new, profile=profile or "", arguments=arguments or "", confirmed=confirmed)
        elif confirmed:
            new = replace(new, confirmed=True)
        new = replace(new, name=new.name if new_name is None else new_name, targets=targets or new.targets)
        if catch_up is not None:
            new = replace(new, catch_up=catch_up)
        if staged is not None:
            new = replace(new, staged=staged)
        return await services.schedules.change(actor, found, new)

    report(_run_on(line, name, work), "changed", as_json)


@schedule.command()
@_reference
@json_option
@pass_line
def enable(line: CommandLine, name: str, as_json: bool) -> None:
    """Let a schedule run, from now on."""
    _carry_out(
        line, name, lambda s, actor, one: s.schedules.enable(actor, one, enabled=True), "enabled", as_json
    )


@schedule.command()
@_reference
@json_option
@pass_line
def disable(line: CommandLine, name: str, as_json: bool) -> None:
    """Let a schedule run no longer; what runs goes on."""
    _carry_out(
        line, name, lambda s, actor, one: s.schedules.enable(actor, one, enabled=False), "disabled", as_json
    )


@schedule.command()
@_reference
@pass_line
def delete(line: CommandLine, name: str) -> None:
    """Delete a schedule; its scans and captures stay."""
    _carry_out(line, name, lambda s, actor, one: s.schedules.delete(actor, one), "deleted", as_json=False)


@schedule.command()
@_reference
@json_option
@pass_line
def run(line: CommandLine, name: str, as_json: bool) -> None:
    """Start the scan or capture of a schedule now and print its id; it goes on by itself."""

    async def work(services: Services, actor: Actor, found: Schedule) -> tuple[str, int]:
        return found.noun, await services.schedules.run_now(actor, found)

    noun, number = _run_on(line, name, work, follow=True)
    print_json({noun: number}) if as_json else print(number)


def _carry_out(
    line: CommandLine,
    name: str,
    change: Callable[[Services, Actor, Schedule], Awaitable[Schedule | None]],
    done: str,
    as_json: bool,
) -> None:
    """Change a schedule, or delete it, and say what was done."""

    async def work(services: Services, actor: Actor, found: Schedule) -> Schedule:
        return await change(services, actor, found) or found

    report(_run_on(line, name, work), done, as_json)


def _refuse_both(profile: str | None, arguments: str | None) -> None:
    if profile and arguments:
        raise click.UsageError("--profile and --args exclude each other")


def _run_on(
    line: CommandLine,
    name: str,
    work: Callable[[Services, Actor, Schedule], Awaitable[T]],
    *,
    follow: bool = False,
) -> T:
    """Find a schedule by what it is called and carry out a command on it."""

    async def found(services: Services, actor: Actor) -> T:
        return await work(services, actor, await services.schedules.find(actor, name))

    return line.run(found, follow=follow)
