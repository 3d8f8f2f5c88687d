"""Sets of targets and ports: kept under names, and looked up when a scan is started."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from netmon_tui.domain.named_set import MENTION, NamedSet, SaveSet, SetKind
from netmon_tui.domain.owned import LONGEST_DESCRIPTION, LONGEST_NAME, OWNER_MARK, find_named
from netmon_tui.domain.scan import StartScan
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput
from netmon_tui.security.hostile_text import clean, plain_line
from netmon_tui.services.keeping import KeepingService, checked_name
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.database import Database
from netmon_tui.storage.set_repository import SetRepository
from netmon_tui.tools.kept_file import KeptFile
from netmon_tui.tools.nmap_mentions import check_set_name, is_mention
from netmon_tui.tools.nmap_sets import (
    Find,
    checked_content,
    expanded_options,
    targets_and_sets,
)
from netmon_tui.tools.nmap_targets import parse_target


class SetService(KeepingService[NamedSet, SaveSet]):
    """The sets of one kind.

    Args:
        kind: What is in them.
        sets, audit: Storage.
    """

    def __init__(self, kind: SetKind, sets: SetRepository, audit: AuditRepository) -> None:
        super().__init__(sets, audit, KeptFile(f"{kind}-set", ("name", f"{kind}s", "description")))
        self._kind = kind

    async def find(self, actor: Actor, reference: str) -> NamedSet:
        """Return the set that the actor means, with or without ``@``; raises InvalidInput as the base."""
        return await super().find(actor, reference.removeprefix(MENTION))

    def _checked(self, new: SaveSet) -> SaveSet:
        """Return what is stored: the content in canonical form."""
        name = checked_name(new.name.removeprefix(MENTION), self._kind.noun)
        check_set_name(name)
        description = plain_line("the description", new.description, LONGEST_DESCRIPTION)
        return SaveSet(name, checked_content(self._kind, new.content), description)

    def _new(self, *texts: str) -> SaveSet:
        return SaveSet(*texts)

    def _texts(self, kept: NamedSet) -> tuple[str, ...]:
        return kept.name, kept.content, kept.description


class NamedSets:
    """The sets of both kinds.

    Args:
        database: Where they are.
        audit: Storage.
    """

    def __init__(self, database: Database, audit: AuditRepository) -> None:
        self._of = {kind: SetService(kind, SetRepository(database, kind), audit) for kind in SetKind}

    def of(self, kind: SetKind) -> SetService:
        """Return those of one kind."""
        return self._of[kind]

    async def usable(self, actor: Actor) -> list[NamedSet]:
        """Return the target sets, then the port sets that the actor may use, the actor's own first."""
        return [found for service in self._of.values() for found in await service.usable(actor)]

    async def resolve(self, actor: Actor, request: StartScan) -> StartScan:
        """Return a request with today's content of the sets that its targets and options mention.

        A name alone is one of the actor's own, whoever wrote it: of a shared profile, too. Another user's set is
        meant by ``owner/name`` only, or whoever shares one could choose what others scan.

        Raises:
            InvalidInput: There is no such set, or an option is refused.
        """
        if MENTION not in request.arguments and not any(map(is_mention, request.targets)):
            return request
        lookup = _Lookup(actor, {kind: await self._of[kind].usable(actor) for kind in SetKind})
        return await asyncio.to_thread(_expanded, request, lookup)


def _expanded(request: StartScan, lookup: _Lookup) -> StartScan:
    """Return a request with what is in its sets; blocking: a set has thousands of characters."""
    targets = targets_and_sets(request.targets, lookup.of(SetKind.TARGETS))
    typed = {parse_target(text).text for text, mention in targets if not mention}
    return replace(
        request,
        targets=tuple(text for text, _ in targets),
        of_sets=tuple((text, mention) for text, mention in targets if mention and text not in typed),
        arguments=expanded_options(request.arguments, lookup.of),
        sets=tuple(dict.fromkeys(lookup.mentions)),
    )


class _Lookup:
    """Finds sets by name for one user, and remembers which."""

    def __init__(self, actor: Actor, usable: dict[SetKind, tuple[NamedSet, ...]]) -> None:
        self._actor = actor
        self._usable = usable
        self.mentions: list[str] = []

    def of(self, kind: SetKind) -> Find:
        """Return what finds the content of sets of a kind."""

        def find(reference: str) -> str:
            found = find_named(reference, self._usable[kind], self._actor, kind.noun)
            if OWNER_MARK not in reference and found.owner_id != self._actor.user_id:
                what = f"you have no {kind.noun} {clean(reference, LONGEST_NAME)}"
                raise InvalidInput(what, fix=f"did you mean {found.mention_for(self._actor)}?")
            self.mentions.append(f"{kind.noun} {found.mention_for(self._actor)}")
            return found.content

        return find
