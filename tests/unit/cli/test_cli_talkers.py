"""``capture talkers`` on a capture whose counts are known."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from netmon_tui.cli import talkers
from netmon_tui.cli.output import Progress
from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.capture_files import NUMBERED_NAME
from netmon_tui.domain.job import JobState
from netmon_tui.domain.user import Actor, Role
from netmon_tui.services.container import open_services
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.pcap import make_header
from tests.unit.services.tsharks import begin, keep, make_ring
from tests.unit.tools.exchanges import CLIENT, SERVER, exchanges


def stored(home: Path, data: bytes) -> str:
    """Store a capture of ada's."""
    services = open_services(load_settings(environ={}), find_paths(data_dir=home / "data"), reading=False)
    number = keep(services, Actor(1, "ada", Role.ADMIN), data)
    asyncio.run(services.close())
    return str(number)


@pytest.fixture
def capture(admin, home: Path) -> str:
    """The exchanges."""
    return stored(home, exchanges().data())


def test_each_table_and_all_as_json(admin, capture: str) -> None:
    lines = admin("capture", "talkers", capture, "--top", "1").out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ADDRESS", "PACKETS"], [SERVER, "20"]]
    lines = admin("capture", "talkers", capture, "--conversations").out.splitlines()
    assert lines[1].split()[:5] == [CLIENT, SERVER, "TCP", "80", "18"] and len(lines) == 3
    lines = admin("capture", "talkers", capture, "--services").out.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [["TCP", "80", "18"], ["UDP", "5000", "2"]]
    lines = admin("capture", "talkers", capture, "--lengths").out.splitlines()
    assert sum(int(line.split()[-1]) for line in lines[1:]) == 20
    for watch in ((), ("--watch",)):
        document = admin("capture", "talkers", capture, "--json", *watch).document
        assert (document["packets"], document["sampled"], document["read"], document["notes"]) == (
            20,
            1,
            1,
            [],
        )
        assert document["conversations"][0]["service"] == {"protocol": "TCP", "number": 6, "port": 80}
        assert document["talkers"][0]["filter"] == f"ip.addr == {SERVER}"


def test_a_link_type_whose_addresses_are_not_read_is_named(admin, home: Path) -> None:
    answer = admin("capture", "talkers", stored(home, make_header(127).data + exchanges().data()[24:]))
    assert answer.out.split()[0] == "ADDRESS" and len(answer.out.splitlines()) == 1
    assert "addresses of IEEE802_11_RADIO are not read" in answer.err
    assert "capture analyse" in answer.err


def test_a_capture_that_is_not_there(admin, capture: str) -> None:
    answer = admin("capture", "talkers", "7")
    assert answer.code == 1 and "7" in answer.err and answer.out == ""


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (
            "",
            [
                "capture-000002.pcap, the newest of 2; --file N chooses one",
                "capture-000003.pcap, the newest of 3: counted anew since TIME",
                "capture-000004.pcap, the newest of 4: counted anew since TIME",
                "capture-000005.pcap, the newest of 5: counted anew since TIME",
                "all 5 files; --file N chooses one",
            ],
        ),
        ("2", ["capture-000002.pcap, file 2 of 2"]),
    ],
)
def test_which_files_of_a_ring_are_counted_is_said_and_since_when(
    admin,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: str,
    said: list[str],
) -> None:
    monkeypatch.setattr(talkers, "_WATCH_SECONDS", 0)
    ada = Actor(1, "ada", Role.ADMIN)

    async def watch() -> None:
        services = open_services(load_settings(environ={}), find_paths(data_dir=home / "data"), reading=False)
        number, directory = begin(services, ada)
        make_ring(directory, *[exchanges().data()] * 2)
        place = 2
        async for _ in talkers._follow(services, ada, number, file, 1, Progress()):
            place += 1
            if place < 6:  # the ring goes on to another file, and then the capture ends
                exchanges().write(directory / (NUMBERED_NAME % place))
            else:
                CaptureRepository(services.database).update(number, state=JobState.COMPLETED.value)
        await services.close()

    asyncio.run(watch())
    told = re.sub(r"\b\d\d:\d\d:\d\d\b", "TIME", capsys.readouterr().err)
    assert told.splitlines() == said
