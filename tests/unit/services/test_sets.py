"""Sets of targets and ports: whose they are, and what a scan takes of them and when."""

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
from netmon_tui.domain import named_set
from netmon_tui.domain.job import JobState
from netmon_tui.domain.named_set import SaveSet, SetKind
from netmon_tui.domain.profile import SaveProfile
from netmon_tui.domain.scan import Scan, StartScan
from netmon_tui.domain.schedule import Runner, SaveSchedule, When
from netmon_tui.domain.user import Actor
from netmon_tui.domain.window import Window
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.container import Services, open_services
from netmon_tui.services.sets import SetService
from netmon_tui.storage import set_repository
from netmon_tui.storage.audit_repository import AuditRepository
from tests.unit.services.conftest import USERS

needs_nmap = pytest.mark.skipif(find_tool("nmap") is None, reason="nmap is not installed")
SERVERS = SaveSet("servers", "127.0.0.1,127.0.0.2", "The first room.")
WEB = SaveSet("web", "T:80,443")


class House:
    """Services with an administrator, two operators and a viewer."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.targets: SetService = services.sets.of(SetKind.TARGETS)
        self.ports: SetService = services.sets.of(SetKind.PORTS)
        self.ada, self.bo, self.cy, self.eve = (
            Actor(number, name, role) for number, (name, role) in enumerate(USERS.items(), 1)
        )

    def trail(self) -> list[tuple[str, str, str, str]]:
        """What was written down about sets, oldest first."""
        events = AuditRepository(self.services.database).find(Window(sort="id"))
        return [(e.action, e.actor, e.subject, e.detail) for e in events if "-set." in e.action]

    async def ended(self, scan: Scan) -> Scan:
        return await self.services.scanning.wait(self.ada, scan.id)


@pytest.fixture
async def house(data_of_four: Path, tmp_path: Path) -> AsyncIterator[House]:
    shutil.copytree(data_of_four, tmp_path / "data")
    paths = find_paths(data_dir=tmp_path / "data")
    services = await asyncio.to_thread(open_services, load_settings(environ={}), paths)
    yield House(services)
    await services.close()


# --- whose they are ---------------------------------------------------------------------------------


async def test_the_life_of_a_set_is_written_down(house: House) -> None:
    made = await house.targets.create(house.bo, SERVERS)
    assert (made.content, made.mention_for(house.bo)) == ("127.0.0.1 127.0.0.2", "@servers")
    changed = await house.targets.change(house.bo, made, SaveSet("room-1", "127.0.0.3"))
    shared = await house.targets.share(house.bo, changed, shared=True)
    assert shared.mention_for(house.cy) == "@bo/room-1"
    await house.targets.delete(house.ada, shared)
    assert await house.services.sets.usable(house.bo) == []
    assert house.trail() == [
        ("target-set.create", "bo", "target set 1", "servers: 127.0.0.1 127.0.0.2"),
        ("target-set.change", "bo", "target set 1", "room-1: 127.0.0.3"),
        ("target-set.share", "bo", "target set 1", "room-1: shared"),
        ("target-set.delete", "ada", "target set 1", "room-1"),
    ]


async def test_others_see_what_is_shared_and_change_nothing(house: House) -> None:
    made = await house.ports.create(house.bo, WEB)
    with pytest.raises(InvalidInput, match="no port set 'bo/web'"):
        await house.ports.find(house.cy, "@bo/web")
    with pytest.raises(NotFound):
        await house.ports.change(house.cy, made, WEB)
    await house.ports.share(house.bo, made, shared=True)
    assert (await house.ports.find(house.cy, "@bo/WEB")).content == "T:80,443"
    for actor in (house.cy, house.eve):
        with pytest.raises(NotAllowed):
            await house.ports.delete(actor, made)
    with pytest.raises(NotAllowed):
        await house.ports.create(house.eve, replace(WEB, name="mine"))


async def test_one_name_may_be_of_targets_and_of_ports(house: House) -> None:
    await house.targets.create(house.bo, replace(SERVERS, name="web"))
    await house.ports.create(house.bo, WEB)
    for service, new in ((house.targets, SERVERS), (house.ports, WEB)):
        with pytest.raises(InvalidInput, match="already"):
            await service.create(house.bo, replace(new, name="WEB"))


async def test_a_user_has_not_any_number_of_them(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_repository, "MOST_SETS", 2)
    for number in range(2):
        await house.ports.create(house.bo, replace(WEB, name=f"web{number}"))
    with pytest.raises(InvalidInput, match="2 port sets already"):
        await house.ports.create(house.bo, WEB)
    await house.ports.create(house.cy, WEB)
    assert named_set.MOST_SETS == 1_000


async def test_files_take_them_from_one_to_another(house: House, tmp_path: Path) -> None:
    await house.targets.create(house.bo, SERVERS)
    file = await house.targets.export_file(house.bo, tmp_path / "sets.toml")
    (stored,) = await house.targets.import_file(house.cy, file)
    assert (stored.name, stored.content, stored.description) == (
        "servers", "127.0.0.1 127.0.0.2", "The first room.",
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="not a list of port sets"):
        await house.ports.import_file(house.cy, file)
    file.write_text('[[target-set]]\nname = "x"\ntargets = "-oN /tmp/x"\n')
    with pytest.raises(InvalidInput, match="target set 1, 'x', is refused"):
        await house.targets.import_file(house.cy, file)


# --- what a scan takes ------------------------------------------------------------------------------


@needs_nmap
async def test_a_scan_keeps_what_was_in_the_sets_when_it_started(house: House) -> None:
    made = await house.targets.create(house.bo, SERVERS)
    await house.ports.create(house.bo, WEB)
    request = StartScan(("127.0.0.9", "@SERVERS"), "-sT -p @web")
    plan = await house.services.scanning.plan(house.bo, request)
    assert plan.command[-4:] == ("--", "127.0.0.9", "127.0.0.1", "127.0.0.2")
    assert "-pT:80,443" in plan.command
    scan = await house.ended(await house.services.scanning.start(house.bo, request))
    assert (scan.targets, scan.arguments) == (("127.0.0.9", "127.0.0.1", "127.0.0.2"), "-sT -pT:80,443")
    assert scan.sets == ("target set @servers", "port set @web")
    await house.targets.change(house.bo, made, SaveSet("servers", "127.0.0.77"))
    again = await house.services.scanning.repeat(house.bo, scan.id)
    assert (again.targets, again.sets) == (scan.targets, scan.sets)
    await house.ended(again)


@needs_nmap
async def test_a_schedule_scans_what_is_in_the_set_that_day(house: House) -> None:
    now = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
    schedules = house.services.schedules
    schedules._clock = lambda: now
    made = await house.targets.create(house.bo, SERVERS)
    hourly = SaveSchedule("Hourly", ("@servers",), When(every=3600), arguments="-sL")
    await schedules.create(house.bo, hourly)
    for name, content in (
        ("servers", "127.0.0.1"),
        ("servers", "127.0.0.7 127.0.0.8"),
        ("others", "127.0.0.1"),
    ):
        made = await house.targets.change(house.bo, made, SaveSet(name, content))
        now += timedelta(hours=1)
        assert await schedules.start_one_due(Runner.WORKER)
        found = await schedules.find(house.bo, "Hourly")
        if found.last_scan and not found.last_error:
            await house.services.scanning.wait(house.ada, found.last_scan)
    scans = await house.services.scans.find(house.ada)
    assert [scan.targets for scan in scans] == [("127.0.0.7", "127.0.0.8"), ("127.0.0.1",)]
    assert found.targets == ("@servers",)
    assert "no target set 'servers'" in found.last_error


@needs_nmap
async def test_of_a_set_what_is_never_scanned_is_left_out_and_told(house: House) -> None:
    scanning = house.services.scanning
    await house.services.limits.set(house.ada, "bo", never_scan="127.0.0.2 127.0.0.9")
    await house.targets.create(house.bo, SERVERS)
    told = "127.0.0.2 of @servers is left out: on the never-scan list"
    request = StartScan(("@servers", "127.0.0.0/28"), "-sL")
    plan = await scanning.plan(house.bo, request)
    assert (plan.command[-2:], plan.addresses) == (("127.0.0.1", "127.0.0.0/28"), 17)
    assert plan.warnings == (told,)
    scan = await house.ended(await scanning.start(house.bo, request))
    assert scan.targets == ("127.0.0.1", "127.0.0.0/28")
    assert told in scan.warnings
    again = await house.ended(await scanning.repeat(house.bo, scan.id))
    assert (again.state, again.targets) == (JobState.COMPLETED, scan.targets)
    for typed in (("@servers", "127.0.0.2"), ("127.0.0.2", "@servers")):
        with pytest.raises(InvalidInput, match=r"127\.0\.0\.2 is never scanned"):
            await scanning.plan(house.bo, StartScan(typed, "-sL"))


@needs_nmap
async def test_a_name_alone_never_means_a_set_of_somebody_else(house: House) -> None:
    """Or who shares one under a name that was given up would choose what a schedule scans."""
    mine = await house.targets.create(house.bo, SERVERS)
    theirs = await house.targets.create(house.cy, replace(SERVERS, content="127.0.0.9"))
    await house.targets.share(house.cy, theirs, shared=True)
    plan = house.services.scanning.plan
    assert (await plan(house.bo, StartScan(("@servers",), "-sL"))).addresses == 2
    await house.targets.delete(house.bo, mine)
    with pytest.raises(InvalidInput, match="did you mean @cy/servers"):
        await plan(house.bo, StartScan(("@servers",), "-sL"))
    assert (await plan(house.bo, StartScan(("@CY/servers",), "-sL"))).addresses == 1


@needs_nmap
async def test_what_was_confirmed_cannot_become_other_hosts(house: House) -> None:
    theirs = await house.targets.create(house.cy, SERVERS)
    await house.targets.share(house.cy, theirs, shared=True)
    risky = SaveSchedule(
        "nightly", ("@cy/servers",), arguments="-sL --script http-slowloris", when=When(3_600), confirmed=True
    )
    with pytest.raises(InvalidInput, match="set of another user"):
        await house.services.schedules.create(house.bo, risky)


@needs_nmap
async def test_a_set_that_is_too_long_to_be_excluded_says_so(house: House) -> None:
    await house.targets.create(
        house.bo, replace(SERVERS, content=" ".join(f"10.0.1.{n}" for n in range(250)))
    )
    await house.targets.create(
        house.bo, replace(SERVERS, name="more", content=" ".join(f"10.0.2.{n}" for n in range(250)))
    )
    with pytest.raises(InvalidInput, match="@servers, @more: too long"):
        await house.services.scanning.plan(
            house.bo, StartScan(("10.0.0.0/16",), "-sL --exclude @servers,@more")
        )


async def test_a_profile_may_name_a_set(house: House) -> None:
    await house.ports.create(house.bo, WEB)
    await house.services.profiles.create(house.bo, SaveProfile("Web", "-sT -p @web"), shared=True)
    plan = await house.services.scanning.plan(house.bo, StartScan(("127.0.0.1",), profile="Web"))
    assert "-pT:80,443" in plan.command
    refused = await house.services.scanning.preview(house.cy, StartScan(("127.0.0.1",), profile="Web"))
    assert "no port set 'web'" in refused.error


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (StartScan(("@servrs",)), "did you mean 'servers'"),
        (StartScan(("@bo/servers", "@servers", "@x y")), "names no set"),
        (StartScan(("127.0.0.1",), "-sT -p @wep"), "There is no port set 'wep'"),
        (StartScan(("127.0.0.1",), "-sT -p 22,@web"), "stands alone"),
        (StartScan(("127.0.0.1",), "-sT --exclude @nobody"), "There is no target set"),
        (StartScan(("@\x1b[31m",)), "names no set"),
        (StartScan(("@" + "x" * 100_000,)), "names no set"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_name_that_means_nothing_is_refused_and_nothing_starts(
    house: House, request_: StartScan, words: str
) -> None:
    await house.targets.create(house.bo, SERVERS)
    error = (await house.services.scanning.preview(house.bo, request_)).error
    assert words in error
    assert error.isprintable()
    with pytest.raises(InvalidInput):
        await house.services.scanning.start(house.bo, request_)
    assert await house.services.scans.count(house.ada) == 0


async def test_what_was_put_into_the_database_by_hand_is_judged_again(house: House) -> None:
    await house.targets.create(house.bo, SERVERS)
    await house.ports.create(house.bo, WEB)
    for evil in ("-oN /tmp/owned", "--script=x", "127.0.0.1\n-iL /etc/passwd", "@servers", ""):
        with sqlite3.connect(house.services.paths.database_file) as raw:
            raw.execute("UPDATE target_sets SET content = ?", (evil,))
            raw.execute("UPDATE port_sets SET content = ?", (evil,))
        for request in (StartScan(("@servers",), "-sT"), StartScan(("127.0.0.1",), "-sT -p @web")):
            assert (await house.services.scanning.preview(house.bo, request)).error
