"""The way in: opens the store behind the login screen, and knows nothing of it before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from netmon_tui.domain.user import Actor
from netmon_tui.errors import NetmonError

if TYPE_CHECKING:
    from netmon_tui.services.container import Services


class ServiceDoor:
    """A :class:`~netmon_tui.ui.screens.login.Door` over the account service.

    Args:
        minimum_password_length, registration: The rules that are shown before the store is open.
        open_store: Opens the store; slow, called in a thread.
        prepare: Makes ready what comes after a login.
    """

    def __init__(
        self,
        minimum_password_length: int,
        registration: str,
        open_store: Callable[[], Services],
        prepare: Callable[[], Awaitable[None]],
    ) -> None:
        self.minimum_password_length = minimum_password_length
        self.registration = registration
        self.services: Services | None = None
        """None until the store is open."""
        self._open_store = open_store
        self._prepare = prepare
        self._opening: asyncio.Task[Services] | None = None

    async def open_services(self) -> Services:
        """Open the store, once, off the event loop; later calls get the same services.

        Raises:
            StorageError: It does not open; the next call tries again.
        """
        if self.services is None:
            if self._opening is None:
                self._opening = asyncio.create_task(self._open(), name="open the store")
            try:
                self.services = await asyncio.shield(self._opening)
            except NetmonError:
                self._opening = None
                raise
        return self.services

    async def _open(self) -> Services:
        services = await asyncio.to_thread(self._open_store)
        await services.supervisor.start()
        return services

    async def open(self) -> bool:
        """Open the store; whether there is no user yet."""
        return await (await self.open_services()).accounts.needs_first_user()

    async def login(self, name: str, password: str) -> Actor:
        """Log in."""
        actor = await (await self.open_services()).accounts.login(name, password)
        await self._prepare()
        return actor

    async def create_first(self, name: str, password: str, email: str) -> Actor:
        """Create the administrator and log in."""
        accounts = (await self.open_services()).accounts
        await accounts.create_first_admin(name, password, email)
        return await self.login(name, password)

    async def register(self, name: str, password: str, email: str) -> bool:
        """Register; whether the account may log in at once."""
        user = await (await self.open_services()).accounts.register(name, password, email)
        return user.state == "active"

    def strength(self, password: str, name: str) -> int | None:
        """Return 0 (refused) to 4 (strong); None while the store is not open yet."""
        return None if self.services is None else self.services.accounts.strength(password, name)
