"""``neighbour hooks``: where events are passed on to, and whether that works."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import moment, print_json, print_line, print_table, say
from netmon_tui.domain.documents import timestamp

if TYPE_CHECKING:
    from netmon_tui.domain.hook import HookReport
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_COLUMNS = ("NAME", "KIND", "TO", "LEAST", "EVENTS", "SENT", "LEFT OUT", "LAST SENT", "PROBLEM")


@click.command()
@click.option("--test", "name", metavar="NAME", help="Pass an example on, and print what came of it.")
@json_option
@pass_line
def hooks(line: CommandLine, name: str | None, as_json: bool) -> None:
    """List the hooks, which pass events on to programs, URLs and the system's log, and what is wrong with each.

    They are written down in hooks.toml beside the configuration file.
    """
    if name is not None:
        line.run(lambda services, actor: _test(services, actor, name))
        return
    found = line.run(lambda services, actor: services.segment.hooks.reports(actor))
    if as_json:
        print_json([_document(report) for report in found])
    elif found:
        print_table(_COLUMNS, map(_row, found))
    else:
        say(f"there are no hooks: write some into {line.paths.hooks_file}")


async def _test(services: Services, actor: Actor, name: str) -> None:
    began = time.monotonic()
    words = await services.segment.hooks.test(actor, name)
    print_line(f"hook {name}: {words} ({time.monotonic() - began:.1f} s)")


def _row(report: HookReport) -> tuple[object, ...]:
    hook, record = report.hook, report.record
    return (
        hook.name,
        hook.kind,
        hook.target,
        hook.least,
        ", ".join(hook.events) or "all",
        record.sent,
        record.left_out,
        moment(record.last_sent),
        report.problem or _failure(report),
    )


def _failure(report: HookReport) -> str:
    record = report.record
    return f"{record.failure}, at {moment(record.failed)}" if record.is_failing else ""


def _document(report: HookReport) -> dict[str, Any]:
    hook, record = report.hook, report.record
    return {
        "name": hook.name,
        "kind": hook.kind.value,
        "to": hook.target,
        "least": hook.least.value,
        "events": [kind.value for kind in hook.events],
        "timeout": hook.timeout,
        "per_minute": hook.per_minute,
        "problem": report.problem,
        "sent": record.sent,
        "left_out": record.left_out,
        "last_sent": timestamp(record.last_sent),
        "failures": record.failures,
        "failure": record.failure,
        "failed": timestamp(record.failed),
        "failing": record.is_failing,
    }
