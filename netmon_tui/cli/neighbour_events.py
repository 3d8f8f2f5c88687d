"""``neighbour events`` and what is done about them: acknowledge, mute, unmute."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import moment, print_json, print_table, say
from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.moment import parse_moment
from netmon_tui.domain.neighbour_event import EventFilter, Mute, NeighbourEventKind
from netmon_tui.domain.neighbour_event_documents import mute_document, neighbour_event_document
from netmon_tui.domain.neighbour_event_words import sentence
from netmon_tui.domain.window import Window
from netmon_tui.errors import UsageError

if TYPE_CHECKING:
    from netmon_tui.domain.neighbour_event import NeighbourEvent
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_COLUMNS = ("ID", "LAST", "SEVERITY", "KIND", "COUNT", "WHAT", "ACKNOWLEDGED")
_MUTE_COLUMNS = ("ID", "MUTES", "UNTIL", "BY")
_KINDS = click.Choice([kind.value for kind in NeighbourEventKind])
_kind = click.option("--kind", type=_KINDS, help="Only of this kind.")
_address = click.option("--address", default="", metavar="A", help="Only of this address.")
_lladdr = click.option(
    "--lladdr", default="", metavar="L", help="Only of this lladdr, also as the former holder."
)


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also those that somebody has acknowledged.")
@click.option("--muted", is_flag=True, help="Also those that are muted.")
@click.option(
    "--severity",
    type=click.Choice([severity.value for severity in Severity]),
    help="Only of this severity or a higher one.",
)
@_kind
@_address
@_lladdr
@click.option("--since", metavar="WHEN", help="Only what happened since: -7d, -12h, 2026-11-03T14:00.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@json_option
@pass_line
def events(
    line: CommandLine,
    everything: bool,
    muted: bool,
    severity: str | None,
    kind: str | None,
    address: str,
    lladdr: str,
    since: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List what happened in the neighbour table and nobody has acknowledged, the latest first."""
    wanted = EventFilter(
        unacknowledged=not everything,
        muted=muted,
        least=Severity(severity or Severity.INFO),
        kind=kind or "",
        address=address,
        lladdr=lladdr,
        after=parse_moment(since, datetime.now(UTC)) if since else None,
    )
    found = line.run(
        lambda services, actor: services.segment.events.events(actor, wanted, Window(limit=limit))
    )
    if as_json:
        print_json([neighbour_event_document(event) for event in found])
    else:
        print_table(_COLUMNS, map(_row, found))


def _row(event: NeighbourEvent) -> tuple[object, ...]:
    done = event.acknowledged_by or ("muted" if event.muted else "")
    last = moment(event.last or event.time)
    return event.id, last, event.severity, event.kind.words, event.count, sentence(event), done


@click.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=click.IntRange(1, 2**63 - 1))
@click.option("--all", "everything", is_flag=True, help="All that is there now.")
@pass_line
def acknowledge(line: CommandLine, ids: tuple[int, ...], everything: bool) -> None:
    """Mark events as seen to, for everybody."""
    if bool(ids) == everything:
        raise UsageError("which events?", fix="name their ids, or --all")

    async def work(services: Services, actor: Actor) -> int:
        service = services.segment.events
        if everything:
            return await service.acknowledge_all(actor, EventFilter())
        return await service.acknowledge(actor, ids)

    say(f"newly acknowledged: {line.run(work)}")


@click.command()
@_kind
@_address
@_lladdr
@click.option("--interface", default="", metavar="NAME", help="Only on this interface.")
@click.option("--for", "lasting", default="", metavar="TIME", help="As 2h, 7d or 2w, else for always.")
@json_option
@pass_line
def mute(
    line: CommandLine,
    kind: str | None,
    address: str,
    lladdr: str,
    interface: str,
    lasting: str,
    as_json: bool,
) -> None:
    """Keep events, but tell nobody of them: all that is given must be true of one."""
    rule = Mute(kind or "", interface, address, lladdr)
    made = line.run(lambda services, actor: services.segment.events.mute(actor, rule, lasting))
    if as_json:
        print_json(mute_document(made))
    else:
        until = f" until {moment(made.until)}" if made.until else ""
        say(f"mute rule {made.id}: {made}{until}")


@click.command()
@json_option
@pass_line
def mutes(line: CommandLine, as_json: bool) -> None:
    """List what nobody is told of."""
    found = line.run(lambda services, actor: services.segment.events.mutes(actor))
    if as_json:
        print_json([mute_document(rule) for rule in found])
    else:
        print_table(
            _MUTE_COLUMNS,
            ((rule.id, rule, moment(rule.until) or "always", rule.created_by) for rule in found),
        )


@click.command()
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@pass_line
def unmute(line: CommandLine, number: int) -> None:
    """Delete a mute rule; what happens from now on is told again."""
    line.run(lambda services, actor: services.segment.events.unmute(actor, number))
    say(f"mute rule {number} is deleted")


EVENT_VERBS = (events, acknowledge, mute, mutes, unmute)
"""Of the noun ``neighbour``."""
