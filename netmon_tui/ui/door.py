"""The login screens' way to the accounts; it opens the store, and knows nothing of it before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from netmon_tui.config.settings import Settings
from netmon_tui.domain.user import Actor

if TYPE_CHECKING:
    from netmon_tui.services.container import Services


class ServiceDoor:
    """A :class:`~netmon_tui.ui.screens.login.Door` over the account service.

    Args:
        settings: For the rules that are shown before the store is open.
        open_services: Opens the store, once.
    """

    def __init__(self, settings: Settings, open_services: Callable[[], Awaitable[Services]]) -> None:
        self.minimum_password_length = settings.accounts.minimum_password_length
        self.registration = settings.accounts.registration
        self._open_services = open_services

    async def open(self) -> bool:
        """Open the store; whether there is no user yet."""
        return await (await self._open_services()).accounts.needs_first_user()

    async def login(self, name: str, password: str) -> Actor:
        """Log in."""
        return await (await self._open_services()).accounts.login(name, password)

    async def create_first(self, name: str, password: str, email: str) -> Actor:
        """Create the administrator and log in."""
        accounts = (await self._open_services()).accounts
        await accounts.create_first_admin(name, password, email)
        return await accounts.login(name, password)

    async def register(self, name: str, password: str, email: str) -> bool:
        """Register; whether the account may log in at once."""
        user = await (await self._open_services()).accounts.register(name, password, email)
        return user.state == "active"

    def strength(self, password: str, name: str) -> int:
        """Return 0 (very weak) to 4 (strong)."""
        from netmon_tui.security.passwords import strength

        return strength(password, name=name)
