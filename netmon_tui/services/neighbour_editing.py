"""Editing the kernel's neighbour table: look what an edit comes to, agree, carry it out, undo it."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from netmon_tui.domain.address import plain_address
from netmon_tui.domain.neighbour_edit import (
    DeleteEntry,
    EditKind,
    EditPlan,
    EditRequest,
    FlushEntries,
    NeighbourEdit,
    SetEntry,
    TableEntry,
    TableWrite,
    UndoEdit,
    Verb,
    table_entry,
)
from netmon_tui.domain.neighbour_planning import Situation, plan_delete, plan_flush, plan_set, plan_undo
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import NetmonError, NotFound, PrivilegeMissing, Superseded
from netmon_tui.runtime import interfaces
from netmon_tui.runtime.neighbour_writes import write_entries
from netmon_tui.runtime.netlink import dump_neighbours
from netmon_tui.runtime.privilege import EDITING_FIX, Privilege
from netmon_tui.runtime.session_route import session_carriers
from netmon_tui.storage.neighbour_edit_repository import NeighbourEditRepository
from netmon_tui.tools.ip_neigh import plan_commands

TOLD_COMMANDS = 20
"""Commands of one edit that are kept as text; the entries themselves are all kept."""


class NeighbourEditing:
    """The only writer of the kernel's table.

    Args:
        edits: Storage, with the audit trail.
        privilege: What this process may do.
        environ: Where the SSH session of this program is read from.
        watched: Returns the lladdrs of devices that must be up (blocking).
    """

    def __init__(
        self,
        edits: NeighbourEditRepository,
        privilege: Privilege,
        environ: Mapping[str, str],
        watched: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._edits = edits
        self._watched = watched
        self._privilege = privilege
        self._session = interfaces.ssh_session(environ)

    def require(self, actor: Actor) -> None:
        """Refuse, before anything is filled in, what cannot be carried out.

        Raises:
            NotAllowed: The role does not edit neighbours.
            PrivilegeMissing: This process may not, whoever uses it.
        """
        actor.require(Permission.EDIT_NEIGHBOURS)
        if not self._privilege.can_edit_neighbours:
            raise PrivilegeMissing(
                "changing the neighbour table needs root or CAP_NET_ADMIN",
                fix=EDITING_FIX,
            )

    async def plan(self, actor: Actor, request: EditRequest) -> EditPlan:
        """Return what an edit comes to, with the commands that do the same. Changes nothing.

        Raises:
            NetmonError: What is asked for makes no sense, or would cut the SSH session of the environment.
        """
        actor.require(Permission.EDIT_NEIGHBOURS)
        return await asyncio.to_thread(self._plan, actor, request)

    def _plan(self, actor: Actor, request: EditRequest) -> EditPlan:
        situation = self._situation()
        match request:
            case SetEntry():
                plan = plan_set(situation, request)
            case DeleteEntry():
                plan = plan_delete(situation, request)
            case FlushEntries():
                plan = plan_flush(situation, request)
            case UndoEdit():
                plan = plan_undo(situation, self._edits.get(actor, request.edit_id))
        return replace(plan, commands=plan_commands(plan))

    def _situation(self) -> Situation:
        entries = map(table_entry, dump_neighbours())
        return Situation(
            {entry.key: entry for entry in entries},
            {interface.name: interface for interface in interfaces.list_interfaces()},
            *session_carriers(self._session),
            self._watched(),
        )

    async def apply(
        self, actor: Actor, plan: EditPlan, *, accepted: bool = False, force: bool = False
    ) -> NeighbourEdit:
        """Carry out what was agreed to, after another look at the table.

        Args:
            actor: Who does it.
            plan: What :meth:`plan` returned and somebody has seen.
            accepted: Its conflicts were seen and agreed to.
            force: Do it whatever the table says by now; never with entries of the SSH session of the environment.

        Raises:
            Superseded: The table has changed, or there are conflicts that nobody has agreed to. Plan again.
            NotAllowed, PrivilegeMissing: As :meth:`require`.
            NetmonError: The kernel refused it; that it was tried is in the audit trail.
        """
        self.require(actor)
        now = await self.plan(actor, plan.request)
        if not force:
            if now.differs_from(plan):
                raise Superseded(
                    f"the table has changed: {_told(now)}",
                    fix="look again, then decide; --force does it anyway",
                )
            if now.conflicts and not accepted:
                raise Superseded("; ".join(now.conflicts), fix="--force does it anyway")
            now = _as_shown(now, plan)
        return await asyncio.to_thread(self._carry_out, actor, now)

    def _carry_out(self, actor: Actor, plan: EditPlan) -> NeighbourEdit:
        undoes = plan.request.edit_id if isinstance(plan.request, UndoEdit) else None
        command = commands_in_words(plan)
        edit_id = self._edits.begin(actor, plan, command, *_change(plan, plan.writes), undoes)
        try:
            refused = write_entries(plan.writes)
        except NetmonError as error:
            # What of it was done is not known: what was there before is kept as it is, to be restored.
            self._edits.finish(actor, edit_id, str(error), (len(plan.writes), *_change(plan, plan.writes)))
            raise
        done = [write for write, why in zip(plan.writes, refused, strict=True) if not why]
        result = _refusals(plan.writes, refused)
        edit = self._edits.finish(actor, edit_id, result, (len(done), *_change(plan, done)))
        if result and not done:
            raise NetmonError(f"{plan.subject}: nothing was changed", why=result)
        return edit

    async def edits(self, actor: Actor) -> list[NeighbourEdit]:
        """Return the latest edits on this machine, the newest first: one's own, an administrator's list all."""
        actor.require(Permission.EDIT_NEIGHBOURS)
        return await asyncio.to_thread(self._edits.find, actor)

    async def last(self, actor: Actor) -> NeighbourEdit:
        """Return the actor's own latest edit that is in force; raises NotFound when there is none."""
        for edit in await self.edits(actor):
            if edit.owner != actor.name:
                continue
            if edit.kind is not EditKind.UNDO and edit.undone_by is None and edit.entries:
                return edit
        raise NotFound("there is no edit to undo", fix="netmon-tui neighbour edits lists what was done")


def commands_in_words(plan: EditPlan, most: int = TOLD_COMMANDS) -> str:
    """Return the commands of a plan as they are typed, one a line; of many the first ones and how many more."""
    lines = [shlex.join(command) for command in plan.commands[:most]]
    more = len(plan.commands) - len(lines)
    return "\n".join([*lines, *([f"and {more:,} more"] if more else [])])


def _told(plan: EditPlan) -> str:
    """Return what is there now of what an edit is about."""
    if plan.conflicts:
        return "; ".join(plan.conflicts)
    if isinstance(plan.request, FlushEntries):
        return f"it would spare {', '.join(plan.spared) or 'nothing'}"
    there = [f"{plain_address(entry.address)} is {entry}" for entry in plan.seen]
    return ", ".join(there[:3]) or "there is no such entry any more"


def _as_shown(now: EditPlan, shown: EditPlan) -> EditPlan:
    """Return a flush that was shown entry by entry with no more entries than were shown."""
    if not (isinstance(now.request, FlushEntries) and shown.spared):
        return now
    agreed = {write.entry.key for write in shown.writes}
    return replace(
        now,
        writes=tuple(write for write in now.writes if write.entry.key in agreed),
        commands=shown.commands,
    )


def _change(plan: EditPlan, writes: Sequence[TableWrite]) -> tuple[list[TableEntry], list[TableEntry]]:
    """Return the entries that changes meet, before them and after them."""
    keys = {write.entry.key for write in writes}
    before = [entry for entry in plan.seen if entry.key in keys]
    return before, [write.entry for write in writes if write.verb is not Verb.DELETE]


def _refusals(writes: Sequence[TableWrite], refused: Sequence[str]) -> str:
    """Return what the kernel refused, in one line; empty when it refused nothing."""
    reasons = [(write.entry.address, why) for write, why in zip(writes, refused, strict=True) if why]
    if not reasons:
        return ""
    address, why = reasons[0]
    return why if len(writes) == 1 else f"{len(reasons)} of {len(writes)} refused, {address}: {why}"
