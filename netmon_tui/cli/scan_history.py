"""``scan history``: one address over all scans, and how it was at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import moment, print_json, print_line, print_table, say
from netmon_tui.domain.counted import counted
from netmon_tui.domain.history_documents import history_document, host_then_document
from netmon_tui.domain.moment import parse_moment
from netmon_tui.errors import NotFound

if TYPE_CHECKING:
    from netmon_tui.domain.history import HostHistory, HostThen, Seen

_COLUMNS = ("WHAT", "SINCE", "LAST SEEN", "GONE", "SCANS", "SERVICE")
_COLUMNS_THEN = ("PORT", "STATE", "SERVICE", "KNOWN FROM", "AGE")


@click.command()
@click.argument("address", metavar="ADDRESS")
@click.option(
    "--port", "number", metavar="N", type=click.IntRange(0, 65_535), help="Only ports of this number."
)
@click.option("--at", "when", metavar="WHEN", help="As it was then: 2026-11-03T14:00, 2026-11-03, -7d, -12h.")
@json_option
@pass_line
def history(line: CommandLine, address: str, number: int | None, when: str | None, as_json: bool) -> None:
    """Show since when a host is up and its ports are open, over all your scans.

    Completed scans count, each for the ports that it asked for; a host is known by its address alone. With --at,
    what the scans until then tell, of each port the last one that asked for it; a date alone is its end.
    """
    then = None if when is None else parse_moment(when, datetime.now(UTC))
    found = line.run(lambda services, actor: services.history.of(actor, address), follow=True)
    if not found.looks:
        raise NotFound(f"no completed scan of yours asked for {address}", fix="netmon-tui scan list")
    if then is None:
        print_json(history_document(found, number)) if as_json else _print(found, number)
        return
    known = found.at(then)
    if known.seen is None and not known.ports:
        raise NotFound(f"no completed scan of {found.address} until {moment(then)}")
    if as_json:
        print_json(host_then_document(found.address, known, number))
    else:
        _print_then(found.address, known, number)


def _print(found: HostHistory, number: int | None) -> None:
    print_table(_COLUMNS, _rows(found, number))
    say(f"{counted(len(found.looks), 'scan')} asked for {found.address}")


def _rows(found: HostHistory, number: int | None) -> Iterator[tuple[object, ...]]:
    named = [("up", found.up)] if number is None else []
    named += [
        (f"{n}/{protocol}", spans) for (protocol, n), spans in found.ports.items() if number in (None, n)
    ]
    for name, spans in named:
        for one in spans:
            yield name, _seen(one.first), _seen(one.last), _seen(one.ended), one.scans, one.service


def _seen(seen: Seen | None) -> str:
    return "" if seen is None else f"{moment(seen.time)} (scan {seen.scan_id})"


def _print_then(address: str, known: HostThen, number: int | None) -> None:
    word = "not known" if known.up is None else "up" if known.up else "down"
    told = f", known from scan {known.seen.scan_id}, {_age(known, known.seen)} old" if known.seen else ""
    print_line(f"{address} at {moment(known.moment)}: {word}{told}")
    rows = [
        (f"{port.number}/{port.protocol}", port.facts.state, port.facts.words,
         f"scan {port.seen.scan_id} {moment(port.seen.time)}", _age(known, port.seen))
        for port in known.ports
        if number in (None, port.number)
    ]  # fmt: skip
    print_table(_COLUMNS_THEN, rows) if rows else say("no open port is known")


def _age(known: HostThen, seen: Seen) -> str:
    seconds = (known.moment - seen.time).total_seconds()
    days, rest = divmod(int(seconds), 86_400)
    return f"{days}d {rest // 3600}h" if days else f"{rest // 3600}h {rest % 3600 // 60}m"
