"""``audit``: who did what."""

from __future__ import annotations

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import moment, print_json, print_table
from netmon_tui.domain.documents import audit_document
from netmon_tui.domain.window import Window

_COLUMNS = ("TIME", "ACTOR", "ACTION", "SUBJECT", "DETAIL")


@click.group()
def audit() -> None:
    """The audit trail: who did what, for administrators."""


@audit.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@json_option
@pass_line
def list_events(line: CommandLine, limit: int, as_json: bool) -> None:
    """List events, newest first."""
    found = line.run(lambda services, actor: services.activity.audit(actor, Window(limit=limit)))
    if as_json:
        print_json([audit_document(event) for event in found])
        return
    rows = [(moment(event.time), event.actor, event.action, event.subject, event.detail) for event in found]
    print_table(_COLUMNS, rows)
