"""``scan diff``: what changed between two scans."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import PROGRAM, print_json, print_table, say, say_error
from netmon_tui.domain.documents import comparison_document, sifted_document
from netmon_tui.errors import NetmonError, NotFound

if TYPE_CHECKING:
    from netmon_tui.domain.comparison import ChangeLine, Comparison
    from netmon_tui.domain.ignoring import Sifted
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

CANNOT_COMPARE = 2
_COLUMNS = ("CHANGE", "SEVERITY", "ADDRESS", "WHAT", "BEFORE", "AFTER")
_log = logging.getLogger(__name__)


@click.command()
@click.argument("scans", metavar="[A] B", type=int, nargs=-1, required=True)
@click.option("--no-ignore", is_flag=True, help="Show also what ignore rules leave out.")
@json_option
@pass_line
def diff(line: CommandLine, scans: tuple[int, ...], no_ignore: bool, as_json: bool) -> int:
    """Show what changed from scan A to scan B.

    Without A, since the pinned scan of B's targets or else the completed run before B. Exits with 0 when nothing
    changed that is not ignored (netmon-tui ignore list), 1 when something did, and 2 on every error.
    """
    if len(scans) > 2:
        raise click.UsageError("two scans are compared, not more")
    try:
        sifted = line.run(lambda services, actor: _sifted(services, actor, *scans[::-1]), follow=True)
        return _print(sifted, sifted.whole if no_ignore else sifted.kept, no_ignore, as_json)
    except NetmonError as error:
        say_error(error)
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - exit status 1 would say that something changed
        say(f"{PROGRAM}: unexpected {type(error).__name__}: {error}")
        _log.error("unexpected %s", type(error).__name__, exc_info=error)
    return CANNOT_COMPARE


async def _sifted(services: Services, actor: Actor, later: int, earlier: int | None = None) -> Sifted:
    if earlier is None:
        found = await services.comparison.predecessor(actor, later)
        if found is None:
            raise NotFound(f"no completed scan of its targets came before scan {later}", fix="name two scans")
        earlier = found.id
    return await services.comparison.sifted(actor, earlier, later)


def _print(sifted: Sifted, shown: Comparison, no_ignore: bool, as_json: bool) -> int:
    if as_json:
        print_json(comparison_document(shown) if no_ignore else sifted_document(sifted))
    else:
        say(f"since scan {shown.a}:")
        rows = map(_row, shown.lines())
        print_table(_COLUMNS, rows) if shown.hosts else say("nothing changed")
    for note in shown.notes:
        say(note)
    if sifted.count and not no_ignore:
        say(f"{sifted} (--no-ignore shows them)")
    return int(bool(shown.hosts))


def _row(one: ChangeLine) -> tuple[object, ...]:
    return one.change, one.severity, one.address, one.subject, one.before, one.after
