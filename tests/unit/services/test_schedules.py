"""Schedules: whose they are, what is refused, when they run, and that a run is started once and as its owner."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.job import JobState
from netmon_tui.domain.profile import SaveProfile
from netmon_tui.domain.scan import StartScan
from netmon_tui.domain.schedule import Runner, SaveSchedule, Schedule, When
from netmon_tui.domain.user import Actor, Role
from netmon_tui.domain.window import Window
from netmon_tui.errors import InvalidInput, NetmonError, NotAllowed, NotFound
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.container import Services, open_services
from netmon_tui.services.rounds import Rounds
from netmon_tui.services.scheduling import CLAIM_SECONDS, SchedulingService
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.schedule_repository import ScheduleRepository
from tests.unit.services.conftest import USERS

pytestmark = pytest.mark.skipif(find_tool("nmap") is None, reason="nmap is not installed")

HOURLY = SaveSchedule("Hourly", ("127.0.0.1",), When(every=3600), arguments="-sL")
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class House:
    """Services with an administrator, two operators and a viewer, and a clock that is set by hand."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.now = NOON
        self.schedules: SchedulingService = services.schedules
        self.schedules._clock = lambda: self.now
        self.ada, self.bo, self.cy, self.eve = (
            Actor(number, name, role) for number, (name, role) in enumerate(USERS.items(), 1)
        )

    async def look(self, runner: Runner = Runner.WORKER) -> int:
        """Start all that is due; how many there were."""
        found = 0
        while await self.schedules.start_one_due(runner):
            found += 1
        return found

    async def scans(self) -> list[tuple[str, str]]:
        """Name and owner of every scan, oldest first."""
        found = await self.services.scans.find(self.ada)
        return [(scan.name, scan.owner) for scan in reversed(found)]

    async def ended(self, schedule: Schedule) -> JobState:
        """Wait for the last scan of a schedule."""
        found = await self.schedules.find(self.ada, f"{schedule.owner}/{schedule.name}")
        assert found.last_scan is not None, found.last_error
        return (await self.services.scanning.wait(self.ada, found.last_scan)).state

    def trail(self, beginning: str = "schedule.") -> list[tuple[str, str, str]]:
        """What was written down about schedules, oldest first."""
        events = AuditRepository(self.services.database).find(Window(sort="id"))
        return [(e.action, e.actor, e.detail) for e in events if e.action.startswith(beginning)]


@pytest.fixture
async def house(data_of_four: Path, tmp_path: Path) -> AsyncIterator[House]:
    shutil.copytree(data_of_four, tmp_path / "data")
    settings = load_settings(environ={}, flags={"scans.never_scan": "127.0.0.9"})
    services = await asyncio.to_thread(open_services, settings, find_paths(data_dir=tmp_path / "data"))
    yield House(services)
    await services.close()


# --- whose they are ---------------------------------------------------------------------------------


async def test_everybody_sees_their_own_and_an_administrator_all(house: House) -> None:
    made = await house.schedules.create(house.bo, HOURLY)
    assert (made.words, made.next_run, made.enabled) == ("every 1h", NOON + timedelta(hours=1), True)
    assert [s.name for s in await house.schedules.find_all(house.bo)] == ["Hourly"]
    assert [s.reference_for(house.ada) for s in await house.schedules.find_all(house.ada)] == ["bo/Hourly"]
    assert await house.schedules.find(house.ada, "bo/hourly") == made
    for other, name in ((house.cy, "bo/Hourly"), (house.cy, "Hourly"), (house.eve, "bo/Hourly")):
        assert await house.schedules.find_all(other) == []
        with pytest.raises(NotFound):
            await house.schedules.find(other, name)


async def test_nobody_but_the_owner_and_administrators_changes_or_runs_one(house: House) -> None:
    made = await house.schedules.create(house.bo, HOURLY)
    schedules = house.schedules
    for other, error in ((house.cy, NotFound), (house.eve, NotAllowed)):
        for attempt in (
            schedules.change(other, made, HOURLY),
            schedules.enable(other, made, enabled=False),
            schedules.run_now(other, made),
            schedules.delete(other, made),
        ):
            with pytest.raises(error):
                await attempt
    with pytest.raises(NotAllowed):
        await schedules.create(house.eve, HOURLY)
    assert await schedules.find_all(house.ada) == [made]
    assert await house.scans() == []
    await schedules.delete(house.ada, made)
    assert [event[:2] for event in house.trail()] == [("schedule.create", "bo"), ("schedule.delete", "ada")]


async def test_every_change_is_written_down(house: House) -> None:
    made = await house.schedules.create(house.bo, HOURLY)
    new = replace(HOURLY, name="Nightly", when=When(cron="@daily", zone="Europe/Berlin"))
    changed = await house.schedules.change(house.bo, made, new)
    off = await house.schedules.enable(house.bo, changed, enabled=False)
    assert (off.enabled, off.next_run) == (False, None)
    assert await house.schedules.enable(house.bo, off, enabled=False) == off
    on = await house.schedules.enable(house.ada, off, enabled=True)
    assert on.next_run == datetime(2026, 6, 1, 22, 0, tzinfo=UTC)
    assert house.trail() == [
        ("schedule.create", "bo", "Hourly: 127.0.0.1 [-sL] every 3600 s (UTC)"),
        ("schedule.change", "bo", "Nightly: 127.0.0.1 [-sL] @daily (Europe/Berlin)"),
        ("schedule.disable", "bo", "Nightly"),
        ("schedule.enable", "ada", "Nightly"),
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "needs a name"),
        ({"name": "a/b"}, "stands between owner and name"),
        ({"name": "a\x1b[2J"}, "do not print"),
        ({"name": "x" * 65}, "too long"),
        ({"targets": ()}, "No targets"),
        ({"targets": ("127.0.0.9",)}, "is never scanned"),
        ({"targets": ("10.0.0.0/8",)}, "too many"),
        ({"arguments": "--script-args-file /etc/passwd"}, "reads files"),
        ({"arguments": "", "profile": "No such"}, "no profile"),
        ({"when": When(every=1)}, "shorter than a minute"),
        ({"when": When(cron="61 * * * *")}, "the minute '61'"),
        ({"when": When()}, "an interval or a cron expression"),
    ],
)
async def test_what_a_start_would_refuse_is_refused_when_it_is_saved(
    house: House, wrong: dict[str, object], said: str
) -> None:
    new = replace(HOURLY, **wrong)
    preview = await house.schedules.preview(house.bo, new)
    assert said in preview.error and preview.error
    with pytest.raises(InvalidInput, match=said):
        await house.schedules.create(house.bo, new)
    made = await house.schedules.create(house.bo, HOURLY)
    with pytest.raises(InvalidInput, match=said):
        await house.schedules.change(house.bo, made, new)
    assert await house.schedules.find_all(house.bo) == [made]


async def test_the_profile_of_a_schedule_is_its_owners_also_when_an_administrator_changes_it(
    house: House,
) -> None:
    await house.services.profiles.create(house.bo, SaveProfile("Mine", "-sL"))
    new = replace(HOURLY, profile="Mine", arguments="")
    made = await house.schedules.create(house.bo, new)
    assert "no profile" in (await house.schedules.preview(house.ada, new)).error
    assert (await house.schedules.preview(house.ada, new, made)).error == ""
    changed = await house.schedules.change(house.ada, made, replace(new, name="Other"))
    await house.schedules.run_now(house.ada, changed)
    assert await house.scans() == [("Other", "bo")]


async def test_a_name_is_its_owners_only_one(house: House) -> None:
    await house.schedules.create(house.bo, HOURLY)
    with pytest.raises(InvalidInput, match="already"):
        await house.schedules.create(house.bo, replace(HOURLY, name=" HOURLY "))
    await house.schedules.create(house.cy, HOURLY)
    other = await house.schedules.create(house.bo, replace(HOURLY, name="Other"))
    with pytest.raises(InvalidInput, match="already"):
        await house.schedules.change(house.bo, other, HOURLY)


# --- starts -----------------------------------------------------------------------------------------


async def test_what_is_due_runs_as_its_owner_and_moves_to_its_next_time(house: House) -> None:
    made = await house.schedules.create(house.bo, HOURLY)
    assert await house.look() == 0
    house.now = NOON + timedelta(hours=1, seconds=5)
    assert await house.look() == 1
    assert await house.look() == 0
    assert await house.scans() == [("Hourly", "bo")]
    assert await house.ended(made) is JobState.COMPLETED
    found = await house.schedules.find(house.bo, "Hourly")
    assert (found.next_run, found.last_run, found.last_error) == (NOON + timedelta(hours=2), house.now, "")
    assert found.last_state is JobState.COMPLETED
    assert house.trail()[-1] == (
        "schedule.start",
        "bo",
        f"Hourly: scan {found.last_scan}, due, by the worker",
    )
    assert house.trail("scan.start")[-1][1] == "bo"


async def test_an_app_leaves_the_worker_the_first_seconds(house: House) -> None:
    await house.schedules.create(house.bo, HOURLY)
    house.now = NOON + timedelta(hours=1, seconds=5)
    assert await house.look(Runner.APP) == 0
    house.now += timedelta(seconds=15)
    assert await house.look(Runner.APP) == 1
    assert house.trail()[-1][2].endswith("due, by the app")


async def test_missed_runs_are_made_up_for_once(house: House) -> None:
    await house.schedules.create(house.bo, HOURLY)
    house.now = NOON + timedelta(days=2, minutes=30)
    assert await house.look() == 1
    assert len(await house.scans()) == 1
    assert (await house.schedules.find(house.bo, "Hourly")).next_run == NOON + timedelta(days=2, hours=1)


async def test_a_missed_run_can_be_left_out(house: House) -> None:
    made = await house.schedules.create(house.bo, replace(HOURLY, catch_up=False))
    house.now = NOON + timedelta(days=2, minutes=30)
    assert await house.look() == 1
    assert await house.scans() == []
    found = await house.schedules.find(house.bo, "Hourly")
    assert "was missed" in found.last_error
    assert found.next_run == NOON + timedelta(days=2, hours=1)
    house.now = found.next_run + timedelta(minutes=4)  # late, as after a slow start of the machine
    assert await house.look() == 1
    assert await house.ended(made) is JobState.COMPLETED


async def test_a_run_is_left_out_while_the_one_before_runs(house: House) -> None:
    slow = replace(HOURLY, arguments="-sT -p 1-3 --scan-delay 10s")
    made = await house.schedules.create(house.bo, slow)
    scan_id = await house.schedules.run_now(house.bo, made)
    with pytest.raises(InvalidInput, match=f"scan {scan_id} of the run before has not ended"):
        await house.schedules.run_now(house.bo, made)
    house.now = NOON + timedelta(hours=1)
    assert await house.look() == 1
    found = await house.schedules.find(house.bo, "Hourly")
    assert f"scan {scan_id} of the run before has not ended" in found.last_error
    assert (found.last_scan, found.next_run) == (scan_id, NOON + timedelta(hours=2))
    assert len(await house.scans()) == 1
    await house.services.scanning.stop(house.bo, scan_id)
    assert await house.ended(made) is JobState.CANCELLED
    house.now = NOON + timedelta(hours=2)
    assert await house.look() == 1
    assert len(await house.scans()) == 2
    found = await house.schedules.find(house.bo, "Hourly")
    assert found.last_error == ""
    await house.services.scanning.stop(house.bo, found.last_scan or 0)


async def test_a_run_that_is_asked_for_leaves_the_next_one_where_it_is(house: House) -> None:
    made = await house.schedules.create(house.bo, HOURLY, enabled=False)
    scan_id = await house.schedules.run_now(house.ada, made)
    found = await house.schedules.find(house.bo, "Hourly")
    assert (found.last_scan, found.enabled, found.next_run) == (scan_id, False, None)
    assert await house.scans() == [("Hourly", "bo")]
    assert house.trail()[-1] == ("schedule.start", "ada", f"Hourly: scan {scan_id}, asked for by ada")


async def test_the_schedules_of_a_disabled_or_degraded_owner_do_not_run_and_say_so(house: House) -> None:
    made = await house.schedules.create(house.bo, HOURLY)
    accounts = house.services.accounts
    await accounts.disable(house.ada, "bo")
    house.now = NOON + timedelta(hours=1)
    assert await house.look() == 1
    found = await house.schedules.find(house.ada, "bo/Hourly")
    assert "the account of bo may not be used" in found.last_error
    with pytest.raises(NotAllowed):
        await house.schedules.run_now(house.ada, made)
    await accounts.enable(house.ada, "bo")
    await accounts.set_role(house.ada, "bo", Role.VIEWER)
    house.now = NOON + timedelta(hours=2)
    assert await house.look() == 1
    assert "may not scan" in (await house.schedules.find(house.ada, "bo/Hourly")).last_error
    assert await house.scans() == []
    await accounts.set_role(house.ada, "bo", Role.OPERATOR)
    house.now = NOON + timedelta(hours=3)
    assert await house.look() == 1
    assert await house.scans() == [("Hourly", "bo")]


async def test_a_start_that_fails_is_kept_and_told_once_and_stops_nothing(house: House) -> None:
    profile = await house.services.profiles.create(house.bo, SaveProfile("Mine", "-sL"))
    await house.schedules.create(house.bo, replace(HOURLY, profile="Mine", arguments=""))
    other = await house.schedules.create(house.cy, replace(HOURLY, name="Other"))
    await house.services.profiles.delete(house.bo, profile)
    for hour in (1, 2):
        house.now = NOON + timedelta(hours=hour)
        assert await house.look() == 2
        await house.ended(other)
    found = await house.schedules.find(house.bo, "Hourly")
    assert "no profile 'Mine'" in found.last_error
    assert found.next_run == NOON + timedelta(hours=3)
    assert [event for event in house.trail() if event[0] == "schedule.failure"] == [
        ("schedule.failure", "bo", f"Hourly: {found.last_error}, due, by the worker")
    ]
    await house.services.profiles.create(house.bo, SaveProfile("Mine", "-sL -n"))
    house.now = NOON + timedelta(hours=3)
    assert await house.look() == 2
    assert (await house.schedules.find(house.bo, "Hourly")).last_error == ""
    assert ("Hourly", "bo") in await house.scans()


async def test_a_defect_in_a_start_is_kept_like_a_failure(house: House) -> None:
    await house.schedules.create(house.bo, HOURLY)

    async def fail(actor: Actor, request: StartScan) -> None:
        raise ZeroDivisionError

    house.schedules._start_scan = fail
    house.now = NOON + timedelta(hours=1)
    assert await house.look() == 1
    assert (await house.schedules.find(house.bo, "Hourly")).last_error == "ZeroDivisionError"


async def test_what_is_changed_while_it_starts_stays_changed(house: House) -> None:
    made = await house.schedules.create(house.bo, HOURLY)
    start = house.schedules._start_scan

    async def switched_off_meanwhile(actor: Actor, request: StartScan) -> object:
        await house.schedules.enable(house.bo, made, enabled=False)
        return await start(actor, request)

    house.schedules._start_scan = switched_off_meanwhile
    house.now = NOON + timedelta(hours=1)
    assert await house.look() == 1
    found = await house.schedules.find(house.bo, "Hourly")
    assert (found.enabled, found.next_run, found.last_scan is not None) == (False, None, True)


async def test_a_zone_that_is_gone_disables_the_schedule_and_says_so(house: House) -> None:
    await house.schedules.create(house.bo, replace(HOURLY, when=When(cron="@hourly", zone="Europe/Berlin")))
    path = house.services.database.path
    with sqlite3.connect(path or "") as connection:
        connection.execute("UPDATE schedules SET zone = 'Gone/Town'")
    house.now = NOON + timedelta(hours=1)
    assert await house.look() == 1
    with sqlite3.connect(path or "") as connection:
        assert connection.execute("SELECT next_run FROM schedules").fetchone() == (None,)
    (found,) = await house.schedules.find_all(house.bo)
    assert "disabled: unknown time zone 'Gone/Town'" in found.last_error


# --- claims -----------------------------------------------------------------------------------------


async def test_one_of_two_programs_gets_a_claim_until_it_expires(house: House) -> None:
    made = await house.schedules.create(house.bo, HOURLY)
    first, second = (ScheduleRepository(house.services.database) for _ in range(2))
    now = NOON + timedelta(hours=1)
    claim = first.claim_due("a", now=now, before=now, seconds=60)
    assert claim is not None and claim.lost_since is None
    assert second.claim_due("b", now=now, before=now, seconds=60) is None
    assert second.claim(made, "b", now=now, seconds=60) is None
    later = now + timedelta(seconds=61)
    taken = second.claim_due("b", now=later, before=later, seconds=60)
    assert taken is not None and taken.lost_since == now


async def test_the_run_of_a_program_that_died_is_taken_over(house: House) -> None:
    made = await house.schedules.create(house.bo, HOURLY)
    house.now = NOON + timedelta(hours=1)
    dead = ScheduleRepository(house.services.database)
    assert dead.claim(made, "dead", now=house.now, seconds=CLAIM_SECONDS) is not None
    assert await house.look() == 0
    house.now += timedelta(seconds=CLAIM_SECONDS + 1)
    assert await house.look() == 1
    assert await house.scans() == [("Hourly", "bo")]


async def test_a_scan_that_the_dead_program_had_started_is_not_started_again(house: House) -> None:
    house.now = datetime.now(UTC) - timedelta(hours=1)
    made = await house.schedules.create(house.bo, HOURLY)
    house.now = datetime.now(UTC) + timedelta(seconds=1)
    earlier = await house.services.scanning.start(house.bo, StartScan(("127.0.0.1",), "-sL", name="Hourly"))
    dead = ScheduleRepository(house.services.database)
    began = datetime.now(UTC)
    assert dead.claim(made, "dead", now=began, seconds=CLAIM_SECONDS) is not None
    scan = await house.services.scanning.start(house.bo, StartScan(("127.0.0.1",), "-sL", name="Hourly"))
    house.now = began + timedelta(seconds=CLAIM_SECONDS + 1)
    assert await house.look() == 1
    found = await house.schedules.find(house.bo, "Hourly")
    assert found.last_scan == scan.id != earlier.id
    assert len(await house.scans()) == 2


# --- rounds -----------------------------------------------------------------------------------------


async def test_a_round_that_fails_is_not_the_last_and_the_end_waits_for_a_start() -> None:
    done: list[Runner] = []
    begun, finish = asyncio.Event(), asyncio.Event()

    async def duty(runner: Runner) -> bool:
        done.append(runner)
        if len(done) == 1:
            raise ZeroDivisionError
        if len(done) == 2:
            raise NetmonError("no")
        begun.set()
        await finish.wait()
        done.append(runner)
        return True

    rounds = Rounds([duty], seconds=0.01)
    rounds.start(Runner.APP)
    rounds.start(Runner.APP)
    await asyncio.wait_for(begun.wait(), 20)
    closing = asyncio.ensure_future(rounds.close())
    for _ in range(100):
        await asyncio.sleep(0)
    assert not closing.done()
    finish.set()
    await asyncio.wait_for(closing, 20)
    assert done == [Runner.APP] * 4


async def test_scripts_that_may_do_harm_are_confirmed_when_the_schedule_is_made(house: House) -> None:
    risky = replace(HOURLY, arguments="-sL --script http-slowloris")
    with pytest.raises(InvalidInput, match="http-slowloris"):
        await house.schedules.create(house.bo, risky)
    made = await house.schedules.create(house.bo, replace(risky, confirmed=True))
    assert made.confirmed
    house.now = NOON + timedelta(hours=2)
    assert await house.look() == 1
    assert await house.ended(made) is JobState.COMPLETED
