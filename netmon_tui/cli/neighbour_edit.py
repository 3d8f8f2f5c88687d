"""``neighbour add|replace|delete|flush|undo|edits|wake``: the kernel's table, changed; machines, woken."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from netmon_tui.cli.context import CommandLine, ask, has_terminal, json_option, pass_line
from netmon_tui.cli.output import moment, print_json, print_line, print_table, say
from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import NudState
from netmon_tui.domain.neighbour_edit import (
    FLUSHABLE,
    SETTABLE,
    DeleteEntry,
    EditPlan,
    EditRequest,
    FlushEntries,
    NeighbourEdit,
    SetEntry,
    UndoEdit,
)
from netmon_tui.domain.neighbour_edit_documents import edit_document, plan_document
from netmon_tui.errors import UsageError

if TYPE_CHECKING:
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

_COLUMNS = ("ID", "TIME", "OWNER", "KIND", "SUBJECT", "ENTRIES", "RESULT", "UNDOES")
_TOLD = 20
"""Commands that are shown before the question; --dry-run prints all."""


@dataclass(frozen=True, slots=True)
class _Consent:
    """How far somebody agrees beforehand."""

    dry_run: bool
    yes: bool
    force: bool
    as_json: bool


def _states(states: tuple[NudState, ...]) -> click.Choice[str]:
    return click.Choice([state.lower() for state in states], case_sensitive=False)


def _state(text: str | None) -> NudState | None:
    return NudState(text.upper()) if text else None


def _consenting(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of every verb that changes the table; the verb gets them as one ``consent``."""

    def call(dry_run: bool, yes: bool, force: bool, as_json: bool, **rest: Any) -> None:
        command(consent=_Consent(dry_run, yes, force, as_json), **rest)

    call.__name__, call.__doc__ = command.__name__, command.__doc__
    call.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    options = (
        click.option(
            "--dry-run", is_flag=True, help="Print the ip commands that do the same, and do nothing."
        ),
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option(
            "--force",
            is_flag=True,
            help="Do it even if the table has changed meanwhile, or an SSH connection needs the entry.",
        ),
        json_option,
    )
    for option in reversed(options):
        call = option(call)
    return call


_interface = click.option("--interface", metavar="IF", required=True, help="Where the entry belongs.")
_address = click.argument("address", metavar="ADDRESS")
_settable = click.option(
    "--state", type=_states(SETTABLE), help="permanent for a new entry, otherwise as it is."
)


@click.command()
@_address
@click.argument("lladdr", metavar="LLADDR")
@_interface
@_settable
@_consenting
@pass_line
def add(
    line: CommandLine, address: str, lladdr: str, interface: str, state: str | None, consent: _Consent
) -> None:
    """Add an entry to the kernel's table.

    Like all verbs that change it: shows the ip command that does the same, asks, is kept for undo and in the audit
    trail, and never touches what carries the SSH session that SSH_CONNECTION names; where another SSH connection
    comes from, it must be agreed to. Needs root or CAP_NET_ADMIN.
    """
    _edit(line, SetEntry(address, interface, lladdr, _state(state)), consent)


@click.command()
@_address
@click.argument("lladdr", metavar="[LLADDR]", default="")
@_interface
@_settable
@_consenting
@pass_line
def replace(
    line: CommandLine, address: str, lladdr: str, interface: str, state: str | None, consent: _Consent
) -> None:
    """Give an entry another lladdr, another state (--state permanent keeps it for good), or both."""
    _edit(line, SetEntry(address, interface, lladdr, _state(state), replace=True), consent)


@click.command()
@_address
@_interface
@_consenting
@pass_line
def delete(line: CommandLine, address: str, interface: str, consent: _Consent) -> None:
    """Delete an entry; the kernel asks for the address again when it needs it."""
    _edit(line, DeleteEntry(address, interface), consent)


@click.command()
@_interface
@click.option("--state", type=_states(FLUSHABLE), help="Only entries in this state.")
@click.option("--family", type=click.Choice([family.value for family in Family]), help="Only of this family.")
@_consenting
@pass_line
def flush(
    line: CommandLine, interface: str, state: str | None, family: str | None, consent: _Consent
) -> None:
    """Delete the entries of an interface; without --state those that are permanent or noarp stay."""
    _edit(line, FlushEntries(interface, _state(state), Family(family) if family else None), consent)


@click.command()
@click.argument("edit_id", metavar="[ID]", type=click.IntRange(1, 2**63 - 1), required=False)
@_consenting
@pass_line
def undo(line: CommandLine, edit_id: int | None, consent: _Consent) -> None:
    """Restore what was there before an edit: your last one that is in force, or the one that is named."""
    _edit(line, None if edit_id is None else UndoEdit(edit_id), consent)


def _edit(line: CommandLine, request: EditRequest | None, consent: _Consent) -> None:
    """Show what an edit comes to, ask, and do it; no request is the undoing of the last edit."""

    async def work(services: Services, actor: Actor) -> None:
        editing = services.segment.editing
        wanted = request or UndoEdit((await editing.last(actor)).id)
        plan = await editing.plan(actor, wanted)
        if consent.dry_run:
            _print_plan(plan, consent.as_json)
            return
        editing.require(actor)
        _show(plan)
        if not plan.writes and not isinstance(wanted, UndoEdit):
            say("nothing is to be done")
            return
        asks = not (consent.yes or consent.force)
        if asks and not _agreed():
            say("nothing was done")
            return
        _report(await editing.apply(actor, plan, accepted=asks, force=consent.force), consent.as_json)

    line.run(work)


def _agreed() -> bool:
    """Ask; raises UsageError where nobody can be asked."""
    if not has_terminal():
        raise UsageError(
            "nothing was done: nobody could be asked", fix="--yes does it, --dry-run only shows it"
        )
    return ask("Do this? Write yes").lower() == "yes"


def _show(plan: EditPlan) -> None:
    """Tell a person what is going to happen."""
    if len(plan.writes) == 1 and plan.seen:
        entry = plan.seen[0]
        say(f"now: {entry.address} on {entry.interface} is {entry}")
    if len(plan.writes) != 1:
        say(f"{plan.subject}: {_count(plan)}")
    for command in plan.commands[:_TOLD]:
        say(shlex.join(command))
    if len(plan.commands) > _TOLD:
        say(f"and {len(plan.commands) - _TOLD:,} more")
    _show_remarks(plan)


def _count(plan: EditPlan) -> str:
    return f"{len(plan.writes):,} {'entry' if len(plan.writes) == 1 else 'entries'}"


def _show_remarks(plan: EditPlan) -> None:
    for address in plan.spared:
        say(f"left out: {address} carries an SSH session to here")
    for remark in (*plan.notices, *plan.conflicts):
        say(f"note: {remark}")


def _print_plan(plan: EditPlan, as_json: bool) -> None:
    if as_json:
        print_json(plan_document(plan))
        return
    for command in plan.commands:
        print_line(shlex.join(command))
    say(f"{_count(plan)}; nothing was done")
    _show_remarks(plan)


def _report(edit: NeighbourEdit, as_json: bool) -> None:
    if as_json:
        print_json(edit_document(edit))
        return
    say(f"edit {edit.id}: {edit.kind} {edit.subject}: {edit.words}")


@click.command()
@json_option
@pass_line
def edits(line: CommandLine, as_json: bool) -> None:
    """List the latest edits on this machine, the newest first: your own; administrators see all."""
    found = line.run(lambda services, actor: services.segment.editing.edits(actor))
    if as_json:
        print_json([edit_document(edit) for edit in found])
    else:
        print_table(_COLUMNS, map(_row, found))


def _row(edit: NeighbourEdit) -> tuple[object, ...]:
    return (
        edit.id,
        moment(edit.time),
        edit.owner,
        edit.kind,
        edit.subject,
        edit.entries,
        edit.words,
        edit.undoes or "",
    )


@click.command()
@click.argument("name", metavar="LLADDR|ADDRESS")
@click.option("--interface", metavar="IF", default="", help="By this interface alone.")
@json_option
@pass_line
def wake(line: CommandLine, name: str, interface: str, as_json: bool) -> None:
    """Send a magic packet (Wake-on-LAN) to a machine that sleeps; an address must have been seen here before.

    It goes out where the machine was last seen, or by every interface for a lladdr that never was. Needs no root.
    """
    sent = line.run(lambda services, actor: services.segment.waking.wake(actor, name, interface))
    if as_json:
        print_json(
            [{"lladdr": one.lladdr, "interface": one.interface, "broadcast": one.broadcast} for one in sent]
        )
        return
    for one in sent:
        say(f"magic packet for {one.lladdr} sent by {one.interface} to {one.broadcast}")


VERBS = (add, replace, delete, flush, undo, edits, wake)
"""What the noun gets from here."""
