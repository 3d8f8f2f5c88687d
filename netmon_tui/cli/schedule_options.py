"""What the commands of schedules have in common: the options of times, and what is told of a change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from netmon_tui.cli.output import moment, print_json, say
from netmon_tui.domain.documents import schedule_document
from netmon_tui.domain.schedule import Schedule

F = TypeVar("F", bound=Callable[..., Any])
_TIMES = (
    click.option("--every", metavar="SPAN", help="An interval, as 30m, 12h or 1d12h."),
    click.option("--cron", metavar="EXPRESSION", help='Five fields, as "0 3 * * mon-fri", or @daily.'),
    click.option("--zone", metavar="NAME", help="Time zone of the expression; this machine's, if not given."),
    click.option(
        "--catch-up/--skip-missed",
        "catch_up",
        default=None,
        help="Make up for a missed run once (the default)?",
    ),
)


def time_options(command: F) -> F:
    """Give a command ``every``, ``cron``, ``zone`` and ``catch_up``, each None when it is not given."""
    for option in reversed(_TIMES):
        command = option(command)
    return command


def report(found: Schedule, what: str, as_json: bool) -> None:
    """Print a schedule that was changed, or say in a line what happened to it."""
    if as_json:
        print_json(schedule_document(found))
    else:
        then = f", next {moment(found.next_run)}" if found.enabled and what != "deleted" else ""
        say(f"{found.name}: {what}{then}")
