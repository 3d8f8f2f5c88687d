"""Captures that are started because of others: the same again, with another buffer, on several interfaces."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from netmon_tui.domain.buffer_size import buffer_text, next_buffer
from netmon_tui.domain.capture import Capture, CaptureLabels, CaptureOrigin, StartCapture
from netmon_tui.domain.capture_filter import LONGEST_NAME
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput, NetmonError
from netmon_tui.runtime.memory import largest_buffer_kib
from netmon_tui.services.capturing import CapturingService
from netmon_tui.storage.capture_repository import CaptureRepository

_TOGETHER = "with-"
"""Begins the tag that captures have which were started together: the number of the first follows."""
_log = logging.getLogger(__name__)
Label = Callable[[Actor, int, CaptureLabels], Awaitable[Capture]]


@dataclass(frozen=True, slots=True)
class CaptureStarts:
    """Starts captures that belong together, and says in their notes and tags how."""

    capturing: CapturingService
    captures: CaptureRepository
    label: Label
    """Changes what is said of a capture."""

    async def again(self, actor: Actor, capture_id: int, *, buffer: str = "") -> Capture:
        """Start a capture again as the actor's; one that runs goes on beside it, unless the buffer is another.

        Args:
            actor: Who asks.
            capture_id: Which capture.
            buffer: Another buffer, as ``2x`` or ``32M``: then a capture that still runs is stopped first.

        Raises:
            NotFound: No such capture, or not the actor's.
            InvalidInput: It was not captured here, the buffer is none or cannot be larger, or as a start refuses.
            NotAllowed, PrivilegeMissing, ToolMissing: As a start.
        """
        actor.require(Permission.CAPTURE)
        before = await self.capturing.get(actor, capture_id)
        if before.origin is not CaptureOrigin.LIVE:
            raise InvalidInput(
                f"capture {capture_id} was not captured here and cannot be started again",
                fix="start a new capture",
            )
        asked, is_kept = await asyncio.to_thread(self.captures.request, before)
        note = f"capture {capture_id} again"
        if not is_kept:
            note += ", with the limits of the settings, for its own were not kept"
        if buffer:
            most = await asyncio.to_thread(largest_buffer_kib)
            larger = replace(asked, buffer_kib=next_buffer(buffer, asked.buffer_kib, most))
            note += (
                f", with a buffer of {buffer_text(larger.buffer_kib)} after {buffer_text(asked.buffer_kib)}"
            )
            asked = larger
            await self.capturing.check(asked)
            await self._stop(actor, before)
        begun = await self.capturing.start(actor, asked)
        try:
            tags = tuple(tag for tag in before.tags if not _is_together(tag))
            return await self.label(actor, begun.id, CaptureLabels(note=note, add_tags=tags))
        except NetmonError as error:  # it runs, and its caller must be told which it is
            _log.warning("labelling capture %d: %s", begun.id, error)
            return begun

    async def _stop(self, actor: Actor, capture: Capture) -> None:
        """Stop a capture that runs, and wait for its end: two at once would share what the machine can do."""
        if not capture.state.is_final:
            with suppress(InvalidInput):  # it has ended by itself meanwhile
                await self.capturing.stop(actor, capture.id)
            await self.capturing.wait(actor, capture.id)

    async def on_each(self, actor: Actor, request: StartCapture, interfaces: Sequence[str]) -> list[Capture]:
        """Start a capture on each interface, all or none; several get one name and one tag.

        As pcapng several interfaces are one capture.

        Raises:
            As a start does, for the first that is refused; as labelling does.
        """
        wanted = list(dict.fromkeys(interfaces))
        if len(wanted) == 1 or request.is_pcapng:
            return [await self.capturing.start(actor, replace(request, interface=",".join(wanted)))]
        actor.require(Permission.CAPTURE)
        requests = [replace(request, interface=one) for one in wanted]
        for one in requests:
            await self.capturing.check(one)
        begun: list[Capture] = []
        try:
            for one in requests:
                begun.append(await self.capturing.start(actor, one))
            # a name of theirs is no part of what is asked for: one that is started again runs alone
            name = None if request.name else " ".join(wanted)[:LONGEST_NAME]
            labels = CaptureLabels(name=name, add_tags=(f"{_TOGETHER}{begun[0].id}",))
            return [await self.label(actor, capture.id, labels) for capture in begun]
        except (NetmonError, OSError):
            for capture in begun:
                with suppress(NetmonError, OSError):  # the first failure is the one to be told of
                    await self.capturing.stop(actor, capture.id)
            raise


def _is_together(tag: str) -> bool:
    """Whether a tag says with which others a capture was started."""
    return tag.startswith(_TOGETHER) and tag.removeprefix(_TOGETHER).isdecimal()
