"""Ignore rules: noise in comparisons that a user, or everybody, does not want to be told of."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from netmon_tui.domain.address import parse_ip
from netmon_tui.domain.comparison import HOST, Kind
from netmon_tui.domain.ignoring import LONGEST_NOTE, IgnorePattern, IgnoreRule
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound
from netmon_tui.security.hostile_text import clean
from netmon_tui.storage.ignore_repository import IgnoreRepository

SUBJECTS = (HOST, "lladdr", "hostname", "address", "os")
"""What a rule may be about beside a port."""
_PORT = re.compile(r"(\d{1,5})/(tcp|udp|sctp|ip)")
_SCRIPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
_LONGEST_SERVICE = 200


class IgnoreService:
    """A user's own rules and those for everybody.

    Args:
        rules: Storage.
        changed: Told (blocking) whose rules changed, None for everybody's, so that counts follow.
    """

    def __init__(self, rules: IgnoreRepository, changed: Callable[[int | None], None]) -> None:
        self._rules = rules
        self._changed = changed

    async def rules(self, actor: Actor) -> list[IgnoreRule]:
        """Return the built-in rules, then the actor's own and those for everybody."""
        return await asyncio.to_thread(self._rules.rules_for, actor.user_id)

    async def create(
        self, actor: Actor, pattern: IgnorePattern, note: str = "", *, everybody: bool = False
    ) -> IgnoreRule:
        """Leave out what a pattern says from now on.

        Args:
            actor: Whose rule it becomes.
            pattern: Which lines.
            note: Why, for people.
            everybody: Whether it holds for all users.

        Raises:
            InvalidInput: It would hide too much, makes no sense, or is there already.
            NotAllowed: The actor may not scan; or is no administrator, and it is for everybody.
        """
        actor.require(Permission.SCAN)
        if everybody:
            actor.require(Permission.SEE_ALL)
        checked, note = _checked(pattern), _note(note)
        rule = await asyncio.to_thread(self._rules.create, actor, checked, note, everybody=everybody)
        await self._count_again(rule)
        return rule

    async def delete(self, actor: Actor, reference: str) -> IgnoreRule:
        """Delete a rule.

        Raises:
            NotFound: There is none, or it is not the actor's to see.
            NotAllowed: It is built in, or an administrator's for everybody.
        """
        actor.require(Permission.SCAN)
        rule = await self._find(actor, reference)
        if rule.is_built_in:
            raise NotAllowed(f"{rule.name} is built in", fix=f"netmon-tui ignore off {rule.name}")
        if not rule.is_deleted_by(actor):
            raise NotAllowed(f"rule {rule.id} is one of {rule.owner} for everybody")
        await asyncio.to_thread(self._rules.delete, actor, rule)
        await self._count_again(rule)
        return rule

    async def switch(self, actor: Actor, reference: str, *, on: bool) -> IgnoreRule:
        """Switch a built-in rule on or off, for the actor alone; raises as :meth:`delete`."""
        actor.require(Permission.SCAN)
        rule = await self._find(actor, reference)
        if not rule.is_built_in:
            raise InvalidInput(f"rule {rule.id} is not built in", fix=f"netmon-tui ignore delete {rule.id}")
        if rule.on is not on:
            await asyncio.to_thread(self._rules.switch, actor, rule.name, on=on)
            await asyncio.to_thread(self._changed, actor.user_id)
        return await self._find(actor, reference)

    async def _find(self, actor: Actor, reference: str) -> IgnoreRule:
        for rule in await self.rules(actor):
            if rule.reference == reference:
                return rule
        raise NotFound(f"no ignore rule {clean(reference, LONGEST_NOTE)}", fix="netmon-tui ignore list")

    async def _count_again(self, rule: IgnoreRule) -> None:
        await asyncio.to_thread(self._changed, None if rule.everybody else rule.owner_id)


def _checked(pattern: IgnorePattern) -> IgnorePattern:
    """Return a pattern with its address in normal form."""
    if pattern.address and (address := parse_ip(pattern.address)) is None:
        raise InvalidInput(
            f"{clean(pattern.address, LONGEST_NOTE)} is no address", fix="as 192.0.2.7 or fe80::1"
        )
    if pattern.address:
        pattern = pattern._replace(address=str(address))
    if pattern.subject and pattern.subject not in SUBJECTS:
        port = _PORT.fullmatch(pattern.subject)
        if port is None or int(port[1]) > 65_535:
            what = f"{clean(pattern.subject, LONGEST_NOTE)} is nothing that changes"
            raise InvalidInput(what, fix=f"a port as 443/tcp, or one of {', '.join(SUBJECTS)}")
    if len(pattern.service) > _LONGEST_SERVICE:
        raise InvalidInput("the name of the service is too long")
    if pattern.script:
        pattern = _of_a_script(pattern)
    if pattern.problem:
        raise InvalidInput("there can be no such rule", why=pattern.problem)
    return pattern


def _of_a_script(pattern: IgnorePattern) -> IgnorePattern:
    """Return a pattern that names a script with the only kind that it can have."""
    if not _SCRIPT.fullmatch(pattern.script):
        raise InvalidInput(
            f"{clean(pattern.script, LONGEST_NOTE)} is no name of a script", fix="as http-title"
        )
    return pattern if pattern.kind else pattern._replace(kind=Kind.SCRIPT)


def _note(text: str) -> str:
    note = text.strip()
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(
            "the note is too long", why=f"{len(note):,} characters, the limit is {LONGEST_NOTE}"
        )
    if clean(note, LONGEST_NOTE) != note:
        raise InvalidInput("the note has characters that do not print")
    return note
