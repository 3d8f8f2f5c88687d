"""Hooks of a program: who is told what, what is left out, and that nothing is ever held up."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.hook import HookRecord, HookReport
from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound, ToolFailed
from netmon_tui.services import neighbour_hooks
from netmon_tui.services.container import Services, open_services
from netmon_tui.services.hook_journal import HookJournal
from netmon_tui.services.neighbour_hooks import MOST_WAITING, Allowance, NeighbourHooks

Kind = NeighbourEventKind
ADA, VERA = Actor(1, "ada", Role.ADMIN), Actor(2, "vera", Role.VIEWER)
NEVER = 30.0
"""Seconds after which a fact that should have come is missing."""


def event(kind: Kind = Kind.CHANGED, number: int = 1) -> NeighbourEvent:
    lladdr = f"b8:27:eb:00:00:{number % 256:02x}"
    return NeighbourEvent(datetime.now(UTC), kind, f"192.0.2.{number}", "eth0", lladdr, id=number)


async def until(question: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + NEVER
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not in {NEVER:g} s"
        await asyncio.sleep(0.01)
    return answer


class House:
    """A program with hooks that are scripts in a directory."""

    def __init__(self, services: Services, directory: Path) -> None:
        self.services = services
        self.hooks: NeighbourHooks = services.segment.hooks
        self.directory = directory
        self.file = services.paths.hooks_file

    def write(self, **scripts: str | tuple[str, str]) -> None:
        """Write hooks: name -> shell script, or (script, further lines of TOML)."""
        text = ""
        for name, script in scripts.items():
            body, more = script if isinstance(script, tuple) else (script, "")
            program = self.directory / name
            program.write_text(f"#!/bin/sh\n{body}\n")
            program.chmod(0o700)
            text += f'[[hook]]\nname = "{name}"\nkind = "command"\ncommand = ["{program}"]\n{more}\n'
        self.file.write_text(text)
        self.file.chmod(0o600)

    def told(self, name: str) -> list[dict[str, Any]]:
        """What the script of that name has read, if it is ``keep(name)``."""
        kept = self.directory / f"{name}.got"
        return [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []

    def keep(self, name: str) -> str:
        return f"cat >> {self.directory}/{name}.got"

    async def report(self, name: str) -> HookReport:
        return next(report for report in await self.hooks.reports(ADA) if report.hook.name == name)

    def record(self, name: str) -> HookRecord:
        return HookJournal(self.services.paths.hooks_journal).records().get(name, HookRecord())


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(neighbour_hooks, "CLOSING_SECONDS", 0.1)  # what hangs is not worth waiting for here
    config = tmp_path / "config.toml"
    paths = find_paths(data_dir=tmp_path / "data", config_file=config)
    services = await asyncio.to_thread(open_services, load_settings(environ={}), paths)
    yield House(services, tmp_path)
    await services.close()


async def test_each_hook_is_told_what_it_asked_for(house: House) -> None:
    house.write(
        all=house.keep("all"),
        high=(house.keep("high"), 'least = "high"'),
        info=(house.keep("info"), 'least = "info"\nevents = ["moved", "changed"]'),
    )
    await house.hooks.tell([event(Kind.MOVED, 1), event(Kind.CHANGED, 2), event(Kind.DUPLICATE, 3)])
    await until(lambda: [len(house.told(name)) for name in ("all", "high", "info")] == [2, 1, 2])
    assert [d["kind"] for d in house.told("all")] == ["duplicate", "changed"], "the weightiest first"
    (told,) = house.told("high")
    assert (told["id"], told["severity"], told["address"]) == (3, "high", "192.0.2.3")
    assert told["left_out"] == 0
    assert told["machine"]
    assert await until(lambda: house.record("all").sent == 2)
    assert (await house.report("all")).problem == ""


async def test_a_hook_that_hangs_holds_up_nobody(house: House) -> None:
    house.write(stuck=("sleep 100", "timeout = 60"), other=house.keep("other"))
    async with asyncio.timeout(NEVER):
        await house.hooks.tell([event()])
    await until(lambda: house.told("other"))
    async with asyncio.timeout(NEVER):
        await asyncio.to_thread(lambda: None)  # other work in threads goes on


async def test_twenty_hooks_that_hang_leave_threads_for_everybody_else(house: House) -> None:
    house.write(**{f"stuck{n}": ("sleep 100", "timeout = 60") for n in range(19)}, last=house.keep("last"))
    await house.hooks.tell([event()])
    await until(lambda: house.told("last"))
    await asyncio.wait_for(asyncio.to_thread(lambda: None), NEVER)


async def test_what_is_too_much_is_left_out_and_counted_in_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(neighbour_hooks, "Allowance", lambda most: Allowance(most, lambda: clock[0]))
    house.write(few=(house.keep("few"), "per_minute = 2"))
    await house.hooks.tell([event(number=n) for n in range(1, 21)])
    await until(lambda: len(house.told("few")) == 2)
    assert [d["left_out"] for d in house.told("few")] == [18, 0]
    await house.hooks.tell([event(number=30)])
    clock[0] += 60
    await house.hooks.tell([event(number=31)])
    await until(lambda: len(house.told("few")) == 3)
    assert house.told("few")[-1]["left_out"] == 1
    assert house.told("few")[-1]["id"] == 31
    await until(lambda: house.record("few").left_out == 19)


async def test_what_is_left_out_while_a_hook_is_busy_is_told_next(house: House) -> None:
    gate = house.directory / "gate"
    wait = f"echo > {gate}.reached; while ! [ -e {gate} ]; do sleep 0.02; done; "
    house.write(few=(wait + house.keep("few"), "per_minute = 2"))
    await house.hooks.tell([event(number=n) for n in (1, 2, 3)])
    await until(Path(f"{gate}.reached").exists)
    await house.hooks.tell([event(number=4)])
    gate.touch()
    await until(lambda: len(house.told("few")) == 2)
    assert [d["left_out"] for d in house.told("few")] == [1, 1]


async def test_what_a_failed_hook_should_have_told_of_stays_counted(house: House) -> None:
    house.write(few=("exit 1", "per_minute = 1"))
    await house.hooks.tell([event(number=n) for n in range(1, 4)])
    await until(lambda: house.record("few").failures == 1)
    house.write(few=(house.keep("few"), "per_minute = 5"))
    await house.hooks.tell([event(number=9)])
    await until(lambda: house.told("few"))
    assert house.told("few")[0]["left_out"] == 2


async def test_a_storm_of_light_events_leaves_room_for_a_high_one(house: House) -> None:
    gate = house.directory / "gate"
    wait = f"echo > {gate}.reached; while ! [ -e {gate} ]; do sleep 0.02; done; "
    house.write(few=(wait + house.keep("few"), "per_minute = 2\ntimeout = 60"))
    await house.hooks.tell([event(number=n) for n in range(1, 10)])
    await until(Path(f"{gate}.reached").exists)
    await house.hooks.tell([event(Kind.DUPLICATE, 90)])
    gate.touch()
    await until(lambda: len(house.told("few")) == 3)
    assert [d["id"] for d in house.told("few")][1] == 90, "and it goes before the light ones"


async def test_a_full_line_leaves_out_the_lightest(house: House) -> None:
    house.write(slow=("sleep 100", "per_minute = 600\ntimeout = 60"))
    await house.hooks.tell([event(number=n) for n in range(1, MOST_WAITING + 10)])
    await house.hooks.tell([event(Kind.GATEWAY_CHANGED, 200)])
    line = house.hooks._lines["slow"]
    assert len(line._waiting) == MOST_WAITING
    assert line._waiting[0].id == 200


async def test_no_more_than_a_hundred_wait(house: House) -> None:
    house.write(slow=("sleep 100", "per_minute = 600\ntimeout = 60"))
    await house.hooks.tell([event(number=n) for n in range(1, 501)])
    line = house.hooks._lines["slow"]
    assert len(line._waiting) <= MOST_WAITING
    assert line._left_out >= 500 - MOST_WAITING - 1


async def test_a_failure_is_told_and_logged_once_while_it_lasts(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("netmon_tui"), "propagate", True)
    caplog.set_level("INFO")
    house.write(bad="echo no mail today; exit 7")
    for number in (1, 2, 3):
        await house.hooks.tell([event(number=number)])
        await until(lambda number=number: house.record("bad").failures == number)
    report = await house.report("bad")
    assert report.record.failure == "exit status 7: no mail today"
    assert report.record.is_failing
    assert sum("no mail today" in line for line in caplog.messages) == 1
    house.write(bad=house.keep("bad"))
    await house.hooks.tell([event()])
    await until(lambda: house.record("bad").sent == 1)
    assert not (await house.report("bad")).record.is_failing
    await until(lambda: "hook bad works again" in caplog.messages)


async def test_the_file_is_read_again_when_it_changes(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("netmon_tui"), "propagate", True)
    await house.hooks.tell([event()])
    house.write(one=house.keep("one"))
    await house.hooks.tell([event(number=1)])
    await until(lambda: house.told("one"))
    house.file.chmod(0o666)
    await house.hooks.tell([event(number=2)])
    await house.hooks.tell([event(number=3)])
    assert sum("others may write to it" in line for line in caplog.messages) == 1
    house.file.chmod(0o600)
    house.file.parent.chmod(0o777)
    await house.hooks.tell([event(number=7)])
    house.file.parent.chmod(0o700)
    await house.hooks.tell([event(number=8)])
    await until(lambda: len(house.told("one")) == 2)
    house.file.parent.chmod(0o777)
    await house.hooks.tell([event(number=9)])
    house.file.parent.chmod(0o700)
    house.file.write_text("[[hook")
    await house.hooks.tell([event(number=4)])
    house.file.unlink()
    await house.hooks.tell([event(number=5)])
    house.write(one=house.keep("one"))
    await house.hooks.tell([event(number=6)])
    await until(lambda: len(house.told("one")) == 3)
    assert [d["id"] for d in house.told("one")] == [1, 8, 6]


async def test_what_waits_is_passed_on_at_the_end_and_what_hangs_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbour_hooks, "CLOSING_SECONDS", 1.0)
    paths = find_paths(data_dir=tmp_path / "data", config_file=tmp_path / "config.toml")
    services = await asyncio.to_thread(open_services, load_settings(environ={}), paths)
    house = House(services, tmp_path)
    house.write(quick=house.keep("quick"), stuck=("echo $$ > $0.pid; sleep 100", "timeout = 60"))
    await house.hooks.tell([event(number=n) for n in range(1, 4)])
    pid = await until(lambda: (tmp_path / "stuck.pid").exists() and (tmp_path / "stuck.pid").read_text())
    began = time.monotonic()
    await services.close()
    assert time.monotonic() - began < NEVER, "half of what the hook may take"
    assert len(house.told("quick")) == 3
    assert not Path(f"/proc/{pid.strip()}").exists()


async def test_a_hook_is_tried(house: House) -> None:
    house.write(mail=house.keep("mail") + "; echo queued as 42", bad="exit 1")
    assert await house.hooks.test(ADA, "mail") == "queued as 42"
    (told,) = house.told("mail")
    assert (told["kind"], told["address"], told["id"]) == ("duplicate", "192.0.2.1", None)
    assert "example" in told["detail"]
    with pytest.raises(ToolFailed, match="exit status 1"):
        await house.hooks.test(ADA, "bad")
    with pytest.raises(NotFound, match="no hook 'mial'"):
        await house.hooks.test(ADA, "mial")
    with pytest.raises(NotAllowed):
        await house.hooks.test(VERA, "mail")
    trail = await house.services.activity.audit(ADA)
    assert [(e.action, e.subject) for e in trail][:2] == [
        ("neighbour.test_hook", "hook bad"),
        ("neighbour.test_hook", "hook mail"),
    ]


async def test_a_wrong_file_is_refused_where_somebody_asks(house: House) -> None:
    house.file.write_text("[[hook]]\nname = 1\n")
    house.file.chmod(0o600)
    with pytest.raises(InvalidInput, match="hook 1: name = 1"):
        await house.hooks.reports(ADA)


def test_an_allowance_refills_and_never_overflows() -> None:
    clock = [0.0]
    allowance = Allowance(6, lambda: clock[0])
    assert [allowance.take() for _ in range(8)] == [True] * 6 + [False] * 2
    clock[0] += 10
    assert [allowance.take(), allowance.take()] == [True, False]
    clock[0] += 10_000
    assert sum(allowance.take() for _ in range(100)) == 6


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"one": 1}', '{"one": {}}', '{"one": {"sent": "x"}}', "[" * 100_000,
     '{"one": {"sent": 1, "left_out": 0, "last_sent": "2026-01-01", "failures": 0,'
     ' "failure": "", "failed": null}}'],
)  # fmt: skip
def test_a_damaged_journal_counts_as_none(tmp_path: Path, text: str) -> None:
    journal = HookJournal(tmp_path / "hooks.json")
    (tmp_path / "hooks.json").write_text(text)
    assert journal.records() == {}
    journal.change("one", lambda record: replace(record, sent=record.sent + 1))
    assert journal.records() == {"one": HookRecord(sent=1)}
    assert (tmp_path / "hooks.json").stat().st_mode & 0o777 == 0o600


def test_two_programs_that_write_the_journal_lose_nothing(tmp_path: Path) -> None:
    def write(journal: HookJournal) -> None:
        for _ in range(100):
            journal.change("one", lambda record: replace(record, sent=record.sent + 1))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, [HookJournal(tmp_path / "hooks.json") for _ in range(2)]))
    assert HookJournal(tmp_path / "hooks.json").records()["one"].sent == 200
