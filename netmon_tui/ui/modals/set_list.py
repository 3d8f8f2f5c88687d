"""The sets of targets and ports that one may use: choose one, make others, change one's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.binding import BindingType

from netmon_tui.domain.named_set import LONGEST_CONTENT, NamedSet, SaveSet, SetKind
from netmon_tui.domain.owned import LONGEST_DESCRIPTION, LONGEST_NAME
from netmon_tui.domain.user import Permission
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.list_dialog import ListDialog
from netmon_tui.ui.modals.named_form import Field, NamedForm
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("name", "Name", minimum=14, share=2, priority=0),
    Column("kind", "Of", width=7, priority=0),
    Column("content", "Content", minimum=16, share=4, priority=0),
    Column("owner", "Owner", width=8, priority=1),
    Column("shared", "Shared", width=6, priority=1),
    Column("description", "Description", minimum=36, share=2, priority=2),
)
_COPY = "-copy"


class SetList(ListDialog[NamedSet, NamedSet]):
    """One's own sets, and those that others share. Gives the one that is chosen, where one can be.

    Args:
        session: Services and actor.
        choosing: Whether enter chooses one; otherwise it changes one.
    """

    NOUN = "a set"
    ON_ROW = frozenset({"edit", "copy", "share", "delete"})
    BINDINGS: ClassVar[list[BindingType]] = [
        command("sets.targets", "n", "new('target')", "Targets", "Keep targets under a name."),
        command("sets.ports", "p", "new('port')", "Ports", "Keep ports under a name."),
        command("sets.edit", "e", "edit", "Edit", "Change name, content and description."),
        command("sets.copy", "c", "copy", "New copy", "Make a set of your own that is like this one."),
        command("sets.share", "s", "share", "Share", "Let everybody use it, or no longer."),
        command("sets.delete", "delete", "delete", "Delete", "Delete it; scans made with it stay."),
    ]

    def __init__(self, session: Session, *, choosing: bool = False) -> None:
        hint = f"@NAME means it; enter {'uses' if choosing else 'changes'} it, esc closes"
        empty = "No sets yet. n keeps targets, p ports"
        super().__init__(session, "Sets of targets and ports", COLUMNS, id="sets", hint=hint, empty=empty)
        self._sets = session.services.sets
        self._choosing = choosing
        self.enter_word = "Use" if choosing else "Change"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer new ones to those who may scan."""
        if action == "new":
            return self._actor.may(Permission.SCAN)
        return super().check_action(action, parameters)

    async def fetch(self) -> Iterable[NamedSet]:
        """Return the target sets, then the port sets."""
        return await self._sets.usable(self._actor)

    def row(self, kept: NamedSet) -> Row:
        """Return the line of a set, under what the actor writes for it."""
        mention, shared = kept.mention_for(self._actor), "yes" if kept.shared else ""
        cells = (mention, f"{kept.kind}s", kept.content, kept.owner, shared, kept.description)
        return Row((kept.kind, kept.id), cells)

    def allows(self, action: str, kept: NamedSet) -> bool:
        """Whether it may be changed; everything may be copied by those who scan."""
        if action == "copy":
            return self._actor.may(Permission.SCAN)
        return kept.is_changed_by(self._actor)

    def take(self, kept: NamedSet) -> None:
        """Choose it, or change it."""
        if self._choosing:
            self.dismiss(kept)
        elif kept.is_changed_by(self._actor):
            self.action_edit()

    def loss(self, kept: NamedSet) -> str:
        """Return what stays, and what does not."""
        return (
            f"{kept.name} is deleted for good. Scans that were made with it stay; "
            "schedules and profiles that name it fail."
        )

    async def delete(self, kept: NamedSet) -> None:
        """Delete it."""
        await self._sets.of(kept.kind).delete(self._actor, kept)

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_new(self, kind: str) -> None:
        """Make a set."""
        await self._ask(SetKind(kind), "New", SaveSet("", ""))

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_edit(self) -> None:
        """Change the set under the cursor."""
        if (chosen := self.chosen) is not None:
            first = SaveSet(chosen.name, chosen.content, chosen.description)
            await self._ask(chosen.kind, "Change a", first, chosen)

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_copy(self) -> None:
        """Make a new one that begins as the set under the cursor."""
        if (chosen := self.chosen) is not None:
            name = chosen.name[: LONGEST_NAME - len(_COPY)] + _COPY
            await self._ask(chosen.kind, "Copy a", SaveSet(name, chosen.content, chosen.description))

    @work(exclusive=True, group="list-change", exit_on_error=False)
    async def action_share(self) -> None:
        """Let everybody use the set under the cursor, or no longer."""
        if (chosen := self.chosen) is not None:
            service = self._sets.of(chosen.kind)
            await self.carry_out(service.share(self._actor, chosen, shared=not chosen.shared))

    async def _ask(self, kind: SetKind, verb: str, first: SaveSet, changed: NamedSet | None = None) -> None:
        """Open the form, and go to what was saved there."""
        service = self._sets.of(kind)

        async def save(texts: list[str], shared: bool) -> NamedSet:
            new = SaveSet(*texts)
            if changed is None:
                return await service.create(self._actor, new, shared=shared)
            return await service.change(self._actor, changed, new, shared=shared)

        fields = (
            Field("Name", first.name, LONGEST_NAME),
            Field(f"{kind.capitalize()}s", first.content, LONGEST_CONTENT),
            Field("Description", first.description, LONGEST_DESCRIPTION),
        )
        is_shared = changed is not None and changed.shared
        form = NamedForm(f"{verb} {kind.noun}", "set", fields, save, shared=is_shared)
        await self.show(await self.app.push_screen_wait(form))
