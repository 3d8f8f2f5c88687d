"""Events of the neighbour table through the service: who may do what, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.neighbour_event import EventFilter, Mute, NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.neighbour_event_words import meaning, sentence
from netmon_tui.domain.user import Actor, Role
from netmon_tui.domain.window import Window
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound
from netmon_tui.storage.neighbour_repository import NeighbourNews, NeighbourRepository
from tests.unit.services.made_scans import Store

Kind = NeighbourEventKind
VERA, OLE = Actor(2, "vera", Role.VIEWER), Actor(3, "ole", Role.OPERATOR)
OPEN = EventFilter(unacknowledged=True)
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(number: int, kind: Kind = Kind.CHANGED) -> NeighbourEvent:
    lladdr, before = f"b8:27:eb:00:00:{number:02x}", "b8:27:eb:00:01:00"
    return NeighbourEvent(
        BEGIN + timedelta(minutes=number), kind, f"192.0.2.{number}", "eth0", lladdr, before
    )


def happen(store: Store, *events: NeighbourEvent) -> list[NeighbourEvent]:
    return NeighbourRepository(store.services.database).store(NeighbourNews(events=list(events)))


async def numbers(store: Store, wanted: EventFilter = OPEN, text: str = "") -> list[int]:
    found = await store.services.segment.events.events(VERA, wanted, Window(text=text))
    assert await store.services.segment.events.count(VERA, wanted, text) == len(found)
    return [event.id for event in found]


async def test_an_acknowledged_event_is_seen_to_for_everybody(store: Store) -> None:
    happen(store, *(event(n) for n in (1, 2, 3)))
    service = store.services.segment.events
    assert await service.acknowledge(OLE, [1, 3, 3]) == 2
    assert await numbers(store) == [2]
    assert await numbers(store, EventFilter()) == [3, 2, 1]
    (last, *_) = await service.events(VERA, EventFilter())
    assert last.acknowledged_by == "ole"
    assert await service.acknowledge(OLE, [1]) == 0
    with pytest.raises(NotFound, match="no neighbour event 9"):
        await service.acknowledge(OLE, [2, 9])
    assert await numbers(store) == [2], "nothing is marked then"


async def test_all_that_a_list_has_and_nothing_that_came_later(store: Store) -> None:
    happen(store, *(event(n, Kind.DUPLICATE if n % 2 else Kind.CHANGED) for n in range(1, 7)))
    service = store.services.segment.events
    seen = (await service.tally(OLE)).newest
    happen(store, event(7, Kind.DUPLICATE))
    assert await service.acknowledge_all(OLE, EventFilter(kind="duplicate", up_to=seen)) == 3
    assert await numbers(store) == [7, 6, 4, 2]
    assert await service.acknowledge_all(OLE, EventFilter(), "192.0.2.6") == 1
    assert await service.acknowledge_all(OLE, EventFilter()) == 3
    assert await numbers(store) == []
    actions = [e.action for e in await store.services.activity.audit(store.ada)]
    assert actions.count("neighbour.acknowledge") == 3


async def test_only_whoever_marks_neighbours_acknowledges_and_mutes(store: Store) -> None:
    happen(store, event(1))
    service = store.services.segment.events
    for refused in (
        service.acknowledge(VERA, [1]),
        service.acknowledge_all(VERA, EventFilter()),
        service.mute(VERA, Mute(kind="changed")),
        service.unmute(VERA, 1),
    ):
        with pytest.raises(NotAllowed, match="may not mark neighbours"):
            await refused
    assert await numbers(store) == [1]
    assert await service.mutes(VERA) == []


async def test_a_rule_mutes_what_there_is_and_what_comes(store: Store) -> None:
    happen(store, event(1), event(2))
    service = store.services.segment.events
    made = await service.mute(OLE, Mute(address="192.0.2.1", lladdr="B827.EB00.0001"), "2h")
    assert made.lladdr == "b8:27:eb:00:00:01"
    assert made.until is not None
    assert timedelta(minutes=119) < made.until - datetime.now(UTC) <= timedelta(hours=2)
    assert await numbers(store) == [2]
    assert await numbers(store, OPEN._replace(muted=True)) == [2, 1]
    happen(store, event(1, Kind.DUPLICATE))
    assert await numbers(store) == [2]
    await service.unmute(OLE, made.id)
    happen(store, event(1, Kind.GONE))
    assert await numbers(store) == [2, 4] or await numbers(store) == [4, 2]
    with pytest.raises(NotFound):
        await service.unmute(OLE, made.id)


@pytest.mark.parametrize(
    ("mute", "lasting", "said"),
    [
        (Mute(), "", "mute every event"),
        (Mute(kind="chnged"), "", "no kind of event"),
        (Mute(address="192.0.2.0/24"), "", "is no address"),
        (Mute(lladdr="00:11"), "", "is no lladdr"),
        (Mute(interface="a" * 16), "", "too long"),
        (Mute(interface="eth\x1b0"), "", "do not print"),
        (Mute(kind="new"), "soon", "no interval"),
        (Mute(kind="new"), "10s", "shorter than a minute"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(
    store: Store, mute: Mute, lasting: str, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        await store.services.segment.events.mute(OLE, mute, lasting)
    assert await store.services.segment.events.mutes(OLE) == []


async def test_addresses_are_found_in_any_spelling(store: Store) -> None:
    happen(store, event(1), NeighbourEvent(BEGIN, Kind.NEW, "fe80::1", "eth0", "b8:27:eb:00:00:07"))
    assert await numbers(store, EventFilter(address="FE80:0:0::1")) == [2]
    assert await numbers(store, EventFilter(lladdr="B8-27-EB-00-01-00")) == [1]
    for wrong in (EventFilter(address="x"), EventFilter(lladdr="x"), EventFilter(kind="x")):
        with pytest.raises(InvalidInput):
            await store.services.segment.events.count(VERA, wrong)


async def test_what_is_read_is_found(store: Store) -> None:
    happen(store, event(1, Kind.GATEWAY_CHANGED), event(2, Kind.FLIP_FLOP), event(3, Kind.NEW))
    assert await numbers(store, text="gateway changed") == [1]
    assert await numbers(store, text="high") == [1]
    assert await numbers(store, text="!low") == [2, 1]
    assert await numbers(store, OPEN._replace(newer_than=2)) == [3]


async def test_open_ones_are_counted_by_severity(store: Store) -> None:
    service = store.services.segment.events
    assert (await service.tally(VERA)).newest == 0
    happen(store, event(1, Kind.DUPLICATE), event(2), event(3), event(4, Kind.GONE))
    await service.acknowledge(OLE, [2])
    await service.mute(OLE, Mute(kind="gone"))
    assert (await service.tally(VERA)).open == {
        Severity.HIGH: 1, Severity.MEDIUM: 1, Severity.LOW: 0, Severity.INFO: 0
    }  # fmt: skip


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_words(kind: Kind) -> None:
    told = sentence(event(1, kind))
    assert "192.0.2.1" in told
    assert "b8:27:eb:00:00:01" in told
    assert "{" not in told
    assert meaning(kind).endswith(".")
    assert all(rule.covers(event(1, kind)) for rule in Mute.offered_for(event(1, kind)))
