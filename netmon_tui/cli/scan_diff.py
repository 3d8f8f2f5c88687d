"""``scan diff``: what changed between two scans."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import PROGRAM, print_json, print_line, print_table, say, say_error
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
@click.option("--outputs", is_flag=True, help="Show also how outputs of scripts differ, line by line.")
@json_option
@pass_line
def diff(line: CommandLine, scans: tuple[int, ...], no_ignore: bool, outputs: bool, as_json: bool) -> int:
    """Show what changed from scan A to scan B.

    Without A, since the pinned scan of B's targets or else the completed run before B. Exits with 0 when nothing
    changed that is not ignored (netmon-tui ignore list), 1 when something did, and 2 on every error.
    """
    if len(scans) > 2:
        raise click.UsageError("two scans are compared, not more")
    try:
        told = line.run(
            lambda services, actor: _told(services, actor, scans[::-1], no_ignore, outputs), follow=True
        )
        return _print(told, no_ignore, as_json)
    except NetmonError as error:
        say_error(error)
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - exit status 1 would say that something changed
        say(f"{PROGRAM}: unexpected {type(error).__name__}: {error}")
        _log.error("unexpected %s", type(error).__name__, exc_info=error)
    return CANNOT_COMPARE


class _Told(NamedTuple):
    """What is printed."""

    sifted: Sifted
    shown: Comparison
    differences: dict[ChangeLine, list[str]]
    """How outputs of scripts differ; empty when that was not asked for."""


async def _told(
    services: Services, actor: Actor, scans: Sequence[int], no_ignore: bool, outputs: bool
) -> _Told:
    sifted = await _sifted(services, actor, *scans)
    shown = sifted.whole if no_ignore else sifted.kept
    found = {}
    for one in shown.lines() if outputs else ():
        if one.script is not None:
            found[one] = await services.comparison.difference(actor, shown.a, shown.b, one)
    return _Told(sifted, shown, found)


async def _sifted(services: Services, actor: Actor, later: int, earlier: int | None = None) -> Sifted:
    if earlier is None:
        found = await services.comparison.predecessor(actor, later)
        if found is None:
            raise NotFound(f"no completed scan of its targets came before scan {later}", fix="name two scans")
        earlier = found.id
    return await services.comparison.sifted(actor, earlier, later)


def _print(told: _Told, no_ignore: bool, as_json: bool) -> int:
    sifted, shown = told.sifted, told.shown
    if as_json:
        print_json(_document(told, no_ignore))
    else:
        say(f"since scan {shown.a}:")
        rows = map(_row, shown.lines())
        print_table(_COLUMNS, rows) if shown.hosts else say("nothing changed")
        for text in _differences(told):
            print_line(text)
    for note in shown.notes:
        say(note)
    if sifted.count and not no_ignore:
        say(f"{sifted} (--no-ignore shows them)")
    return int(bool(shown.hosts))


def _document(told: _Told, no_ignore: bool) -> dict[str, Any]:
    """Return the comparison; each script with its ``difference`` when that was asked for."""
    document = comparison_document(told.shown) if no_ignore else sifted_document(told.sifted)
    if told.differences:
        found = iter(told.differences.values())
        for host in document["hosts"]:
            for script in host["scripts"]:
                script["difference"] = next(found)
    return document


def _differences(told: _Told) -> Iterator[str]:
    for one, lines in told.differences.items():
        yield f"{one.address} {one.what}:"
        yield from (f"  {text}" for text in lines)


def _row(one: ChangeLine) -> tuple[object, ...]:
    return one.change, one.severity, one.address, one.what, one.before, one.after
