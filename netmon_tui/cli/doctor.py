"""``doctor``: whether everything the program needs is there, and what to do if not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import print_json, print_line, say
from netmon_tui.domain.check import Check, CheckStatus
from netmon_tui.domain.documents import check_document
from netmon_tui.errors import NetmonError


@click.command()
@json_option
@pass_line
def doctor(line: CommandLine, as_json: bool) -> int:
    """Check tools, versions, privileges, terminal and storage; needs no login.

    Exits with 3 (tool), 4 (privilege) or 5 (storage) when a check fails.
    """
    checks = asyncio.run(_examine(line))
    if as_json:
        print_json({"checks": [check_document(check) for check in checks]})
    else:
        _print_checks(checks)
    return max((check.exit_code or 1 for check in checks if check.status is CheckStatus.FAIL), default=0)


async def _examine(line: CommandLine) -> list[Check]:
    """Return all checks; settings that cannot be read are one that failed."""
    from netmon_tui.config.settings import Settings
    from netmon_tui.services.container import open_doctor

    found: list[Check] = []
    settings = Settings()
    try:
        settings = line.settings
    except NetmonError as error:
        detail = f"{error.what}: {error.why}" if error.why else error.what
        found.append(Check("settings", CheckStatus.FAIL, detail, error.fix, error.exit_code))
    examined, close = open_doctor(settings, line.paths)
    try:
        return found + await examined.run()
    finally:
        close()


def _print_checks(checks: Sequence[Check]) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        print_line(f"{check.status:<4}  {check.name:<{width}}  {check.detail}")
        if check.fix and check.status is not CheckStatus.OK:
            print_line(f"{'':<4}  {'':<{width}}  -> {check.fix}")
    worst = sum(check.status is CheckStatus.FAIL for check in checks)
    say("all that is needed is there" if not worst else f"{worst} failed")
