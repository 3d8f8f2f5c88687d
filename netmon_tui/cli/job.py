"""``job``: everything that runs or ran."""

from __future__ import annotations

import shlex

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import moment, print_json, print_table
from netmon_tui.domain.documents import job_document
from netmon_tui.domain.window import Window

_COLUMNS = ("ID", "KIND", "SUBJECT", "OWNER", "STATE", "PID", "STARTED", "FINISHED", "COMMAND", "ERROR")


@click.group()
def job() -> None:
    """Jobs: everything that runs or ran."""


@job.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@json_option
@pass_line
def list_jobs(line: CommandLine, limit: int, as_json: bool) -> None:
    """List jobs, newest first."""
    found = line.run(lambda services, actor: services.activity.jobs(actor, Window(limit=limit)), follow=True)
    if as_json:
        print_json([job_document(one) for one in found])
        return
    rows = [
        (
            one.id,
            one.kind,
            one.subject_id,
            one.owner,
            one.state,
            one.pid or "",
            moment(one.started),
            moment(one.finished),
            shlex.join(one.command),
            one.error,
        )
        for one in found
    ]
    print_table(_COLUMNS, rows)
