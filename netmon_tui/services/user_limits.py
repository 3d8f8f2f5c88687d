"""What the scans of one user are held to: set by administrators, on top of what the settings say for everybody."""

from __future__ import annotations

import asyncio

from netmon_tui.domain.user import Actor, User
from netmon_tui.security.hostile_text import clean
from netmon_tui.services.accounts import AccountService
from netmon_tui.storage.account_repository import AccountRepository
from netmon_tui.storage.audit_repository import NewEvent
from netmon_tui.tools.nmap_exclusions import checked_list
from netmon_tui.tools.nmap_rate import checked_rate

_TOLD = 200
"""Characters of a list that the audit trail repeats."""


class UserLimits:
    """Never-scan lists and rate ceilings of users.

    Args:
        accounts: Says who manages users.
        repository: Storage.
    """

    def __init__(self, accounts: AccountService, repository: AccountRepository) -> None:
        self._accounts = accounts
        self._repository = repository

    async def find(self, actor: Actor, name: str) -> User:
        """Return a user with the limits: oneself, or anybody for an administrator.

        Raises:
            NotAllowed: It is another user, and the actor may not manage users.
            NotFound: There is no such user.
        """
        if name.strip().lower() == actor.name:
            return await asyncio.to_thread(self._repository.get, actor.name)
        return await self._accounts.managed(actor, name)

    async def set(
        self, actor: Actor, name: str, *, never_scan: str | None = None, maximum_rate: int | None = None
    ) -> User:
        """Change what a user's scans are held to, from the next start of one; what is None stays.

        Raises:
            InvalidInput: The list has something that is no target, or is too long; or the rate is none.
            NotAllowed, NotFound: As :meth:`find`; nobody changes their own but administrators.
        """
        user = await self._accounts.managed(actor, name)
        told, changes = [], dict[str, str | int]()
        if never_scan is not None:
            changes["never_scan"] = checked = await asyncio.to_thread(checked_list, never_scan)
            told.append(f"never scanned: {clean(checked, _TOLD) or 'nothing'}")
        if maximum_rate is not None:
            changes["maximum_rate"] = checked_rate(maximum_rate)
            told.append(f"probes a second: {maximum_rate or 'any'}")
        if changes:  # only these: somebody else may change the other at the same time
            event = NewEvent("user.limits", actor, f"user {user.name}", "; ".join(told))
            await asyncio.to_thread(self._repository.set_limits, user.id, changes, event)
        return await asyncio.to_thread(self._repository.get, user.name)
