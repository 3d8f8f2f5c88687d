"""Events of the neighbour table: listed, acknowledged, muted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from netmon_tui.domain.address import normalise_lladdr, parse_ip
from netmon_tui.domain.neighbour_event import EventFilter, Mute, NeighbourEvent, NeighbourEventKind, Tally
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.errors import InvalidInput
from netmon_tui.security.hostile_text import plain_line
from netmon_tui.storage.neighbour_event_repository import NeighbourEventRepository
from netmon_tui.tools.oui import VendorTable
from netmon_tui.tools.schedule_times import parse_interval

_LONGEST_INTERFACE = 15
"""Characters: IFNAMSIZ of linux/if.h, less the final zero."""


class NeighbourEventService:
    """What happened in the neighbour table, and what somebody did about it.

    Args:
        repository: Where it is kept.
        vendors: MAC prefixes, loaded off the event loop on the first use.
    """

    def __init__(self, repository: NeighbourEventRepository, vendors: VendorTable) -> None:
        self._repository = repository
        self._vendors = vendors

    async def events(self, actor: Actor, wanted: EventFilter, window: Window = FIRST) -> list[NeighbourEvent]:
        """Return a window of the events; their own order is what happened last first.

        Raises:
            InvalidInput: The filter has an address or a lladdr that is none.
        """
        actor.require(Permission.VIEW)
        await asyncio.to_thread(self._vendors.load)
        return await asyncio.to_thread(self._repository.events, _normal(wanted), window)

    def vendor(self, lladdr: str) -> str:
        """Return the vendor of a lladdr; empty when it is unknown."""
        return self._vendors.lookup(lladdr)

    async def count(self, actor: Actor, wanted: EventFilter, text: str = "") -> int:
        """Return how many events there are; raises as :meth:`events`."""
        actor.require(Permission.VIEW)
        return await asyncio.to_thread(self._repository.count, _normal(wanted), text)

    async def tally(self, actor: Actor) -> Tally:
        """Return how many events are neither acknowledged nor muted, and the greatest id of all."""
        actor.require(Permission.VIEW)
        return await asyncio.to_thread(self._repository.tally)

    async def acknowledge(self, actor: Actor, ids: Sequence[int]) -> int:
        """Mark events as seen to; return how many were not yet.

        Raises:
            NotAllowed: The role does not include it.
            NotFound: There is no such event; nothing is marked then.
        """
        actor.require(Permission.MARK_NEIGHBOURS)
        return await asyncio.to_thread(self._repository.acknowledge, actor, list(dict.fromkeys(ids)))

    async def acknowledge_all(self, actor: Actor, wanted: EventFilter, text: str = "") -> int:
        """Mark all events that a list has as seen to; return how many were not yet.

        Args:
            actor: Who has seen to them.
            wanted, text: The filters of the list; ``up_to`` keeps out what came after it was shown.

        Raises:
            NotAllowed: The role does not include it.
            InvalidInput: As :meth:`events`.
        """
        actor.require(Permission.MARK_NEIGHBOURS)
        return await asyncio.to_thread(self._repository.acknowledge_all, actor, _normal(wanted), text)

    async def mutes(self, actor: Actor) -> list[Mute]:
        """Return the rules by number, also those whose time is over."""
        actor.require(Permission.VIEW)
        return await asyncio.to_thread(self._repository.mutes)

    async def mute(self, actor: Actor, mute: Mute, lasting: str = "") -> Mute:
        """Add a rule: what it covers is kept, but not told any more.

        Args:
            actor: Who does not want to be told.
            mute: The rule; addresses in any common spelling.
            lasting: For how long, as ``2h`` or ``7d``; empty for always.

        Raises:
            NotAllowed: The role does not include it.
            InvalidInput: The rule would mute everything, has a value that is none, or is there already.
        """
        actor.require(Permission.MARK_NEIGHBOURS)
        until = datetime.now(UTC) + timedelta(seconds=parse_interval(lasting)) if lasting else None
        return await asyncio.to_thread(self._repository.mute, actor, replace(_checked(mute), until=until))

    async def unmute(self, actor: Actor, number: int) -> None:
        """Delete a rule; events that are muted stay so.

        Raises:
            NotAllowed: The role does not include it.
            NotFound: There is no such rule.
        """
        actor.require(Permission.MARK_NEIGHBOURS)
        await asyncio.to_thread(self._repository.unmute, actor, number)


def _normal(wanted: EventFilter) -> EventFilter:
    """Return a filter as the store spells what is in it."""
    return wanted._replace(
        kind=_kind(wanted.kind), address=_address(wanted.address), lladdr=_lladdr(wanted.lladdr)
    )


def _checked(mute: Mute) -> Mute:
    """Return a rule as the store spells it."""
    if not (mute.kind or mute.address or mute.lladdr or mute.interface):
        raise InvalidInput(
            "that would mute every event", fix="name a kind, an address, a lladdr or an interface"
        )
    return replace(
        mute,
        kind=_kind(mute.kind),
        address=_address(mute.address),
        lladdr=_lladdr(mute.lladdr),
        interface=plain_line("the interface", mute.interface, _LONGEST_INTERFACE),
    )


def _kind(text: str) -> str:
    if text and text not in list(NeighbourEventKind):
        raise InvalidInput(
            f"{text[:40]!a} is no kind of event", fix=f"known are {', '.join(NeighbourEventKind)}"
        )
    return text


def _address(text: str) -> str:
    if not text:
        return ""
    address = parse_ip(text.strip())
    if address is None:
        raise InvalidInput(f"{text[:60]!a} is no address", fix="write it as 192.0.2.7 or fe80::1")
    return str(address)


def _lladdr(text: str) -> str:
    if not text:
        return ""
    lladdr = normalise_lladdr(text)
    if lladdr is None:
        raise InvalidInput(f"{text[:40]!a} is no lladdr", fix="write it as 00:11:22:aa:bb:cc")
    return lladdr
