"""The keys that change the kernel's neighbour table, and that wake a neighbour."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.binding import BindingType

from netmon_tui.domain.neighbour import Interface, NudState
from netmon_tui.domain.neighbour_edit import (
    LASTING,
    DeleteEntry,
    EditKind,
    EditPlan,
    EditRequest,
    SetEntry,
    TableEntry,
    UndoEdit,
)
from netmon_tui.domain.user import Permission
from netmon_tui.errors import NetmonError, Superseded
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.neighbour_edits import NeighbourEdits
from netmon_tui.ui.modals.neighbour_forms import EntryForm, FlushForm, preview
from netmon_tui.ui.widgets.pane import Pane

_SHOWN_COMMANDS = 8
EDIT_NEEDS = {
    **dict.fromkeys(
        ("add_entry", "change_entry", "keep_entry", "delete_entry", "flush_entries", "edits"),
        Permission.EDIT_NEIGHBOURS,
    ),
    "wake": Permission.SCAN,
}
_VERBS = {
    EditKind.ADD: ("Add", "added"),
    EditKind.REPLACE: ("Change", "changed"),
    EditKind.DELETE: ("Delete", "deleted"),
    EditKind.FLUSH: ("Flush", "flushed"),
    EditKind.UNDO: ("Undo", "undone"),
}
"""What the button says, and what was done."""


class WithNeighbourKeys(Pane):
    """A tab that lists neighbours: each key shows the command, asks, and says how it came out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        command("neighbours.add", "a", "add_entry", "Add", "Add an entry to the kernel's table."),
        command(
            "neighbours.change", "E", "change_entry", "Change", "Give the entry another lladdr or state."
        ),
        command(
            "neighbours.delete", "D", "delete_entry", "Delete", "Delete the entry from the kernel's table."
        ),
        command("neighbours.flush", "F", "flush_entries", "Flush", "Delete the entries of an interface."),
        command(
            "neighbours.undo",
            "u",
            "edits",
            "Undo",
            "List what was done to the table, and undo it.",
            show=False,
        ),
        command(
            "neighbours.keep",
            "P",
            "keep_entry",
            "Permanent",
            "Make the entry permanent, or no longer.",
            show=False,
        ),
        command("neighbours.wake", "W", "wake", "Wake", "Send it a magic packet (Wake-on-LAN).", show=False),
    ]

    def _key(self) -> tuple[str, str] | None:
        """Return (interface, address) of the row under the cursor."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what the role does not include."""
        needed = EDIT_NEEDS.get(action)
        return super().check_action(action, parameters) if needed is None else self.session.actor.may(needed)

    @work(exclusive=True, group="neighbour-edit", exit_on_error=False)
    async def action_add_entry(self) -> None:
        """Ask for an entry and add it."""
        if self._may_edit():
            form = EntryForm(self.session, await self._interfaces())
            await self._carry_out(await self.app.push_screen_wait(form))

    @work(exclusive=True, group="neighbour-edit", exit_on_error=False)
    async def action_change_entry(self) -> None:
        """Ask what becomes of the entry under the cursor."""
        entry = self._entry()
        if entry is not None and self._may_edit():
            form = EntryForm(self.session, await self._interfaces(), entry)
            await self._carry_out(await self.app.push_screen_wait(form))

    @work(exclusive=True, group="neighbour-edit", exit_on_error=False)
    async def action_keep_entry(self) -> None:
        """Make the entry under the cursor permanent; one that is becomes STALE, for the kernel to ask again."""
        if (entry := self._entry()) is not None and self._may_edit():
            state = NudState.STALE if entry.state in LASTING else NudState.PERMANENT
            await self._ask(SetEntry(entry.address, entry.interface, "", state, replace=True))

    @work(exclusive=True, group="neighbour-edit", exit_on_error=False)
    async def action_delete_entry(self) -> None:
        """Delete the entry under the cursor."""
        if (entry := self._entry()) is not None and self._may_edit():
            await self._ask(DeleteEntry(entry.address, entry.interface))

    @work(exclusive=True, group="neighbour-edit", exit_on_error=False)
    async def action_flush_entries(self) -> None:
        """Ask what to flush; the interface of the row under the cursor is offered first."""
        if self._may_edit():
            form = FlushForm(self.session, await self._interfaces())
            await self._carry_out(await self.app.push_screen_wait(form))

    @work(exclusive=True, group="neighbour-edit", exit_on_error=False)
    async def action_edits(self) -> None:
        """List the edits; the one that is chosen is undone."""
        edit_id = await self.app.push_screen_wait(NeighbourEdits(self.session))
        if edit_id is not None and self._may_edit():
            await self._ask(UndoEdit(edit_id))

    @work(exclusive=True, group="neighbour-wake", exit_on_error=False)
    async def action_wake(self) -> None:
        """Wake the machine under the cursor."""
        if (key := self._key()) is None:
            return
        try:
            sent = await self.session.services.segment.waking.wake(self.session.actor, key[1], key[0])
        except NetmonError as error:
            self.report(error)
        else:
            self.tell(f"Magic packet for {sent[0].lladdr} sent by {sent[0].interface}")

    def _may_edit(self) -> bool:
        """Whether it could be carried out; says what is missing."""
        try:
            self.session.services.segment.editing.require(self.session.actor)
        except NetmonError as error:
            self.report(error)
            return False
        return True

    def _entry(self) -> TableEntry | None:
        """Return the entry under the cursor as the screen has it; where the kernel has none, say so."""
        if (key := self._key()) is None:
            self.tell("There is no entry here; a adds one")
            return None
        for record in self.session.services.neighbours.of(self.session.actor, [key]):
            lladdr = "" if record.lladdr_remembered else record.lladdr
            return TableEntry(*key, lladdr, NudState(record.state), record.router)
        interface, address = key
        self.tell(f"The kernel has no entry for {address} on {interface}: it is only remembered. a adds one")
        return None

    async def _interfaces(self) -> list[Interface]:
        """Return the interfaces, that of the row under the cursor first."""
        found = await self.session.services.capturing.interfaces()
        here = (self._key() or ("", ""))[0]
        return sorted(found, key=lambda one: (one.name != here, not one.up))

    async def _ask(self, request: EditRequest) -> None:
        """Plan, then ask and carry out."""
        try:
            plan = await self.session.services.segment.editing.plan(self.session.actor, request)
        except NetmonError as error:
            self.report(error)
        else:
            await self._carry_out(plan)

    async def _carry_out(self, plan: EditPlan | None) -> None:
        """Ask, do it, and ask again when the table has changed meanwhile."""
        editing, actor, changed = self.session.services.segment.editing, self.session.actor, ""
        while plan is not None:
            if not plan.writes and plan.kind is not EditKind.UNDO:
                self.tell("There is nothing to be done")
                return
            if not await self.app.push_screen_wait(_question(plan, changed)):
                self.tell(f"Nothing was {_VERBS[plan.kind][1]}")
                return
            try:
                edit = await editing.apply(actor, plan, accepted=True)
            except Superseded as error:
                changed = error.what
                plan = await self._planned_again(plan.request)
            except NetmonError as error:
                self.report(error)
                return
            else:
                self.tell(f"Edit {edit.id}, {edit.kind} {edit.subject}: {edit.words}. u undoes it")
                return

    async def _planned_again(self, request: EditRequest) -> EditPlan | None:
        try:
            return await self.session.services.segment.editing.plan(self.session.actor, request)
        except NetmonError as error:
            self.report(error)
            return None


def _question(plan: EditPlan, changed: str) -> Confirm:
    """Return the dialog that shows what is done, and what has changed since it was shown first."""
    verb = _VERBS[plan.kind][0]
    told = preview(plan, _SHOWN_COMMANDS)
    title = f"{verb} {plan.subject}"
    loses = plan.kind in (EditKind.DELETE, EditKind.FLUSH) or bool(changed or plan.conflicts)
    return Confirm(title, f"{changed}\n\n{told}" if changed else told, verb=verb, dangerous=loses)
