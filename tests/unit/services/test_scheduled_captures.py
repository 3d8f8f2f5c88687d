"""Schedules of captures: what is refused, and that the run of a program that died is not started again."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from netmon_tui.config.sections import CaptureSettings
from netmon_tui.domain.capture import Capture, CaptureLabels, StartCapture
from netmon_tui.domain.job import Rotation
from netmon_tui.domain.schedule import Runner, SaveSchedule, When
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import DatabaseLocked, InvalidInput, NotAllowed
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.capture_limits import check_limits, lowered
from netmon_tui.services.scheduled_captures import ScheduledCaptures
from netmon_tui.services.scheduling import CLAIM_SECONDS
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.schedule_repository import ScheduleRepository
from tests.unit.services.made_scans import Store

pytestmark = pytest.mark.skipif(find_tool("tcpdump") is None, reason="tcpdump is not installed")

MORNING = SaveSchedule("Morning", (), When(every=3600), capture=StartCapture("lo", "udp port 7", seconds=600))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"seconds": 0.0}, "needs a limit"),
        # a ring never has so many bytes that the size would end it
        ({"seconds": 0.0, "size": 10**8, "rotation": Rotation(10**7, 0.0, 5)}, "needs a limit"),
        ({"interface": "gone0"}, "no interface 'gone0'"),
        ({"filter": "udp prt 7"}, "host name: prt"),
        ({"buffer_kib": 1}, "buffer"),
    ],
    ids=str,
)
async def test_what_a_start_would_refuse_is_not_kept(
    store: Store, wrong: dict[str, object], said: str
) -> None:
    schedules = store.services.schedules
    asked = replace(StartCapture("lo", seconds=600), **wrong)
    with pytest.raises(InvalidInput, match=said):
        await schedules.create(store.ada, replace(MORNING, capture=asked))
    assert said in (await schedules.preview(store.ada, replace(MORNING, capture=asked))).error
    with pytest.raises(NotAllowed):
        await schedules.create(Actor(store.ada.user_id, "eve", Role.VIEWER), MORNING)
    assert await schedules.find_all(store.ada) == []


def test_limits_that_came_later_lower_what_was_asked_for_and_are_told() -> None:
    settings = CaptureSettings(longest_run_seconds=60, largest_bytes=10**7)
    kept = StartCapture("lo", seconds=600, size=10**8, rotation=Rotation(10**6, 0.0, 50))
    possible, told = lowered(kept, settings)
    check_limits(possible, settings)
    assert possible == replace(kept, seconds=60, size=10**7, rotation=Rotation(10**6, 0.0, 10))
    assert told == (
        "60 s instead of 600: captures.longest_run_seconds; "
        "10,000,000 bytes instead of 100,000,000: captures.largest_bytes; "
        "10 files instead of 50: captures.largest_bytes"
    )
    assert lowered(possible, settings) == (possible, "")


@pytest.mark.parametrize(
    ("largest", "left", "said"),
    [
        (2_500_000_000, Rotation(10**9, 0.0, 2), "2 files instead of 5"),
        (1_500_000_000, Rotation(750_000_000, 0.0, 2), "2 files of 750,000,000 bytes instead of 5"),
        (500_000_000, Rotation(250_000_000, 0.0, 2), "2 files of 250,000,000 bytes instead of 5"),
        (599_999, Rotation(), "one file instead of 5"),
    ],
)
def test_a_ring_is_lowered_to_one_that_can_be(largest: int, left: Rotation, said: str) -> None:
    settings = CaptureSettings(largest_bytes=largest)
    kept = StartCapture("lo", seconds=600, rotation=Rotation(10**9, 0.0, 5))
    possible, told = lowered(kept, settings)
    check_limits(possible, settings)
    assert (possible, told) == (replace(kept, rotation=left), f"{said}: captures.largest_bytes")


@pytest.mark.parametrize("wrong", [{"seconds": math.nan}, {"seconds": -5.0}, {"size": -5}], ids=str)
def test_a_limit_that_is_none_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match="is not possible"):
        check_limits(replace(StartCapture("lo"), **wrong), CaptureSettings())


async def test_a_schedule_beyond_a_limit_that_came_later_runs_and_says_so(store: Store) -> None:
    services, ada = store.services, store.ada
    made = await services.schedules.create(ada, replace(MORNING, name="Long"))
    begun: list[StartCapture] = []

    async def start(actor: Actor, request: StartCapture) -> Capture:
        begun.append(request)
        captures = CaptureRepository(services.database)
        return captures.get(actor, captures.create(actor, request, filter="", jobs=services.paths.jobs))

    strict = replace(services.settings.captures, longest_run_seconds=60)
    captures = ScheduledCaptures(services.capturing.check, start, services.catalogue.label, strict)
    assert made.capture
    number = await captures.run(ada, made.capture, made.name)
    assert [(one.name, one.seconds) for one in begun] == [("Long", 60.0)]
    found = await services.capturing.get(ada, number)
    assert found.note == "lower limits than the schedule's: 60 s instead of 600: captures.longest_run_seconds"

    async def locked(actor: Actor, capture_id: int, labels: CaptureLabels) -> Capture:
        raise DatabaseLocked("the database is locked")

    # it runs all the same, so it is told as begun
    assert await replace(captures, label=locked).run(ada, made.capture, made.name) == number + 1


async def test_a_capture_that_a_dead_program_had_started_is_not_started_again(store: Store) -> None:
    services, ada = store.services, store.ada
    made = await services.schedules.create(ada, MORNING)
    assert made.saved == MORNING
    began = datetime.now(UTC) - timedelta(seconds=1)
    dead = ScheduleRepository(services.database)
    assert dead.claim(made, "dead", now=began, seconds=CLAIM_SECONDS) is not None
    request = StartCapture("lo", name="Morning")
    number = CaptureRepository(services.database).create(ada, request, filter="", jobs=services.paths.jobs)
    services.schedules._clock = lambda: began + timedelta(hours=2)
    assert await services.schedules.start_one_due(Runner.WORKER)
    (found,) = await services.schedules.find_all(ada)
    assert (found.last_words, found.runs, found.last_error) == (f"capture {number}", True, "")
    services.schedules._clock = lambda: began + timedelta(hours=4)
    assert await services.schedules.start_one_due(Runner.WORKER)
    (found,) = await services.schedules.find_all(ada)
    assert found.last_error == f"capture {number} of the run before has not ended, so this one is left out"
    assert await services.capturing.count(ada) == 1
