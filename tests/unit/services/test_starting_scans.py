"""A scan that cannot be started leaves nothing that seems to run."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import StartScan
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput, NetmonError, NotFound, PrivilegeMissing
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.container import Services, open_services

pytestmark = pytest.mark.skipif(find_tool("nmap") is None, reason="nmap is not installed")


@contextlib.asynccontextmanager
async def opened(folder: Path, **flags: str) -> AsyncIterator[tuple[Services, Actor]]:
    settings = load_settings(environ={}, flags=flags)
    services = await asyncio.to_thread(open_services, settings, find_paths(data_dir=folder / "data"))
    try:
        user = await services.accounts.create_first_admin("ada", "walnut-koala-lantern")
        yield services, Actor(user.id, user.name, user.role)
    finally:
        await services.close()


async def test_what_needs_root_is_refused_before_there_is_a_scan(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        scanning = services.scanning
        scanning._commands._privilege = replace(services.privilege, can_scan_raw=False)
        for options, error in (("-sU", PrivilegeMissing), ("-sT -6", InvalidInput)):
            with pytest.raises(error):
                await scanning.start(ada, StartScan(("127.0.0.1",), options))
        assert await services.scans.count(ada) == 0


async def test_a_start_that_fails_late_is_a_failed_scan(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        services.paths.jobs.rmdir()
        services.paths.jobs.write_text("in the way")
        with pytest.raises((NetmonError, OSError)):
            await services.scanning.start(ada, StartScan(("127.0.0.1",), "-sL"))
        (scan,) = await services.scans.find(ada)
        assert (scan.state, bool(scan.error)) == (JobState.FAILED, True)
        await services.scans.delete(ada, scan.id)


async def test_the_limit_of_addresses_is_the_setting(tmp_path: Path) -> None:
    async with opened(tmp_path, **{"scans.maximum_addresses": "131072"}) as (services, ada):
        plan = await services.scanning.plan(ada, StartScan(("10.0.0.0/15",), "-sL"))
        assert plan.addresses == 131_072
        with pytest.raises(InvalidInput):
            await services.scanning.plan(ada, StartScan(("10.0.0.0/14",), "-sL"))


async def test_what_is_never_scanned_is_excluded_from_every_scan(tmp_path: Path) -> None:
    async with opened(tmp_path, **{"scans.never_scan": "127.0.0.8/30, 127.0.0.99"}) as (services, ada):
        plan = await services.scanning.plan(ada, StartScan(("127.0.0.0/28",), "-sL --exclude 127.0.0.1"))
        assert "127.0.0.1,127.0.0.8/30,127.0.0.99" in plan.command
        with pytest.raises(InvalidInput, match="is never scanned"):
            await services.scanning.start(ada, StartScan(("127.0.0.9",), "-sL"))
        scan = await services.scanning.start(ada, StartScan(("127.0.0.0/28",), "-sL --exclude 127.0.0.1"))
        assert (await services.scanning.wait(ada, scan.id)).state is JobState.COMPLETED
        assert (await services.scans.get(ada, scan.id)).hosts_total == 16 - 1 - 4


async def test_a_wrong_never_scan_list_lets_nothing_start(tmp_path: Path) -> None:
    async with opened(tmp_path, **{"scans.never_scan": "10.0.0.300"}) as (services, ada):
        with pytest.raises(InvalidInput, match="the never-scan list is wrong"):
            await services.scanning.start(ada, StartScan(("127.0.0.1",), "-sL"))
        assert (
            "never-scan list"
            in (await services.scanning.preview(ada, StartScan(("127.0.0.1",), "-sL"))).error
        )
        assert await services.scans.count(ada) == 0


async def test_no_scan_is_faster_than_the_ceiling(tmp_path: Path) -> None:
    async with opened(tmp_path, **{"scans.maximum_rate": "50"}) as (services, ada):
        for options in ("-sT -p 1-10", "-sT -p 1-10 --min-rate 5000", "-sT -p 1-10 -T5"):
            command = (await services.scanning.plan(ada, StartScan(("127.0.0.1",), options))).command
            assert command[command.index("--max-rate") + 1] == "50"


async def test_what_fails_after_the_end_leaves_the_scan_finished(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        told: list[int] = []

        def fail(scan_id: int) -> None:
            told.append(scan_id)
            raise NotFound(f"no scan {scan_id}")

        services.scanning._queue._follower._ended = fail
        scan = await services.scanning.start(ada, StartScan(("127.0.0.1",), "-sL"))
        assert (await services.scanning.wait(ada, scan.id)).state is JobState.COMPLETED
        assert told == [scan.id]
