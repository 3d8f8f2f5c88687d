"""Captures that a schedule starts: what they must say, and how one is started."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from netmon_tui.config.sections import CaptureSettings
from netmon_tui.domain.capture import Capture, CaptureLabels, StartCapture
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput, NetmonError, PrivilegeMissing, ToolMissing
from netmon_tui.services.capture_limits import lowered

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScheduledCaptures:
    """What schedules know of captures."""

    check: Callable[[StartCapture], Awaitable[None]]
    """Refuses what a start would refuse."""
    start: Callable[[Actor, StartCapture], Awaitable[Capture]]
    label: Callable[[Actor, int, CaptureLabels], Awaitable[Capture]]
    settings: CaptureSettings
    """The limits that there are now."""

    async def refuse(self, owner: Actor, request: StartCapture) -> None:
        """Refuse a capture that nobody would end, and what a start would refuse today.

        Raises:
            NotAllowed: The owner may not capture.
            InvalidInput: It is several captures or has no limit, or a start refuses it.
        """
        owner.require(Permission.CAPTURE)
        if len(request.interfaces) > 1 and not request.is_pcapng:
            raise InvalidInput(
                "a schedule starts one capture, and classic pcap has the packets of one interface",
                fix="choose pcapng for several, or make a schedule for each",
            )
        # what a ring deletes does not count for its size
        if not (request.seconds or request.packets or (request.size and not request.rotation.files)):
            raise InvalidInput(
                "a capture of a schedule needs a limit", fix="seconds, packets or, without a ring, the size"
            )
        try:
            await self.check(request)
        except (PrivilegeMissing, ToolMissing):
            _log.debug("this program could not capture itself")  # the worker may be allowed more

    async def run(self, owner: Actor, request: StartCapture, name: str) -> int:
        """Start it under the name of its schedule and return its id; raises as a start does.

        A limit of the settings that is lower than when the schedule was made holds, and its note says so: less of a
        capture is better than none.
        """
        possible, told = lowered(request, self.settings)
        begun = await self.start(owner, replace(possible, name=name))
        if told:
            _log.warning("capture %d of schedule %s has lower limits: %s", begun.id, name, told)
            try:
                await self.label(
                    owner, begun.id, CaptureLabels(note=f"lower limits than the schedule's: {told}")
                )
            except NetmonError as error:  # it runs: were it told as failed, it could be started once more
                _log.warning("labelling capture %d: %s", begun.id, error)
        return begun.id
