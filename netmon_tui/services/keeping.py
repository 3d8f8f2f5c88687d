"""What users keep under names and may share: the same rights, references and files for every kind of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Generic

from netmon_tui.domain.owned import LONGEST_NAME, OWNER_MARK, find_named, name_key
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput, NotAllowed
from netmon_tui.security.hostile_text import clean, plain_line
from netmon_tui.services.readable_files import read_beginning
from netmon_tui.services.transfers import write_new
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.shared_repository import Kept, New, SharedRepository
from netmon_tui.tools.kept_file import LARGEST_FILE, KeptFile, read_entries, write_entries


class KeepingService(Generic[Kept, New]):
    """Everybody sees what everybody has, their own and what is shared.

    Args:
        repository, audit: Storage.
        file: How it is written to files, and what one is called.
        built_in: What everybody has and nobody changes.
    """

    def __init__(
        self,
        repository: SharedRepository[Kept, New],
        audit: AuditRepository,
        file: KeptFile,
        built_in: Sequence[Kept] = (),
    ) -> None:
        self._repository = repository
        self._audit = audit
        self._file = file
        self._built_in = tuple(built_in)

    # what a kind of things says of itself

    def _checked(self, new: New) -> New:
        """Return what is stored; raises InvalidInput."""
        raise NotImplementedError

    def _new(self, *texts: str) -> New:
        """Return what the texts of an entry of a file say."""
        raise NotImplementedError

    def _texts(self, kept: Kept) -> tuple[str, ...]:
        """Return the texts of an entry of a file."""
        raise NotImplementedError

    # what there is

    async def usable(self, actor: Actor) -> tuple[Kept, ...]:
        """Return what everybody has, then the actor's own, then what others share."""
        return (*self._built_in, *await asyncio.to_thread(self._repository.usable, actor))

    async def find(self, actor: Actor, reference: str) -> Kept:
        """Return what the actor means by a name, or by ``OWNER/NAME`` for another's.

        Raises:
            InvalidInput: The actor can use nothing of that name, or several.
        """
        return find_named(reference, await self.usable(actor), actor, self._file.noun)

    # changes

    async def create(self, actor: Actor, new: New, *, shared: bool = False) -> Kept:
        """Keep something under a name.

        Raises:
            InvalidInput: The name is taken or no name, or the content is such as a start would refuse.
            NotAllowed: The actor may not scan.
        """
        actor.require(Permission.SCAN)
        checked = await asyncio.to_thread(self._checked, new)
        return await asyncio.to_thread(self._repository.create, actor, checked, shared=shared)

    async def copy(self, actor: Actor, reference: str, name: str) -> Kept:
        """Make one of the actor that is like another one; raises as create and find."""
        found = await self.find(actor, reference)
        return await self.create(actor, self._new(name, *self._texts(found)[1:]))

    async def change(self, actor: Actor, kept: Kept, new: New, *, shared: bool | None = None) -> Kept:
        """Give one another name and content; what was made with it stays as it is.

        Args:
            actor: Who changes it.
            kept: What is changed.
            new: What it is to be.
            shared: Whether everybody is to see and use it; None leaves that as it is.

        Raises:
            InvalidInput: As :meth:`create`.
            NotAllowed: It is another's, or the actor may not scan.
            NotFound: There is none, or it is not the actor's to see.
        """
        current = await self._changeable(actor, kept)
        checked = await asyncio.to_thread(self._checked, new)
        changed = await asyncio.to_thread(self._repository.change, actor, current, checked)
        if shared is None or shared == changed.shared:
            return changed
        return await self.share(actor, changed, shared=shared)

    async def share(self, actor: Actor, kept: Kept, *, shared: bool) -> Kept:
        """Let everybody see and use one, or no longer; raises NotAllowed and NotFound as :meth:`change`."""
        current = await self._changeable(actor, kept)
        return await asyncio.to_thread(self._repository.share, actor, current, shared=shared)

    async def delete(self, actor: Actor, kept: Kept) -> None:
        """Delete one; raises NotAllowed and NotFound as :meth:`change`."""
        current = await self._changeable(actor, kept)
        await asyncio.to_thread(self._repository.delete, actor, current)

    async def _changeable(self, actor: Actor, kept: Kept) -> Kept:
        """Return one as it is now, if the actor may change it."""
        actor.require(Permission.SCAN)
        if kept.id is not None:
            kept = await asyncio.to_thread(self._repository.get, actor, kept.id)
        if not kept.is_changed_by(actor):
            what = f"{kept.name} is a {self._file.noun} of {kept.owner}"
            raise NotAllowed(what, fix="copy it and change the copy")
        return kept

    # files

    async def export(self, actor: Actor, references: Sequence[str] = ()) -> bytes:
        """Return them as TOML: those that are named, or all the actor's own.

        Raises:
            InvalidInput: There is nothing to export, one is everybody's, or two have the same name.
            NotAllowed: The actor may not export.
        """
        actor.require(Permission.EXPORT)
        usable, noun = await self.usable(actor), self._file.noun
        chosen = [find_named(reference, usable, actor, noun) for reference in references]
        if not references:
            chosen = [kept for kept in usable if kept.owner_id == actor.user_id]
        self._require_importable(chosen)
        subject = f"{len(chosen)} {noun}{'' if len(chosen) == 1 else 's'}"
        await asyncio.to_thread(self._audit.record, actor, f"{self._file.kind}.export", subject)
        return write_entries(self._file, map(self._texts, chosen)).encode()

    async def export_file(self, actor: Actor, path: Path, references: Sequence[str] = ()) -> Path:
        """Write them to a new file (mode 0600) and return its path; as :meth:`export`."""
        return await asyncio.to_thread(write_new, path, [await self.export(actor, references)])

    def _require_importable(self, chosen: Sequence[Kept]) -> None:
        """Refuse to write a file that an import would refuse."""
        noun = self._file.noun
        if not chosen:
            raise InvalidInput(f"you have no {noun}s of your own", fix="name those of others, as OWNER/NAME")
        seen: set[str] = set()
        for kept in chosen:
            if kept in self._built_in:
                raise InvalidInput(f"{kept.name} is one of {kept.owner}'s {noun}s", why="everybody has it")
            if name_key(kept.name) in seen:
                raise InvalidInput(f"two of the {noun}s are called {kept.name}", fix="export them one by one")
            seen.add(name_key(kept.name))

    async def import_file(self, actor: Actor, path: Path, *, replace: bool = False) -> list[Kept]:
        """Store all entries of a TOML file as the actor's own, or none.

        Args:
            actor: Whose they become.
            path: The file, as :meth:`export` writes it.
            replace: Whether those that the actor has under the same names are changed.

        Raises:
            InvalidInput: The file or an entry is refused; the error names the entry and says why.
            NotAllowed: The actor may not scan.
            NotFound: There is no such file.
        """
        actor.require(Permission.SCAN)
        return await asyncio.to_thread(self._import, actor, path, replace)

    def _import(self, actor: Actor, path: Path, replace: bool) -> list[Kept]:
        data = read_beginning(path, LARGEST_FILE + 1)
        entries = [self._new(*texts) for texts in read_entries(self._file, data)]
        return self._repository.import_all(actor, self._all_checked(entries), replace=replace)

    def _all_checked(self, entries: Sequence[New]) -> list[New]:
        """Return the entries of a file as they are stored; a refusal names the entry by position and name."""
        checked: dict[str, New] = {}
        for number, entry in enumerate(entries, 1):
            try:
                new = self._checked(entry)
                if name_key(new.name) in checked:
                    raise InvalidInput(f"another {self._file.noun} of the file has that name")
            except InvalidInput as error:
                what = f"{self._file.noun} {number}, {clean(entry.name, LONGEST_NAME)!r}, is refused"
                why = f"{error.what}: {error.why}" if error.why else error.what
                raise InvalidInput(what, why=why, fix=error.fix) from None
            checked[name_key(new.name)] = new
        return list(checked.values())


def checked_name(name: str, noun: str) -> str:
    """Return a name in normal form; raises InvalidInput for what names no thing of a user.

    Args:
        name: As typed.
        noun: What it names, such as ``profile``.
    """
    plain = plain_line("the name", name, LONGEST_NAME)
    if not plain:
        raise InvalidInput(f"a {noun} needs a name")
    if OWNER_MARK in plain:
        raise InvalidInput(f"the name has a {OWNER_MARK}", why="it stands between owner and name")
    return plain
