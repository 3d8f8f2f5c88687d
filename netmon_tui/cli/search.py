"""``search`` and ``scan search``: find hosts and ports in all scans, and keep searches under a name."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.kept import print_usable
from netmon_tui.cli.output import moment, print_json, print_table, say, write_export
from netmon_tui.domain.documents import found_document, saved_search_document
from netmon_tui.domain.host import Service
from netmon_tui.domain.search import FIRST_PAGE, SEARCH_FORMATS, FoundPort
from netmon_tui.errors import InvalidInput

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

QUERY_HELP = """\b
    words or "quoted words"    any text
    open: closed: filtered: unfiltered: open|filtered: closed|filtered:
                               ports, as open:443 or open:22,8000-8100 or open:53/udp
    service: product: version: cpe: script: os: vendor: lladdr:
    target:                    an address, a network, or part of a name
    profile: option: owner: name: state:
    after: before: date:       2026-11-01, today, yesterday, -7 (days), -12h
    inroute:                   a hop on the way
    !TERM or not:TERM inverts; all terms must be met; A or B: one of them."""
_COLUMNS = ("SCAN", "ADDRESS", "NAME", "PORT", "STATE", "SERVICE", "VERSION", "SEEN")


@click.command(
    "search",
    help=f"""Find hosts and ports in all scans, the newest scan first.

    QUERY is made of terms as in Zenmap:

    {QUERY_HELP}

    Every line must meet all terms: open:22 open:443 finds no port. `scan list --filter` finds scans with both.""",
)
@click.argument("query", default="")
@click.option("--saved", metavar="NAME", help="Use a saved search; a QUERY is added to it.")
@click.option("--save", metavar="NAME", help="Also keep the search under a name.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000_000), metavar="N", help=f"Lines; {FIRST_PAGE:,} unless exported."
)
@click.option("--format", "form", type=click.Choice(SEARCH_FORMATS), help="Export all that is found.")
@click.option(
    "--output", metavar="FILE", type=click.Path(path_type=Path), help="Export to a new file, not stdout."
)
@json_option
@pass_line
def scan_search(
    line: CommandLine,
    query: str,
    saved: str | None,
    save: str | None,
    limit: int | None,
    form: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Find hosts and ports in all scans."""
    if output is not None and form is None:
        raise click.UsageError(f"--output needs --format: {', '.join(SEARCH_FORMATS)}")

    async def work(services: Services, actor: Actor) -> None:
        text = query
        if saved is not None:
            text = f"{(await services.search.saved(actor, saved)).text} {query}".strip()
        if not text.strip():
            raise InvalidInput("there is nothing to look for", fix="give a QUERY, or --saved NAME")
        if save is not None:
            await services.search.save(actor, save, text)
        if form is not None:
            await _export(services, actor, text, form, output, limit)
            return
        most = limit or FIRST_PAGE
        _print(await services.search.find(actor, text, most + 1), most, as_json)

    line.run(work, follow=True)


async def _export(
    services: Services, actor: Actor, text: str, form: str, output: Path | None, limit: int | None
) -> None:
    if output is not None:
        say(f"written to {await services.search.export(actor, text, form, output, limit)}")
        return
    chunks = await services.search.chunks(actor, text, form, limit)
    await asyncio.to_thread(write_export, chunks, sys.stdout)


def _print(found: list[FoundPort], most: int, as_json: bool) -> None:
    if as_json:
        print_json([found_document(one) for one in found[:most]])
    else:
        print_table(_COLUMNS, map(_row, found[:most]))
    if len(found) > most:
        say(f"there are more than {most:,}: narrow the search, or give --limit or --format")


def _row(one: FoundPort) -> tuple[object, ...]:
    service = one.service or Service()
    version = " ".join(filter(None, (service.product, service.version, service.extrainfo)))
    port = "" if one.number is None else f"{one.number}/{one.protocol}"
    seen = "" if one.seen is None else moment(datetime.fromtimestamp(one.seen, UTC))
    return one.scan, one.address, one.hostname, port, one.state, service.name, version, seen


@click.group()
def search() -> None:
    """Saved searches: your own, and those that others share, as OWNER/NAME."""


@search.command("list")
@json_option
@pass_line
def list_saved(line: CommandLine, as_json: bool) -> None:
    """List the saved searches that you may use."""
    print_usable(
        line,
        lambda services, actor: services.search.usable(actor),
        ("QUERY",),
        lambda one: (one.text,),
        as_json,
    )


@search.command()
@click.argument("name")
@click.argument("query")
@click.option("--share", is_flag=True, help="Let everybody see and use it.")
@json_option
@pass_line
def save(line: CommandLine, name: str, query: str, share: bool, as_json: bool) -> None:
    """Keep a search under a name; one of yours under that name is replaced."""
    kept = line.run(lambda services, actor: services.search.save(actor, name, query, shared=share))
    print_json(saved_search_document(kept)) if as_json else say(f"{kept.name}: saved")


@search.command()
@click.argument("name")
@pass_line
def delete(line: CommandLine, name: str) -> None:
    """Delete a saved search."""

    async def work(services: Services, actor: Actor) -> None:
        await services.search.delete(actor, await services.search.saved(actor, name))

    line.run(work)
    say(f"{name}: deleted")
