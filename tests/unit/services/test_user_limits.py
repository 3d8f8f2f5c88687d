"""What the scans of one user are held to, by whatever way they are started."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import Scan, StartScan
from netmon_tui.domain.schedule import Runner, SaveSchedule, When
from netmon_tui.domain.user import LONGEST_LIST, Actor, Role, ScanLimits
from netmon_tui.domain.window import Window
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.container import Services, open_services
from netmon_tui.storage.audit_repository import AuditRepository
from tests.unit.services.conftest import USERS

pytestmark = [
    pytest.mark.skipif(find_tool("nmap") is None, reason="nmap is not installed"),
    pytest.mark.timeout(120),
]
SETTINGS = {"scans.never_scan": "127.0.0.9", "scans.maximum_rate": "500"}
BOTH = "127.0.0.9,127.0.0.2,127.0.0.8/30"
SLOW = "-sT -Pn -n -p 1-3 --max-hostgroup 1 --scan-delay 100ms"


class House:
    """Services with an administrator, two operators and a viewer."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.ada, self.bo, self.cy, self.eve = (
            Actor(number, name, role) for number, (name, role) in enumerate(USERS.items(), 1)
        )

    async def hold_bo(self, never_scan: str = "127.0.0.2 127.0.0.8/30", maximum_rate: int = 100) -> None:
        await self.services.limits.set(self.ada, "bo", never_scan=never_scan, maximum_rate=maximum_rate)

    async def wait(self, scan_id: int) -> tuple[str, ...]:
        """The command of a scan that has ended."""
        return (await self.services.scanning.wait(self.ada, scan_id)).command

    async def command(self, actor: Actor, options: str = "-sL") -> tuple[str, ...]:
        plan = await self.services.scanning.plan(actor, StartScan(("127.0.0.0/28",), options))
        return plan.command


@pytest.fixture
async def house(data_of_four: Path, tmp_path: Path) -> AsyncIterator[House]:
    shutil.copytree(data_of_four, tmp_path / "data")
    settings = load_settings(environ={}, flags=SETTINGS)
    services = await asyncio.to_thread(open_services, settings, find_paths(data_dir=tmp_path / "data"))
    yield House(services)
    await services.close()


def excluded(command: tuple[str, ...]) -> str:
    assert command.count("--exclude") == 1
    return command[command.index("--exclude") + 1]


def rate(command: tuple[str, ...]) -> str:
    assert command.count("--max-rate") == 1
    return command[command.index("--max-rate") + 1]


async def test_only_administrators_set_limits_and_it_is_written_down(house: House) -> None:
    limits = house.services.limits
    for actor in (house.bo, house.eve):
        with pytest.raises(NotAllowed):
            await limits.set(actor, "bo", never_scan="")
    with pytest.raises(NotAllowed):
        await limits.find(house.bo, "cy")
    with pytest.raises(NotFound):
        await limits.set(house.ada, "nobody", maximum_rate=1)
    await house.hold_bo(" 127.0.0.9/30,127.0.0.9/30  SRV.example ", 100)
    found = await limits.find(house.bo, " BO ")
    assert found.limits == ScanLimits("127.0.0.8/30 srv.example", 100)
    await limits.set(house.ada, "bo", maximum_rate=0)
    assert (await limits.find(house.ada, "bo")).limits == ScanLimits("127.0.0.8/30 srv.example", 0)
    trail = AuditRepository(house.services.database).find(Window(sort="id"))
    assert [(e.actor, e.subject, e.detail) for e in trail if e.action == "user.limits"] == [
        ("ada", "user bo", "never scanned: 127.0.0.8/30 srv.example; probes a second: 100"),
        ("ada", "user bo", "probes a second: any"),
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"never_scan": "-oN /tmp/x"}, "never begins with '-'"),
        ({"never_scan": "127.0.0.1\x1b[31m"}, "is not allowed in one"),
        ({"never_scan": "@servers"}, "is not allowed in one"),
        ({"never_scan": "x" * (LONGEST_LIST + 1)}, "too many for a never-scan list"),
        ({"maximum_rate": -1}, "-1 is no rate"),
        ({"maximum_rate": 100_001}, "100001 is no rate"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_limits_that_are_none_are_refused_and_the_old_ones_stay(
    house: House, change: dict[str, object], words: str
) -> None:
    await house.hold_bo()
    with pytest.raises(InvalidInput) as caught:
        await house.services.limits.set(house.ada, "bo", **change)  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert (await house.services.limits.find(house.ada, "bo")).limits.maximum_rate == 100


async def test_both_lists_hold_and_the_lower_ceiling(house: House) -> None:
    await house.hold_bo()
    plan = await house.services.scanning.plan(house.bo, StartScan(("127.0.0.0/28",), "-sL"))
    assert plan.never_scanned == tuple(BOTH.split(","))
    assert (excluded(plan.command), rate(plan.command)) == (BOTH, "100")
    assert excluded(await house.command(house.bo, "-sL --exclude 127.0.0.1")) == f"127.0.0.1,{BOTH}"
    assert rate(await house.command(house.bo, "-sT --min-rate 5000")) == "100"
    assert excluded(await house.command(house.cy)) == "127.0.0.9"
    assert rate(await house.command(house.cy)) == "500"
    await house.hold_bo(maximum_rate=5_000)
    assert rate(await house.command(house.bo)) == "500"
    with pytest.raises(InvalidInput, match=r"127\.0\.0\.2 is never scanned"):
        await house.services.scanning.start(house.bo, StartScan(("127.0.0.2",), "-sL"))


async def test_every_start_of_a_scan_of_theirs_is_held_to_them(house: House) -> None:
    scanning, schedules = house.services.scanning, house.services.schedules
    now = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
    schedules._clock = lambda: now
    hourly = SaveSchedule("Hourly", ("127.0.0.0/28",), When(every=3600), arguments="-sL")
    schedule = await schedules.create(house.bo, hourly)
    before = await scanning.start(house.bo, StartScan(("127.0.0.0/28",), "-sL"))
    assert excluded(await house.wait(before.id)) == "127.0.0.9"
    await house.hold_bo()
    started = [
        (await scanning.start(house.bo, StartScan(("127.0.0.0/28",), "-sL"))).id,
        (await scanning.repeat(house.bo, before.id)).id,
        await schedules.run_now(house.ada, schedule),
    ]
    for scan_id in started:
        assert excluded(await house.wait(scan_id)) == BOTH
    now += timedelta(hours=1)
    assert await schedules.start_one_due(Runner.WORKER)
    due = (await schedules.find(house.bo, "Hourly")).last_scan
    assert due is not None
    assert due not in started
    assert excluded(await house.wait(due)) == BOTH
    for scan_id in (*started, due):
        assert (await house.services.scans.get(house.ada, scan_id)).hosts_total == 16 - 1 - 4


async def test_a_scan_that_waited_or_goes_on_is_held_to_the_limits_of_its_start(house: House) -> None:
    scanning = house.services.scanning
    scan = await scanning.start(house.bo, StartScan(("127.0.0.1-12",), SLOW))
    await scanning.stop(house.bo, scan.id)
    assert (await scanning.wait(house.ada, scan.id)).state is JobState.CANCELLED
    await house.hold_bo()
    await scanning.resume(house.ada, scan.id)  # whoever asks, the scan is bo's
    ended = await scanning.wait(house.ada, scan.id)
    assert ended.state is JobState.COMPLETED, ended.error
    assert (excluded(ended.command), rate(ended.command)) == (BOTH, "100")
    scanning._queue._at_once = 0
    waiting = await scanning.start(house.bo, StartScan(("127.0.0.1-4",), "-sL"))
    assert waiting.state is JobState.QUEUED
    await house.hold_bo("127.0.0.3")
    scanning._queue._at_once = 1
    assert excluded(await house.wait(waiting.id)) == "127.0.0.9,127.0.0.3"


async def test_two_administrators_lose_no_change_of_each_other(house: House) -> None:
    limits = house.services.limits
    for number in range(1, 6):
        await asyncio.gather(
            limits.set(house.ada, "bo", never_scan=f"127.0.0.{number}"),
            limits.set(house.ada, "bo", maximum_rate=number),
        )
        assert (await limits.find(house.ada, "bo")).limits == ScanLimits(f"127.0.0.{number}", number)


async def paused(house: House, targets: str) -> Scan:
    """A scan of bo that stands still."""
    await house.services.supervisor.start()
    scan = await house.services.scanning.start(house.bo, StartScan((targets,), SLOW))
    await house.services.scanning.pause(house.bo, scan.id)
    while (await house.services.scans.get(house.ada, scan.id)).state is not JobState.PAUSED:
        await asyncio.sleep(0.05)
    return scan


async def test_a_paused_scan_goes_on_under_the_limits_of_that_day(house: House) -> None:
    scan = await paused(house, "127.0.0.1-8")
    await house.hold_bo()
    await house.services.scanning.pause(house.ada, scan.id, paused=False)
    assert (excluded(command := await house.wait(scan.id)), rate(command)) == (BOTH, "100")


async def test_a_paused_scan_of_what_may_not_be_scanned_any_more_stands_still(house: House) -> None:
    scanning, scans = house.services.scanning, house.services.scans
    scan = await paused(house, "127.0.0.1")
    await house.hold_bo("127.0.0.1")
    with pytest.raises(InvalidInput, match="never scanned"):
        await scanning.pause(house.ada, scan.id, paused=False)
    await house.hold_bo("127.0.0.2")
    await house.services.accounts.set_role(house.ada, "bo", Role.VIEWER)
    with pytest.raises(NotAllowed):
        await scanning.pause(house.ada, scan.id, paused=False)
    assert (await scans.get(house.ada, scan.id)).state is JobState.PAUSED
    await scanning.stop(house.ada, scan.id)
    assert (await scanning.wait(house.ada, scan.id)).state is JobState.CANCELLED


async def test_limits_that_change_while_a_paused_scan_waits_for_its_place_keep_it_paused(
    house: House,
) -> None:
    scanning, scans = house.services.scanning, house.services.scans
    scan = await paused(house, "127.0.0.1-8")
    scanning._queue._at_once = 0
    assert (await scanning.pause(house.bo, scan.id, paused=False)).state is JobState.QUEUED
    await house.hold_bo()
    scanning._queue._at_once = 4
    await scanning._queue.start_waiting()
    halted = await scans.get(house.bo, scan.id)
    assert halted.state is JobState.PAUSED
    assert "limits have changed" in halted.error
    await scanning.pause(house.bo, scan.id, paused=False)
    assert excluded(await house.wait(scan.id)) == BOTH
    assert not (await scans.get(house.bo, scan.id)).error


async def test_a_paused_scan_that_waits_says_what_may_not_be_scanned_any_more(house: House) -> None:
    scanning, scans = house.services.scanning, house.services.scans
    scan = await paused(house, "127.0.0.2")
    scanning._queue._at_once = 0
    await scanning.pause(house.bo, scan.id, paused=False)
    await house.hold_bo()
    scanning._queue._at_once = 4
    await scanning._queue.start_waiting()
    halted = await scans.get(house.bo, scan.id)
    assert halted.state is JobState.PAUSED
    assert "127.0.0.2 is never scanned" in halted.error
    await house.hold_bo("127.0.0.77")
    scanning._queue._at_once = 0
    assert not (await scanning.pause(house.bo, scan.id, paused=False)).error
    await scanning.stop(house.ada, scan.id)
    assert (await scanning.wait(house.ada, scan.id)).state is JobState.CANCELLED


async def test_what_was_left_out_stays_left_out_when_a_scan_goes_on(house: House) -> None:
    """Else its command would claim that everything was asked, and a comparison that what is missing is gone."""
    await house.hold_bo()
    scan = await house.services.scanning.start(house.bo, StartScan(("127.0.0.1-12",), SLOW))
    await house.services.scanning.stop(house.bo, scan.id)
    await house.services.scanning.wait(house.ada, scan.id)
    await house.hold_bo("", 0)
    await house.services.scanning.resume(house.bo, scan.id)
    assert set(excluded(await house.wait(scan.id)).split(",")) == set(BOTH.split(","))


async def test_a_scan_with_nothing_left_is_refused_in_plain_words(house: House) -> None:
    await house.hold_bo("127.0.0.0/8")
    error = (await house.services.scanning.preview(house.bo, StartScan(("127.0.0.0/28",), "-sL"))).error
    assert "nothing is left" in error


async def test_every_stage_of_a_scan_in_stages_is_held_to_them(house: House) -> None:
    await house.hold_bo()
    request = StartScan(("127.0.0.1-20",), "-T4 -n -sV --version-intensity 0 -p 1,2")
    assert (await house.services.scanning.plan(house.bo, request)).stages
    scan = await house.services.scanning.start(house.bo, request)
    ended = await house.services.scanning.wait(house.ada, scan.id)
    assert ended.state is JobState.COMPLETED, ended.error
    plan = json.loads((house.services.paths.jobs / f"scan-{scan.id}" / "plan.json").read_text())
    assert plan["exclude"] == BOTH.split(",")
    for stage in ("discovery", "ports"):
        assert rate(tuple(plan[stage])) == "100"
    assert int(rate(tuple(plan["detection"]))) * plan["parallel"] <= 100
    hosts = {host.address for host in await house.services.scans.whole_hosts(house.ada, scan.id)}
    assert hosts
    assert not hosts & {f"127.0.0.{n}" for n in (2, 8, 9, 10, 11)}
