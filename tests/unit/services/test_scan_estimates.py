"""What a plan says a scan will cost: what is counted, and which earlier scans time it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from netmon_tui.domain.estimate import ScanEstimate
from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import ScanPreview, StartScan
from netmon_tui.domain.scan_run import ScanRun
from netmon_tui.domain.user import Actor, Role
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.database import Database
from netmon_tui.storage.scan_run_rows import write_run
from tests.unit.services.made_scans import TARGETS, Store
from tests.unit.services.test_starting_scans import opened

pytestmark = pytest.mark.skipif(find_tool("nmap") is None, reason="nmap is not installed")
BEGAN = datetime(2026, 3, 13, tzinfo=UTC)
OPTIONS = "-sT -p 80 -n"


async def planned(store: Store, *targets: str, line: str = OPTIONS, **values: Any) -> ScanPreview:
    return await store.services.scanning.plan(store.ada, StartScan(targets or TARGETS, line, **values))


async def estimated(store: Store, *targets: str, line: str = OPTIONS, **values: Any) -> ScanEstimate:
    estimate = (await planned(store, *targets, line=line, **values)).estimate
    assert estimate is not None
    return estimate


async def ran(store: Store, seconds: float, *, elapsed: float | None = None, **values: Any) -> int:
    """A finished scan of the options with a document that says how long nmap took."""
    asked = {"targets": TARGETS, "arguments": "-sT -p80 -n", "hosts_total": 256} | values
    if "command" not in asked:
        asked["command"] = list((await planned(store, *asked["targets"])).command)
    scan_id = store.scan([], started=BEGAN, finished=BEGAN + timedelta(seconds=seconds), **asked)
    database: Database = store.services.database
    run = ScanRun(scanner="nmap", elapsed=seconds if elapsed is None else elapsed)
    database.write(lambda connection: write_run(connection, scan_id, run))
    return scan_id


async def test_what_is_excluded_is_not_counted_and_names_are_counted_apart(store: Store) -> None:
    estimate = await estimated(
        store, *TARGETS, "host.example", line="-sT -F --exclude 10.0.0.0/25,10.0.0.200"
    )
    assert (estimate.addresses, estimate.names) == (127, 1)
    assert estimate.ports == (("tcp", 100),)


async def test_what_is_never_scanned_is_not_counted(tmp_path: Any) -> None:
    async with opened(tmp_path, **{"scans.never_scan": "10.0.0.0/26", "scans.maximum_rate": "20"}) as (
        house,
        ada,
    ):
        plan = await house.scanning.plan(ada, StartScan(TARGETS, OPTIONS))
        assert plan.estimate is not None
        assert (plan.addresses, plan.estimate.addresses) == (256, 192)
        assert plan.estimate.seconds.lowest >= 191 / 20


async def test_a_refused_request_has_no_estimate(store: Store) -> None:
    request = StartScan(("::/0",), "-sL")
    preview = await store.services.scanning.preview(store.ada, request)
    assert preview.error and preview.estimate is None


async def test_a_scan_that_outlasts_the_limit_says_so(store: Store) -> None:
    assert (
        "a scan is stopped after 6 hours"
        in (await estimated(store, "203.0.113.0/24", line="-sT -p- -T1")).basis
    )
    assert "stopped" not in (await estimated(store, "203.0.113.9")).basis


async def test_a_list_of_names_sends_nothing(store: Store) -> None:
    estimate = await estimated(store, "203.0.113.9", line="-sL")
    assert (estimate.basis, estimate.probes.highest) == ("nothing is sent to them", 0)


async def test_earlier_runs_of_these_options_time_it(store: Store) -> None:
    assert (await estimated(store)).earlier_runs == 0
    await ran(store, 600)
    await ran(store, 700)
    estimate = await estimated(store)
    assert estimate.basis == "from 2 earlier runs of these options"
    assert 300 < estimate.seconds.lowest <= 600 < 700 <= estimate.seconds.highest < 1_200
    assert (await estimated(store, "10.0.0.0/25")).earlier_runs == 2
    assert (await estimated(store, line="-sT -p 81 -n")).earlier_runs == 0


@pytest.mark.parametrize(
    "values",
    [
        {"state": JobState.FAILED.value},
        {"imported": True},
        {"staged": False},
        {"arguments": "-sT -p81 -n"},
        {"command": ["/usr/bin/nmap", "-sT", "-p80", "-n", "--max-rate", "10", "-oX", "x", "--", *TARGETS]},
        {"hosts_total": 0},
        {"elapsed": 100.0},
    ],
    ids=lambda values: next(iter(values)),
)
async def test_other_scans_do_not(store: Store, values: dict[str, Any]) -> None:
    """Failed, imported, otherwise run, of no host, or halted for a long while."""
    await ran(store, 600, **values)
    assert (await estimated(store)).earlier_runs == 0


async def test_a_scan_that_was_paused_does_not(store: Store) -> None:
    """nmap counts the time that it stands still as its own."""
    scan_id = await ran(store, 600)
    assert (await estimated(store)).earlier_runs == 1
    audit = AuditRepository(store.services.database)
    audit.record(store.ada, "scan.pause", f"scan {scan_id}1")
    assert (await estimated(store)).earlier_runs == 1
    audit.record(store.ada, "scan.pause", f"scan {scan_id}")
    assert (await estimated(store)).earlier_runs == 0


async def test_scans_of_others_time_it_only_for_who_may_see_them(store: Store) -> None:
    await ran(store, 600)
    assert (await estimated(store)).earlier_runs == 1
    user = await store.services.accounts.add_user(store.ada, "bo", "walnut-koala-lantern", role=Role.OPERATOR)
    bo = Actor(user.id, user.name, user.role)
    plan = await store.services.scanning.plan(bo, StartScan(TARGETS, OPTIONS))
    assert plan.estimate is not None and plan.estimate.earlier_runs == 0


async def test_the_stages_have_names(store: Store) -> None:
    plan = await planned(store, line="-sT -sV")
    assert plan.stage_names == ("discovery", "ports", "detection")
    assert len(plan.stages) == 3
    assert (await planned(store, line="-sT -sV", staged=False)).stage_names == ()
