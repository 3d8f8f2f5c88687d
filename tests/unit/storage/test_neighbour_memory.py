"""What is stored of neighbours: sightings, times of presence, events and what people say about devices."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import insert

from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.device import MarksChange
from netmon_tui.domain.neighbour_event import Mute, NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.neighbour_event_words import sentence
from netmon_tui.domain.user import Actor, Role
from netmon_tui.domain.window import Window
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.storage import neighbour_event_folding as events_module
from netmon_tui.storage import records
from netmon_tui.storage.device_repository import DeviceRepository
from netmon_tui.storage.neighbour_event_repository import EventFilter, NeighbourEventRepository
from netmon_tui.storage.neighbour_repository import QUIET, NeighbourNews, NeighbourRepository, Sighting
from netmon_tui.storage.schema_version import open_database

ADA, BOB = "b8:27:eb:00:00:01", "b8:27:eb:00:00:02"
ONE, TWO = "192.0.2.1", "192.0.2.2"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ACTOR = Actor(1, "ada", Role.ADMIN)


@pytest.fixture
def database(tmp_path):
    opened = open_database(f"sqlite:///{tmp_path}/n.db", backups=tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def neighbours(database):
    return NeighbourRepository(database)


@pytest.fixture
def events(database):
    return NeighbourEventRepository(database)


@pytest.fixture
def devices(database):
    return DeviceRepository(database)


def sighting(time: datetime, lladdr: str = ADA, address: str = ONE) -> Sighting:
    return Sighting("eth0", address, "ipv4", lladdr, False, time)


def event(time: datetime, kind: str = "changed", address: str = ONE, lladdr: str = BOB) -> NeighbourEvent:
    return NeighbourEvent(time, NeighbourEventKind(kind), address, "eth0", lladdr, ADA)


def spans(presences):
    return [(p.lladdr, p.started, p.ended, p.ending) for p in presences]


def test_sightings_extend_one_time_of_presence(neighbours):
    for minutes in (0, 20, 40):
        neighbours.remember([sighting(NOON + minutes * MINUTE)])
    assert spans(neighbours.presences_at("eth0", ONE)) == [(ADA, NOON, NOON + 40 * MINUTE, "")]
    assert neighbours.history("eth0", ONE) == [(ADA, NOON, NOON + 40 * MINUTE)]
    assert neighbours.remembered()["eth0", ONE].first_seen == NOON


def test_a_long_silence_begins_another_one(neighbours):
    neighbours.remember([sighting(NOON)])
    neighbours.remember([sighting(NOON + QUIET)])
    later = NOON + 2 * QUIET + MINUTE
    neighbours.remember([sighting(later)])
    assert spans(neighbours.presences_of_device(ADA)) == [
        (ADA, later, later, ""),
        (ADA, NOON, NOON + QUIET, "quiet"),
    ]


def test_a_lladdr_ends_the_presence_of_the_one_before(neighbours):
    neighbours.remember([sighting(NOON)])
    neighbours.remember([sighting(NOON + MINUTE, BOB)])
    neighbours.remember([sighting(NOON + 2 * MINUTE)])
    assert spans(neighbours.presences_at("eth0", ONE)) == [
        (ADA, NOON + 2 * MINUTE, NOON + 2 * MINUTE, ""),
        (BOB, NOON + MINUTE, NOON + MINUTE, "replaced"),
        (ADA, NOON, NOON, "replaced"),
    ]


def test_lladdrs_that_change_within_one_store_leave_one_present(neighbours):
    rows = [sighting(NOON + n * MINUTE, lladdr) for n, lladdr in enumerate((ADA, BOB))]
    neighbours.store(NeighbourNews(sightings=rows))
    present = [p.lladdr for p in neighbours.presences_at("eth0", ONE) if not p.ending]
    assert present == [BOB]
    assert neighbours.remembered()["eth0", ONE].lladdr == BOB


def test_who_is_gone_is_marked_and_its_presence_ends(neighbours):
    neighbours.remember([sighting(NOON), sighting(NOON, address=TWO)])
    neighbours.store(NeighbourNews(gone=[("eth0", ONE, ADA)]))
    assert [p.ending for p in neighbours.presences_at("eth0", ONE)] == ["gone"]
    assert [p.ending for p in neighbours.presences_at("eth0", TWO)] == [""]
    assert {key: row.gone for key, row in neighbours.remembered().items()} == {
        ("eth0", ONE): True,
        ("eth0", TWO): False,
    }
    neighbours.remember([sighting(NOON + MINUTE)])
    assert not neighbours.remembered()["eth0", ONE].gone
    assert [p.ending for p in neighbours.presences_at("eth0", ONE)] == ["", "gone"]


def test_an_older_sighting_changes_no_lladdr(neighbours):
    neighbours.remember([sighting(NOON, BOB)])
    neighbours.remember([sighting(NOON - MINUTE, ADA)])
    assert neighbours.remembered()["eth0", ONE].lladdr == BOB
    assert neighbours.remembered()["eth0", ONE].first_seen == NOON - MINUTE
    assert [p.lladdr for p in neighbours.presences_at("eth0", ONE) if not p.ending] == [BOB]


def test_only_what_was_stored_since_is_asked_for_however_old_it_is(neighbours):
    neighbours.remember([sighting(NOON), sighting(NOON + MINUTE, address="192.0.2.3")])
    before = neighbours.revision()
    neighbours.remember([sighting(NOON - MINUTE, address=TWO), sighting(NOON - MINUTE)])
    assert set(neighbours.remembered(before)) == {("eth0", TWO)}


def test_an_event_that_happens_again_is_counted_until_somebody_saw_to_it(neighbours, events):
    (first,) = neighbours.store(NeighbourNews(events=[event(NOON), event(NOON + MINUTE)]))
    assert neighbours.store(NeighbourNews(events=[event(NOON + 2 * MINUTE)])) == [], "it was told"
    (kept,) = events.events(EventFilter())
    assert (kept.id, kept.time, kept.last, kept.count) == (first.id, NOON, NOON + 2 * MINUTE, 3)
    assert events.acknowledge(ACTOR, [kept.id]) == 1
    assert events.acknowledge(ACTOR, [kept.id]) == 0
    (again,) = neighbours.store(NeighbourNews(events=[event(NOON + 3 * MINUTE)]))
    assert again.id != kept.id
    newest, oldest = events.events(EventFilter())
    assert (newest.count, newest.acknowledged_by, oldest.acknowledged_by) == (1, "", "ada")
    assert events.count(EventFilter(unacknowledged=True)) == 1


def test_what_another_program_stored_is_not_told_twice(neighbours, events):
    stored, lost = event(NOON), event(NOON, address=TWO)
    neighbours.store(NeighbourNews(events=[stored]))
    mine = [replace(stored, time=NOON + timedelta(milliseconds=20)), lost]
    assert [e.address for e in neighbours.store(NeighbourNews(doubtful=mine))] == [TWO]
    assert {e.address: e.count for e in events.events(EventFilter())} == {ONE: 1, TWO: 1}


def test_after_an_hour_it_is_another_event(neighbours, events):
    neighbours.store(NeighbourNews(events=[event(NOON)]))
    neighbours.store(NeighbourNews(events=[event(NOON + events_module.REPEAT + MINUTE)]))
    assert [found.count for found in events.events(EventFilter())] == [1, 1]


def test_events_are_asked_for_by_what_they_are(neighbours, events):
    kinds = ("new", "duplicate", "gone", "changed")
    made = [event(NOON + n * MINUTE, kind, f"192.0.2.{n}") for n, kind in enumerate(kinds)]
    neighbours.store(NeighbourNews(events=made))

    def found(text: str = "", **wanted):
        return [e.kind.value for e in events.events(EventFilter(**wanted), Window(text=text))]

    assert found() == list(reversed(kinds))
    assert found(least=Severity.MEDIUM) == ["changed", "duplicate"]
    assert found(kind="gone") == ["gone"]
    assert found(address="192.0.2.1") == ["duplicate"]
    assert found(lladdr=ADA) == list(reversed(kinds))
    assert found(after=NOON + 2 * MINUTE) == ["changed", "gone"]
    assert found("192.0.2.3") == ["changed"]
    ordered = events.events(EventFilter(), Window(sort="severity", limit=2))
    assert [e.kind.value for e in ordered] == ["duplicate", "changed"]


def test_what_is_muted_is_kept_but_not_told(neighbours, events):
    neighbours.store(NeighbourNews(events=[event(NOON)]))
    rule = events.mute(ACTOR, Mute(kind="changed", lladdr=ADA))
    assert events.events(EventFilter()) == [], "also what there is already"
    assert neighbours.store(NeighbourNews(events=[event(NOON, address=TWO)])) == []
    assert [e.muted for e in events.events(EventFilter(muted=True))] == [True, True]
    with pytest.raises(InvalidInput, match=f"rule {rule.id} says so already"):
        events.mute(ACTOR, Mute(kind="changed", lladdr=ADA))
    assert [(r.lladdr, r.created_by) for r in events.mutes()] == [(ADA, "ada")]
    events.unmute(ACTOR, rule.id)
    assert len(neighbours.store(NeighbourNews(events=[event(NOON, address="192.0.2.9")]))) == 1
    with pytest.raises(NotFound):
        events.unmute(ACTOR, rule.id)


def test_a_mute_ends_with_its_time_also_for_what_goes_on_and_on(neighbours, events):
    rule = events.mute(ACTOR, Mute(address=ONE, until=NOON + 30 * MINUTE))
    told = [
        NOON + n * MINUTE
        for n in range(0, 120, 5)
        if neighbours.store(NeighbourNews(events=[event(NOON + n * MINUTE)]))
    ]
    assert told == [NOON + 30 * MINUTE]
    assert [(e.count, e.muted) for e in events.events(EventFilter(muted=True))] == [(18, False), (6, True)]
    events.mute(ACTOR, Mute(kind="changed"))
    assert neighbours.store(NeighbourNews(events=[event(NOON + 120 * MINUTE)])) == []
    events.unmute(ACTOR, rule.id)
    events.unmute(ACTOR, rule.id + 1)
    assert len(neighbours.store(NeighbourNews(events=[event(NOON + 121 * MINUTE)]))) == 1


def test_nothing_is_acknowledged_if_one_does_not_exist(neighbours, events):
    (kept,) = neighbours.store(NeighbourNews(events=[event(NOON)]))
    with pytest.raises(NotFound, match="999"):
        events.acknowledge(ACTOR, [kept.id, 999])
    assert events.count(EventFilter(unacknowledged=True)) == 1


TURNS = [
    ("down", "back", 25), ("gone", "back", 25), ("back", "down", 25), ("back", "gone", 25),
    ("gateway_changed", "gateway_changed", 20), ("gateway_changed", "flip_flop", 20),
]  # fmt: skip


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize(("kind", "opposite", "minutes"), TURNS)
def test_what_happens_again_after_its_opposite_is_told_again(neighbours, kind, opposite, minutes, at_once):
    back = NeighbourEvent(NOON, NeighbourEventKind(opposite), ONE, "eth0", BOB, ADA)
    if "_" in kind:
        back = replace(back, lladdr=ADA, previous_lladdr=BOB)
    elif opposite == "down":
        back = replace(back, address=TWO)
    made = [
        replace(event(NOON, kind) if not turn % 2 else back, time=NOON + turn * minutes * MINUTE)
        for turn in range(5)
    ]
    stores = [made] if at_once else [[one] for one in made]
    told = [one for some in stores for one in neighbours.store(NeighbourNews(events=some))]
    assert [one.time for one in told if one.kind.value == kind and one.lladdr == BOB][:3] == [
        one.time for one in made[::2]
    ]


def test_what_lasts_or_storms_is_told_once(neighbours):
    down = [event(NOON + n * MINUTE, "down") for n in range(3)]
    fights = [
        replace(event(NOON + n * MINUTE, kind), **pair)
        for n in range(0, 60, 2)
        for kind in ("changed", "duplicate")
        for pair in ({}, {"lladdr": ADA, "previous_lladdr": BOB})
    ]
    told = [one for event in [*down, *fights] for one in neighbours.store(NeighbourNews(events=[event]))]
    assert [one.kind.value for one in told] == ["down", "changed", "changed", "duplicate", "duplicate"]


def test_what_is_seen_to_or_light_goes_before_an_alarm_however_old(neighbours, events, monkeypatch):
    monkeypatch.setattr(events_module, "MOST_EVENTS", 3)
    kinds = ("duplicate", "duplicate", "changed", "new", "new", "new", "new")
    for n, kind in enumerate(kinds):
        (stored,) = neighbours.store(NeighbourNews(events=[event(NOON, kind, f"192.0.2.{n}")]))
        if n == 0:
            events.acknowledge(ACTOR, [stored.id])
    assert sorted(e.address for e in events.events(EventFilter())) == [f"192.0.2.{n}" for n in (1, 2, 6)]


def test_a_mute_that_is_said_again_lasts_longer(neighbours, events):
    first = events.mute(ACTOR, Mute(kind="new", until=NOON))
    longer = events.mute(ACTOR, Mute(kind="new", until=NOON + MINUTE))
    assert (longer.id, events.mutes()) == (first.id, [longer])
    with pytest.raises(InvalidInput, match="says so already"):
        events.mute(ACTOR, Mute(kind="new", until=NOON))
    assert events.mute(ACTOR, Mute(kind="new")).until is None
    with pytest.raises(InvalidInput, match="says so already"):
        events.mute(ACTOR, Mute(kind="new", until=NOON))
    assert [(rule.id, rule.until) for rule in events.mutes()] == [(first.id, None)]


def test_an_event_has_the_names_of_its_devices_as_they_are_by_now(neighbours, events, devices):
    neighbours.store(NeighbourNews(events=[event(NOON)]))
    devices.mark(ACTOR, {ADA: MarksChange("srv"), BOB: MarksChange("pi")})
    (found,) = events.events(EventFilter(), Window(text="SRV", sort="name"))
    assert sentence(found) == f"{ONE} on eth0 is at pi ({BOB}) now, no longer at srv ({ADA})"
    assert events.count(EventFilter(), "nas") == 0
    assert events.acknowledge_all(ACTOR, EventFilter(), "pi") == 1


def test_the_oldest_events_go(neighbours, events, monkeypatch):
    monkeypatch.setattr(events_module, "MOST_EVENTS", 3)
    for n in range(5):
        neighbours.store(NeighbourNews(events=[event(NOON, address=f"192.0.2.{n}")]))
    assert sorted(e.address for e in events.events(EventFilter())) == [f"192.0.2.{n}" for n in (2, 3, 4)]


def test_thousands_of_events_at_once_get_their_own_ids_in_order(neighbours, events):
    made = [event(NOON, address=f"10.0.{n // 250}.{n % 250}") for n in range(3000)]
    told = neighbours.store(NeighbourNews(events=made))
    assert [e.address for e in told] == [e.address for e in made]
    assert all(before.id < after.id for before, after in pairwise(told))
    stored = {e.id: e.address for e in events.events(EventFilter(), Window(limit=5000))}
    assert stored == {e.id: e.address for e in told}


def test_a_device_is_a_lladdr_with_all_its_addresses(neighbours, devices):
    neighbours.remember([sighting(NOON), sighting(NOON + MINUTE, address=TWO)])
    neighbours.remember([sighting(NOON + 2 * MINUTE, BOB)])
    assert devices.lladdrs() == [
        (BOB, NOON + 2 * MINUTE, NOON + 2 * MINUTE, 1),
        (ADA, NOON, NOON + MINUTE, 2),
    ]
    assert [(a.address, a.present) for a in devices.addresses(ADA)] == [(TWO, True), (ONE, False)]
    neighbours.store(NeighbourNews(gone=[("eth0", TWO, ADA)]))
    assert [(a.address, a.present) for a in devices.addresses(ADA)] == [(TWO, False), (ONE, False)]


def test_what_two_programs_say_of_a_device_at_once_is_both_said(tmp_path, database, devices, monkeypatch):
    devices.mark(ACTOR, {ADA: MarksChange("printer")})
    queued, submit = threading.Event(), database.submit

    def tell(work):
        queued.set()
        return submit(work)

    monkeypatch.setattr(database, "submit", tell)
    other = sqlite3.connect(tmp_path / "n.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as threads:
        marking = threads.submit(devices.mark, ACTOR, {ADA: MarksChange(known=True)})
        assert queued.wait(30)
        other.execute("UPDATE neighbour_devices SET name = 'copier'")
        other.execute("COMMIT")
        other.close()
        (marked,) = marking.result(30)
    assert (marked.after.name, marked.after.known) == ("copier", True)
    assert devices.marks()[ADA].said == marked.after.said


def test_an_event_that_an_edit_made_happen_names_its_user(database, neighbours, events):
    user = {"name": "ada", "role": "admin", "password_hash": "", "state": "active", "created": NOON}
    entry = ["eth0", ONE, BOB, "PERMANENT", False]
    with database.engine.begin() as connection:
        connection.execute(insert(records.users).values(user))
        connection.execute(
            insert(records.neighbour_edits).values(
                owner_id=1, machine="here", time=NOON, kind="add", subject="", command="", entries=1, before=[],
                after=[entry],
            )
        )  # fmt: skip
    second = timedelta(seconds=1)
    told = neighbours.store(
        NeighbourNews(
            events=[event(NOON + second), event(NOON + second, "new", TWO), event(NOON - second, "gone")]
        )
    )
    assert [(one.kind.value, one.editor, one.severity) for one in told] == [
        ("changed", "ada", Severity.INFO),
        ("new", "", Severity.LOW),
        ("gone", "", Severity.INFO),
    ]
    assert [one.kind.value for one in events.events(EventFilter(least=Severity.MEDIUM))] == []
    (later,) = neighbours.store(NeighbourNews(events=[event(NOON + MINUTE)]))
    assert (later.editor, later.severity) == ("", Severity.MEDIUM), "the address took it again by itself"
    (made, _) = neighbours.with_editors([event(NOON + second), event(NOON + MINUTE)])
    assert sentence(made).endswith("no longer at b8:27:eb:00:00:01: set by ada")


def test_marks_replace_what_was_said_before(neighbours, devices):
    devices.mark(ACTOR, {ADA: MarksChange("printer", "cellar", known=True)})
    devices.mark(ACTOR, {ADA: MarksChange("copier", "", known=False, must_be_up=True)})
    (mark,) = devices.marks().values()
    assert (mark.name, mark.note, mark.known, mark.must_be_up, mark.changed_by) == (
        "copier",
        "",
        False,
        True,
        "ada",
    )
    assert devices.lladdrs() == [(ADA, None, None, 0)], "never seen, but known of"
    neighbours.remember([sighting(NOON)])
    assert devices.lladdrs() == [(ADA, NOON, NOON, 1)]
    neighbours.store(NeighbourNews(down={ADA: True}))
    assert devices.down() == {ADA}
    devices.mark(ACTOR, {ADA: MarksChange(must_be_up=False)})
    assert devices.down() == {ADA}, "what people say does not change how it is"
    devices.unmark(ACTOR, ADA)
    with pytest.raises(NotFound):
        devices.unmark(ACTOR, ADA)
