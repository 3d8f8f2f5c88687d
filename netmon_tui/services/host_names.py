"""Host names of neighbours: asked for when somebody looks at them, and never waited for on a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.host_names import HostNames

WAIT_SECONDS = 15.0
"""How long a command waits for names."""


class HostNameService:
    """Names by reverse DNS, unless the settings forbid it.

    Args:
        names: Asks the system's resolver.
    """

    def __init__(self, names: HostNames) -> None:
        self._names = names

    @property
    def revision(self) -> int:
        """Rises with every answer."""
        return self._names.revision

    def name(self, address: str) -> str:
        """Return the name as far as it is known; asks nobody."""
        return self._names.name(address)

    def want(self, actor: Actor, addresses: Iterable[str]) -> None:
        """Ask for the names of what is looked at now; what was looked at before is no longer asked for."""
        actor.require(Permission.VIEW)
        self._names.want(addresses)

    async def resolve(self, actor: Actor, addresses: Iterable[str], seconds: float = WAIT_SECONDS) -> int:
        """Ask for names and wait for them.

        Returns:
            How many questions had no answer in time.

        Raises:
            InvalidInput: The settings forbid to ask.
        """
        actor.require(Permission.VIEW)
        if not self._names.enabled:
            raise InvalidInput(
                "host names are not asked for here",
                why="the setting neighbours.resolve_names is off",
                fix="leave out --names, or set NETMON_TUI_NEIGHBOURS_RESOLVE_NAMES=true",
            )
        asked = [asyncio.wrap_future(future) for future in self._names.want(addresses)]
        if not asked:
            return 0
        _, late = await asyncio.wait(asked, timeout=seconds)
        for question in late:
            question.cancel()
        return len(late)

    def close(self) -> None:
        """Ask no more. Waits for nobody."""
        self._names.close()
