"""From a request as it was typed to one that says all itself: options of profiles, content of sets."""

from __future__ import annotations

from dataclasses import replace

from netmon_tui.domain.scan import StartScan
from netmon_tui.domain.user import Actor
from netmon_tui.services.profiles import ProfileService
from netmon_tui.services.sets import NamedSets


class ScanRequests:
    """Looks up what requests name.

    Args:
        profiles, sets: Where.
    """

    def __init__(self, profiles: ProfileService, sets: NamedSets) -> None:
        self._profiles = profiles
        self._sets = sets

    async def complete(self, actor: Actor, request: StartScan) -> StartScan:
        """Return a request with the options of its profile, if it has none itself, and what is in its sets today.

        Raises:
            InvalidInput: There is no such profile or set, or an option is refused.
        """
        if request.profile and not request.arguments:
            profile = await self._profiles.find(actor, request.profile)
            request = replace(request, profile=profile.reference_for(actor), arguments=profile.arguments)
        return await self._sets.resolve(actor, request)
